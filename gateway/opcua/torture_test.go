package opcua

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/gateway/pipeline"
	"github.com/plantbed/plantbed/internal/strict"
)

// TestTorture does everything at once and at random: cuts, notifications lost on
// the wire, faults, pauses without an answer, a sink that blocks. The server
// keeps all, so every value must come exactly once and in order; with a sink that
// also loses batches, at least once.
func TestTorture(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			torture(t, seed, seed == 2)
		})
	}
}

func torture(t *testing.T, seed uint64, lossy bool) {
	rng := rand.New(rand.NewPCG(seed, 3))
	f, c := newFake(t), &catcher{}
	f.with(func() { f.interval = 3 * time.Millisecond })
	if lossy {
		n := 0
		c.verdict = func(pipeline.Batch) error {
			if n++; n%5 == 0 && n < 60 {
				return errors.New("disk full")
			}
			return nil
		}
	}
	const tags = 3
	cfg := testConfig(f.url, tags)
	cfg.RequestTimeout = strict.Duration(100 * time.Millisecond)
	stop := start(t, cfg, c)
	defer stop()
	eventually(t, "up", up(c, 1))
	n := 0
	for range 300 {
		n++
		for i := range tags {
			f.set(nodeOf(i), float64(n), at(n))
		}
		torment(f, rng)
		time.Sleep(time.Duration(rng.IntN(3)) * time.Millisecond)
	}
	f.with(func() { f.mute = false })
	eventually(t, "everything", func() bool { return complete(c, tags, n) })
	if !lossy {
		for i := range tags {
			checkExactlyOnce(t, seed, c, i, n)
		}
	}
	if f.count("CreateSubscription") != 1 {
		t.Errorf("seed %d: %d subscriptions", seed, f.count("CreateSubscription"))
	}
	t.Logf("seed %d, lossy %v: %d sessions, %d republished", seed, lossy, f.count("CreateSession"), f.count("Republish"))
}

func torment(f *fake, rng *rand.Rand) {
	switch rng.IntN(40) {
	case 0:
		f.cut()
	case 1, 2, 3:
		f.with(func() { f.lost["publish"] += rng.IntN(3) })
	case 4:
		f.with(func() { f.faults["Publish"] = ua.StatusBadInternalError })
	case 5:
		f.with(func() { f.faults["CreateSession"] = ua.StatusBadTooManySessions })
	case 6:
		f.with(func() { f.mute = true })
	case 7, 8, 9, 10:
		f.with(func() { f.mute = false })
	case 11:
		f.with(func() { f.faults["Publish"] = ua.StatusBadTooManyPublishRequests })
	}
}

func complete(c *catcher, tags, n int) bool {
	seen := make([]map[float64]bool, tags)
	for i := range seen {
		seen[i] = map[float64]bool{}
	}
	for _, s := range c.samples() {
		for i := range tags {
			if s.ID == tagID(i) {
				seen[i][s.Value] = true
			}
		}
	}
	for i := range seen {
		if len(seen[i]) != n {
			return false
		}
	}
	return true
}

func checkExactlyOnce(t *testing.T, seed uint64, c *catcher, tag, n int) {
	t.Helper()
	want := 0
	for _, s := range c.samples() {
		if s.ID != tagID(tag) {
			continue
		}
		if want++; s.Value != float64(want) {
			t.Fatalf("seed %d: sample %d of %s is %v", seed, want, s.ID, s.Value)
		}
	}
	if want != n {
		t.Errorf("seed %d: %d samples of tag %d, want %d", seed, want, tag, n)
	}
}
