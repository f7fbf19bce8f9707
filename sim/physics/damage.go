package physics

import (
	"math"
	"math/rand/v2"
	"sort"

	"gonum.org/v1/gonum/stat/distuv"
)

// IncipientDamage is the D at which a spall is born.
const IncipientDamage = 0.01

// Path is the course of damage to a failure at a known instant: 0 before the
// onset, incipient at it, then exponential growth that is 1 exactly at the
// failure. The growth of log D is a gamma bridge, so the path is monotone and
// mildly uneven; it is drawn once and for all, whoever looks at it how often.
type Path struct {
	OnsetS, FailureS float64
	log              []float64 // ln D at equal steps from onset to failure

	// Of other laws than that of a spall: progress every stepS from the onset
	// on, 1 at the failure, and what makes damage of it.
	x     []float64
	stepS float64
	shape func(x float64) float64
}

const pathSteps = 256

// NewPath draws a path. With a nil source it is the plain exponential.
func NewPath(onsetS, failureS, incipient float64, rng *rand.Rand) *Path {
	p := &Path{OnsetS: onsetS, FailureS: failureS, log: make([]float64, pathSteps+1)}
	sum := 0.0
	// Gamma steps of shape 4: each deviates by 50 %, all of them by 3 %.
	step := distuv.Gamma{Alpha: 4, Beta: 4}
	if rng != nil {
		step.Src = rng
	}
	for i := 1; i <= pathSteps; i++ {
		if rng == nil {
			sum++
		} else {
			sum += step.Rand()
		}
		p.log[i] = sum
	}
	first := math.Log(incipient)
	for i := range p.log {
		p.log[i] = first * (1 - p.log[i]/sum)
	}
	return p
}

// At is the damage at tS.
func (p *Path) At(tS float64) float64 {
	switch {
	case tS < p.OnsetS:
		return 0
	case tS >= p.FailureS:
		return 1
	case p.log == nil:
		return p.shape(p.progress(tS))
	}
	x := (tS - p.OnsetS) / (p.FailureS - p.OnsetS) * pathSteps
	i := min(int(x), pathSteps-1)
	return math.Exp(p.log[i] + (x-float64(i))*(p.log[i+1]-p.log[i]))
}

// progress between two known ones is linear; the last step ends at the failure.
func (p *Path) progress(tS float64) float64 {
	switch {
	case tS < p.OnsetS || len(p.x) < 2:
		return 0
	case tS >= p.FailureS:
		return 1
	}
	last := len(p.x) - 2
	i := min(int((tS-p.OnsetS)/p.stepS), last)
	from := float64(i) * p.stepS
	to := from + p.stepS
	if i == last {
		to = p.FailureS - p.OnsetS
	}
	return p.x[i] + (p.x[i+1]-p.x[i])*(tS-p.OnsetS-from)/(to-from)
}

// Reach is the first instant at which damage is level or more.
func (p *Path) Reach(level float64) float64 {
	if level >= 1 {
		return p.FailureS
	}
	if p.log == nil {
		return p.reach(level)
	}
	want := math.Log(level)
	i := sort.SearchFloat64s(p.log, want)
	if i == 0 {
		return p.OnsetS
	}
	x := float64(i-1) + (want-p.log[i-1])/(p.log[i]-p.log[i-1])
	return p.OnsetS + x/pathSteps*(p.FailureS-p.OnsetS)
}

// reach looks for the first step that ends at the level or above, and halves
// that: damage is monotone in all laws but one, and nearly so there.
func (p *Path) reach(level float64) float64 {
	last := len(p.x) - 1
	for i, x := range p.x {
		if i < last && p.shape(x) < level {
			continue
		}
		if i == 0 {
			return p.OnsetS
		}
		lo, hi := p.OnsetS+float64(i-1)*p.stepS, p.OnsetS+float64(i)*p.stepS
		if i == last {
			hi = p.FailureS
		}
		for range 50 {
			if mid := (lo + hi) / 2; p.At(mid) < level {
				lo = mid
			} else {
				hi = mid
			}
		}
		return hi
	}
	return p.FailureS
}

// ExpGrowth is damage tS after the onset for a growth phase of lifeS.
func ExpGrowth(incipient, tS, lifeS float64) float64 {
	return incipient * math.Exp(math.Log(1/incipient)*tS/lifeS)
}

// GammaProcess is monotone wear: D(t)-D(s) ~ Gamma(shape C*(t^Q - s^Q), scale B).
// Q 1 is abrasion, 0.5 diffusion, 2 to 3 accelerating (van Noortwijk 2009).
type GammaProcess struct{ C, Q, B float64 }

// NewGammaProcess reaches 1 on average at the life, with a coefficient of
// variation of the damage there.
func NewGammaProcess(life, q, cv float64) GammaProcess {
	b := cv * cv
	return GammaProcess{C: 1 / (b * math.Pow(life, q)), Q: q, B: b}
}

// Shape is a(t).
func (g GammaProcess) Shape(t float64) float64 { return g.C * math.Pow(t, g.Q) }

// Moments of D(t).
func (g GammaProcess) Moments(t float64) (mean, sd float64) {
	a := g.Shape(t)
	return a * g.B, math.Sqrt(a) * g.B
}

// Grow draws the growth from s to t.
func (g GammaProcess) Grow(s, t float64, rng *rand.Rand) float64 {
	a := g.Shape(t) - g.Shape(s)
	if a <= 0 {
		return 0
	}
	return distuv.Gamma{Alpha: a, Beta: 1 / g.B, Src: rng}.Rand()
}

// Crossing is when, between s and t, damage passed level, given D at both
// ends: bisection with the beta bridge, to within tol.
func (g GammaProcess) Crossing(s, ds, t, dt, level, tol float64, rng *rand.Rand) float64 {
	for t-s > tol {
		mid := (s + t) / 2
		a, b := g.Shape(mid)-g.Shape(s), g.Shape(t)-g.Shape(mid)
		dm := ds + (dt-ds)*distuv.Beta{Alpha: a, Beta: b, Src: rng}.Rand()
		if dm >= level {
			t, dt = mid, dm
		} else {
			s, ds = mid, dm
		}
	}
	return t
}

// Wiener is damage with drift and no memory of its sign: electronics, not wear.
type Wiener struct{ Mu, Sigma float64 }

// FirstHit are the moments of the instant at which D first reaches 1 (inverse Gaussian).
func (w Wiener) FirstHit() (mean, sd float64) {
	mean = 1 / w.Mu
	return mean, w.Sigma * math.Sqrt(mean*mean*mean)
}

// Bridge is the chance that D passed 1 between two instants dt apart though
// it was below at both.
func (w Wiener) Bridge(d0, d1, dt float64) float64 {
	return math.Exp(-2 * (1 - d0) * (1 - d1) / (w.Sigma * w.Sigma * dt))
}

// Step draws D after dt.
func (w Wiener) Step(d, dt float64, rng *rand.Rand) float64 {
	return d + w.Mu*dt + w.Sigma*math.Sqrt(dt)*rng.NormFloat64()
}
