package modbus

import (
	"math/rand/v2"
	"time"
)

// grid is the instants of one block: origin + k·period.
type grid struct {
	origin time.Time
	period time.Duration
}

// newGrids draws a phase for each period such that no two grids ever meet: two
// of them do exactly if their phases agree modulo the greatest common divisor
// of their periods. They keep apart as far as the number of blocks allows, at
// most a millisecond.
func newGrids(rng *rand.Rand, start time.Time, periods []time.Duration) []grid {
	out := make([]grid, len(periods))
	phases := make([]time.Duration, len(periods))
	for i, p := range periods {
		for try := 0; ; try++ {
			phases[i] = time.Duration(rng.Int64N(int64(p)))
			if try == 1000 || apart(phases[:i+1], periods[:i+1]) {
				break
			}
		}
		out[i] = grid{start.Add(phases[i]), p}
	}
	return out
}

// apart tells whether the last one keeps clear of all before it.
func apart(phases, periods []time.Duration) bool {
	last := len(phases) - 1
	for i := range last {
		g := gcd(periods[i], periods[last])
		d := (phases[last] - phases[i]) % g
		if d < 0 {
			d += g
		}
		if clear := min(g/time.Duration(4*len(phases)), time.Millisecond); min(d, g-d) < max(clear, 1) {
			return false
		}
	}
	return true
}

func gcd(a, b time.Duration) time.Duration {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// after is the first instant of the grid after t.
func (g grid) after(t time.Time) time.Time {
	if t.Before(g.origin) {
		return g.origin
	}
	k := t.Sub(g.origin)/g.period + 1
	return g.origin.Add(k * g.period)
}
