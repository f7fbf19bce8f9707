package opcua

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/plc"
)

// alarmed is a server with an alarm on pump/flow above 100 and below 10, with a
// deadband of 5, and one on oven/zone above 50.
func alarmedServer(t *testing.T) (*troubledPLC, *Server, *raw) {
	high, low, zone := 100.0, 10.0, 50.0
	return troubledServer(t, Config{Alarms: []plc.Alarm{
		{Tag: "pump/flow", High: &high, Low: &low, Deadband: 5, Severity: 700}, {Tag: "oven/zone", High: &zone},
	}, Users: Users{Passwords: map[string]string{"anna": "x"}}})
}

// eventFields are what the tests ask for.
var eventFields = []string{"EventId", "SourceName", "ActiveState/Id", "AckedState/Id", "Retain", "Severity", "Message", "Comment", "", "NoSuchField"}

func eventItem(object *ua.NodeID, fields []string, where ...*ua.ContentFilterElement) *ua.MonitoredItemCreateRequest {
	f := &ua.EventFilter{WhereClause: &ua.ContentFilter{Elements: where}}
	for _, path := range fields {
		sel := &ua.SimpleAttributeOperand{TypeDefinitionID: ua.NewFourByteNodeID(0, id.BaseEventType), AttributeID: ua.AttributeIDValue}
		if path == "" {
			sel.AttributeID = ua.AttributeIDNodeID
		} else {
			for _, n := range strings.Split(path, "/") {
				sel.BrowsePath = append(sel.BrowsePath, &ua.QualifiedName{Name: n})
			}
		}
		f.SelectClauses = append(f.SelectClauses, sel)
	}
	return &ua.MonitoredItemCreateRequest{
		ItemToMonitor:       &ua.ReadValueID{NodeID: object, AttributeID: ua.AttributeIDEventNotifier, DataEncoding: &ua.QualifiedName{}},
		MonitoringMode:      ua.MonitoringModeReporting,
		RequestedParameters: &ua.MonitoringParameters{ClientHandle: 1, QueueSize: 100, DiscardOldest: true, Filter: ua.NewExtensionObject(f)},
	}
}

func ofType(typ uint32) *ua.ContentFilterElement {
	return &ua.ContentFilterElement{FilterOperator: ua.FilterOperatorOfType, FilterOperands: []*ua.ExtensionObject{
		ua.NewExtensionObject(&ua.LiteralOperand{Value: ua.MustVariant(ua.NewNumericNodeID(0, typ))})}}
}

func combine(op ua.FilterOperator, of ...uint32) *ua.ContentFilterElement {
	e := &ua.ContentFilterElement{FilterOperator: op}
	for _, i := range of {
		e.FilterOperands = append(e.FilterOperands, ua.NewExtensionObject(&ua.ElementOperand{Index: i}))
	}
	return e
}

// listen monitors the events of an object.
func listen(c *raw, sub uint32, item *ua.MonitoredItemCreateRequest) ua.StatusCode {
	c.t.Helper()
	return ask[*ua.CreateMonitoredItemsResponse](c, &ua.CreateMonitoredItemsRequest{SubscriptionID: sub, ItemsToCreate: []*ua.MonitoredItemCreateRequest{item}}).Results[0].StatusCode
}

// heard lists the events that a subscription has now, each as
// "source active acked retain", with its id.
func heard(c *raw, s *Server, sub uint32) (list []string, ids [][]byte) {
	c.t.Helper()
	for _, d := range c.publishDue(s, sub).NotificationMessage.NotificationData {
		n, ok := d.Value.(*ua.EventNotificationList)
		if !ok {
			continue
		}
		for _, e := range n.Events {
			if len(e.EventFields) != len(eventFields) || e.EventFields[9].Value() != nil {
				c.t.Errorf("fields %v", e.EventFields)
			}
			v := func(i int) any { return e.EventFields[i].Value() }
			text := fmt.Sprint(v(1))
			for i, word := range []string{"active", "acked", "retain"} {
				if v(2+i) == true {
					text += " " + word
				}
			}
			list, ids = append(list, text), append(ids, e.EventFields[0].ByteString())
		}
	}
	return list, ids
}

func flowIs(p *troubledPLC, v float64) { p.set("pump/flow", v); p.scan(1) }

func ackOf(object string, event []byte, comment string) *ua.CallRequest {
	return &ua.CallRequest{MethodsToCall: []*ua.CallMethodRequest{{
		ObjectID: ua.NewStringNodeID(2, object), MethodID: ua.NewNumericNodeID(0, id.AcknowledgeableConditionType_Acknowledge),
		InputArguments: []*ua.Variant{ua.MustVariant(event), ua.MustVariant(ua.NewLocalizedText(comment))},
	}}}
}

// The life of an alarm: raised, seen, acknowledged, over; and over before it
// is acknowledged.
func TestAlarmLife(t *testing.T) {
	p, s, c := alarmedServer(t)
	flowIs(p, 50)
	sub := c.subscribe(time.Hour, 1000, 10).SubscriptionID
	if got := listen(c, sub, eventItem(ua.NewTwoByteNodeID(0), eventFields)); got != ua.StatusBadNodeIDUnknown {
		t.Errorf("no object: %v", got)
	}
	if got := listen(c, sub, eventItem(ua.NewFourByteNodeID(0, id.Server), eventFields)); got != ua.StatusOK {
		t.Fatal(got)
	}
	c.publishDue(s, sub)
	expect := func(step string, want ...string) [][]byte {
		t.Helper()
		list, ids := heard(c, s, sub)
		if !slices.Equal(list, want) {
			t.Errorf("%s: %q, want %q", step, list, want)
		}
		return ids
	}
	ack := func(event []byte) ua.StatusCode {
		return ask[*ua.CallResponse](c, ackOf("pump/flow.Alarm", event, "seen")).Results[0].StatusCode
	}
	flowIs(p, 120)
	flowIs(p, 130)
	raised := expect("above", "pump/flow active retain")
	flowIs(p, 97) // within the limit, not by the deadband
	expect("hardly back")
	if got := ack([]byte("another event")); got != ua.StatusBadEventIDUnknown {
		t.Errorf("an unknown event: %v", got)
	}
	if got := ack(raised[0]); got != ua.StatusOK {
		t.Errorf("acknowledging: %v", got)
	}
	acked := expect("acknowledged", "pump/flow active acked retain")
	if got := ack(acked[0]); got != ua.StatusBadConditionBranchAlreadyAcked {
		t.Errorf("acknowledging again: %v", got)
	}
	flowIs(p, 95)
	expect("back", "pump/flow acked")
	flowIs(p, 5)
	flowIs(p, 50)
	ids := expect("below and back unseen", "pump/flow active retain", "pump/flow retain")
	if got := ack(ids[0]); got != ua.StatusOK {
		t.Errorf("acknowledging what is over: %v", got)
	}
	expect("all over", "pump/flow acked")
	comment := ask[*ua.ReadResponse](c, readIn(2, "pump/flow.Alarm.Comment", "pump/flow.Alarm.AckedState.Id", "pump/flow.Alarm.Severity"))
	if r := comment.Results; r[0].Value.Value().(*ua.LocalizedText).Text != "seen" || r[1].Value.Value() != true || r[2].Value.Value() != uint16(700) {
		t.Errorf("the condition reads %v, %v, %v", r[0].Value.Value(), r[1].Value.Value(), r[2].Value.Value())
	}
}

// A client that comes late asks for what still holds.
func TestConditionRefresh(t *testing.T) {
	p, s, c := alarmedServer(t)
	flowIs(p, 120)
	sub := c.subscribe(time.Hour, 1000, 10).SubscriptionID
	listen(c, sub, eventItem(ua.NewFourByteNodeID(0, id.Server), eventFields, ofType(id.AlarmConditionType)))
	refresh := func(sub uint32) ua.StatusCode {
		return ask[*ua.CallResponse](c, &ua.CallRequest{MethodsToCall: []*ua.CallMethodRequest{{
			ObjectID: ua.NewNumericNodeID(0, id.ConditionType), MethodID: ua.NewNumericNodeID(0, id.ConditionType_ConditionRefresh), InputArguments: []*ua.Variant{ua.MustVariant(sub)},
		}}}).Results[0].StatusCode
	}
	if got := refresh(sub); got != ua.StatusOK {
		t.Fatal(got)
	}
	if got, _ := heard(c, s, sub); !slices.Equal(got, []string{"Server", "pump/flow active retain", "Server"}) {
		t.Errorf("%q", got)
	}
	if got := refresh(sub + 1); got != ua.StatusBadSubscriptionIDInvalid {
		t.Errorf("another's subscription: %v", got)
	}
}

// An item hears what its object and its where clause let through.
func TestEventFilters(t *testing.T) {
	of, not, and, or := ofType, ua.FilterOperatorNot, ua.FilterOperatorAnd, ua.FilterOperatorOr
	server := ua.NewFourByteNodeID(0, id.Server)
	for what, l := range map[string]struct {
		item *ua.MonitoredItemCreateRequest
		want int
	}{
		"the server":            {eventItem(server, eventFields), 2},
		"the pump":              {eventItem(ua.NewStringNodeID(2, "pump"), eventFields), 1},
		"the motor":             {eventItem(ua.NewStringNodeID(2, "pump/motor"), eventFields), 0},
		"alarms":                {eventItem(server, eventFields, of(id.AlarmConditionType)), 2},
		"refreshes":             {eventItem(server, eventFields, of(id.RefreshStartEventType)), 0},
		"no refreshes":          {eventItem(server, eventFields, combine(not, 1), of(id.RefreshStartEventType)), 2},
		"both of two":           {eventItem(server, eventFields, combine(and, 1, 2), of(id.LimitAlarmType), of(id.RefreshStartEventType)), 0},
		"either of two":         {eventItem(server, eventFields, combine(or, 1, 2), of(id.LimitAlarmType), of(id.RefreshStartEventType)), 2},
		"the severe":            {eventItem(server, eventFields, compare(ua.FilterOperatorGreaterThanOrEqual, "Severity", int32(1000))), 0},
		"all but the severe":    {eventItem(server, eventFields, compare(ua.FilterOperatorLessThan, "Severity", int32(1000))), 2},
		"those of one source":   {eventItem(server, eventFields, compare(ua.FilterOperatorEquals, "SourceName", "oven/zone")), 1},
		"what no event has":     {eventItem(server, eventFields, compare(ua.FilterOperatorEquals, "Colour", "red")), 0},
		"neither high nor low":  {eventItem(server, eventFields, combine(not, 1), compare(ua.FilterOperatorGreaterThan, "Severity", 0.5)), 0},
		"a tall heap of clause": {eventItem(server, eventFields, heap(150)...), 2},
	} {
		p, s, c := alarmedServer(t)
		p.set("oven/zone", 0)
		p.scan(0)
		flowIs(p, 50)
		sub := c.subscribe(time.Hour, 1000, 10).SubscriptionID
		if got := listen(c, sub, l.item); got != ua.StatusOK {
			t.Errorf("%s: %v", what, got)
		}
		flowIs(p, 120)
		p.set("oven/zone", 60)
		p.scan(0)
		if got, _ := heard(c, s, sub); len(got) != l.want {
			t.Errorf("%s: %q, want %d", what, got, l.want)
		}
	}
	for what, bad := range map[string]*ua.MonitoredItemCreateRequest{
		"no fields":         eventItem(server, nil),
		"in a circle":       eventItem(server, eventFields, combine(not, 0)),
		"past the end":      eventItem(server, eventFields, combine(not, 1)),
		"a field alone":     eventItem(server, eventFields, &ua.ContentFilterElement{FilterOperator: ua.FilterOperatorNot, FilterOperands: compare(0, "Severity", 1.0).FilterOperands[:1]}),
		"one of two":        eventItem(server, eventFields, combine(and, 1), of(id.LimitAlarmType)),
		"another operator":  eventItem(server, eventFields, combine(ua.FilterOperatorLike, 1)),
		"a type that is no": eventItem(server, eventFields, &ua.ContentFilterElement{FilterOperator: ua.FilterOperatorOfType, FilterOperands: []*ua.ExtensionObject{ua.NewExtensionObject(&ua.LiteralOperand{Value: ua.MustVariant(1.0)})}}),
	} {
		_, _, c := alarmedServer(t)
		sub := c.subscribe(time.Hour, 1000, 10).SubscriptionID
		if got := listen(c, sub, bad); got&0x80000000 == 0 {
			t.Errorf("%s: %v", what, got)
		}
	}
}

// compare is a clause that compares a field with a value.
func compare(op ua.FilterOperator, field string, with any) *ua.ContentFilterElement {
	return &ua.ContentFilterElement{FilterOperator: op, FilterOperands: []*ua.ExtensionObject{
		ua.NewExtensionObject(&ua.SimpleAttributeOperand{TypeDefinitionID: ua.NewFourByteNodeID(0, id.BaseEventType), BrowsePath: []*ua.QualifiedName{{Name: field}}, AttributeID: ua.AttributeIDValue}),
		ua.NewExtensionObject(&ua.LiteralOperand{Value: ua.MustVariant(with)}),
	}}
}

// heap is a clause that takes 2^n steps for who is not careful.
func heap(n uint32) (list []*ua.ContentFilterElement) {
	for i := range n {
		list = append(list, combine(ua.FilterOperatorAnd, i+1, i+1))
	}
	return append(list, ofType(id.BaseEventType))
}

// An alarm that cannot be keeps a server from starting.
func TestAlarmsThatCannotBe(t *testing.T) {
	high := 1.0
	for what, a := range map[string][]plc.Alarm{
		"no such tag": {{Tag: "pump/flaw", High: &high}},
		"on a folder": {{Tag: "pump", High: &high}},
		"twice":       {{Tag: "pump/flow", High: &high}, {Tag: "pump/flow", High: &high}},
	} {
		if s, err := Listen(Config{Alarms: a}, newPLC(), Options{}); err == nil {
			s.Close()
			t.Errorf("%s: no error", what)
		}
	}
}
