package stats

import (
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
)

// Replicate runs n independent replications, on all cores, and returns their
// figures in the order of rep = 0, 1, ..., whatever the order in which they
// ended. Each makes its own kernel from a seed of its own.
func Replicate(n int, run func(rep int) float64) []float64 {
	xs := make([]float64, n)
	replicate(xs, 0, run)
	return xs
}

// replicate fills xs with the replications from first on.
func replicate(xs []float64, first int, run func(rep int) float64) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(len(xs), runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(xs); i = int(next.Add(1)) - 1 {
				xs[i] = run(first + i)
			}
		})
	}
	wg.Wait()
}

// Goal says when Sequential may stop. Of Half and Relative at least one is
// set; where both are, either will do.
type Goal struct {
	Half     float64 // the half-width wanted, in the unit of the figure
	Relative float64 // the half-width wanted, as a share of the mean
	Level    float64 // 0 is 0.95
	Min      int     // replications before the first look; 0 is 10
	Max      int     // replications after which to give up; 0 is 10,000
}

// Sequential adds replications until the interval is as narrow as the goal
// wants it. It looks after each, in their order, so that the result does not
// depend on the number of cores. An error says that Max were not enough, or
// that there is no goal; the interval is what was reached.
//
// A rule that stops when the interval looks narrow covers the truth a little
// less often than its level says; Min keeps that small.
func Sequential(g Goal, run func(rep int) float64) (Interval, error) {
	if g.Half <= 0 && g.Relative <= 0 {
		return Interval{}, fmt.Errorf("stats: a goal needs a half-width above 0")
	}
	if g.Level == 0 {
		g.Level = 0.95
	}
	if g.Min == 0 {
		g.Min = 10
	}
	if g.Max == 0 {
		g.Max = 10_000
	}
	var t Tally
	for t.n < g.Max {
		chunk := make([]float64, min(max(g.Min-t.n, runtime.GOMAXPROCS(0)), g.Max-t.n))
		replicate(chunk, t.n, run)
		for _, x := range chunk {
			t.Add(x)
			if i := t.Interval(g.Level); t.n >= g.Min && g.met(i) {
				return i, nil
			}
		}
	}
	i := t.Interval(g.Level)
	return i, fmt.Errorf("stats: after %d replications the interval is %v, not yet as narrow as wanted", i.N, i)
}

func (g Goal) met(i Interval) bool {
	return g.Half > 0 && i.Half <= g.Half || g.Relative > 0 && i.Half <= g.Relative*math.Abs(i.Mean)
}
