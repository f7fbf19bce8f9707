package opcua

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
)

// shelf tells whether an operator has put an alarm aside.
type shelf int

// The shelves. A timed one ends at a time, a one-shot one with the alarm.
const (
	unshelved shelf = iota
	timed
	oneShot
)

// shelves are the states of a ShelvedStateMachine.
var shelves = [...]struct {
	name string
	id   uint16
}{{"Unshelved", id.ShelvedStateMachineType_Unshelved}, {"Timed Shelved", id.ShelvedStateMachineType_TimedShelved}, {"One Shot Shelved", id.ShelvedStateMachineType_OneShotShelved}}

// maxShelved is how long an alarm can be shelved, in milliseconds: a week.
const maxShelved = 7 * 24 * 3600 * 1000

// left is how many milliseconds a shelf has left; one that ends with the alarm
// has all the time that there is (Part 9, 5.8.17).
func (st *alarmState) left(now time.Time) float64 {
	switch st.shelf {
	case timed:
		return max(0, float64(st.until.Sub(now))/1e6)
	case oneShot:
		return math.MaxFloat64
	}
	return 0
}

// unshelve ends a timed shelf whose time is over, and returns the state of
// now. A device looks for that at its scans. The mutex is held.
func (s *Server) unshelve(a *alarm, at time.Time) *alarmState {
	st := a.state.Load()
	if st.shelf != timed || time.Now().Before(st.until) {
		return st
	}
	next := *st
	next.shelf = unshelved
	s.happens(a, &next, at)
	return &next
}

// conditionMethod is a method of conditions. Clients call it by the id that it
// has in its type, for a condition or for an object of it.
type conditionMethod struct {
	id, parent uint32
	under      string // the object of the condition that has it, "" for itself
	Method
}

var (
	eventAndComment = []Argument{{"EventId", "", id.ByteString}, {"Comment", "", id.LocalizedText}}
	shelvingTime    = []Argument{{"ShelvingTime", "ms", id.Double}}
)

// conditionMethods are those that the server has.
var conditionMethods = []conditionMethod{
	{id.ConditionType_ConditionRefresh, id.ConditionType, "", Method{Name: "ConditionRefresh", anywhere: true, served: conditionRefresh,
		In: []Argument{{"SubscriptionId", "", id.UInt32}}}},
	{id.ConditionType_ConditionRefresh2, id.ConditionType, "", Method{Name: "ConditionRefresh2", anywhere: true, served: conditionRefresh2,
		In: []Argument{{"SubscriptionId", "", id.UInt32}, {"MonitoredItemId", "", id.UInt32}}}},
	{id.ConditionType_Enable, id.ConditionType, "", ofCondition("Enable", nil, enable(true))},
	{id.ConditionType_Disable, id.ConditionType, "", ofCondition("Disable", nil, enable(false))},
	{id.ConditionType_AddComment, id.ConditionType, "", ofCondition("AddComment", eventAndComment, addComment)},
	{id.AcknowledgeableConditionType_Acknowledge, id.AcknowledgeableConditionType, "", ofCondition("Acknowledge", eventAndComment, acknowledge)},
	{id.AcknowledgeableConditionType_Confirm, id.AcknowledgeableConditionType, "", ofCondition("Confirm", eventAndComment, confirm)},
	{id.ShelvedStateMachineType_TimedShelve, id.ShelvedStateMachineType, "ShelvingState", ofCondition("TimedShelve", shelvingTime, shelveFor)},
	{id.ShelvedStateMachineType_OneShotShelve, id.ShelvedStateMachineType, "ShelvingState", ofCondition("OneShotShelve", nil, shelveOnce)},
	{id.ShelvedStateMachineType_Unshelve, id.ShelvedStateMachineType, "ShelvingState", ofCondition("Unshelve", nil, takeOffShelf)},
	{id.AlarmConditionType_ShelvingState_TimedShelve, id.AlarmConditionType_ShelvingState, "", ofCondition("TimedShelve", shelvingTime, shelveFor)},
	{id.AlarmConditionType_ShelvingState_OneShotShelve, id.AlarmConditionType_ShelvingState, "", ofCondition("OneShotShelve", nil, shelveOnce)},
	{id.AlarmConditionType_ShelvingState_Unshelve, id.AlarmConditionType_ShelvingState, "", ofCondition("Unshelve", nil, takeOffShelf)},
}

// addConditionMethods puts the methods of the types at a condition.
func (sp *space) addConditionMethods(a *alarm) {
	for _, m := range conditionMethods {
		if m.parent == id.AlarmConditionType_ShelvingState || m.id == id.AcknowledgeableConditionType_Confirm && !a.def.Confirm ||
			m.id == id.ConditionType_ConditionRefresh || m.id == id.ConditionType_ConditionRefresh2 { // those are called on the type
			continue
		}
		at := a.node
		if m.under != "" {
			at = sp.tags[a.node.id.StringID()+"."+m.under]
		}
		at.refs = append(at.refs, ref{id.HasComponent, true, sp.std.nodes[m.id]})
	}
}

// addArguments describes what a standard method takes. The node has the id next
// to the method's own, but for one.
func (std *standard) addArguments(m conditionMethod) {
	if len(m.In) == 0 {
		return
	}
	number := m.id + 1
	if m.id == id.ShelvedStateMachineType_TimedShelve {
		number = id.ShelvedStateMachineType_TimedShelve_InputArguments
	}
	n := std.add(ua.NodeClassVariable, number, "InputArguments")
	n.kind, n.dataType, n.array, n.read = id.PropertyType, id.Argument, true, constant(arguments(m.In))
	link(std.nodes[m.id], id.HasProperty, n)
}

// change is what a method makes of the state of a condition; the mutex is held.
type change func(x *exchange, a *alarm, st *alarmState, in []any) error

// ofCondition makes a method that changes a condition and has an event of it.
func ofCondition(name string, in []Argument, f change) Method {
	return Method{Name: name, In: in, anywhere: true, served: func(x *exchange, object *node, in []any) ([]any, error) {
		a := object.alarm
		if a == nil {
			return nil, ua.StatusBadNodeIDInvalid
		}
		x.s.mu.Lock()
		defer x.s.mu.Unlock()
		st := *a.state.Load()
		if err := f(x, a, &st, in); err != nil {
			return nil, err
		}
		st.user = strings.TrimPrefix(x.session.user, "user:")
		x.s.happens(a, &st, x.says())
		return nil, nil
	}}
}

// enable has a condition evaluated again, or no more.
func enable(on bool) change {
	return func(_ *exchange, _ *alarm, st *alarmState, _ []any) error {
		switch {
		case on && !st.disabled:
			return ua.StatusBadConditionAlreadyEnabled
		case !on && st.disabled:
			return ua.StatusBadConditionAlreadyDisabled
		}
		st.disabled = !on
		return nil
	}
}

// named checks the event that a client means, and takes its comment over.
func (st *alarmState) named(in []any) error {
	event, _ := in[0].([]byte)
	switch {
	case st.disabled:
		return ua.StatusBadConditionDisabled
	case !slices.ContainsFunc(st.ids, func(e []byte) bool { return string(e) == string(event) }):
		return ua.StatusBadEventIDUnknown
	}
	return nil
}

// remark takes a comment over; an empty one leaves that which is there.
func (st *alarmState) remark(v any) {
	if text, ok := v.(*ua.LocalizedText); ok && text.Text != "" {
		st.comment = text
	}
}

func addComment(_ *exchange, _ *alarm, st *alarmState, in []any) error {
	if err := st.named(in); err != nil {
		return err
	}
	st.remark(in[1])
	return nil
}

// acknowledge says that an operator has seen the condition.
func acknowledge(_ *exchange, a *alarm, st *alarmState, in []any) error {
	if err := st.named(in); err != nil {
		return err
	}
	if !st.unacked {
		return ua.StatusBadConditionBranchAlreadyAcked
	}
	st.unacked, st.unconfirmed = false, a.def.Confirm
	st.remark(in[1])
	return nil
}

// confirm says that an operator has done what there was to do.
func confirm(_ *exchange, a *alarm, st *alarmState, in []any) error {
	if !a.def.Confirm {
		return ua.StatusBadMethodInvalid
	}
	if err := st.named(in); err != nil {
		return err
	}
	if !st.unconfirmed {
		return ua.StatusBadConditionBranchAlreadyConfirmed
	}
	st.unconfirmed = false
	st.remark(in[1])
	return nil
}

// shelveFor puts an alarm aside for some milliseconds.
func shelveFor(x *exchange, _ *alarm, st *alarmState, in []any) error {
	ms, _ := in[0].(float64)
	switch {
	case st.disabled:
		return ua.StatusBadConditionDisabled
	case st.shelf == timed:
		return ua.StatusBadConditionAlreadyShelved
	case !(ms > 0 && ms <= maxShelved):
		return ua.StatusBadShelvingTimeOutOfRange
	}
	st.shelf, st.until = timed, x.now.Add(time.Duration(ms*1e6))
	return nil
}

// shelveOnce puts an alarm aside until it ends.
func shelveOnce(_ *exchange, _ *alarm, st *alarmState, _ []any) error {
	switch {
	case st.disabled:
		return ua.StatusBadConditionDisabled
	case st.shelf == oneShot:
		return ua.StatusBadConditionAlreadyShelved
	}
	st.shelf = oneShot
	return nil
}

func takeOffShelf(_ *exchange, _ *alarm, st *alarmState, _ []any) error {
	if st.shelf == unshelved {
		return ua.StatusBadConditionNotShelved
	}
	st.shelf = unshelved
	return nil
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
		if it.event != nil {
			s.refresh(it, x.says())
		}
	}
	return nil, nil
}

// conditionRefresh2 does so to one item.
func conditionRefresh2(x *exchange, _ *node, in []any) ([]any, error) {
	s := x.s
	s.mu.Lock()
	defer s.mu.Unlock()
	sub, err := x.subscription(in[0].(uint32))
	if err != nil {
		return nil, err
	}
	it := sub.items[in[1].(uint32)]
	if it == nil || it.event == nil {
		return nil, ua.StatusBadMonitoredItemIDInvalid
	}
	s.refresh(it, x.says())
	return nil, nil
}

// refresh says what is retained between two events that frame it.
func (s *Server) refresh(it *item, now time.Time) {
	it.say(s, &event{typ: id.RefreshStartEventType, at: now})
	for _, task := range s.space().alarms {
		for _, a := range task {
			if st := a.state.Load(); st.retained() {
				it.say(s, &event{typ: a.node.kind, alarm: a, state: st})
			}
		}
	}
	it.say(s, &event{typ: id.RefreshEndEventType, at: now})
}
