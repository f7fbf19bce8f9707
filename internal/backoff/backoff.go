// Package backoff says how long to wait before the next attempt to reach
// somebody: doubling to a bound, with a part of every pause drawn from a seed,
// so that no two clients knock at the same instant and a run is the same again.
//
//	p := backoff.Pace{Min: 200 * time.Millisecond, Max: 2 * time.Second, Rand: backoff.Rand(seed, "opcua/plc-1")}
//	for backoff.Sleep(ctx, p.Next(time.Now())) {
//		p.Attempt(time.Now())
//		... // p.Reset() once there is data
//	}
//
// A library that counts attempts by itself is served by Double and Half.
package backoff

import (
	"context"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"time"
)

// Rand is a random stream of its own for a name.
func Rand(seed uint64, name string) *rand.Rand {
	h := fnv.New64a()
	io.WriteString(h, name)
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

// Double is base, doubled n times, at most most.
func Double(base, most time.Duration, n int) time.Duration {
	return min(base<<min(max(n, 0), 20), most)
}

// Half is a pause between half of limit and limit.
func Half(rng *rand.Rand, limit time.Duration) time.Duration {
	return limit/2 + time.Duration(rng.Int64N(int64(limit/2)+1))
}

// Pace counts attempts: none but a seeded moment before the first and after one
// that was of use, then from Min doubling to Max less up to a quarter, counted
// from the start of the attempt before, so that one that hung is followed at once.
type Pace struct {
	Min, Max time.Duration
	Rand     *rand.Rand

	fails int
	begun time.Time // the last attempt
}

// Moment is a pause of 1 to 10 ms, in odd nanoseconds.
func (p *Pace) Moment() time.Duration {
	return time.Millisecond + time.Duration(p.Rand.Int64N(int64(9*time.Millisecond)))
}

// Next is the pause before the next attempt.
func (p *Pace) Next(now time.Time) time.Duration {
	if p.fails == 0 {
		return p.Moment()
	}
	d := Double(p.Min, p.Max, p.fails-1)
	d -= time.Duration(p.Rand.Int64N(max(1, int64(d/4))))
	return max(d-now.Sub(p.begun), p.Moment())
}

// Attempt notes that one begins.
func (p *Pace) Attempt(now time.Time) { p.begun, p.fails = now, p.fails+1 }

// Reset is for an attempt that led to data.
func (p *Pace) Reset() { p.fails = 0 }

// Sleep returns false if ctx ended first.
func Sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
