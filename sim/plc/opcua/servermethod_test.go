package opcua

import (
	"fmt"
	"testing"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
)

// A client that was cut off asks what it monitors, and for the last values.
func TestServerMethods(t *testing.T) {
	p := newPLC()
	s := serve(t, p, Config{}, Options{})
	p.scan(1)
	c, other := rawSession(t, s, time.Minute), rawSession(t, s, time.Minute)
	sub := c.subscribe(time.Hour, 1000, 10).SubscriptionID
	items := c.monitor(sub, want{tag: "pump/flow", queue: 5}, want{tag: "pump/vibration", queue: 5})
	call := func(c *raw, method uint32, sub uint32) *ua.CallMethodResult {
		return ask[*ua.CallResponse](c, &ua.CallRequest{MethodsToCall: []*ua.CallMethodRequest{{
			ObjectID: ua.NewNumericNodeID(0, id.Server), MethodID: ua.NewNumericNodeID(0, method), InputArguments: []*ua.Variant{ua.MustVariant(sub)},
		}}}).Results[0]
	}
	r := call(c, id.Server_GetMonitoredItems, sub)
	if r.StatusCode != ua.StatusOK || len(r.OutputArguments) != 2 || fmt.Sprint(r.OutputArguments[0].Value()) != fmt.Sprint(items) || fmt.Sprint(r.OutputArguments[1].Value()) != "[0 1]" {
		t.Errorf("%v, %v", r.StatusCode, r.OutputArguments)
	}
	first := values(c.publishDue(s, sub).NotificationMessage)
	if r := call(c, id.Server_ResendData, sub); r.StatusCode != ua.StatusOK {
		t.Error(r.StatusCode)
	}
	if again := values(c.publishDue(s, sub).NotificationMessage); len(first) != 2 || fmt.Sprint(again) != fmt.Sprint(first) {
		t.Errorf("again %v, first %v", again, first)
	}
	for _, m := range []uint32{id.Server_GetMonitoredItems, id.Server_ResendData} {
		if got := call(other, m, sub).StatusCode; got != ua.StatusBadUserAccessDenied {
			t.Errorf("another's subscription: %v", got)
		}
		if got := call(c, m, sub+1).StatusCode; got != ua.StatusBadSubscriptionIDInvalid {
			t.Errorf("no subscription: %v", got)
		}
	}
}
