package opcua

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gopcua/opcua"
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

// ask2 sends a request that settles a waiting one first.
func ask2(c *raw, r ua.Request) [2]ua.StatusCode {
	c.t.Helper()
	c.send(r)
	_, a := c.next()
	_, b := c.next()
	return [2]ua.StatusCode{a.Header().ServiceResult, b.Header().ServiceResult}
}

func waitFor(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !done(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited for %s in vain", what)
		}
	}
}
