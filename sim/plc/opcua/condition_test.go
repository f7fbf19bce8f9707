package opcua

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/plc"
)

// operator calls methods of one condition and hears its events.
type operator struct {
	t   *testing.T
	p   *troubledPLC
	s   *Server
	c   *raw
	sub uint32
	ids [][]byte
}

// newOperator has an alarm on pump/flow above 100, at 120 now, which is to be
// confirmed or not.
func newOperator(t *testing.T, confirm bool) *operator {
	high := 100.0
	p, s, c := troubledServer(t, Config{Alarms: []plc.Alarm{{Tag: "pump/flow", High: &high, Confirm: confirm}}})
	flowIs(p, 50)
	o := &operator{t: t, p: p, s: s, c: c, sub: c.subscribe(time.Hour, 1000, 10).SubscriptionID}
	if got := listen(c, o.sub, eventItem(ua.NewFourByteNodeID(0, id.Server), conditionFields)); got != ua.StatusOK {
		t.Fatal(got)
	}
	c.publishDue(s, o.sub)
	flowIs(p, 120)
	o.hears("active unacked")
	return o
}

// conditionFields are what an operator asks for.
var conditionFields = []string{"EventId", "EnabledState/Id", "ActiveState/Id", "AckedState/Id", "ConfirmedState/Id", "SuppressedOrShelved", "Retain", "Comment", "ShelvingState/CurrentState", "LimitState/CurrentState"}

// hears wants one event of the condition, told by what is not as usual.
func (o *operator) hears(want string) {
	o.t.Helper()
	var list []string
	for _, d := range o.c.publishDue(o.s, o.sub).NotificationMessage.NotificationData {
		n, ok := d.Value.(*ua.EventNotificationList)
		if !ok {
			continue
		}
		for _, e := range n.Events {
			v := func(i int) any { return e.EventFields[i].Value() }
			text := ""
			for _, w := range []struct {
				at   int
				is   bool
				word string
			}{{1, false, "disabled"}, {2, true, "active"}, {3, false, "unacked"}, {4, false, "unconfirmed"}, {5, true, "shelved"}} {
				if v(w.at) == w.is {
					text += " " + w.word
				}
			}
			if text == "" {
				text = " normal"
			}
			if retain := v(1) == true && text != " normal" && text != " shelved"; v(6) != retain {
				o.t.Errorf("%s: retain is %v", text, v(6))
			}
			list, o.ids = append(list, text[1:]), append(o.ids, e.EventFields[0].ByteString())
		}
	}
	if got := fmt.Sprint(list); got != "["+want+"]" {
		o.t.Errorf("events %s, want one that is %s", got, want)
	}
}

// does calls a method by the id in its type.
func (o *operator) does(method uint32, want ua.StatusCode, in ...any) {
	o.t.Helper()
	o.doesAt("pump/flow.Alarm", method, want, in...)
}

func (o *operator) doesAt(object string, method uint32, want ua.StatusCode, in ...any) {
	o.t.Helper()
	m := &ua.CallMethodRequest{ObjectID: ua.NewStringNodeID(2, object), MethodID: ua.NewNumericNodeID(0, method)}
	for _, v := range in {
		m.InputArguments = append(m.InputArguments, ua.MustVariant(v))
	}
	if got := ask[*ua.CallResponse](o.c, &ua.CallRequest{MethodsToCall: []*ua.CallMethodRequest{m}}).Results[0].StatusCode; got != want {
		o.t.Errorf("method %d: %v, want %v", method, got, want)
	}
}

func text(s string) *ua.LocalizedText { return ua.NewLocalizedText(s) }

func (o *operator) last() []byte { return o.ids[len(o.ids)-1] }

// An alarm that is to be confirmed is of interest until it is.
func TestConfirm(t *testing.T) {
	o := newOperator(t, true)
	first := o.last()
	o.does(id.AcknowledgeableConditionType_Confirm, ua.StatusBadConditionBranchAlreadyConfirmed, first, text(""))
	o.does(id.AcknowledgeableConditionType_Acknowledge, ua.StatusOK, first, text("seen"))
	o.hears("active unconfirmed")
	flowIs(o.p, 50)
	o.hears("unconfirmed")
	o.does(id.AcknowledgeableConditionType_Confirm, ua.StatusBadEventIDUnknown, []byte("no event"), text(""))
	o.does(id.AcknowledgeableConditionType_Confirm, ua.StatusOK, first, text("mended"))
	o.hears("normal")
	o.does(id.AcknowledgeableConditionType_Confirm, ua.StatusBadConditionBranchAlreadyConfirmed, o.last(), text(""))
}

// One that is not has neither method nor field for it.
func TestNothingToConfirm(t *testing.T) {
	o := newOperator(t, false)
	o.does(id.AcknowledgeableConditionType_Acknowledge, ua.StatusOK, o.last(), text(""))
	o.hears("active")
	o.does(id.AcknowledgeableConditionType_Confirm, ua.StatusBadMethodInvalid, o.last(), text(""))
	if got := statusOf(o.c, readOf("pump/flow.Alarm.ConfirmedState")); got != ua.StatusBadNodeIDUnknown {
		t.Errorf("ConfirmedState: %v", got)
	}
	if slices.Contains(below(o.c, ua.NewStringNodeID(2, "pump/flow.Alarm")), "Confirm") {
		t.Error("there is a method Confirm")
	}
}

// A comment is an event of its own.
func TestAddComment(t *testing.T) {
	o := newOperator(t, false)
	o.does(id.ConditionType_AddComment, ua.StatusOK, o.last(), text("Kurt is on his way"))
	o.hears("active unacked")
	r := ask[*ua.ReadResponse](o.c, readOf("pump/flow.Alarm.Comment")).Results[0]
	if got := r.Value.Value().(*ua.LocalizedText).Text; got != "Kurt is on his way" {
		t.Errorf("comment %q", got)
	}
	o.does(id.ConditionType_AddComment, ua.StatusBadEventIDUnknown, []byte("no event"), text("x"))
}

// A condition that is disabled says nothing, and when it is enabled again, what
// is the case then.
func TestDisable(t *testing.T) {
	o := newOperator(t, false)
	o.does(id.ConditionType_Enable, ua.StatusBadConditionAlreadyEnabled)
	o.does(id.ConditionType_Disable, ua.StatusOK)
	o.hears("disabled active unacked")
	o.does(id.ConditionType_Disable, ua.StatusBadConditionAlreadyDisabled)
	for _, m := range []uint32{id.ConditionType_AddComment, id.AcknowledgeableConditionType_Acknowledge} {
		o.does(m, ua.StatusBadConditionDisabled, o.last(), text(""))
	}
	o.does(id.AlarmConditionType_ShelvingState_OneShotShelve, ua.StatusBadConditionDisabled)
	flowIs(o.p, 50)
	o.does(id.ConditionType_Enable, ua.StatusOK)
	o.hears("active unacked")
	flowIs(o.p, 50)
	o.hears("unacked")
}

// Shelves: for a time, until the alarm ends, and no more; called on the
// condition or on its state machine.
func TestShelve(t *testing.T) {
	o := newOperator(t, false)
	machine := "pump/flow.Alarm.ShelvingState"
	left := func() float64 {
		return ask[*ua.ReadResponse](o.c, readOf(machine+".UnshelveTime")).Results[0].Value.Value().(float64)
	}
	o.does(id.AlarmConditionType_ShelvingState_Unshelve, ua.StatusBadConditionNotShelved)
	for _, ms := range []float64{0, -1, maxShelved + 1} {
		o.does(id.AlarmConditionType_ShelvingState_TimedShelve, ua.StatusBadShelvingTimeOutOfRange, ms)
	}
	o.does(id.AlarmConditionType_ShelvingState_TimedShelve, ua.StatusOK, 60_000.0)
	o.hears("active unacked shelved")
	if ms := left(); ms <= 0 || ms > 60_000 {
		t.Errorf("%v ms left of a minute", ms)
	}
	o.does(id.AlarmConditionType_ShelvingState_TimedShelve, ua.StatusBadConditionAlreadyShelved, 1000.0)
	o.doesAt(machine, id.ShelvedStateMachineType_OneShotShelve, ua.StatusOK)
	o.hears("active unacked shelved")
	o.doesAt(machine, id.ShelvedStateMachineType_OneShotShelve, ua.StatusBadConditionAlreadyShelved)
	flowIs(o.p, 50)
	o.hears("unacked")
	o.doesAt(machine, id.ShelvedStateMachineType_OneShotShelve, ua.StatusOK)
	o.hears("unacked shelved")
	o.doesAt(machine, id.ShelvedStateMachineType_Unshelve, ua.StatusOK)
	o.hears("unacked")
	o.doesAt(machine, id.ShelvedStateMachineType_TimedShelve, ua.StatusOK, 1.0)
	o.hears("unacked shelved")
	waitFor(t, "the end of a millisecond", func() bool { return left() == 0 })
	o.p.scan(1)
	o.hears("unacked")
}

// A condition tells on which side of its limits it is.
func TestLimitState(t *testing.T) {
	p, _, c := alarmedServer(t)
	for v, want := range map[float64]string{120: "High", 5: "Low", 50: ""} {
		flowIs(p, v)
		r := ask[*ua.ReadResponse](c, readOf("pump/flow.Alarm.LimitState.CurrentState")).Results[0]
		if got := r.Value.Value().(*ua.LocalizedText).Text; got != want {
			t.Errorf("at %v the limit state is %q, want %q", v, got, want)
		}
	}
}

// One item alone can have what is retained said again.
func TestConditionRefresh2(t *testing.T) {
	o := newOperator(t, false)
	if got := listen(o.c, o.sub, eventItem(ua.NewFourByteNodeID(0, id.Server), conditionFields)); got != ua.StatusOK {
		t.Fatal(got)
	}
	refresh := func(item uint32, want ua.StatusCode) {
		t.Helper()
		m := &ua.CallMethodRequest{ObjectID: ua.NewNumericNodeID(0, id.ConditionType), MethodID: ua.NewNumericNodeID(0, id.ConditionType_ConditionRefresh2),
			InputArguments: []*ua.Variant{ua.MustVariant(o.sub), ua.MustVariant(item)}}
		if got := ask[*ua.CallResponse](o.c, &ua.CallRequest{MethodsToCall: []*ua.CallMethodRequest{m}}).Results[0].StatusCode; got != want {
			t.Errorf("item %d: %v, want %v", item, got, want)
		}
	}
	refresh(2, ua.StatusOK)
	refresh(3, ua.StatusBadMonitoredItemIDInvalid)
	n := 0
	for _, d := range o.c.publishDue(o.s, o.sub).NotificationMessage.NotificationData {
		if l, ok := d.Value.(*ua.EventNotificationList); ok {
			n += len(l.Events)
		}
	}
	if n != 3 {
		t.Errorf("%d events, want the condition between two that frame it", n)
	}
}
