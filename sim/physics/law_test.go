package physics_test

import (
	"math"
	"slices"
	"testing"

	"github.com/plantbed/plantbed/sim/physics"
)

// kolmogorovSmirnov is the largest distance between a sample and a law.
func kolmogorovSmirnov(sample []float64, cdf func(float64) float64) float64 {
	slices.Sort(sample)
	n, d := float64(len(sample)), 0.0
	for i, x := range sample {
		f := cdf(x)
		d = max(d, f-float64(i)/n, float64(i+1)/n-f)
	}
	return d
}

// Drawn lives have the first passage time that their process has by theory:
// below the 5 % point of Kolmogorov and Smirnov, 1.358/sqrt(n).
func TestFirstPassageTimes(t *testing.T) {
	const n, mean = 1500, 1000.0
	for i, l := range physics.Laws {
		if l.Incubates || l.Process == physics.Sudden {
			continue // further down
		}
		l.Beta = 0 // units alike, so that the process alone scatters
		rng := source(uint64(100 + i))
		lives := make([]float64, n)
		var unit *physics.Unit
		for j := range lives {
			unit = l.Draw(mean, rng)
			lives[j] = unit.FailureS
		}
		bound := 1.358 / math.Sqrt(n)
		if l.Process == physics.Shock {
			bound *= 2 // the sum of lognormals is approximate
		}
		if d := kolmogorovSmirnov(lives, func(s float64) float64 { return unit.FirstPassage(0, 0, s) }); d > bound {
			t.Errorf("%s: Kolmogorov-Smirnov distance %.4f, bound %.4f", l.Name, d, bound)
		}
	}
}

// Lives of bearings and of what burns out scatter by Weibull.
func TestLivesByWeibull(t *testing.T) {
	const n, mean = 2000, 1000.0
	for i, l := range []physics.Law{physics.Spall, physics.Burnout} {
		rng := source(uint64(7 + i))
		lives := make([]float64, n)
		for j := range lives {
			lives[j] = l.Draw(mean, rng).FailureS
		}
		eta := mean / math.Gamma(1+1/l.Beta)
		bound := 1.358 / math.Sqrt(n)
		if d := kolmogorovSmirnov(lives, func(s float64) float64 { return -math.Expm1(-math.Pow(s/eta, l.Beta)) }); d > bound {
			t.Errorf("%s: Kolmogorov-Smirnov distance %.4f, bound %.4f", l.Name, d, bound)
		}
	}
}

// The oracle is calibrated: whatever the law and whenever one asks, the chance
// that it gave to the life that came is uniform.
func TestRemainingLifeIsCalibrated(t *testing.T) {
	const n, mean = 250, 1000.0
	for i, l := range physics.Laws {
		rng := source(uint64(300 + i))
		for _, at := range []float64{0, 300, 700} {
			var chances []float64
			for range n {
				u := l.Draw(mean, rng)
				if u.FailureS > at {
					chances = append(chances, u.Remaining(at).CDF(u.FailureS-at))
				}
			}
			bound := 1.628 / math.Sqrt(float64(len(chances))) // 1 %: thirty comparisons
			if l.Process == physics.Shock {
				bound *= 2
			}
			if d := kolmogorovSmirnov(chances, func(p float64) float64 { return min(1, max(0, p)) }); d > bound {
				t.Errorf("%s at %g s: Kolmogorov-Smirnov distance %.3f of %d chances from uniform, bound %.3f", l.Name, at, d, len(chances), bound)
			}
		}
	}
}

func TestQuantileInvertsTheCDF(t *testing.T) {
	for _, l := range physics.Laws {
		u := l.Draw(1000, source(5))
		r := u.Remaining(u.FailureS / 2)
		for _, p := range []float64{0.05, 0.5, 0.95} {
			q := r.Quantile(p)
			if r.CDF(q*1.001+1) < p || r.CDF(q*0.999-1) > p {
				t.Errorf("%s: the %g quantile is %g, where the chance is %g", l.Name, p, q, r.CDF(q))
			}
		}
	}
	if c := physics.Certain(30); c.CDF(29) != 0 || c.CDF(30) != 1 || math.Abs(c.Quantile(0.5)-30) > 1e-6 {
		t.Error("what is certain is not")
	}
}

// Every course starts at its onset, ends at its failure, and but for a
// wandering one never falls.
func TestCourses(t *testing.T) {
	for _, l := range physics.Laws {
		for seed := range uint64(20) {
			p := l.Course(100, 900, source(seed))
			last := 0.0
			for at := 0.0; at < 900; at += 0.7 {
				d := p.At(at)
				if d < 0 || d > 1 || (d < last && l.Process != physics.Wiener1) || (at < 100 && d != 0) {
					t.Fatalf("%s, seed %d: damage %g at %g after %g", l.Name, seed, d, at, last)
				}
				last = d
			}
			if p.At(900) != 1 {
				t.Errorf("%s: damage %g at the failure", l.Name, p.At(900))
			}
			if l.Process != physics.Sudden && last < 0.5 && l.Process != physics.Shock && seed == 0 && l.Q < 1 {
				t.Errorf("%s: damage %g just before the failure", l.Name, last)
			}
			for _, level := range []float64{0.05, 0.5, 1} {
				if at := p.Reach(level); p.At(at+1e-6) < level*(1-1e-6) || (at > 101 && at < 899 && p.At(at-1e-3) >= level && l.Process != physics.Wiener1) {
					t.Errorf("%s, seed %d: level %g reached at %g, where damage is %g", l.Name, seed, level, at, p.At(at))
				}
			}
		}
	}
	if _, ok := physics.FindLaw("magic"); ok {
		t.Error("found a law that is none")
	}
	if l, ok := physics.FindLaw("spall"); !ok || l.Name != "spall" {
		t.Error("did not find spall")
	}
}
