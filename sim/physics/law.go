package physics

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"strings"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// Law is how a part wears out. Its clock is exposure: seconds of rated load
// and temperature, which run faster under more. A unit's life has up to two
// phases: an incubation in which nothing is to be seen, and progress x from 0
// to 1, a gamma process (or another one, see Process) that a shape turns into
// damage.
//
//	exposure ── incubation ──► x: gamma process ── Shape ──► damage D
type Law struct {
	Name string
	// Process is what drives progress: Gamma, Wiener, InverseGaussian, Shock,
	// or Sudden, which has no progress at all but an end.
	Process Process
	// Q is the power of time in a gamma process: 1 abrasion, 0.5 diffusion, 2 to 3 accelerating.
	Q float64
	// CV of progress where it should be 1. Of shocks it is that of a single one.
	CV float64
	// Beta is the Weibull slope by which lives scatter from unit to unit; 0
	// for units whose lives scatter by their process alone.
	Beta float64
	// Incubates: a Beta(4, 1.3) share of a unit's life passes before the onset.
	Incubates bool
	// Shape turns progress into damage; nil is x itself.
	Shape func(x float64) float64
}

// Process names a stochastic process of progress.
type Process int

// The processes of progress.
const (
	Gamma Process = iota
	Wiener1
	InverseGaussian
	Shock
	Sudden
)

// The laws of wear. Sources: van Noortwijk 2009 (gamma), ISO 281 with slope
// 1.5 (spall), Paris & Erdogan 1963 (crack), ISO 3685 (flank).
var (
	Spall     = Law{Name: "spall", CV: 1. / 32, Q: 1, Beta: 1.5, Incubates: true, Shape: func(x float64) float64 { return math.Pow(IncipientDamage, 1-x) }}
	Abrasion  = Law{Name: "abrasion", Q: 1, CV: 0.2}
	Diffusion = Law{Name: "diffusion", Q: 0.5, CV: 0.2}
	Erosion   = Law{Name: "erosion", Q: 2, CV: 0.2} // accelerating
	Crack     = Law{Name: "crack", Q: 1, CV: 0.05, Beta: 4, Shape: crackShape}
	Flank     = Law{Name: "flank", Q: 1, CV: 0.15, Shape: func(x float64) float64 { return FlankWearMM(x) / FlankWearMM(1) }}
	Wander    = Law{Name: "wander", Process: Wiener1, CV: 0.05}
	Corrosion = Law{Name: "corrosion", Process: InverseGaussian, CV: 0.2}
	Shocks    = Law{Name: "shocks", Process: Shock, CV: 1}
	Burnout   = Law{Name: "burnout", Process: Sudden, Beta: 1.2}
)

// Laws is the table of all of them.
var Laws = []Law{Spall, Abrasion, Diffusion, Erosion, Crack, Flank, Wander, Corrosion, Shocks, Burnout}

// String is the law in words.
func (l Law) String() string {
	var parts []string
	if l.Incubates {
		parts = append(parts, "incubation")
	}
	switch l.Process {
	case Wiener1:
		parts = append(parts, fmt.Sprintf("a Wiener process with drift, sd %.3g %%", 100*l.CV))
	case InverseGaussian:
		parts = append(parts, fmt.Sprintf("an inverse Gaussian process, cv %.3g %%", 100*l.CV))
	case Shock:
		parts = append(parts, fmt.Sprintf("Poisson shocks, each with cv %.3g %%", 100*l.CV))
	case Sudden:
		parts = append(parts, "no damage to be seen")
	default:
		parts = append(parts, fmt.Sprintf("a gamma process, t^%.3g, cv %.3g %%", l.Q, 100*l.CV))
	}
	if l.Beta > 0 {
		parts = append(parts, fmt.Sprintf("lives by Weibull, slope %.3g", l.Beta))
	}
	return l.Name + ": " + strings.Join(parts, "; ")
}

// FindLaw by name.
func FindLaw(name string) (Law, bool) {
	for _, l := range Laws {
		if l.Name == name {
			return l, true
		}
	}
	return Law{}, false
}

// crackShape is the length of a crack over its critical length when the
// stress range stays: Paris with m = 3, which makes a^(-1/2) linear in cycles,
// from a hundredth of the critical length.
func crackShape(x float64) float64 {
	r := 10 - 9*min(max(x, 0), 1)
	return 1 / (r * r)
}

func (l Law) shape(x float64) float64 {
	if l.Shape == nil {
		return min(max(x, 0), 1)
	}
	return l.Shape(x)
}

// Course is the damage between an onset and a failure that are both known: a
// bridge of the law's process, drawn once, whoever looks at it how often.
func (l Law) Course(onsetS, failureS float64, rng *rand.Rand) *Path {
	if l.Name == Spall.Name {
		return NewPath(onsetS, failureS, IncipientDamage, rng)
	}
	p := &Path{OnsetS: onsetS, FailureS: failureS, shape: l.shape, x: make([]float64, pathSteps+1), stepS: (failureS - onsetS) / pathSteps}
	switch {
	case l.Process == Sudden:
		p.OnsetS = failureS
		return p
	case l.Process == Wiener1:
		l.wienerBridge(p, rng)
	default:
		q, cv := l.Q, l.CV
		if l.Process == InverseGaussian || l.Process == Shock {
			q, cv = 1, max(0.1, cv/5)
		}
		sum := 0.0
		for i := 1; i <= pathSteps; i++ {
			a := (math.Pow(float64(i)/pathSteps, q) - math.Pow(float64(i-1)/pathSteps, q)) / (cv * cv)
			sum += distuv.Gamma{Alpha: a, Beta: 1, Src: rng}.Rand()
			p.x[i] = sum
		}
		for i := range p.x {
			p.x[i] /= sum
		}
	}
	return p
}

// wienerBridge fills the course of a Wiener process that first reaches 1 at
// the failure: 1 less a three-dimensional Bessel bridge, whatever the drift.
func (l Law) wienerBridge(p *Path, rng *rand.Rand) {
	n := len(p.x) - 1
	life := p.FailureS - p.OnsetS
	sigma := l.CV / math.Sqrt(life)
	var w [3]float64
	w[0] = 1
	for i := range n {
		p.x[i] = max(0, 1-math.Sqrt(w[0]*w[0]+w[1]*w[1]+w[2]*w[2]))
		left := life - float64(i)*p.stepS
		for k := range w {
			// One step of a Brownian bridge to 0.
			w[k] = w[k]*(1-p.stepS/left) + sigma*math.Sqrt(p.stepS*max(0, 1-p.stepS/left))*rng.NormFloat64()
		}
	}
	p.x[n] = 1
}

// Unit is one part: a life drawn from a law, and all that an oracle knows of it.
type Unit struct {
	Law
	*Path
	// GrowthS is the exposure that this unit's progress takes on average.
	GrowthS float64
	// MeanS is that of all units, from new to failure.
	MeanS float64
}

// Draw is the life of a new part that lasts meanS seconds of exposure on average.
func (l Law) Draw(meanS float64, rng *rand.Rand) *Unit {
	lifeS, onsetS := meanS, 0.0
	if l.Beta > 0 {
		lifeS = l.weibull(meanS, 1-rng.Float64())
	}
	if l.Incubates {
		onsetS = lifeS * distuv.Beta{Alpha: 4, Beta: 1.3, Src: rng}.Rand()
	}
	u := &Unit{Law: l, GrowthS: lifeS - onsetS, MeanS: meanS, Path: &Path{OnsetS: onsetS, shape: l.shape}}
	u.grow(rng)
	return u
}

// weibull is the life at a survival probability, for a mean life.
func (l Law) weibull(meanS, survival float64) float64 {
	return meanS / math.Gamma(1+1/l.Beta) * math.Pow(-math.Log(survival), 1/l.Beta)
}

// grow runs progress from the onset until it passes 1.
func (u *Unit) grow(rng *rand.Rand) {
	p := u.Path
	p.stepS = u.GrowthS / pathSteps
	p.x = []float64{0}
	switch u.Process {
	case Sudden:
		p.FailureS = p.OnsetS + u.GrowthS
		p.OnsetS = p.FailureS
	case Wiener1:
		life := drawInverseGaussian(u.GrowthS, u.GrowthS/(u.CV*u.CV), rng)
		p.FailureS = p.OnsetS + life
		p.stepS, p.x = life/pathSteps, make([]float64, pathSteps+1)
		u.wienerBridge(p, rng)
	case Shock:
		u.shocks(rng)
	case InverseGaussian:
		h := 1. / pathSteps
		u.walk(func(int) float64 { return drawInverseGaussian(h, h*h/(u.CV*u.CV), rng) }, func(lo, hi float64, _ int) float64 {
			return (1 - lo) / (hi - lo)
		})
	default:
		g := NewGammaProcess(pathSteps, u.Q, u.CV)
		u.walk(func(i int) float64 { return g.Grow(float64(i), float64(i+1), rng) }, func(lo, hi float64, i int) float64 {
			return g.Crossing(float64(i), lo, float64(i+1), hi, 1, 1e-4, rng) - float64(i)
		})
	}
}

// walk adds steps until progress passes 1; crossing is the share of the last
// step at which it does.
func (u *Unit) walk(step func(i int) float64, crossing func(lo, hi float64, i int) float64) {
	p, x := u.Path, 0.0
	for i := 0; ; i++ {
		next := x + step(i)
		if next >= 1 {
			p.FailureS = p.OnsetS + (float64(i)+crossing(x, next, i))*p.stepS
			p.x = append(p.x, 1)
			return
		}
		x = next
		p.x = append(p.x, x)
	}
}

// shocksPerLife is how many shocks a part takes until it fails, on average.
const shocksPerLife = 20

// shocks adds lognormal blows at Poisson instants. The path holds them as
// steps on its grid; the failure stands at its own instant.
func (u *Unit) shocks(rng *rand.Rand) {
	p, at, x := u.Path, 0.0, 0.0
	s := math.Sqrt(math.Log1p(u.CV * u.CV))
	for {
		at += rng.ExpFloat64() * u.GrowthS / shocksPerLife
		for float64(len(p.x))*p.stepS < at {
			p.x = append(p.x, x)
		}
		x += math.Exp(s*rng.NormFloat64()-s*s/2) / shocksPerLife
		if x >= 1 {
			p.FailureS = p.OnsetS + at
			p.x = append(p.x, 1)
			return
		}
	}
}

// drawInverseGaussian by Michael, Schucany & Haas (1976).
func drawInverseGaussian(mean, shape float64, rng *rand.Rand) float64 {
	y := rng.NormFloat64()
	y *= y
	x := mean + mean*mean*y/(2*shape) - mean/(2*shape)*math.Sqrt(4*mean*shape*y+mean*mean*y*y)
	if rng.Float64() <= mean/(mean+x) {
		return x
	}
	return mean * mean / x
}

// InverseGaussianCDF at t.
func InverseGaussianCDF(t, mean, shape float64) float64 {
	if t <= 0 {
		return 0
	}
	r := math.Sqrt(shape / t)
	phi := func(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }
	tail := phi(-r * (t/mean + 1))
	if tail > 0 {
		// In logarithms, since the exponential alone may overflow.
		tail = math.Exp(2*shape/mean + math.Log(tail))
	}
	return phi(r*(t/mean-1)) + tail
}

// FirstPassage is the chance that progress of a unit, x after ageS seconds of
// growth, passes 1 within the next sS seconds of exposure. It is the law of
// the future given the present, with the unit's own constants known.
func (u *Unit) FirstPassage(x, ageS, sS float64) float64 {
	if sS <= 0 {
		return 0
	}
	b := u.CV * u.CV
	switch u.Process {
	case Wiener1:
		// Mean (1-x)/mu, shape (1-x)^2/sigma^2 with mu = 1/L, sigma = CV/sqrt(L).
		return InverseGaussianCDF(sS, (1-x)*u.GrowthS, (1-x)*(1-x)*u.GrowthS/b)
	case InverseGaussian:
		d := sS / u.GrowthS
		return 1 - InverseGaussianCDF(1-x, d, d*d/b)
	case Shock:
		return u.shockPassage(x, sS)
	case Sudden:
		return when(ageS+sS >= u.GrowthS)
	}
	g := NewGammaProcess(u.GrowthS, u.Q, u.CV)
	a := g.Shape(ageS+sS) - g.Shape(ageS)
	return mathext.GammaIncRegComp(a, (1-x)/b)
}

// shockPassage is the chance that blows within sS seconds add up to what a
// part at x has left.
func (u *Unit) shockPassage(x, sS float64) float64 {
	return 1 - u.shockSurvival(u.shocksBorne(x), sS)
}

// shocksBorne is the chance to bear n blows, n from 0 on, until hardly any
// part does. The sum of n lognormals is taken for lognormal with its own mean
// and variance (Fenton 1960).
func (u *Unit) shocksBorne(x float64) []float64 {
	borne := []float64{1}
	for n := 1; borne[n-1] > 1e-12 && n < 400; n++ {
		mean, cv2 := float64(n)/shocksPerLife, u.CV*u.CV/float64(n)
		s := math.Sqrt(math.Log1p(cv2))
		z := (math.Log((1-x)/mean) + s*s/2) / s
		borne = append(borne, math.Erfc(-z/math.Sqrt2)/2)
	}
	return borne
}

// shockSurvival weighs that with the Poisson number of blows.
func (u *Unit) shockSurvival(borne []float64, sS float64) (alive float64) {
	rate := sS / u.GrowthS * shocksPerLife
	p := math.Exp(-rate)
	for n, b := range borne {
		alive += p * b
		p *= rate / float64(n+1)
	}
	return alive
}

func when(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// Remaining is the distribution of a part's remaining life in exposure
// seconds, given all of its past and none of its future.
type Remaining struct {
	cdf  func(sS float64) float64
	most float64 // a life that it surely does not exceed
}

// CDF is the chance that it has failed sS seconds from now.
func (r Remaining) CDF(sS float64) float64 { return r.cdf(sS) }

// Quantile is the inverse of CDF, to a millionth of the longest life.
func (r Remaining) Quantile(p float64) float64 {
	lo, hi := 0.0, r.most
	for range 32 {
		if mid := (lo + hi) / 2; r.cdf(mid) < p {
			lo = mid
		} else {
			hi = mid
		}
	}
	return hi
}

// Certain is the remaining life of what fails at a set instant.
func Certain(sS float64) Remaining {
	return Remaining{func(s float64) float64 { return when(s >= sS) }, 2*sS + 1}
}

// Remaining life after atS seconds of exposure.
func (u *Unit) Remaining(atS float64) Remaining {
	if atS >= u.FailureS {
		return Certain(0)
	}
	if u.Process == Sudden || atS < u.OnsetS {
		return u.unseen(atS)
	}
	x, age := u.progress(atS), atS-u.OnsetS
	if u.Process == Shock { // the blows that it bears are the same whenever
		borne := u.shocksBorne(x)
		return Remaining{func(s float64) float64 { return when(s > 0) * (1 - u.shockSurvival(borne, s)) }, 20 * u.GrowthS}
	}
	return Remaining{func(s float64) float64 { return u.FirstPassage(x, age, s) }, 20 * u.GrowthS}
}

// unseen is the remaining life of a part of which only its age is known: that
// of all parts like it which show nothing at that age.
func (u *Unit) unseen(atS float64) Remaining {
	const n = 1000
	beta := distuv.Beta{Alpha: 4, Beta: 1.3}
	var rest []float64
	for i := range n {
		// A lattice over the unit square: evenly spread, no chance in it.
		a, b := (float64(i)+0.5)/n, math.Mod(0.5+float64(i)*0.6180339887498949, 1)
		life := u.MeanS
		if u.Beta > 0 {
			if !u.Incubates { // survivors exactly
				rest = append(rest, u.MeanS/math.Gamma(1+1/u.Beta)*math.Pow(math.Pow(atS*math.Gamma(1+1/u.Beta)/u.MeanS, u.Beta)-math.Log(1-a), 1/u.Beta)-atS)
				continue
			}
			life = u.weibull(u.MeanS, 1-a)
		}
		if onset := life * beta.Quantile(b); onset > atS {
			rest = append(rest, life-atS)
		}
	}
	if len(rest) == 0 { // older than any: as good as gone
		return Certain(u.FailureS - atS)
	}
	sort.Float64s(rest)
	return Remaining{func(s float64) float64 {
		return float64(sort.SearchFloat64s(rest, math.Nextafter(s, math.Inf(1)))) / float64(len(rest))
	}, 2 * rest[len(rest)-1]}
}
