package faults

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim"
)

// Window is one resolved fault: what, where, from when to when. It is also the
// label in the record.
type Window struct {
	// Index is the fault's place in the scenario, Nth counts its windows from 0.
	Index  int
	Nth    int
	Kind   string
	Target string
	// Class is process, sensor, communication or gateway.
	Class string
	// From and To are since the start of the run. For a fault of the process To
	// is the planned failure, which may lie behind the end of the run.
	From, To time.Duration
	// Open says that nothing ends it within the run; To is then the run's end.
	Open bool
	// Note is the kind's own keys in words.
	Note string
	// Err is why the seam refused; set only in what Schedule reports.
	Err string
}

const (
	// An edge is shifted by shiftMin to shiftMax, at random: on a round instant
	// it would meet a scan, and who comes first would be chance.
	shiftMin = 100 * time.Microsecond
	shiftMax = 900 * time.Microsecond
)

// mostWindows is how many windows a plan may have.
const mostWindows = 10_000

// Resolve makes the plan of a run, ordered by time. It reports what is wrong
// with the faults by themselves (not their targets, see Config.Validate), with
// their times in a run of that duration, and with one another. The same seed
// gives the same plan; one fault more does not shift the edges of the others.
//
// Faults that last while a machine is in a state are not in it: see Waiting.
func Resolve(cfgs []Config, duration time.Duration, seed uint64) ([]Window, strict.Problems) {
	r := newResolver(cfgs, duration, seed)
	for i := range cfgs {
		r.resolve(i, nil)
	}
	var plan []Window
	for _, ws := range r.windows {
		plan = append(plan, ws...)
	}
	if len(plan) > mostWindows {
		r.ps.Addf("fault", "these are %d windows; a plan has %d at most", len(plan), mostWindows)
		plan = plan[:mostWindows]
	}
	r.ps = append(append(r.ps, oneLifeAtATime(plan)...), oneClock(cfgs)...)
	slices.SortStableFunc(plan, func(a, b Window) int { return cmp.Compare(a.From, b.From) })
	return plan, r.ps
}

// Waiting lists the faults that the plant decides about in the run: From is
// when one can begin at the earliest, To at the latest, and Note says what it
// waits for.
func Waiting(cfgs []Config, duration time.Duration) (all []Window) {
	for i, c := range cfgs {
		if k, ok := lookup(c.Kind); ok && c.While != "" {
			c = c.WithDefaults()
			w := Window{Index: i, Kind: c.Kind, Target: c.Target, Class: k.Class, From: c.At.D(), To: duration, Note: "while " + c.While}
			if c.Until > 0 {
				w.To = min(w.To, c.Until.D())
			}
			if own := c.note(); own != "" {
				w.Note += ", " + own
			}
			all = append(all, w)
		}
	}
	return all
}

// edges finds the instants at which windows open and close.
type edges struct {
	seed  uint64
	names map[string]int
	taken map[time.Duration]bool
}

// stream is the random numbers of a fault. It goes by name and not by place,
// so that the others stay where they are when one is put in; the number tells
// twins apart.
func (e *edges) stream(c Config) (edges, gaps *rand.Rand) {
	name := fmt.Sprintf("fault/%s/%s/%v", c.Kind, c.Target, c.At)
	e.names[name]++
	name = fmt.Sprintf("%s/%d", name, e.names[name])
	return sim.Rand(e.seed, name), sim.Rand(e.seed, name+"/gaps")
}

// shift takes an edge off its round instant.
func shift(rng *rand.Rand) time.Duration {
	return shiftMin + time.Duration(rng.Int64N(int64(shiftMax-shiftMin)))
}

// window is one that starts at an instant, off by a shift.
func (e *edges) window(i, nth int, c Config, k *kind, at, end time.Duration, rng *rand.Rand) Window {
	w := Window{Index: i, Nth: nth, Kind: c.Kind, Target: c.Target, Class: k.Class, Note: c.note()}
	w.From = e.free(at + shift(rng))
	switch {
	case c.Life > 0:
		if w.To = w.From + c.Life.D(); w.To < 0 { // past the end of all durations
			w.To = math.MaxInt64 - shiftMax
		}
		w.To = e.free(w.To)
		return w
	case k.instant:
		w.To = e.free(w.From + shift(rng))
		return w
	}
	w.To = at + c.For.D() + shift(rng)
	if w.To <= w.From { // shorter than a shift
		w.To = w.From + c.For.D()
	}
	if c.For == 0 || w.To >= end || w.To < 0 {
		w.To, w.Open = end, true
		return w
	}
	w.To = e.free(w.To)
	return w
}

// free takes the first instant from t on that no other edge has and that is not
// a whole microsecond.
func (e *edges) free(t time.Duration) time.Duration {
	for e.taken[t] || t%time.Microsecond == 0 {
		t++
	}
	e.taken[t] = true
	return t
}

// oneLifeAtATime reports components that are to wear out while they do already.
func oneLifeAtATime(plan []Window) (ps strict.Problems) {
	for i, w := range plan {
		for _, earlier := range plan[:i] {
			if w.Class == ClassProcess && earlier.Class == ClassProcess && w.Target == earlier.Target && w.From < earlier.To && earlier.From < w.To {
				ps.Addf(fmt.Sprintf("fault[%d].at", w.Index), "%s wears out from %v to %v by fault[%d]; a component has one life at a time",
					w.Target, earlier.From.Round(time.Second), earlier.To.Round(time.Second), earlier.Index)
			}
		}
	}
	return ps
}
