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

// A data set that is too easy is told so.
func TestTooEasyIsTold(t *testing.T) {
	sums, lay := made(40)
	sc := smallScenario(t)
	sc.Machines = sc.Machines[:1]
	sc.Machines[0].Name = "m"
	p := &plan{sc: sc}
	for _, c := range checks(sums, lay, totals{Lives: 100, Failures: 100, ByMode: map[string]int{}}, p) {
		switch c.Name {
		case "shewhart.recall", "censored.share", "changes.per_fault", "look_alikes.per_life":
			if c.Holds || c.Unknown {
				t.Errorf("%+v", c)
			}
		case "oracle.recall":
			if !c.Holds {
				t.Errorf("%+v", c)
			}
		}
	}
}
