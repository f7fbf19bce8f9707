package wire

import (
	"testing"
	"time"
)

// A network that is bad for a fifth of the time delays a fifth of the chunks,
// and one that falls into a bad time of mean b gets through at the first of
// RTO, 3 RTO, 7 RTO that is behind it: with probability exp(-k RTO / b) it is not.
func TestLossAgainstTheory(t *testing.T) {
	w := &Wire{cfg: Config{Name: "a", Seed: 3}}
	good, bad := 800*time.Millisecond, 200*time.Millisecond
	b := w.newBursts(Loss{Good: good, Bad: bad}, ToClient, 0)
	at := b.end
	const n = 200_000
	late, beyond := 0, 0
	for i := range n {
		sent := at.Add(time.Duration(i) * 10_007 * time.Microsecond) // by far more than a burst in all
		took := b.through(sent, 0).Sub(sent)
		if took > 0 {
			late++
		}
		if took > defaultRTO {
			beyond++
		}
		if took%defaultRTO != 0 {
			t.Fatalf("through after %v, which is no retransmission", took)
		}
	}
	near(t, "share of chunks that are late", float64(late)/n, 0.2, 0.01)
	// Bad now, and bad one RTO of 200 ms later. The chain forgets at the rate
	// 1/good + 1/bad = 6.25/s: P(bad again) = 0.2 + 0.8 exp(-1.25).
	near(t, "share of those that are late again", float64(beyond)/float64(late), 0.2+0.8*0.2865, 0.015)
	if len(b.bad) > 1000 {
		t.Errorf("%d bursts are remembered", len(b.bad))
	}
}

// Losses delay, and lose nothing; the same seed gives the same ones.
func TestLossKeepsTheStream(t *testing.T) {
	w := open(t, Config{Name: "a", Seed: 7, Upstream: server(t, echo)}, Options{})
	lossy := Shape{Losses: []Loss{{Good: 3 * time.Millisecond, Bad: 3 * time.Millisecond, RTO: time.Millisecond}}}
	w.SetShape(ToClient, lossy)
	w.SetShape(ToServer, lossy)
	before := w.shape.Load().dirs[ToClient].bursts[0]
	c := dial(t, w.Addr())
	sent := pattern(100_000)
	go func() {
		for rest := sent; len(rest) > 0; rest = rest[1000:] {
			c.Write(rest[:1000])
			time.Sleep(100 * time.Microsecond)
		}
		c.CloseWrite()
	}()
	w.SetBandwidth(1e9) // another shape, the same losses
	if w.shape.Load().dirs[ToClient].bursts[0] != before {
		t.Error("the losses began anew")
	}
	got, how := fate(c)
	if how != "fin" {
		t.Errorf("ended by %s", how)
	}
	same(t, "echo", []byte(got), sent)
	again := []*bursts{w.newBursts(lossy.Losses[0], ToClient, 0), w.newBursts(lossy.Losses[0], ToClient, 0)}
	again[1].end = again[0].end
	for i := range 1000 {
		at := again[0].end.Add(time.Duration(i) * time.Millisecond)
		if again[0].isBad(at) != again[1].isBad(at) {
			t.Fatal("the same seed gave other losses")
		}
	}
}

// Slices come one by one, with their gaps, and whole.
func TestSlice(t *testing.T) {
	var tap tap
	w := open(t, Config{Name: "a", Upstream: server(t, echo)}, Options{Delivered: tap.delivered})
	w.SetShape(ToClient, Shape{Slice: 7, Gap: time.Millisecond})
	c := dial(t, w.Addr())
	sent := pattern(100)
	c.Write(sent)
	same(t, "echo", read(t, c, 100), sent)
	tap.wants(t, 1, sent, sent)
	tap.mu.Lock()
	defer tap.mu.Unlock()
	if n := len(tap.spans[1]); n < 15 {
		t.Errorf("100 bytes came in %d writes, want 15", n)
	}
	for _, s := range tap.spans[1] {
		if s.to-s.from > 7 {
			t.Errorf("a slice of %d bytes", s.to-s.from)
		}
	}
}
