package opcua

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// The pause before a dial: none but a seeded moment after a loss, then from
// backoffMin doubling to backoffMax, counted from the start of the attempt
// before, so that an attempt that hung is followed at once.
const (
	backoffMin = 200 * time.Millisecond
	backoffMax = 2 * time.Second
)

type backoff struct {
	rng   *rand.Rand
	fails int
	begun time.Time // of the last attempt
}

// newRand is the source's own random stream.
func newRand(seed uint64, name string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte("opcua/" + name))
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

// moment is a pause of 1 to 10 ms, in odd nanoseconds: two gateways, or two
// sources of one, should not knock at the same instant.
func (b *backoff) moment() time.Duration {
	return time.Millisecond + time.Duration(b.rng.Int64N(int64(9*time.Millisecond)))
}

// next is the pause before the next attempt.
func (b *backoff) next(now time.Time) time.Duration {
	if b.fails == 0 {
		return b.moment()
	}
	d := min(backoffMin<<min(b.fails-1, 8), backoffMax)
	d -= time.Duration(b.rng.Int64N(int64(d / 4)))
	return max(d-now.Sub(b.begun), b.moment())
}

func (b *backoff) attempt(now time.Time) { b.begun, b.fails = now, b.fails+1 }

// reset is for an attempt that led to data.
func (b *backoff) reset() { b.fails = 0 }

// sleep returns false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
