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
//	   methods of condition.go ─────┘
type alarm struct {
	def   *plc.Alarm
	tag   *node
	node  *node
	state atomic.Pointer[alarmState] // replaced under Server.mu
}

// alarmState is a condition at one moment. It never changes.
type alarmState struct {
	side        int // 1 above, -1 below, 0 within the limits
	unacked     bool
	unconfirmed bool
	disabled    bool
	shelf       shelf
	until       time.Time // when a timed shelf ends
	ids         [][]byte  // of the events that methods may name, newest last
	event       []byte    // id of the last event
	at          time.Time
	message     string
	comment     *ua.LocalizedText
	user        string
	quality     ua.StatusCode
}

// retained tells whether the condition is of interest to an operator.
func (st *alarmState) retained() bool {
	return !st.disabled && (st.side != 0 || st.unacked || st.unconfirmed)
}

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
		if a.has(f.path) {
			sp.addField(a, f)
		}
	}
	sp.addConditionMethods(a)
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

// watch holds a scan against the limits of an alarm. The mutex is held.
func (s *Server) watch(a *alarm, b *plc.Block) {
	v, q := b.Values[a.tag.tag.index], b.Quality[a.tag.tag.index]
	was := s.unshelve(a, b.Stamp)
	if q.IsBad() || was.disabled {
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
		if st.shelf == oneShot {
			st.shelf = unshelved
		}
	default:
		st.unacked, st.unconfirmed = true, false
		st.comment, st.user = ua.NewLocalizedText(""), ""
		word := map[int]string{1: "above its high", -1: "below its low"}[side]
		st.message = fmt.Sprintf("%s is %s limit at %.4g %s", a.def.Tag, word, v, a.tag.tag.tag.Unit)
	}
	s.happens(a, &st, b.Stamp)
}

// maxNamed is how many events of one condition methods may name; older ones
// are past.
const maxNamed = 8

// happens makes a state of a condition its present one, and an event of it.
// The mutex is held.
func (s *Server) happens(a *alarm, st *alarmState, at time.Time) {
	st.at, st.event = at, s.secret(16)
	if st.retained() {
		st.ids = append(slices.Clone(st.ids[max(0, len(st.ids)+1-maxNamed):]), st.event)
	} else {
		st.ids = [][]byte{st.event}
	}
	a.state.Store(st)
	s.report(&event{typ: a.node.kind, alarm: a, state: st})
}
