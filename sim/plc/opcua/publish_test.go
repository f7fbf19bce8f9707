package opcua

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"
)

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
