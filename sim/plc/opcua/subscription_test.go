package opcua

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gopcua/opcua"
	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/signal"
)

const soon = 20 * time.Millisecond // a publishing interval for tests

// An unmodified client gets every scan, once and in order, with its instant.
func TestEverySampleInOrder(t *testing.T) {
	p := newPLC()
	s := serve(t, p, Config{}, Options{})
	c := connect(t, s)
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
	defer stop()
	p.scan(1)
	notes := make(chan *opcua.PublishNotificationData, 100)
	sub := subscribe(t, s, c, 100*time.Millisecond, notes)
	res, err := sub.Monitor(ctx, ua.TimestampsToReturnBoth,
		want{tag: "pump/vibration", every: 100 * time.Millisecond, queue: 20}.request(0), want{tag: "pump/flow", every: 300 * time.Millisecond, queue: 20}.request(1))
	if err != nil || res.Results[0].StatusCode != ua.StatusOK || res.Results[0].RevisedSamplingInterval != 100 || res.Results[1].RevisedSamplingInterval != 300 || res.Results[0].RevisedQueueSize != 20 {
		t.Fatalf("%+v, %v", res.Results, err)
	}
	const scans = 60
	go func() {
		for i := 1; i < scans; i++ {
			time.Sleep(10 * time.Millisecond)
			p.scan(1)
		}
	}()
	var seqs [2][]uint64
	messages := 0
	for len(seqs[0]) < scans || len(seqs[1]) < scans/3 {
		select {
		case <-ctx.Done():
			t.Fatalf("got %d and %d values", len(seqs[0]), len(seqs[1]))
		case n := <-notes:
			if n.Error != nil {
				t.Fatal(n.Error)
			}
			messages++
			for _, i := range n.Value.(*ua.DataChangeNotification).MonitoredItems {
				seq := uint64(i.Value.Value.Float())
				if !i.Value.SourceTimestamp.Equal(p.stamp(seq)) || i.Value.Status != ua.StatusOK {
					t.Fatalf("scan %d at %v, %v", seq, i.Value.SourceTimestamp, i.Value.Status)
				}
				seqs[i.ClientHandle] = append(seqs[i.ClientHandle], seq)
			}
		}
	}
	for i := range seqs[0] {
		if seqs[0][i] != uint64(i+1) {
			t.Fatalf("every scan: %v", seqs[0])
		}
	}
	for i := range seqs[1] {
		if seqs[1][i] != uint64(3*i+1) {
			t.Fatalf("every third scan: %v", seqs[1])
		}
	}
	if messages > scans/2 {
		t.Errorf("%d messages for %d scans: the publishing interval counts for nothing", messages, scans)
	}
	if err := sub.Cancel(ctx); err != nil {
		t.Error(err)
	}
}

// The queue against a list that does by the book what the ring does.
func TestQueueIsAList(t *testing.T) {
	for _, newest := range []bool{false, true} {
		for size := 1; size <= 5; size++ {
			q := queue{size: size, discardLast: newest}
			var list []entry
			for i := range 200 {
				if i%7 == 6 && q.n > 0 {
					q.pop()
					list = list[1:]
				}
				e := entry{value: float64(i)}
				q.push(&e)
				switch {
				case len(list) < size:
					list = append(list, e)
				case size == 1:
					list[0] = e
				case newest:
					e.status = signal.Good.WithOverflow()
					list[size-1] = e
				default:
					list = append(slices.Clone(list[1:]), e)
					list[0].status = list[0].status.WithOverflow()
				}
				if q.n != len(list) {
					t.Fatalf("%d values, want %d", q.n, len(list))
				}
				for k := range list {
					if *q.at(k) != list[k] {
						t.Fatalf("size %d, newest %v, step %d: value %d is %v, want %v", size, newest, i, k, *q.at(k), list[k])
					}
				}
			}
		}
	}
}

// While a client is away queues fill, and the boundary value says so.
func TestOverflowWhileAway(t *testing.T) {
	for _, tc := range []struct {
		newest bool
		want   string
	}{
		{false, "[0=11! 0=12 0=13 0=14 0=15]"},
		{true, "[0=1 0=2 0=3 0=4 0=15!]"},
	} {
		p := newPLC()
		s := serve(t, p, Config{}, Options{})
		c := rawSession(t, s, time.Minute)
		p.scan(1)
		sub := c.subscribe(soon, 1000, 10)
		c.monitor(sub.SubscriptionID, want{tag: "pump/flow", queue: 5, newest: tc.newest})
		for range 14 {
			p.scan(1)
		}
		r := c.publish()
		if got := fmt.Sprint(values(r.NotificationMessage)); got != tc.want || r.MoreNotifications {
			t.Errorf("newest %v: %v, want %v", tc.newest, got, tc.want)
		}
		if sub := s.subs[sub.SubscriptionID]; sub.order[0].queue.dropped != 10 {
			t.Errorf("%d dropped, want 10", sub.order[0].queue.dropped)
		}
	}
}

// What was sent without acknowledgement survives the connection.
func TestRepublishAfterACut(t *testing.T) {
	p := newPLC()
	s := serve(t, p, Config{Limits: Limits{Retransmit: 2}}, Options{})
	c := rawSession(t, s, time.Minute)
	p.scan(1)
	sub := c.subscribe(time.Hour, 1000, 10).SubscriptionID
	c.monitor(sub, want{tag: "pump/flow", queue: 5})
	var sent []*ua.NotificationMessage
	for range 3 {
		sent = append(sent, c.publishDue(s, sub).NotificationMessage)
		p.scan(1)
	}
	c.send(&ua.PublishRequest{}) // under way when the link breaks
	cut(s)
	p.scan(1)

	again := rawDial(t, s)
	again.token = c.token
	again.refused(&ua.RepublishRequest{SubscriptionID: sub, RetransmitSequenceNumber: 2}, ua.StatusBadSecureChannelIDInvalid)
	again.activate()
	for i, seq := range []uint32{1, 2, 3} {
		if seq == 1 { // the queue for retransmission holds two
			again.refused(&ua.RepublishRequest{SubscriptionID: sub, RetransmitSequenceNumber: seq}, ua.StatusBadMessageNotAvailable)
			continue
		}
		m := ask[*ua.RepublishResponse](again, &ua.RepublishRequest{SubscriptionID: sub, RetransmitSequenceNumber: seq}).NotificationMessage
		if m.SequenceNumber != seq || fmt.Sprint(values(m)) != fmt.Sprint(values(sent[i])) {
			t.Errorf("message %d again: %v, want %v", seq, values(m), values(sent[i]))
		}
	}
	again.refused(&ua.RepublishRequest{SubscriptionID: sub + 1, RetransmitSequenceNumber: 1}, ua.StatusBadSubscriptionIDInvalid)
	acks := []*ua.SubscriptionAcknowledgement{{SubscriptionID: sub, SequenceNumber: 2}, {SubscriptionID: sub, SequenceNumber: 99}, {SubscriptionID: sub + 1, SequenceNumber: 2}}
	r := again.publishDue(s, sub, acks...)
	if got := fmt.Sprint(values(r.NotificationMessage)); got != "[0=4 0=5]" || r.NotificationMessage.SequenceNumber != 4 {
		t.Errorf("after the cut: message %d, %v", r.NotificationMessage.SequenceNumber, got)
	}
	if !slices.Equal(r.Results, []ua.StatusCode{ua.StatusOK, ua.StatusBadSequenceNumberUnknown, ua.StatusBadSubscriptionIDInvalid}) {
		t.Errorf("acknowledged: %v", r.Results)
	}
	if !slices.Equal(r.AvailableSequenceNumbers, []uint32{3, 4}) {
		t.Errorf("available: %v", r.AvailableSequenceNumbers)
	}
	again.refused(&ua.RepublishRequest{SubscriptionID: sub, RetransmitSequenceNumber: 2}, ua.StatusBadMessageNotAvailable)
}

// gopcua's own session comes back over a new channel.
func TestReactivation(t *testing.T) {
	s := serve(t, newPLC(), Config{}, Options{})
	c := connect(t, s)
	old := c.Session()
	cut(s)
	again := dial(t, s, opcua.AutoReconnect(false))
	if err := again.Dial(context.Background()); err != nil {
		t.Fatal(err)
	}
	defer again.Close(context.Background())
	if err := again.ActivateSession(context.Background(), old); err != nil {
		t.Fatal(err)
	}
	if _, err := again.NamespaceArray(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestTransfer(t *testing.T) {
	p := newPLC()
	s := serve(t, p, Config{}, Options{})
	a, b := rawSession(t, s, time.Minute), rawSession(t, s, time.Minute)
	p.scan(1)
	sub := a.subscribe(time.Hour, 1000, 10).SubscriptionID
	a.monitor(sub, want{tag: "pump/flow", queue: 5}, want{tag: "pump/vibration", queue: 5})
	first := a.publishDue(s, sub)
	late := a.send(&ua.PublishRequest{})
	b.refused(&ua.PublishRequest{}, ua.StatusBadNoSubscription)
	r := ask[*ua.TransferSubscriptionsResponse](b, &ua.TransferSubscriptionsRequest{SubscriptionIDs: []uint32{sub, 7}, SendInitialValues: true})
	if r.Results[1].StatusCode != ua.StatusBadSubscriptionIDInvalid || r.Results[0].StatusCode != ua.StatusOK || !slices.Equal(r.Results[0].AvailableSequenceNumbers, []uint32{1}) {
		t.Errorf("%+v, %+v", r.Results[0], r.Results[1])
	}
	id, resp := a.next()
	gone, ok := resp.(*ua.PublishResponse)
	if !ok || id != late {
		t.Fatalf("the old session hears %T", resp)
	}
	if n := gone.NotificationMessage.NotificationData[0].Value.(*ua.StatusChangeNotification); n.Status != ua.StatusGoodSubscriptionTransferred || gone.SubscriptionID != sub {
		t.Errorf("the old session hears %v of %d", n.Status, gone.SubscriptionID)
	}
	m := ask[*ua.RepublishResponse](b, &ua.RepublishRequest{SubscriptionID: sub, RetransmitSequenceNumber: 1}).NotificationMessage
	if fmt.Sprint(values(m)) != fmt.Sprint(values(first.NotificationMessage)) {
		t.Errorf("again: %v", values(m))
	}
	if got := fmt.Sprint(values(b.publishDue(s, sub).NotificationMessage)); got != "[0=1 1=1]" {
		t.Errorf("initial values: %v", got)
	}
	a.refused(&ua.DeleteSubscriptionsRequest{}, ua.StatusBadNothingToDo)
	if r := ask[*ua.DeleteSubscriptionsResponse](a, &ua.DeleteSubscriptionsRequest{SubscriptionIDs: []uint32{sub}}); r.Results[0] != ua.StatusBadSubscriptionIDInvalid {
		t.Errorf("the old session may delete: %v", r.Results[0])
	}
}

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

// Cycles fall on whole intervals, however late the one before was served.
func TestUntilCycle(t *testing.T) {
	for past, want := range map[time.Duration]time.Duration{0: 100, 1: 99, 100: 100, 130: 70, 199: 1, 350: 50} {
		if got := untilCycle(past, 100); got != want {
			t.Errorf("%d after the first: %d, want %d", past, got, want)
		}
	}
}

// A first message comes at once, then keep-alives by their count.
func TestKeepAlive(t *testing.T) {
	p := newPLC()
	s := serve(t, p, Config{}, Options{})
	c := rawSession(t, s, time.Minute)
	sub := c.subscribe(soon, 1000, 3)
	if sub.RevisedMaxKeepAliveCount != 3 || sub.RevisedLifetimeCount != 1000 || sub.RevisedPublishingInterval != 20 {
		t.Errorf("revised: %+v", sub)
	}
	begun := time.Now()
	for i := range 3 {
		r := c.publish()
		if len(r.NotificationMessage.NotificationData) != 0 || r.NotificationMessage.SequenceNumber != 1 || r.SubscriptionID != sub.SubscriptionID {
			t.Errorf("keep-alive %d: %+v", i, r.NotificationMessage)
		}
	}
	if took := time.Since(begun); took < 6*soon {
		t.Errorf("three keep-alives in %v; the first comes after one interval, the others after three each", took)
	}
	ask[*ua.SetPublishingModeResponse](c, &ua.SetPublishingModeRequest{PublishingEnabled: false, SubscriptionIDs: []uint32{sub.SubscriptionID}})
	p.scan(1)
	c.monitor(sub.SubscriptionID, want{tag: "pump/flow", queue: 3})
	if r := c.publish(); len(r.NotificationMessage.NotificationData) != 0 {
		t.Errorf("publishing is off, but %v came", values(r.NotificationMessage))
	}
	r := ask[*ua.SetPublishingModeResponse](c, &ua.SetPublishingModeRequest{PublishingEnabled: true, SubscriptionIDs: []uint32{sub.SubscriptionID, 1}})
	if !slices.Equal(r.Results, []ua.StatusCode{0, ua.StatusBadSubscriptionIDInvalid}) {
		t.Errorf("%v", r.Results)
	}
	if r := c.publish(); fmt.Sprint(values(r.NotificationMessage)) != "[0=1]" {
		t.Errorf("publishing is on: %v", values(r.NotificationMessage))
	}
}

// Long messages are split by the client's own limit.
func TestMoreNotifications(t *testing.T) {
	p := newPLC()
	s := serve(t, p, Config{}, Options{})
	c := rawSession(t, s, time.Minute)
	p.scan(1)
	r := ask[*ua.CreateSubscriptionResponse](c, &ua.CreateSubscriptionRequest{RequestedPublishingInterval: 20, RequestedLifetimeCount: 100, RequestedMaxKeepAliveCount: 10, PublishingEnabled: true, MaxNotificationsPerPublish: 3})
	c.monitor(r.SubscriptionID, want{tag: "pump/flow", queue: 10}, want{tag: "pump/vibration", queue: 10})
	for range 3 {
		p.scan(1)
	}
	var all []got
	for i, more := range []bool{true, true, false} {
		m := c.publish()
		if m.MoreNotifications != more || m.NotificationMessage.SequenceNumber != uint32(i+1) {
			t.Errorf("message %d: more %v", m.NotificationMessage.SequenceNumber, m.MoreNotifications)
		}
		all = append(all, values(m.NotificationMessage)...)
	}
	if got := fmt.Sprint(all); got != "[0=1 0=2 0=3 0=4 1=1 1=2 1=3 1=4]" {
		t.Errorf("%v", got)
	}
}

// A publish request that arrives late is answered at once with what waits.
func TestLatePublish(t *testing.T) {
	p := newPLC()
	s := serve(t, p, Config{Limits: Limits{Publish: 2}}, Options{})
	c := rawSession(t, s, time.Minute)
	p.scan(1)
	sub := c.subscribe(time.Hour, 100, 10).SubscriptionID
	c.monitor(sub, want{tag: "pump/flow", queue: 10})
	s.mu.Lock()
	s.makeDue(s.subs[sub])
	s.mu.Unlock()
	if got := fmt.Sprint(values(c.publish().NotificationMessage)); got != "[0=1]" {
		t.Errorf("%v", got)
	}
	// Of three that wait where two may, the oldest is sent back; one that the
	// client no longer waits for is not used.
	one := c.sendHint(&ua.PublishRequest{}, time.Millisecond)
	two := c.sendHint(&ua.PublishRequest{}, time.Millisecond)
	three := c.send(&ua.PublishRequest{})
	if id, r := c.next(); id != one || r.Header().ServiceResult != ua.StatusBadTooManyPublishRequests {
		t.Errorf("request %d: %v", id, r.Header().ServiceResult)
	}
	time.Sleep(3 * time.Millisecond)
	p.scan(1)
	s.mu.Lock()
	s.makeDue(s.subs[sub])
	flush := s.pump(s.subs[sub].session)
	s.mu.Unlock()
	flush.flush()
	if id, r := c.next(); id != two || r.Header().ServiceResult != ua.StatusBadTimeout {
		t.Errorf("request %d: %v", id, r.Header().ServiceResult)
	}
	if id, r := c.next(); id != three || fmt.Sprint(values(r.(*ua.PublishResponse).NotificationMessage)) != "[0=2]" {
		t.Errorf("request %d: %+v", id, r)
	}
	waiting := c.send(&ua.PublishRequest{})
	if r := ask2(c, &ua.CancelRequest{RequestHandle: waiting}); r[0] != ua.StatusBadRequestCancelledByClient {
		t.Errorf("cancelled: %v", r)
	}
	waiting = c.send(&ua.PublishRequest{})
	if r := ask2(c, &ua.DeleteSubscriptionsRequest{SubscriptionIDs: []uint32{sub}}); r[0] != ua.StatusBadNoSubscription {
		t.Errorf("publish request %d after the last subscription: %v", waiting, r)
	}
}

// ask2 sends a request that settles a waiting one first.
func ask2(c *raw, r ua.Request) [2]ua.StatusCode {
	c.t.Helper()
	c.send(r)
	_, a := c.next()
	_, b := c.next()
	return [2]ua.StatusCode{a.Header().ServiceResult, b.Header().ServiceResult}
}

// A silent session ends, its subscription goes on until its own lifetime ends.
func TestTimeouts(t *testing.T) {
	p := newPLC()
	s := serve(t, p, Config{Limits: Limits{MinSession: 1e6}}, Options{})
	c := rawSession(t, s, 60*time.Millisecond)
	sub := c.subscribe(soon, 0, 15) // lifetime 45 cycles, 0.9 s
	if sub.RevisedLifetimeCount != 45 {
		t.Errorf("lifetime %d, want 3 times the keep-alive count", sub.RevisedLifetimeCount)
	}
	count := func() (sessions, subs int) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.sessions), len(s.subs)
	}
	waitFor(t, "the session's end", func() bool { n, _ := count(); return n == 0 })
	if _, subs := count(); subs != 1 {
		t.Errorf("%d subscriptions right after the session's end, want 1", subs)
	}
	c.refused(&ua.ReadRequest{}, ua.StatusBadSessionIDInvalid)
	c.createSession(time.Minute)
	c.refused(&ua.PublishRequest{}, ua.StatusBadSessionNotActivated)
	c.activate()
	r := ask[*ua.TransferSubscriptionsResponse](c, &ua.TransferSubscriptionsRequest{SubscriptionIDs: []uint32{sub.SubscriptionID}})
	if r.Results[0].StatusCode != ua.StatusOK {
		t.Errorf("an orphan cannot be adopted: %v", r.Results[0].StatusCode)
	}
	waitFor(t, "the subscription's end", func() bool { _, n := count(); return n == 0 })
	m := c.publish() // nothing asked for it in time; the session hears of its end
	n, ok := m.NotificationMessage.NotificationData[0].Value.(*ua.StatusChangeNotification)
	if !ok || n.Status != ua.StatusBadTimeout || m.SubscriptionID != sub.SubscriptionID {
		t.Errorf("%+v", m)
	}
	c.refused(&ua.PublishRequest{}, ua.StatusBadNoSubscription)
	ask[*ua.CloseSessionResponse](c, &ua.CloseSessionRequest{DeleteSubscriptions: true})
	c.refused(&ua.ReadRequest{}, ua.StatusBadSessionIDInvalid)
}

func waitFor(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !done(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited for %s in vain", what)
		}
	}
}

// Every message with samples is announced with the offset at which it ends.
func TestTap(t *testing.T) {
	p := newPLC()
	var mu sync.Mutex
	var ends []int64
	var refs [][]Ref
	s := serve(t, p, Config{}, Options{Tap: func(conn int, offset int64, _ time.Time, items []Ref) {
		mu.Lock()
		defer mu.Unlock()
		if conn != 0 {
			t.Errorf("connection %d", conn)
		}
		ends, refs = append(ends, offset), append(refs, slices.Clone(items))
	}})
	c := rawSession(t, s, time.Minute)
	check := func(what string, want ...Ref) {
		t.Helper()
		mu.Lock()
		defer mu.Unlock()
		if len(want) == 0 {
			if len(ends) > 0 {
				t.Errorf("%s: announced %v", what, refs)
			}
			return
		}
		if len(ends) != 1 || ends[0] != c.ended || !slices.Equal(refs[0], want) {
			t.Errorf("%s: announced %v at %v, want %v at %d", what, refs, ends, want, c.ended)
		}
		ends, refs = nil, nil
	}
	flow := func(seq uint64) Ref { return Ref{"pump/flow", seq, 1, 1} }
	node := &ua.ReadValueID{NodeID: ua.NewStringNodeID(2, "pump/flow"), AttributeID: ua.AttributeIDValue, DataEncoding: &ua.QualifiedName{}}
	ask[*ua.ReadResponse](c, &ua.ReadRequest{NodesToRead: []*ua.ReadValueID{node}})
	check("read before the first scan")
	p.scan(1)
	ask[*ua.ReadResponse](c, &ua.ReadRequest{NodesToRead: []*ua.ReadValueID{node}})
	check("read", flow(1))
	sub := c.subscribe(soon, 1000, 1).SubscriptionID
	c.publish()
	check("keep-alive")
	c.monitor(sub, want{tag: "pump/flow", queue: 5}, want{tag: "pump/vibration", queue: 1})
	p.scan(1)
	c.publish()
	check("publish", flow(1), flow(2), Ref{"pump/vibration", 2, 1, 0})
	ask[*ua.RepublishResponse](c, &ua.RepublishRequest{SubscriptionID: sub, RetransmitSequenceNumber: 1})
	check("republish", flow(1), flow(2), Ref{"pump/vibration", 2, 1, 0})
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
