package opcua

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/signal"
)

// What is worth a notification, by trigger and deadband.
func TestFilters(t *testing.T) {
	type step struct {
		value   float64
		quality signal.Quality
	}
	steps := []step{{1, 0}, {1, 0}, {1.4, 0}, {1.6, 0}, {1.6, signal.UncertainLastUsable}, {1.6, 0}, {2.6, 0}, {2.6, 0}}
	status := ua.DataChangeTriggerStatus
	value := ua.DataChangeTriggerStatusValue
	stamp := ua.DataChangeTriggerStatusValueTimestamp
	for _, tc := range []struct {
		filter *ua.DataChangeFilter
		want   string
	}{
		{nil, "1 1.4 1.6 1.6? 1.6 2.6"},
		{&ua.DataChangeFilter{Trigger: status}, "1 1.6? 1.6"},
		{&ua.DataChangeFilter{Trigger: value}, "1 1.4 1.6 1.6? 1.6 2.6"},
		{&ua.DataChangeFilter{Trigger: stamp}, "1 1 1.4 1.6 1.6? 1.6 2.6 2.6"},
		{&ua.DataChangeFilter{Trigger: value, DeadbandType: 1, DeadbandValue: 0.5}, "1 1.6 1.6? 1.6 2.6"},
		{&ua.DataChangeFilter{Trigger: value, DeadbandType: 1, DeadbandValue: 1}, "1 1.6? 1.6"}, // 1 is not more than 1
		{&ua.DataChangeFilter{Trigger: value, DeadbandType: 2, DeadbandValue: 0.05}, "1 1.6 1.6? 1.6 2.6"},
	} {
		p := newPLC()
		s := serve(t, p, Config{}, Options{})
		c := rawSession(t, s, time.Minute)
		sub := c.subscribe(soon, 1000, 10).SubscriptionID
		p.set("pump/flow", steps[0].value)
		p.scan(1)
		c.monitor(sub, want{tag: "pump/flow", queue: 20, filter: tc.filter})
		for _, st := range steps[1:] {
			p.set("pump/flow", st.value)
			p.say("pump/flow", st.quality)
			p.scan(1)
		}
		var got string
		for _, v := range values(c.publish().NotificationMessage) {
			got += fmt.Sprintf(" %v", v.value)
			if v.status.IsUncertain() {
				got += "?"
			}
		}
		if got != " "+tc.want {
			t.Errorf("%+v: got%s, want %s", tc.filter, got, tc.want)
		}
	}
}

func TestItemResults(t *testing.T) {
	s := serve(t, newPLC(), Config{Limits: Limits{Queue: 100}}, Options{})
	c := rawSession(t, s, time.Minute)
	sub := c.subscribe(time.Second, 1000, 10).SubscriptionID
	absolute := &ua.DataChangeFilter{Trigger: 1, DeadbandType: 1, DeadbandValue: 1}
	items := []want{
		{tag: "pump/flow", queue: 0}, {tag: "pump/flow", queue: 1e9, every: 260 * time.Millisecond}, {tag: "pump/flow", every: -1 * time.Millisecond, queue: 3},
		{tag: "no/such"}, {tag: "pump"}, {tag: "pump/flow", mode: 7},
		{tag: "pump/running", filter: absolute}, {tag: "pump/flow", filter: &ua.DataChangeFilter{Trigger: 9}},
		{tag: "pump/flow", filter: &ua.DataChangeFilter{Trigger: 1, DeadbandType: 1, DeadbandValue: -1}}, {tag: "pump/motor/bearing/temp", filter: &ua.DataChangeFilter{Trigger: 1, DeadbandType: 2, DeadbandValue: 1}},
	}
	r := &ua.CreateMonitoredItemsRequest{SubscriptionID: sub}
	for i, w := range items {
		r.ItemsToCreate = append(r.ItemsToCreate, w.request(i))
	}
	event := want{tag: "pump/flow"}.request(9)
	event.RequestedParameters.Filter = &ua.ExtensionObject{EncodingMask: 1, TypeID: ua.NewFourByteExpandedNodeID(0, id.EventFilter_Encoding_DefaultBinary), Value: &ua.EventFilter{WhereClause: &ua.ContentFilter{}}}
	r.ItemsToCreate = append(r.ItemsToCreate, event)
	never := want{tag: "pump/flow"}.request(10)
	never.RequestedParameters.SamplingInterval = math.NaN()
	r.ItemsToCreate = append(r.ItemsToCreate, never)
	res := ask[*ua.CreateMonitoredItemsResponse](c, r).Results
	for i, w := range []ua.StatusCode{0, 0, 0, ua.StatusBadNodeIDUnknown, ua.StatusBadAttributeIDInvalid, ua.StatusBadMonitoringModeInvalid,
		ua.StatusBadFilterNotAllowed, ua.StatusBadMonitoredItemFilterInvalid, ua.StatusBadDeadbandFilterInvalid, ua.StatusBadDeadbandFilterInvalid, ua.StatusBadFilterNotAllowed, 0} {
		if res[i].StatusCode != w {
			t.Errorf("item %d: %v, want %v", i, res[i].StatusCode, w)
		}
	}
	for i, w := range []struct {
		sampling float64
		queue    uint32
	}{{100, 1}, {300, 100}, {1000, 3}} {
		if res[i].RevisedSamplingInterval != w.sampling || res[i].RevisedQueueSize != w.queue {
			t.Errorf("item %d revised to %v ms and %d, want %v", i, res[i].RevisedSamplingInterval, res[i].RevisedQueueSize, w)
		}
	}
	if got := res[len(res)-1].RevisedSamplingInterval; got != 100 {
		t.Errorf("a sampling interval that is no number is revised to %v", got)
	}
	one := res[0].MonitoredItemID
	mod := ask[*ua.ModifyMonitoredItemsResponse](c, &ua.ModifyMonitoredItemsRequest{SubscriptionID: sub, ItemsToModify: []*ua.MonitoredItemModifyRequest{
		{MonitoredItemID: one, RequestedParameters: &ua.MonitoringParameters{ClientHandle: 5, SamplingInterval: 200, QueueSize: 9, Filter: ua.NewExtensionObject(nil)}},
		{MonitoredItemID: 4711, RequestedParameters: &ua.MonitoringParameters{Filter: ua.NewExtensionObject(nil)}},
	}}).Results
	if mod[0].StatusCode != 0 || mod[0].RevisedQueueSize != 9 || mod[0].RevisedSamplingInterval != 200 || mod[1].StatusCode != ua.StatusBadMonitoredItemIDInvalid {
		t.Errorf("modified: %+v, %+v", mod[0], mod[1])
	}
	del := ask[*ua.DeleteMonitoredItemsResponse](c, &ua.DeleteMonitoredItemsRequest{SubscriptionID: sub, MonitoredItemIDs: []uint32{one, one, 0}}).Results
	if !slices.Equal(del, []ua.StatusCode{0, ua.StatusBadMonitoredItemIDInvalid, ua.StatusBadMonitoredItemIDInvalid}) {
		t.Errorf("deleted: %v", del)
	}
	mode := ask[*ua.SetMonitoringModeResponse](c, &ua.SetMonitoringModeRequest{SubscriptionID: sub, MonitoringMode: 0, MonitoredItemIDs: []uint32{one, res[1].MonitoredItemID}}).Results
	if !slices.Equal(mode, []ua.StatusCode{ua.StatusBadMonitoredItemIDInvalid, 0}) {
		t.Errorf("set mode: %v", mode)
	}
	c.refused(&ua.SetMonitoringModeRequest{SubscriptionID: sub + 1, MonitoredItemIDs: []uint32{1}}, ua.StatusBadSubscriptionIDInvalid)
	c.refused(&ua.ModifySubscriptionRequest{SubscriptionID: sub + 1}, ua.StatusBadSubscriptionIDInvalid)
	if got := len(s.feeds[1]); got != 3 {
		t.Errorf("%d items follow the fast task, want 3", got)
	}
}

func TestMonitoringModes(t *testing.T) {
	p := newPLC()
	s := serve(t, p, Config{}, Options{})
	c := rawSession(t, s, time.Minute)
	p.scan(1)
	p.scan(0)
	sub := c.subscribe(soon, 1000, 2).SubscriptionID
	ids := c.monitor(sub, want{tag: "pump/flow", queue: 3, disable: true}, want{tag: "pump/vibration", queue: 3, mode: ua.MonitoringModeSampling}, want{tag: "pump/motor/current", queue: 3})
	p.scan(1)
	if got := fmt.Sprint(values(c.publish().NotificationMessage)); got != "[2=1]" {
		t.Errorf("disabled and sampling: %v", got)
	}
	mode := func(m ua.MonitoringMode, id uint32) {
		ask[*ua.SetMonitoringModeResponse](c, &ua.SetMonitoringModeRequest{SubscriptionID: sub, MonitoringMode: m, MonitoredItemIDs: []uint32{id}})
	}
	mode(ua.MonitoringModeReporting, ids[0])
	mode(ua.MonitoringModeReporting, ids[1])
	if got := fmt.Sprint(values(c.publish().NotificationMessage)); got != "[0=2 1=1 1=2]" {
		t.Errorf("now reporting: %v", got)
	}
	mode(ua.MonitoringModeDisabled, ids[0])
	mode(ua.MonitoringModeSampling, ids[1])
	ask[*ua.SetTriggeringResponse](c, &ua.SetTriggeringRequest{SubscriptionID: sub, TriggeringItemID: ids[2], LinksToAdd: []uint32{ids[1]}})
	p.scan(1)
	if got := c.publish().NotificationMessage; len(got.NotificationData) != 0 {
		t.Errorf("nothing to report, but %v", values(got))
	}
	p.scan(0)
	if got := fmt.Sprint(values(c.publish().NotificationMessage)); got != "[1=3 2=2]" && got != "[2=2 1=3]" {
		t.Errorf("triggered: %v", got)
	}
}

// Items that are no tags are looked at in each publishing cycle.
func TestMonitorServerNodes(t *testing.T) {
	s := serve(t, newPLC(), Config{}, Options{})
	c := rawSession(t, s, time.Minute)
	sub := c.subscribe(soon, 1000, 10).SubscriptionID
	clock := want{queue: 1}.request(1)
	clock.ItemToMonitor.NodeID = ua.NewNumericNodeID(0, id.Server_ServerStatus_CurrentTime)
	name := want{tag: "pump", queue: 1}.request(2)
	name.ItemToMonitor.AttributeID = ua.AttributeIDDisplayName
	r := ask[*ua.CreateMonitoredItemsResponse](c, &ua.CreateMonitoredItemsRequest{SubscriptionID: sub, ItemsToCreate: []*ua.MonitoredItemCreateRequest{clock, name}})
	if r.Results[0].StatusCode != 0 || r.Results[1].StatusCode != 0 {
		t.Fatalf("%+v %+v", r.Results[0], r.Results[1])
	}
	if n := values(c.publish().NotificationMessage); len(n) != 2 {
		t.Errorf("first: %v", n)
	}
	if n := values(c.publish().NotificationMessage); len(n) != 1 || n[0].handle != 1 {
		t.Errorf("second: %v", n)
	}
}
