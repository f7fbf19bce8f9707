package opcua

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/plc"
)

// alarm is a condition of the address space (Part 9): an ExclusiveLevelAlarm
// whose source is a tag.
//
//	scan ─► side of the limits ─► state ─► event ─► event items' queues
//	                                ▲
//	           Acknowledge ─────────┘
type alarm struct {
	def   *plc.Alarm
	tag   *node
	node  *node
	state atomic.Pointer[alarmState] // replaced under Server.mu
}

// alarmState is a condition at one moment. It never changes.
type alarmState struct {
	side    int // 1 above, -1 below, 0 within the limits
	unacked bool
	ids     [][]byte // of the events that can be acknowledged, newest last
	event   []byte   // id of the last event
	at      time.Time
	message string
	comment *ua.LocalizedText
	user    string
	quality ua.StatusCode
}

func (st *alarmState) retained() bool { return st.side != 0 || st.unacked }

// reset is the state of a condition of which nothing is known yet.
func (a *alarm) reset() { a.state.Store(&alarmState{comment: ua.NewLocalizedText("")}) }

// addAlarm puts a condition beside its tag.
func (sp *space) addAlarm(def *plc.Alarm) error {
	tag := sp.tags[string(def.Tag)]
	if tag == nil || tag.tag == nil {
		return fmt.Errorf("alarm on %q: there is no such tag", def.Tag)
	}
	path := string(def.Tag) + ".Alarm"
	if sp.tags[path] != nil {
		return fmt.Errorf("alarm on %q: it has one already", def.Tag)
	}
	a := &alarm{def: def, tag: tag}
	a.reset()
	a.node = &node{id: ua.NewStringNodeID(sp.index, path), ns: sp.index, name: title(tag.name) + "Alarm", class: ua.NodeClassObject, kind: id.ExclusiveLevelAlarmType, alarm: a}
	sp.tags[path] = a.node
	parent := sp.folderOf(string(def.Tag))
	sp.attach(parent, id.HasComponent, a.node)
	for n := parent; n != nil; n = sp.folderOf(n.id.StringID()) {
		n.events = true
	}
	link(tag, id.HasCondition, a.node)
	for _, f := range alarmFields {
		sp.addField(a, f)
	}
	ack := sp.std.nodes[id.AcknowledgeableConditionType_Acknowledge]
	a.node.refs = append(a.node.refs, ref{id.HasComponent, true, ack})
	sp.alarms[tag.tag.task] = append(sp.alarms[tag.tag.task], a)
	return nil
}

// folderOf is the folder in which a path lies, nil for the topmost.
func (sp *space) folderOf(path string) *node {
	cut := strings.LastIndexByte(path, '/')
	if cut < 0 {
		return nil
	}
	return sp.tags[path[:cut]]
}

// alarmField is a field of the events of a condition, and a variable of it.
type alarmField struct {
	path     string // browse names, as in a select clause
	dataType uint32
	read     func(a *alarm, st *alarmState) any
}

func twoState(on bool, yes, no string) *ua.LocalizedText {
	if on {
		return ua.NewLocalizedText(yes)
	}
	return ua.NewLocalizedText(no)
}

// alarmFields are the fields of an alarm's events; those of Part 5 that every
// event has come first. A field with a slash is below the one before it.
var alarmFields = []alarmField{
	{"EventId", id.ByteString, func(_ *alarm, st *alarmState) any { return st.event }},
	{"EventType", id.NodeID, func(a *alarm, _ *alarmState) any { return ua.NewFourByteNodeID(0, uint16(a.node.kind)) }},
	{"SourceNode", id.NodeID, func(a *alarm, _ *alarmState) any { return a.tag.id }},
	{"SourceName", id.String, func(a *alarm, _ *alarmState) any { return string(a.def.Tag) }},
	{"Time", id.UtcTime, func(_ *alarm, st *alarmState) any { return st.at }},
	{"ReceiveTime", id.UtcTime, func(_ *alarm, st *alarmState) any { return st.at }},
	{"Message", id.LocalizedText, func(_ *alarm, st *alarmState) any { return ua.NewLocalizedText(st.message) }},
	{"Severity", id.UInt16, func(a *alarm, _ *alarmState) any { return a.severity() }},
	{"ConditionClassId", id.NodeID, func(*alarm, *alarmState) any { return ua.NewFourByteNodeID(0, id.ProcessConditionClassType) }},
	{"ConditionClassName", id.LocalizedText, func(*alarm, *alarmState) any { return ua.NewLocalizedText("ProcessConditionClassType") }},
	{"ConditionName", id.String, func(a *alarm, _ *alarmState) any { return a.node.name }},
	{"BranchId", id.NodeID, func(*alarm, *alarmState) any { return ua.NewTwoByteNodeID(0) }},
	{"Retain", id.Boolean, func(_ *alarm, st *alarmState) any { return st.retained() }},
	{"EnabledState", id.LocalizedText, func(*alarm, *alarmState) any { return ua.NewLocalizedText("Enabled") }},
	{"EnabledState/Id", id.Boolean, func(*alarm, *alarmState) any { return true }},
	{"Quality", id.StatusCode, func(_ *alarm, st *alarmState) any { return st.quality }},
	{"LastSeverity", id.UInt16, func(a *alarm, _ *alarmState) any { return a.severity() }},
	{"Comment", id.LocalizedText, func(_ *alarm, st *alarmState) any { return st.comment }},
	{"ClientUserId", id.String, func(_ *alarm, st *alarmState) any { return st.user }},
	{"AckedState", id.LocalizedText, func(_ *alarm, st *alarmState) any {
		return twoState(!st.unacked, "Acknowledged", "Unacknowledged")
	}},
	{"AckedState/Id", id.Boolean, func(_ *alarm, st *alarmState) any { return !st.unacked }},
	{"ActiveState", id.LocalizedText, func(_ *alarm, st *alarmState) any { return twoState(st.side != 0, "Active", "Inactive") }},
	{"ActiveState/Id", id.Boolean, func(_ *alarm, st *alarmState) any { return st.side != 0 }},
	{"InputNode", id.NodeID, func(a *alarm, _ *alarmState) any { return a.tag.id }},
	{"SuppressedOrShelved", id.Boolean, func(*alarm, *alarmState) any { return false }},
	{"HighLimit", id.Double, func(a *alarm, _ *alarmState) any { return orNothing(a.def.High) }},
	{"LowLimit", id.Double, func(a *alarm, _ *alarmState) any { return orNothing(a.def.Low) }},
}

func orNothing(v *float64) any {
	if v == nil {
		return nil
	}
	return *v
}

func (a *alarm) severity() uint16 {
	if a.def.Severity == 0 {
		return plc.DefaultSeverity
	}
	return a.def.Severity
}

// addField makes the variable of a field.
func (sp *space) addField(a *alarm, f alarmField) {
	path := a.node.id.StringID() + "." + strings.ReplaceAll(f.path, "/", ".")
	parent, name := a.node, f.path
	if dir, below, ok := strings.Cut(f.path, "/"); ok {
		parent, name = sp.tags[a.node.id.StringID()+"."+dir], below
	}
	n := &node{id: ua.NewStringNodeID(sp.index, path), name: name, class: ua.NodeClassVariable, kind: id.PropertyType, dataType: f.dataType,
		read: func(*Server, time.Time) any { return f.read(a, a.state.Load()) }}
	by := uint32(id.HasProperty)
	if strings.HasSuffix(f.path, "State") || f.path == "Quality" || f.path == "LastSeverity" || f.path == "Comment" {
		n.kind, by = id.BaseDataVariableType, id.HasComponent
	}
	sp.tags[path] = n
	link(parent, by, n)
}

// watch holds a scan against the limits of an alarm. The mutex is held.
func (s *Server) watch(a *alarm, b *plc.Block) {
	v, q := b.Values[a.tag.tag.index], b.Quality[a.tag.tag.index]
	was := a.state.Load()
	if q.IsBad() {
		return
	}
	side := a.def.Side(v, was.side)
	if side == was.side {
		return
	}
	st := *was
	st.side, st.quality = side, ua.StatusCode(q)
	switch {
	case side == 0:
		st.message = fmt.Sprintf("%s is back within its limits at %.4g %s", a.def.Tag, v, a.tag.tag.tag.Unit)
	default:
		st.unacked = true
		st.comment, st.user = ua.NewLocalizedText(""), ""
		word := map[int]string{1: "above its high", -1: "below its low"}[side]
		st.message = fmt.Sprintf("%s is %s limit at %.4g %s", a.def.Tag, word, v, a.tag.tag.tag.Unit)
	}
	s.happens(a, &st, b.Stamp)
}

// maxUnacked is how many events of one condition can be acknowledged; older
// ones are past.
const maxUnacked = 8

// happens makes a state of a condition its present one, and an event of it.
// The mutex is held.
func (s *Server) happens(a *alarm, st *alarmState, at time.Time) {
	st.at, st.event = at, s.secret(16)
	if st.unacked {
		st.ids = append(slices.Clone(st.ids[max(0, len(st.ids)+1-maxUnacked):]), st.event)
	} else {
		st.ids = nil
	}
	a.state.Store(st)
	s.report(&event{typ: a.node.kind, alarm: a, state: st})
}

// conditionMethods are the methods of conditions, which clients call by the
// ids that they have in their types.
var conditionMethods = []struct {
	id, parent uint32
	Method
}{
	{id.ConditionType_ConditionRefresh, id.ConditionType, Method{Name: "ConditionRefresh", anywhere: true, served: conditionRefresh,
		In: []Argument{{"SubscriptionId", "", id.UInt32}}}},
	{id.AcknowledgeableConditionType_Acknowledge, id.AcknowledgeableConditionType, Method{Name: "Acknowledge", anywhere: true, served: acknowledge,
		In: []Argument{{"EventId", "", id.ByteString}, {"Comment", "", id.LocalizedText}}}},
}

// acknowledge serves the method of a condition.
func acknowledge(x *exchange, object *node, in []any) ([]any, error) {
	a := object.alarm
	if a == nil {
		return nil, ua.StatusBadNodeIDInvalid
	}
	s := x.s
	s.mu.Lock()
	defer s.mu.Unlock()
	st := *a.state.Load()
	event, _ := in[0].([]byte)
	known := slices.ContainsFunc(st.ids, func(e []byte) bool { return string(e) == string(event) })
	switch {
	case !st.unacked && string(event) == string(st.event):
		return nil, ua.StatusBadConditionBranchAlreadyAcked
	case !known:
		return nil, ua.StatusBadEventIDUnknown
	}
	st.unacked = false
	if text, ok := in[1].(*ua.LocalizedText); ok && text.Text != "" {
		st.comment = text
	}
	st.user = strings.TrimPrefix(x.session.user, "user:")
	s.happens(a, &st, x.now)
	return nil, nil
}

// conditionRefresh says again, to one subscription, what is retained.
func conditionRefresh(x *exchange, _ *node, in []any) ([]any, error) {
	s := x.s
	s.mu.Lock()
	defer s.mu.Unlock()
	sub, err := x.subscription(in[0].(uint32))
	if err != nil {
		return nil, err
	}
	for _, it := range sub.order {
		if it.event == nil {
			continue
		}
		it.say(s, &event{typ: id.RefreshStartEventType, at: x.now})
		for _, task := range s.space().alarms {
			for _, a := range task {
				if st := a.state.Load(); st.retained() {
					it.say(s, &event{typ: a.node.kind, alarm: a, state: st})
				}
			}
		}
		it.say(s, &event{typ: id.RefreshEndEventType, at: x.now})
	}
	return nil, nil
}
