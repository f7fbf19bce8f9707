package faults

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim"
)

// Window is one resolved fault: what, where, from when to when. It is also the
// label in the record.
type Window struct {
	// Index is the fault's place in the scenario.
	Index  int
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

// Resolve makes the plan of a run, ordered by time. It reports what is wrong
// with the faults by themselves (not their targets, see Config.Validate), with
// their times in a run of that duration, and with one another. The same seed
// gives the same plan; one fault more does not shift the edges of the others.
func Resolve(cfgs []Config, duration time.Duration, seed uint64) ([]Window, strict.Problems) {
	var plan []Window
	var ps strict.Problems
	edges := edges{seed: seed, names: map[string]int{}, taken: map[time.Duration]bool{}}
	for i, c := range cfgs {
		path := fmt.Sprintf("fault[%d]", i)
		k, ok := lookup(c.Kind)
		if !ok {
			ps.AddName(path+".kind", fmt.Sprintf("there is no fault kind %q", c.Kind), c.Kind, kindNames())
			continue
		}
		c = c.WithDefaults()
		wrong := c.check(k)
		if c.At.D() >= duration {
			wrong.Addf("at", "%v is not before the end of the run at %v", c.At, duration)
		}
		if len(wrong) > 0 {
			ps = append(ps, wrong.Under(path)...)
			continue
		}
		plan = append(plan, edges.window(i, c, k, duration))
	}
	ps = append(ps, oneLifeAtATime(plan)...)
	slices.SortStableFunc(plan, func(a, b Window) int { return cmp.Compare(a.From, b.From) })
	return plan, ps
}

// edges finds the instants at which windows open and close.
type edges struct {
	seed  uint64
	names map[string]int
	taken map[time.Duration]bool
}

func (e *edges) window(i int, c Config, k *kind, end time.Duration) Window {
	w := Window{Index: i, Kind: c.Kind, Target: c.Target, Class: k.Class, Note: c.note()}
	// By name and not by place, so that the others stay where they are when
	// one is put in; the number tells twins apart.
	name := fmt.Sprintf("fault/%s/%s/%v", c.Kind, c.Target, c.At)
	e.names[name]++
	rng := sim.Rand(e.seed, fmt.Sprintf("%s/%d", name, e.names[name]))
	shift := func() time.Duration {
		return shiftMin + time.Duration(rng.Int64N(int64(shiftMax-shiftMin)))
	}
	w.From = e.free(c.At.D() + shift())
	if c.Life > 0 {
		if w.To = w.From + c.Life.D(); w.To < 0 { // past the end of all durations
			w.To = math.MaxInt64 - shiftMax
		}
		w.To = e.free(w.To)
		return w
	}
	w.To = c.At.D() + c.For.D() + shift()
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
