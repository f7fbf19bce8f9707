package mqtt

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/plantbed/plantbed/gateway/buffer"
	"github.com/plantbed/plantbed/sim/signal"
)

// TestRanges holds ranges against a set of numbers.
func TestRanges(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var r ranges
		set := map[uint64]bool{}
		for range 40 {
			from := rng.Uint64N(60)
			to := from + 1 + rng.Uint64N(8)
			if rng.IntN(5) == 0 {
				r.forget(from)
				for n := range set { // what lies wholly before goes
					if len(ranges(r).free(n, n+1)) > 0 {
						delete(set, n)
					}
				}
				continue
			}
			r.add(from, to)
			for n := from; n < to; n++ {
				set[n] = true
			}
			for i := 1; i < len(r); i++ {
				if r[i][0] <= r[i-1][1] {
					t.Fatalf("seed %d: %v touch", seed, r)
				}
			}
			lo := rng.Uint64N(40)
			hi := lo + rng.Uint64N(40)
			got := map[uint64]bool{}
			for _, f := range r.free(lo, hi) {
				for n := f[0]; n < f[1]; n++ {
					got[n] = true
				}
			}
			for n := lo; n < hi; n++ {
				if got[n] == set[n] {
					t.Fatalf("seed %d: %d is free %v, %v", seed, n, got[n], r)
				}
			}
		}
	}
}

// startLive makes a rig whose publisher hears what becomes durable, and that has
// so many samples waiting when the broker's first connection comes.
func startLive(t *testing.T, b *broker, share float64, backlog int) *rig {
	t.Helper()
	var to atomic.Pointer[Publisher]
	buf, err := buffer.Open(buffer.Config{Kind: buffer.KindMemory}, buffer.Options{OnDurable: func(first uint64, samples []signal.Sample) {
		if p := to.Load(); p != nil {
			p.Durable(first, samples)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	buf.Append(context.Background(), numbered(0, backlog), nil)
	r := newRig(t, b, func(c *Config, o *Options) { o.Store, c.BackfillShare, c.Batch = buf, share, 10 })
	r.buf, r.made = buf, backlog
	to.Store(r.p)
	return r
}

// TestLiveGoesAhead has a backlog wait for the broker while live samples come
// faster than the window lets them through. The backlog gets its share and no
// more, what went ahead is not marked as backfill, what waited is, each is in
// order, and everything arrives.
func TestLiveGoesAhead(t *testing.T) {
	for _, share := range []float64{0.1, 0.5} {
		t.Run(fmt.Sprint(share), func(t *testing.T) {
			b := startBroker(t, "", nil)
			up := make(chan struct{})
			b.answer = func(int) error { <-up; return nil }
			r := startLive(t, b, share, 3000)
			time.Sleep(100 * time.Millisecond) // connected, with a message on its way
			r.put(3000)
			close(up)
			b.until("delivery", func([]packets.Packet) bool { return r.buf.Depth() == 0 })
			ahead, behind := uint64(0), uint64(0)
			back, all := 0, 0
			for _, b := range r.b.batches() {
				n := uint64(len(b.Samples))
				if b.First > 3000 { // behind the split
					if b.Backfill && ahead < 6000 && b.First > ahead {
						t.Errorf("live number %d is marked as backfill", b.First)
					}
					if b.First <= ahead {
						t.Fatalf("live number %d after %d", b.First, ahead)
					}
					ahead = b.First + n - 1
				} else {
					if !b.Backfill || b.First <= behind {
						t.Fatalf("number %d after %d, backfill %v", b.First, behind, b.Backfill)
					}
					behind = b.First + n - 1
				}
				if all < 3000 { // live samples wait all the time
					if all += int(n); b.Backfill {
						back += int(n)
					}
				}
			}
			if got := float64(back) / float64(all); got > share+0.05 || got < share/2 {
				t.Errorf("the backlog got %.2f of the way, its share is %v", got, share)
			}
			if ahead != 6000 || behind != 3000 {
				t.Errorf("live up to %d, backlog up to %d", ahead, behind)
			}
		})
	}
}

// TestLiveThroughCuts breaks the connection again and again: every sample comes,
// under its own number, whatever went ahead.
func TestLiveThroughCuts(t *testing.T) {
	for _, refuse := range []bool{false, true} {
		b := startBroker(t, "", nil)
		r := startLive(t, b, 0.3, 2000)
		if refuse {
			b.mu.Lock()
			b.answer = func(n int) error {
				if n%37 == 5 {
					return packets.ErrPayloadFormatInvalid
				}
				return nil
			}
			b.mu.Unlock()
		}
		rng := rand.New(rand.NewPCG(3, 1))
		for range 25 {
			r.put(1 + rng.IntN(200))
			time.Sleep(time.Duration(rng.IntN(6)) * time.Millisecond)
			b.cut()
		}
		r.complete()
		for _, x := range b.batches() {
			for i, s := range x.Samples {
				if want := numbered(int(x.First)+i-1, 1)[0]; s != want {
					t.Fatalf("number %d is %+v, want %+v", x.First+uint64(i), s, want)
				}
			}
		}
	}
}
