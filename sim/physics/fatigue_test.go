package physics_test

import (
	"math"
	"slices"
	"testing"

	"github.com/plantbed/plantbed/sim/physics"
)

// The example of ASTM E1049, figure 6.
func TestRainflowOfTheStandard(t *testing.T) {
	got := map[float64]float64{}
	for _, c := range physics.Rainflow([]float64{-2, 1, -3, 5, -1, 3, -4, 4, -2}) {
		got[c.Range] += c.Count
	}
	want := map[float64]float64{3: 0.5, 4: 1.5, 6: 0.5, 8: 1, 9: 0.5}
	if len(got) != len(want) {
		t.Errorf("%v, want %v", got, want)
	}
	for r, n := range want {
		if got[r] != n {
			t.Errorf("range %g: %g cycles, want %g", r, got[r], n)
		}
	}
}

// fourPoints is another way to the same count: whatever lies within both its
// neighbours is a cycle, and what is left over counts by halves.
func fourPoints(x []float64) (ranges []float64) {
	x = slices.Clone(x)
	for again := true; again; {
		again = false
		for i := 0; i+3 < len(x); i++ {
			a, b, c := math.Abs(x[i]-x[i+1]), math.Abs(x[i+1]-x[i+2]), math.Abs(x[i+2]-x[i+3])
			if b <= a && b <= c {
				ranges = append(ranges, b, b) // two halves
				x = slices.Delete(x, i+1, i+3)
				again = true
				break
			}
		}
	}
	for i := 1; i < len(x); i++ {
		ranges = append(ranges, math.Abs(x[i]-x[i-1]))
	}
	slices.Sort(ranges)
	return ranges
}

func TestRainflowAgainstFourPoints(t *testing.T) {
	rng := source(4)
	for range 300 {
		x, up := []float64{0}, true
		for range rng.IntN(30) {
			step := 0.1 + rng.Float64()
			if !up {
				step = -step
			}
			x, up = append(x, x[len(x)-1]+step), !up
		}
		var got []float64
		for _, c := range physics.Rainflow(x) {
			for range int(2 * c.Count) {
				got = append(got, c.Range)
			}
		}
		slices.Sort(got)
		want := fourPoints(x)
		if !slices.EqualFunc(got, want, func(a, b float64) bool { return math.Abs(a-b) < 1e-12 }) {
			t.Fatalf("%v\nhas ranges %v\nwant       %v", x, got, want)
		}
	}
}

// A hundred thousand cycles at a tenth of a million of life each use up a
// tenth of it, and half as many again at twice the stress ten times more.
func TestMiner(t *testing.T) {
	w := physics.WoehlerCurve{A: 1e12, K: 3} // 1e6 cycles at 100 MPa
	d := physics.MinerDamage([]physics.StressCycle{{Range: 100, Count: 1e5}, {Range: 200, Count: 0.5e5}}, w)
	if math.Abs(d-(0.1+0.4)) > 1e-12 {
		t.Errorf("damage %v, want 0.5", d)
	}
}

// Paris step by step arrives where the closed form says.
func TestParisAgainstEuler(t *testing.T) {
	for _, steel := range []physics.Paris{physics.FerriticPearlitic, physics.Martensitic, physics.Austenitic} {
		a, n := 0.001, 0.0
		for a < 0.010 {
			da := a * 1e-4
			n += da / steel.Rate(a+da/2, 100, 2)
			a += da
		}
		if want := steel.Cycles(0.001, a, 100); math.Abs(n-want) > 1e-3*want {
			t.Errorf("m = %g: %g cycles, the closed form says %g", steel.M, n, want)
		}
	}
	p := physics.FerriticPearlitic
	if p.Rate(1e-5, 100, 2) != 0 {
		t.Error("a crack grows below its threshold")
	}
	if a := p.CriticalM(60, 200); math.Abs(p.RangeMPaRootM(a, 200)-60) > 1e-9 {
		t.Errorf("critical length %g m does not bear the toughness", a)
	}
	if hz := physics.CrackedHz(50, 1, 0.2); math.Abs(hz-49) > 1e-12 {
		t.Errorf("a cracked shaft rings at %g Hz, want 49", hz)
	}
	rng, sum, squares := source(9), 0.0, 0.0
	const parts = 4000
	for range parts {
		x := math.Log(p.Draw(rng).C / p.C)
		sum, squares = sum+x, squares+x*x
	}
	if sd := math.Sqrt(squares / parts); math.Abs(sum/parts) > 0.015 || math.Abs(sd-0.25) > 0.012 {
		t.Errorf("ln C scatters by %.3f about %.3f", sd, sum/parts)
	}
}
