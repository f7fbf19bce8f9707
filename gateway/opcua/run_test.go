package opcua

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/signal"
)

var epoch = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestDelivers(t *testing.T) {
	t.Parallel()
	f, c := newFake(t), &catcher{}
	start(t, testConfig(f.url, 3), c)
	eventually(t, "up", up(c, 1))
	for n := 1; n <= 50; n++ {
		f.set(nodeOf(0), float64(n), at(n))
		time.Sleep(2 * time.Millisecond)
	}
	eventually(t, "50 samples", func() bool { return len(c.samples()) >= 50 })
	wantCount(t, c.samples(), 50)
	s := c.samples()[6]
	if want := (signal.Sample{ID: tagID(0), Value: 7, SourceTime: at(7)}); s != want {
		t.Errorf("got %+v, want %+v", s, want)
	}
	eventually(t, "everything acknowledged", func() (ok bool) {
		f.with(func() { ok = len(f.subs[1].retained) == 0 })
		return ok
	})
}

// TestDropLosesNothing cuts the connection again and again, with notifications
// under way that the client never gets.
func TestDropLosesNothing(t *testing.T) {
	t.Parallel()
	f, c := newFake(t), &catcher{}
	start(t, testConfig(f.url, 1), c)
	eventually(t, "up", up(c, 1))
	n := 0
	for round := range 6 {
		for range 20 {
			n++
			f.set(nodeOf(0), float64(n), at(n))
			if n%7 == 3 {
				f.with(func() { f.lost["publish"]++ })
			}
			time.Sleep(3 * time.Millisecond)
		}
		f.cut()
		eventually(t, "up again", up(c, round+2))
	}
	eventually(t, "all samples", func() bool { return len(c.samples()) >= n })
	wantCount(t, c.samples(), n)
	if f.count("CreateSubscription") != 1 {
		t.Errorf("%d subscriptions were created, want 1", f.count("CreateSubscription"))
	}
	if f.count("Republish") == 0 {
		t.Error("nothing was republished")
	}
	upN, down := c.ups()
	if upN != 7 || down != 6 {
		t.Errorf("up %d times and down %d times, want 7 and 6", upN, down)
	}
}

// TestTransferRefused: a server that hands no subscription to another session
// is asked for the session before.
func TestTransferRefused(t *testing.T) {
	t.Parallel()
	f, c := newFake(t), &catcher{}
	f.noTransfer = ua.StatusBadUserAccessDenied
	start(t, testConfig(f.url, 1), c)
	eventually(t, "up", up(c, 1))
	for n := 1; n <= 60; n++ {
		f.set(nodeOf(0), float64(n), at(n))
		if n%10 == 5 {
			f.with(func() { f.lost["publish"]++ })
		}
		if n%20 == 0 {
			f.cut()
			eventually(t, "up again", up(c, n/20+1))
		}
		time.Sleep(3 * time.Millisecond)
	}
	eventually(t, "all samples", func() bool { return len(c.samples()) >= 60 })
	wantCount(t, c.samples(), 60)
	if f.count("CreateSubscription") != 1 || f.count("CloseSession") != 3 {
		t.Errorf("%d subscriptions, %d sessions closed; want 1 and 3", f.count("CreateSubscription"), f.count("CloseSession"))
	}
}

// TestTransferAndReviveRefused: nothing can be taken over; a new subscription is
// made.
func TestTransferAndReviveRefused(t *testing.T) {
	t.Parallel()
	f, c := newFake(t), &catcher{}
	start(t, testConfig(f.url, 1), c)
	eventually(t, "up", up(c, 1))
	f.with(func() {
		f.noTransfer = ua.StatusBadUserAccessDenied
		f.faults["CloseSession"] = ua.StatusBadSessionIDInvalid
	})
	f.cut()
	eventually(t, "up again", up(c, 2))
	f.set(nodeOf(0), 1.0, at(1))
	eventually(t, "data", func() bool { return len(c.samples()) == 1 })
	if f.count("CreateSubscription") != 2 {
		t.Errorf("%d subscriptions", f.count("CreateSubscription"))
	}
}

// TestHoleOnLiveConnection loses notifications while the connection stays.
func TestHoleOnLiveConnection(t *testing.T) {
	t.Parallel()
	f, c := newFake(t), &catcher{}
	f.keepAlive = 100 // a second, so that a busy machine is not taken for silence
	start(t, testConfig(f.url, 1), c)
	eventually(t, "up", up(c, 1))
	for n := 1; n <= 40; n++ {
		if n%10 == 0 { // also the very last: only a keep-alive tells of it
			f.with(func() { f.lost["publish"] = 1 })
		}
		f.set(nodeOf(0), float64(n), at(n))
		time.Sleep(12 * time.Millisecond)
	}
	eventually(t, "all samples", func() bool { return len(c.samples()) >= 40 })
	wantCount(t, c.samples(), 40)
	if got, _ := c.ups(); got != 1 {
		t.Errorf("the connection was made %d times, want once", got)
	}
}

// TestSequenceBeginsAnywhere has the counter of a server stand before its wrap
// when the subscription is made, and loses the first notifications on the wire
// and with the connection: nothing says where the sequence began.
func TestSequenceBeginsAnywhere(t *testing.T) {
	t.Parallel()
	for _, first := range []uint32{1, 2, 5000, 1 << 31, math.MaxUint32 - 10, math.MaxUint32} {
		for _, lost := range []int{0, 3} {
			for _, cut := range []bool{false, true} {
				t.Run(fmt.Sprintf("first=%d lost=%d cut=%v", first, lost, cut), func(t *testing.T) {
					t.Parallel()
					f, c := newFake(t), &catcher{}
					f.with(func() { f.firstSeq, f.lost["publish"] = first, lost })
					start(t, testConfig(f.url, 1), c)
					eventually(t, "up", up(c, 1))
					for n := 1; n <= 20; n++ {
						f.set(nodeOf(0), float64(n), at(n))
						time.Sleep(12 * time.Millisecond)
						if cut && n == 3 {
							f.cut()
						}
					}
					eventually(t, "all samples", func() bool { return len(c.samples()) >= 20 })
					wantCount(t, c.samples(), 20)
				})
			}
		}
	}
}

// TestSequenceBeginsLate: what comes before the first that was seen is handed on
// too, not taken for a repetition.
func TestSequenceBeginsLate(t *testing.T) {
	l := newLedger()
	l.take(1)
	if !l.early(math.MaxUint32) || l.early(1) || l.early(2) {
		t.Error("early")
	}
	l.done(1, nil)
	l.acks()
	if got := l.wanted([]uint32{math.MaxUint32, 2}); !slices.Equal(got, []uint32{2}) {
		t.Errorf("wanted %v", got)
	}
	if got := l.redo(); !slices.Equal(got, []uint32{math.MaxUint32}) {
		t.Errorf("fetches %v again, want what came before the wrap", got)
	}
}

// TestGone restarts the server: the subscription is unknown, a new one is made.
func TestGone(t *testing.T) {
	t.Parallel()
	f, c := newFake(t), &catcher{}
	start(t, testConfig(f.url, 1), c)
	eventually(t, "up", up(c, 1))
	f.set(nodeOf(0), 1.0, at(1))
	eventually(t, "one", func() bool { return len(c.samples()) == 1 })
	f.down()
	f.with(func() { clear(f.subs) })
	time.Sleep(50 * time.Millisecond)
	f.up()
	eventually(t, "up again", func() bool { n, _ := c.ups(); return n >= 2 && f.count("CreateMonitoredItems") >= 2 })
	f.set(nodeOf(0), 2.0, at(2))
	eventually(t, "two", func() bool { return len(c.samples()) == 2 })
	wantCount(t, c.samples(), 2)
}

// TestServiceFaults answers each service once with a fault.
func TestServiceFaults(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		call   string
		status ua.StatusCode
	}{
		{"CreateSession", ua.StatusBadTooManySessions},
		{"ActivateSession", ua.StatusBadIdentityTokenRejected},
		{"CreateSubscription", ua.StatusBadTooManySubscriptions},
		{"Read", ua.StatusBadServiceUnsupported},
		{"CreateMonitoredItems", ua.StatusBadInternalError},
		{"CreateMonitoredItems", ua.StatusBadSubscriptionIDInvalid},
		{"Publish", ua.StatusBadTooManyPublishRequests},
		{"Publish", ua.StatusBadInternalError},
		{"Publish", ua.StatusBadNoSubscription},
		{"Publish", ua.StatusBadTimeout},
		{"Publish", ua.StatusBadSessionIDInvalid},
		{"TransferSubscriptions", ua.StatusBadServiceUnsupported},
		{"TransferSubscriptions", ua.StatusBadUserAccessDenied},
		{"Republish", ua.StatusBadMessageNotAvailable},
		{"Republish", ua.StatusBadServiceUnsupported},
	} {
		t.Run(tc.call+"/"+strings.Fields(tc.status.Error())[2], func(t *testing.T) {
			t.Parallel()
			f, c := newFake(t), &catcher{}
			f.faults[tc.call] = tc.status
			start(t, testConfig(f.url, 2), c)
			eventually(t, "up", up(c, 1))
			v := 0.0
			sees := func() bool {
				v++
				f.set(nodeOf(0), v, epoch)
				f.set(nodeOf(1), v, epoch)
				s := c.samples()
				return len(s) > 10 && s[len(s)-1].Value > v-100
			}
			eventually(t, "data", sees)
			f.with(func() { f.lost["publish"] = 1 })
			eventually(t, "a loss", func() (ok bool) { sees(); f.with(func() { ok = f.lost["publish"] == 0 }); return ok })
			f.cut()
			before := len(c.samples())
			eventually(t, "data after a drop", func() bool { return sees() && len(c.samples()) > before+10 })
			f.with(func() {
				if _, pending := f.faults[tc.call]; pending {
					t.Errorf("the fault never struck")
				}
			})
		})
	}
}

func TestSilence(t *testing.T) {
	t.Parallel()
	f, c := newFake(t), &catcher{}
	start(t, testConfig(f.url, 1), c)
	eventually(t, "up", up(c, 1))
	f.with(func() { f.mute = true })
	f.set(nodeOf(0), 1.0, at(1))
	eventually(t, "down", func() bool { _, down := c.ups(); return down == 1 })
	f.with(func() { f.mute = false })
	eventually(t, "the sample", func() bool { return len(c.samples()) == 1 })
	c.mu.Lock()
	defer c.mu.Unlock()
	if !strings.Contains(c.states[1], errSilent.Error()) {
		t.Errorf("down because %q", c.states[1])
	}
}

// TestAcksOnlyDurable: nothing is acknowledged before Done(nil), and a batch
// that the sink lost is fetched again.
func TestAcksOnlyDurable(t *testing.T) {
	t.Parallel()
	f, c := newFake(t), &catcher{hold: true}
	start(t, testConfig(f.url, 1), c)
	eventually(t, "up", up(c, 1))
	for n := 1; n <= 3; n++ {
		f.set(nodeOf(0), float64(n), at(n))
		eventually(t, "a batch", func() bool { return len(c.samples()) == n })
	}
	time.Sleep(100 * time.Millisecond) // some keep-alives
	f.with(func() {
		if len(f.subs[1].acked) != 0 {
			t.Errorf("acknowledged before it was durable: %v", f.subs[1].acked)
		}
	})
	c.mu.Lock()
	c.hold = false
	c.later[0](nil)
	c.later[1](fmt.Errorf("disk full"))
	c.later[2](nil)
	c.mu.Unlock()
	eventually(t, "the lost one again", func() bool { return len(c.samples()) == 4 })
	if s := c.samples()[3]; s.Value != 2 {
		t.Errorf("fetched %v again, want 2", s.Value)
	}
	eventually(t, "all acknowledged", func() (ok bool) {
		f.with(func() {
			acked := slices.Sorted(slices.Values(f.subs[1].acked))
			ok = slices.Equal(slices.Compact(acked), []uint32{1, 2, 3}) && len(f.subs[1].retained) == 0
		})
		return ok
	})
}

// TestBackPressure: while the sink blocks nothing is lost, and the connection is
// not taken for dead.
func TestBackPressure(t *testing.T) {
	t.Parallel()
	f, c := newFake(t), &catcher{block: make(chan struct{})}
	start(t, testConfig(f.url, 1), c)
	eventually(t, "up", up(c, 1))
	for n := 1; n <= 60; n++ {
		f.set(nodeOf(0), float64(n), at(n))
		time.Sleep(5 * time.Millisecond)
	}
	close(c.block)
	eventually(t, "all samples", func() bool { return len(c.samples()) >= 60 })
	wantCount(t, c.samples(), 60)
	if got, _ := c.ups(); got != 1 {
		t.Errorf("the connection was made %d times, want once", got)
	}
}

func TestStopWhileBlocked(t *testing.T) {
	t.Parallel()
	f, c := newFake(t), &catcher{block: make(chan struct{})}
	stop := start(t, testConfig(f.url, 1), c)
	eventually(t, "up", up(c, 1))
	f.set(nodeOf(0), 1.0, at(1))
	time.Sleep(30 * time.Millisecond)
	stop()
}

func TestStopWhileUnreachable(t *testing.T) {
	t.Parallel()
	f, c := newFake(t), &catcher{}
	f.down()
	stop := start(t, testConfig(f.url, 1), c)
	eventually(t, "down", func() bool { _, down := c.ups(); return down == 1 })
	stop()
}

// TestBadNode: the server refuses some nodes, and a limit per call.
func TestBadNode(t *testing.T) {
	t.Parallel()
	f, c := newFake(t), &catcher{}
	f.perCall = 7
	f.bad[nodeOf(3)] = ua.StatusBadNodeIDUnknown
	cfg := testConfig(f.url, 20)
	cfg.Tags[5].Namespace, cfg.Tags[5].Node = "urn:plant", "ns=9;s=q005"
	cfg.Tags[6].Namespace = "urn:nowhere"
	start(t, cfg, c)
	eventually(t, "up", up(c, 1))
	for i := range 20 {
		f.set(nodeOf(i), float64(i), at(i))
	}
	eventually(t, "18 samples", func() bool { return len(c.samples()) == 18 })
	if n := f.count("CreateMonitoredItems"); n != 3 {
		t.Errorf("%d calls to create 20 items by 7, want 3", n)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !strings.Contains(c.states[0], "2 of 20 tags refused, first m/c/q003") {
		t.Errorf("status: %q", c.states[0])
	}
}

// TestBadCall: the server refuses a call as a whole because of one item.
func TestBadCall(t *testing.T) {
	t.Parallel()
	f, c := newFake(t), &catcher{}
	f.perCall = 3
	f.uris = nil // and states the limit where nobody looks
	cfg := testConfig(f.url, 20)
	start(t, cfg, c)
	eventually(t, "up", up(c, 1))
	for i := range 20 {
		f.set(nodeOf(i), float64(i), at(i))
	}
	eventually(t, "20 samples", func() bool { return len(c.samples()) == 20 })
}

// TestOrder: whatever order the server chooses among items, tags come in the
// configured order and each tag's values as queued, even if its clock jumped.
func TestOrder(t *testing.T) {
	t.Parallel()
	f, c := newFake(t), &catcher{}
	f.with(func() { f.interval = 50 * time.Millisecond })
	start(t, testConfig(f.url, 5), c)
	eventually(t, "up", up(c, 1))
	f.with(func() {
		for _, s := range f.subs {
			for _, q := range []struct{ tag, value, ms int }{{3, 1, 10}, {0, 1, 10}, {3, 2, 5}, {4, 1, 10}, {0, 2, 20}, {3, 3, 6}} {
				s.queue = append(s.queue, &ua.MonitoredItemNotification{ClientHandle: uint32(q.tag + 1),
					Value: &ua.DataValue{EncodingMask: ua.DataValueValue | ua.DataValueSourceTimestamp, Value: ua.MustVariant(int32(q.value)), SourceTimestamp: at(q.ms)}})
			}
		}
	})
	eventually(t, "6 samples", func() bool { return len(c.samples()) == 6 })
	var text []string
	for _, s := range c.samples() {
		text = append(text, fmt.Sprintf("%s=%v", s.ID[len(s.ID)-1:], s.Value))
	}
	if got, want := strings.Join(text, " "), "0=1 0=2 3=1 3=2 3=3 4=1"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
