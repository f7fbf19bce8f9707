package opcua

import (
	"encoding/binary"
	"strings"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
)

// event is something that happened: to a condition, or to the server itself.
type event struct {
	typ   uint32
	alarm *alarm
	state *alarmState
	at    time.Time // of an event without a condition
}

// field is a field of an event by its path; nil if it has none of that name.
func (e *event) field(path string) any {
	if e.alarm == nil {
		switch path {
		case "EventId":
			return binary.BigEndian.AppendUint64(nil, uint64(e.at.UnixNano())^uint64(e.typ))
		case "EventType":
			return ua.NewFourByteNodeID(0, uint16(e.typ))
		case "SourceNode":
			return ua.NewFourByteNodeID(0, id.Server)
		case "SourceName":
			return "Server"
		case "Time", "ReceiveTime":
			return e.at
		case "Message":
			return ua.NewLocalizedText("")
		case "Severity":
			return uint16(100)
		}
		return nil
	}
	if path == "" { // the condition itself
		return e.alarm.node.id
	}
	for i := range alarmFields {
		if f := &alarmFields[i]; f.path == path && f.read != nil && e.alarm.has(path) {
			return f.read(e.alarm, e.state)
		}
	}
	return nil
}

// eventFilter tells which events an item reports, and what of them.
type eventFilter struct {
	fields []string // paths; "?" for what no event has
	where  []clause
}

// maxFields bounds what a filter can ask for.
const maxFields = 200

// eventFilter reads the filter of an item for events.
func (s *Server) eventFilter(x *ua.ExtensionObject) (*eventFilter, error) {
	if x == nil {
		return nil, ua.StatusBadEventFilterInvalid
	}
	r, ok := x.Value.(*ua.EventFilter)
	if _, data := x.Value.(*ua.DataChangeFilter); data {
		return nil, ua.StatusBadFilterNotAllowed
	}
	if !ok || len(r.SelectClauses) == 0 || len(r.SelectClauses) > maxFields {
		return nil, ua.StatusBadEventFilterInvalid
	}
	f := &eventFilter{}
	for _, sel := range r.SelectClauses {
		f.fields = append(f.fields, pathOf(sel))
	}
	if r.WhereClause == nil {
		return f, nil
	}
	if len(r.WhereClause.Elements) > maxFields {
		return nil, ua.StatusBadEventFilterInvalid
	}
	for i, e := range r.WhereClause.Elements {
		c, err := clauseOf(e, i, len(r.WhereClause.Elements))
		if err != nil {
			return nil, err
		}
		f.where = append(f.where, c)
	}
	return f, nil
}

// pathOf is the path of a select clause.
func pathOf(sel *ua.SimpleAttributeOperand) string {
	var names []string
	for _, q := range sel.BrowsePath {
		if q.NamespaceIndex != 0 {
			return "?"
		}
		names = append(names, q.Name)
	}
	path := strings.Join(names, "/")
	if (path == "") != (sel.AttributeID == ua.AttributeIDNodeID) || path != "" && sel.AttributeID != ua.AttributeIDValue || sel.IndexRange != "" {
		return "?"
	}
	return path
}

// report queues an event at every item that listens to it. The mutex is held.
// Items are visited in the order of their sessions, which is always the same.
func (s *Server) report(e *event) {
	for _, sess := range s.sessions {
		for _, sub := range sess.subs {
			sub.hear(s, e)
		}
	}
	for _, sub := range s.subs { // those without a session; each is told for itself
		if sub.session == nil {
			sub.hear(s, e)
		}
	}
}

func (sub *subscription) hear(s *Server, e *event) {
	for _, it := range sub.order {
		if it.event != nil {
			it.say(s, e)
		}
	}
}

// say queues one event at an item, if the item listens to its source and lets
// it pass.
func (it *item) say(s *Server, e *event) {
	std := s.space().std
	if it.mode == ua.MonitoringModeDisabled || !it.covers(std, e) || !refreshing(e) && !it.event.passes(std, e) {
		return
	}
	b := appendU32(nil, uint32(len(it.event.fields)))
	for _, path := range it.event.fields {
		b = appendOwn(b, ua.MustVariant(e.field(path)))
	}
	it.push(&entry{server: ticks(time.Now()), variant: ua.MustVariant(b)})
}

// refreshing tells the events that frame a refresh, which no filter holds back.
func refreshing(e *event) bool {
	return e.typ == id.RefreshStartEventType || e.typ == id.RefreshEndEventType
}

// covers tells whether the source of an event is below the item's object; all
// are below the server.
func (it *item) covers(std *standard, e *event) bool {
	return it.node == std.nodes[id.Server] || e.alarm == nil ||
		strings.HasPrefix(string(e.alarm.def.Tag), it.node.id.StringID()+"/")
}

// appendEvents drains at most left events into one EventNotificationList.
func (m *dataMessage) appendEvents(b []byte, left int) []byte {
	sub := m.sub
	b = appendTypeID(b, id.EventNotificationList_Encoding_DefaultBinary)
	b = append(b, ua.ExtensionObjectBinary)
	size := len(b)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0) // bytes of the body, number of events
	n := 0
	for left > n && waiting(&sub.said) {
		it := sub.said[0]
		for ; it.queue.n > 0 && n < left; n++ {
			b = appendU32(b, it.handle)
			b = append(b, it.queue.at(0).variant.Value().([]byte)...)
			it.queue.pop()
		}
	}
	sub.count.events += uint32(n)
	binary.LittleEndian.PutUint32(b[size:], uint32(len(b)-size-4))
	binary.LittleEndian.PutUint32(b[size+4:], uint32(n))
	return b
}
