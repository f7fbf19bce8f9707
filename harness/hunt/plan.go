package hunt

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/scenarios"
	"github.com/plantbed/plantbed/sim"
)

// Plan is one way to break the scenario.
type Plan struct {
	// Seed is the world's: phases, noise, the pauses of clients.
	Seed     uint64
	Duration time.Duration
	Faults   []Fault
}

// Plan draws the i-th plan of a seed. Plan 0 has no fault at all.
func (s *Space) Plan(sc *scenarios.Scenario, seed uint64, i, maxFaults int) Plan {
	p := Plan{Seed: sc.Seed + uint64(i), Duration: sc.Duration.D()}
	if i == 0 {
		return p
	}
	r := sim.Rand(seed, fmt.Sprintf("hunt/plan/%d", i))
	want := 1 + r.IntN(maxFaults)
	for tries := 0; len(p.Faults) < want && tries < 50*want; tries++ {
		// What is refused by itself or beside the others is drawn again.
		if next := append(slices.Clone(p.Faults), s.next(r, p.Faults)); s.valid(next, p.Duration, p.Seed) {
			p.Faults = next
		}
	}
	slices.SortStableFunc(p.Faults, func(a, b Fault) int { return cmp.Compare(a.At, b.At) })
	return p
}

// next draws a fault beside those that are there already. Failures live where
// faults meet and where one comes again, so half of them do.
func (s *Space) next(r *rand.Rand, before []Fault) Fault {
	o := s.pick(r)
	target := o.targets[r.IntN(len(o.targets))]
	lasts := roundDuration(time.Duration(float64(shortestFault) * math.Pow(float64(longestFault)/float64(shortestFault), r.Float64())))
	at := s.from + time.Duration(r.Int64N(int64(s.to-s.from)))
	if len(before) > 0 {
		prev := before[r.IntN(len(before))]
		switch r.IntN(4) {
		case 0: // the same again
			if i := slices.IndexFunc(s.options, func(o option) bool { return o.kind.Name == prev.Kind }); i >= 0 {
				o, target = s.options[i], prev.Target
			}
		case 1, 2: // while the other lasts, or soon after
			at = prev.At + time.Duration(r.Int64N(int64(prev.For+10*time.Second)))
		}
	}
	at = min(max(at, s.from), s.to-shortestFault).Round(100 * time.Millisecond)
	return o.draw(r, target, at, min(lasts, s.to-at))
}

// pick chooses a kind by weight.
func (s *Space) pick(r *rand.Rand) option {
	sum := 0
	for _, o := range s.options {
		sum += o.weight
	}
	n := r.IntN(sum)
	for _, o := range s.options {
		if n -= o.weight; n < 0 {
			return o
		}
	}
	panic("hunt: weights do not add up")
}

// labels say of what kinds a plan's faults are, with the modes that they are in;
// sorted.
func (p Plan) labels() []string {
	out := make([]string, len(p.Faults))
	for i, f := range p.Faults {
		out[i] = f.label()
	}
	slices.Sort(out)
	return out
}

// scenario is the base broken by the plan, with the invariants to hold it
// against. The base's own faults and expectations make way.
func (p Plan) scenario(base *scenarios.Scenario) (*scenarios.Scenario, error) {
	sc := *base
	sc.Seed, sc.Duration = p.Seed, strict.Duration(p.Duration)
	var err error
	if sc.Faults, err = configs(p.Faults); err != nil {
		return nil, err
	}
	for i := range sc.Faults {
		sc.Faults[i] = sc.Faults[i].WithDefaults()
	}
	// Nothing is asked of the detector, so its calibration may be short.
	sc.Detector.CalibrationDuration = min(sc.Detector.CalibrationDuration, strict.Duration(2*time.Hour))
	if sc.Detector.CalibrationSeed == sc.Seed {
		sc.Detector.CalibrationSeed++
	}
	sc.Expect = Expectations(&sc)
	return &sc, nil
}
