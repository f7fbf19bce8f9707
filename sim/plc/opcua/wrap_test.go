package opcua

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/gopcua/opcua"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/internal/interop/seen"

	"github.com/plantbed/plantbed/sim/plc"
)

// The ids of a device that has run for long wrap, and the numbers of its
// chunks; the notifications of a new subscription begin at 1 all the same.
func TestCountersWrap(t *testing.T) {
	p, s, _ := troubledServer(t, Config{})
	p.tell(plc.Trouble{WrapIn: 2})
	var subs, items, chunks []uint32
	c := rawSession(t, s, time.Minute)
	if want := uint32(math.MaxUint32); c.channel != want {
		t.Errorf("channel %d, want %d", c.channel, want)
	}
	for range 4 {
		subs = append(subs, c.subscribe(time.Hour, 1000, 10).SubscriptionID)
		items = append(items, c.monitor(subs[0], want{tag: "pump/flow", queue: 10})...)
		chunks = append(chunks, c.chunk)
	}
	for what, got := range map[string][]uint32{"subscriptions": subs, "items": items} {
		if want := []uint32{math.MaxUint32, 1, 2, 3}; !slices.Equal(got, want) {
			t.Errorf("%s %v, want %v", what, got, want)
		}
	}
	if want := []uint32{3, 5, 7, 9}; !slices.Equal(chunks, want) { // after OPN, session, activation
		t.Errorf("chunks %v, want %v", chunks, want)
	}
	if got := c.publishDue(s, subs[0]).NotificationMessage.SequenceNumber; got != 1 {
		t.Errorf("the first notification is %d", got)
	}
	p.tell(plc.Trouble{})
	if got := c.subscribe(time.Hour, 1000, 10).SubscriptionID; got != 4 {
		t.Errorf("a subscription later is %d", got)
	}
}

// A client that nobody here wrote goes through the wrap without a loss.
func TestInteropCountersWrap(t *testing.T) {
	p, s, _ := troubledServer(t, Config{})
	p.tell(plc.Trouble{WrapIn: 20})
	c := connect(t, s, opcua.AutoReconnect(false))
	notes := make(chan *opcua.PublishNotificationData, 10)
	sub := subscribe(t, s, c, soon, notes)
	if _, err := sub.Monitor(context.Background(), ua.TimestampsToReturnBoth, want{tag: "pump/flow", queue: 50}.request(0)); err != nil {
		t.Fatal(err)
	}
	next := 0.0
	for next < 40 {
		p.scan(1)
		n := <-notes
		if n.Error != nil {
			t.Fatal(n.Error)
		}
		for _, it := range n.Value.(*ua.DataChangeNotification).MonitoredItems {
			if v := it.Value.Value; v != nil && next > 0 && v.Float() != next {
				t.Fatalf("%v, want %v", v.Float(), next)
			}
			if it.Value.Value != nil {
				next = it.Value.Value.Float() + 1
			}
		}
	}
	s.mu.Lock()
	wrapped := len(s.conns) == 2 && s.conns[1].ch.sequence < 1024
	s.mu.Unlock()
	if !wrapped {
		t.Error("the numbers of the chunks have not wrapped")
	}
	seen.Note(t, "gopcua v0.9.1", "ids and chunk numbers that wrap", wrapped)
}

// The number of a notification after 2^32 - 1 is 1.
func TestSequenceNumbersWrap(t *testing.T) {
	p, s, c := troubledServer(t, Config{})
	sub := c.subscribe(time.Hour, 1000, 10).SubscriptionID
	c.monitor(sub, want{tag: "pump/flow", queue: 10})
	s.mu.Lock()
	s.subs[sub].next = math.MaxUint32 - 1
	s.mu.Unlock()
	var seqs []uint32
	for range 4 {
		seqs = append(seqs, c.publishDue(s, sub).NotificationMessage.SequenceNumber)
		p.scan(1)
	}
	if want := []uint32{math.MaxUint32 - 1, math.MaxUint32, 1, 2}; !slices.Equal(seqs, want) {
		t.Errorf("sequence numbers %v, want %v", seqs, want)
	}
}
