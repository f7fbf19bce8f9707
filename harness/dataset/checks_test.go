package dataset

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The area under the curve agrees with counting pairs.
func TestAUC(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		a, b := make([]float64, 1+rng.IntN(20)), make([]float64, 1+rng.IntN(20))
		for i := range a {
			a[i] = float64(rng.IntN(8))
		}
		for i := range b {
			b[i] = float64(rng.IntN(10))
		}
		want := 0.0
		for _, x := range a {
			for _, y := range b {
				switch {
				case y > x:
					want++
				case y == x:
					want += 0.5
				}
			}
		}
		want /= float64(len(a) * len(b))
		if got := auc(a, b); math.Abs(got-want) > 1e-12 {
			t.Fatalf("%v, want %v, of %v and %v", got, want, a, b)
		}
	}
}

// made builds a fleet of one machine with two channels, of which the first
// follows damage by gain deviations of its noise and the second knows nothing.
func made(gain float64) ([]summary, *layout) {
	rng := rand.New(rand.NewPCG(5, 6))
	lay := &layout{columns: []Column{{Name: "m/a", Unit: "g", Role: "sensor"}, {Name: "m/b", Unit: "A", Role: "sensor"}}, labels: map[string]int{"m": 2}}
	const blocks = 240
	var sums []summary
	for run := range 200 {
		s := summary{Run: run, Unit: run, Means: [][]float32{make([]float32, blocks), make([]float32, blocks)},
			Damage: [][]float32{make([]float32, blocks)}, Lying: [][]bool{make([]bool, blocks)}}
		fails := run%2 == 0
		for b := range blocks {
			d := 0.0
			s.Damage[0][b] = float32(null)
			if fails && b >= 100 {
				d = float64(b-99) / float64(blocks-99)
				s.Damage[0][b] = float32(d)
			}
			s.Means[0][b] = float32(rng.NormFloat64() + gain*d)
			s.Means[1][b] = float32(rng.NormFloat64())
		}
		if fails {
			s.Lives = []life{{Machine: "m", Component: "c", OnsetS: 100 * blockS, DetectableS: 120 * blockS, FailureS: blocks * blockS}}
		}
		sums = append(sums, s)
	}
	return sums, lay
}

// A chart finds what is plain to see, and next to nothing where nothing shows;
// its false alarms stay within the budget.
func TestShewhart(t *testing.T) {
	for _, c := range []struct{ gain, least, most float64 }{{40, 1, 1}, {0, 0, 0.15}} {
		sums, lay := made(c.gain)
		best := charts(sums, lay, []string{"m"})
		if len(best) != 1 || best[0].of != 100 || best[0].recall() < c.least || best[0].recall() > c.most {
			t.Errorf("gain %v: %+v", c.gain, best)
		}
		if b := best[0]; float64(b.falseAlarms) > b.weeks || b.weeks < 2.5 {
			t.Errorf("gain %v: %d false alarms in %.1f weeks", c.gain, b.falseAlarms, b.weeks)
		}
		events := noticeable(sums, []string{"m"})
		if found := oracle(events); found != len(events) || found != 100 {
			t.Errorf("the oracle finds %d of %d", found, len(events))
		}
	}
}

// fleet is a made data set to which every check says yes.
func fleet() ([]summary, *layout, totals) {
	rng := rand.New(rand.NewPCG(8, 9))
	sums, lay := made(2.5)
	t := totals{MachineHours: 1000, HealthyMachineHours: 950, Lives: 100, Failures: 70, Censored: 30, Changes: 1000, LookAlikes: 300,
		ByMode: map[string]int{"m/c: wear": 100}, AlikeBy: map[string]int{"m/c": 300}}
	for i := range sums {
		s := &sums[i]
		level, amps := 1+0.1*rng.NormFloat64(), 10.0
		for b := range s.Means[0] {
			// A unit's own level, about which it goes up and down, and a load
			// that changes now and then.
			if b%60 == 0 {
				amps = 10 + rng.NormFloat64()
			}
			s.Means[0][b] = float32(level) * (1 + 0.1*s.Means[0][b])
			s.Means[1][b] = float32(amps)
		}
		if len(s.Lives) > 0 {
			t.leads = append(t.leads, 0.6)
		}
	}
	return sums, lay, t
}

// defects are what each check is there to find.
var defects = map[string]func(sums []summary, t *totals){
	"shewhart.recall": func(sums []summary, _ *totals) { // damage shows at once, and in nothing else
		for i := range sums {
			for b, d := range sums[i].Damage[0] {
				if !isNull(float64(d)) {
					sums[i].Means[1][b] += 100
				}
			}
		}
	},
	"oracle.recall": func(sums []summary, _ *totals) { // a life is labelled that is none
		for i := range sums {
			for b := range sums[i].Damage[0] {
				if i%20 == 0 {
					sums[i].Damage[0][b] = float32(null)
				}
			}
		}
	},
	"healthy.share":         func(_ []summary, t *totals) { t.HealthyMachineHours = 800 },
	"censored.share":        func(_ []summary, t *totals) { t.Censored = 0 },
	"changes.per_fault":     func(_ []summary, t *totals) { t.Changes = 500 },
	"look_alikes.per_life":  func(_ []summary, t *totals) { t.LookAlikes = 50 },
	"modes.with_look_alike": func(_ []summary, t *totals) { t.AlikeBy = map[string]int{"m/other": 300} },
	"lives.misordered":      func(_ []summary, t *totals) { t.misordered = 1 },
	"lead.share": func(_ []summary, t *totals) { // it fails where it shows
		for i := range t.leads {
			t.leads[i] = 0.01
		}
	},
	"unit.spread": func(sums []summary, _ *totals) { // all units are one
		for i := range sums {
			sums[i].Unit = i % 10
			for b := range sums[i].Means[0] {
				if isNull(float64(sums[i].Damage[0][b])) {
					sums[i].Means[0][b] = 1 + 0.001*float32(b%7)
				}
			}
		}
	},
	"operating.spread": func(sums []summary, _ *totals) { // one load for ever
		for i := range sums {
			for b := range sums[i].Means[1] {
				sums[i].Means[1][b] = 10
			}
		}
	},
	"row.auc": func(sums []summary, _ *totals) { // the level alone tells
		for i := range sums {
			for b, d := range sums[i].Damage[0] {
				if !isNull(float64(d)) {
					sums[i].Means[0][b] += 50
				}
			}
		}
	},
}

// Every check says yes to a good data set, and no to the defect that it is
// there to find.
func TestEveryCheckFindsItsDefect(t *testing.T) {
	sc := smallScenario(t)
	sc.Machines = sc.Machines[:1]
	sc.Machines[0].Name = "m"
	p := &plan{sc: sc}
	sums, lay, sum := fleet()
	all := checks(sums, lay, sum, p)
	for _, c := range all {
		if !c.Holds || c.Unknown {
			t.Errorf("a good data set: %+v", c)
		}
		if defects[c.Name] == nil {
			t.Errorf("no defect is planted for %s", c.Name)
		}
	}
	for name, plant := range defects {
		sums, lay, sum := fleet()
		plant(sums, &sum)
		found := false
		for _, c := range checks(sums, lay, sum, p) {
			if c.Name == name {
				found = true
				if c.Holds || c.Unknown {
					t.Errorf("the defect is not found: %+v", c)
				}
			}
		}
		if !found {
			t.Errorf("there is no check %s", name)
		}
	}
}

// With little data a check says that it does not know.
func TestTooLittleToCheck(t *testing.T) {
	sc := smallScenario(t)
	sc.Machines = sc.Machines[:1]
	sc.Machines[0].Name = "m"
	sums, lay, sum := fleet()
	sum.Lives, sum.leads = 3, nil
	for _, c := range checks(sums[:4], lay, sum, &plan{sc: sc}) {
		switch c.Name {
		case "healthy.share", "changes.per_fault", "lives.misordered":
		default:
			if !c.Unknown || c.Holds {
				t.Errorf("%+v", c)
			}
		}
	}
}
