package faults

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
)

// resolver finds the windows of faults, each after those that it refers to.
type resolver struct {
	cfgs     []Config
	duration time.Duration
	edges    edges
	windows  [][]Window // by the fault's place
	done     []bool
	ps       strict.Problems
}

func newResolver(cfgs []Config, duration time.Duration, seed uint64) *resolver {
	return &resolver{cfgs: cfgs, duration: duration, windows: make([][]Window, len(cfgs)), done: make([]bool, len(cfgs)),
		edges: edges{seed: seed, names: map[string]int{}, taken: map[time.Duration]bool{}}}
}

// resolve makes the windows of one fault; path is whom it is asked for.
func (r *resolver) resolve(i int, path []int) {
	at := fmt.Sprintf("fault[%d]", i)
	if slices.Contains(path, i) {
		key := "with"
		if r.cfgs[i].Follows != "" {
			key = "follows"
		}
		r.ps.Addf(at+"."+key, "goes round in a circle")
		r.done[i] = true
	}
	if r.done[i] {
		return
	}
	c := r.cfgs[i]
	k, ok := lookup(c.Kind)
	if !ok {
		r.done[i] = true
		r.ps.AddName(at+".kind", fmt.Sprintf("there is no fault kind %q", c.Kind), c.Kind, kindNames())
		return
	}
	c = c.WithDefaults()
	wrong := c.check(k)
	if c.At.D() >= r.duration && c.With == "" && c.Follows == "" {
		wrong.Addf("at", "%v is not before the end of the run at %v", c.At, r.duration)
	}
	var starts []time.Duration
	if len(wrong) == 0 {
		starts, wrong = r.bases(i, c, append(path, i))
	}
	r.done[i] = true
	if len(wrong) > 0 {
		r.ps = append(r.ps, wrong.Under(at)...)
		return
	}
	edge, gap := r.edges.stream(c)
	if c.While != "" {
		return
	}
	for _, base := range starts {
		for _, start := range repeats(base, c.When, r.duration, gap, len(r.windows[i])) {
			r.windows[i] = append(r.windows[i], r.edges.window(i, len(r.windows[i]), c, k, start, r.duration, edge))
		}
	}
}

// bases are the instants that a fault's schedule counts from.
func (r *resolver) bases(i int, c Config, path []int) (starts []time.Duration, ps strict.Problems) {
	key, name := "with", c.With
	if c.Follows != "" {
		key, name = "follows", c.Follows
	}
	if name == "" {
		return []time.Duration{c.At.D()}, nil
	}
	found := false
	for j, other := range r.cfgs {
		if other.Name != name {
			continue
		}
		found = true
		if other.While != "" {
			ps.Addf(key, "%q is decided in the run; only a fault with times of its own can be referred to", name)
			continue
		}
		r.resolve(j, path)
		for _, w := range r.windows[j] {
			from := w.From
			if c.Follows != "" {
				if from = w.To; w.Open {
					continue
				}
			}
			if start := from + c.At.D(); start >= 0 && start < r.duration {
				starts = append(starts, start)
			}
		}
	}
	if !found {
		var names []string
		for j, other := range r.cfgs {
			if other.Name != "" && j != i {
				names = append(names, other.Name)
			}
		}
		ps.AddName(key, fmt.Sprintf("there is no fault of the name %q", name), name, names)
	}
	slices.Sort(starts)
	return starts, ps
}

// repeats are the starts that a schedule makes of one, before the run's end;
// had is how many there are already.
func repeats(base time.Duration, w When, end time.Duration, rng *rand.Rand, had int) (starts []time.Duration) {
	if w.Until > 0 {
		end = min(end, w.Until.D())
	}
	if w.Every == 0 {
		return []time.Duration{base}
	}
	at := base
	if w.Gaps != gaps[0] {
		at += gapOf(w, rng) // chance does not begin with a fault
	}
	for at >= 0 && at < end && had+len(starts) <= mostWindows && (w.Times == 0 || len(starts) < w.Times) {
		starts = append(starts, at)
		at += gapOf(w, rng)
	}
	return starts
}

// gapOf draws the time to the next start, at least a millisecond. A Weibull
// distribution of shape k and mean m has the scale m / Gamma(1 + 1/k).
func gapOf(w When, rng *rand.Rand) time.Duration {
	mean := float64(w.Every)
	gap := mean
	switch w.Gaps {
	case "poisson":
		gap = mean * rng.ExpFloat64()
	case "weibull":
		gap = mean / math.Gamma(1+1/w.Shape) * math.Pow(rng.ExpFloat64(), 1/w.Shape)
	}
	return time.Duration(min(max(gap, float64(time.Millisecond)), math.MaxInt64/4))
}

// oneClock reports a gateway that is to be paused and to have a clock of its
// own: a process that is traced for its clock cannot be stopped.
func oneClock(cfgs []Config) (ps strict.Problems) {
	has := func(kind string) int { return slices.IndexFunc(cfgs, func(c Config) bool { return c.Kind == kind }) }
	if clock, pause := has("gateway.clock"), has("gateway.pause"); clock >= 0 && pause >= 0 {
		ps.Addf(fmt.Sprintf("fault[%d].kind", pause), "a gateway with a clock of its own, as of fault[%d], cannot be paused", clock)
	}
	return ps
}
