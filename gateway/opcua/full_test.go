package opcua

import (
	"math/rand/v2"
	"testing"

	"github.com/plantbed/plantbed/gateway/pipeline"
)

// TestFullBufferKeepsOrder has a sink that turns batches away at random, long
// and short, through cuts of the connection: whatever comes comes once and in
// order, and what the server could keep comes whole.
func TestFullBufferKeepsOrder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		f := newFake(t)
		rng := rand.New(rand.NewPCG(seed, 7))
		full, lost := 0, 0
		c := &catcher{}
		c.verdict = func(b pipeline.Batch) error {
			if len(b.Samples) == 0 {
				lost += b.Lost
				return nil
			}
			if full > 0 || rng.IntN(8) == 0 {
				if full--; full < 0 {
					full = rng.IntN(3)
				}
				return pipeline.ErrFull
			}
			return nil
		}
		f.with(func() { f.retain = 500 })
		start(t, testConfig(f.url, 1), c)
		eventually(t, "up", up(c, 1))
		const n = 150
		for i := 1; i <= n; i++ {
			f.set(nodeOf(0), float64(i), at(i))
			if i%4 == 0 {
				eventually(t, "a notification", func() (ok bool) {
					f.with(func() {
						ok = true
						for _, s := range f.subs {
							ok = ok && len(s.queue) == 0
						}
					})
					return ok
				})
			}
			if i == n/2 {
				f.cut()
			}
		}
		eventually(t, "all", func() bool { return len(c.samples()) >= n })
		for i, s := range c.samples() {
			if s.Value != float64(i+1) {
				t.Fatalf("seed %d: sample %d is %v", seed, i, s.Value)
			}
		}
		if lost != 0 {
			t.Errorf("seed %d: %d told lost", seed, lost)
		}
	}
}

// TestFullBufferTellsWhatIsLost has a server that keeps little and a buffer
// that is full for long: what comes is in order, and the rest is told.
func TestFullBufferTellsWhatIsLost(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	full, lost := true, 0
	c := &catcher{}
	c.verdict = func(b pipeline.Batch) error {
		if lost += b.Lost; full && len(b.Samples) > 0 {
			return pipeline.ErrFull
		}
		return nil
	}
	f.with(func() { f.retain = 5 })
	start(t, testConfig(f.url, 1), c)
	eventually(t, "up", up(c, 1))
	const n = maxHeld + 40
	for i := 1; i <= n; i++ {
		f.set(nodeOf(0), float64(i), at(i))
		eventually(t, "a notification", func() (ok bool) {
			f.with(func() {
				for _, s := range f.subs {
					ok = len(s.queue) == 0
				}
			})
			return ok
		})
	}
	c.mu.Lock()
	full = false
	c.mu.Unlock()
	eventually(t, "the last one", func() bool { s := c.samples(); return len(s) > 0 && s[len(s)-1].Value == n })
	got := c.samples()
	for i := 1; i < len(got); i++ {
		if got[i].Value <= got[i-1].Value {
			t.Fatalf("%v after %v", got[i].Value, got[i-1].Value)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if lost+len(got) != n || len(got) < maxHeld {
		t.Errorf("%d came, %d told lost, of %d", len(got), lost, n)
	}
}
