package dataset

import (
	"math"

	"github.com/plantbed/plantbed/sim/physics"
)

// The logarithm of a drawn life is uniform between two bounds, and damage
// between onset and failure is a bridge of the component's law. At age a of a
// life L, with u = a/L, its progress x is thus
//
//	gamma laws    Beta(A u^q, A (1 - u^q)), A = 1/cv^2
//	a wanderer    1 less the distance of a Brownian bridge in space from its end
//
// and the damage that is seen tells x, since the law's shape only grows.

// quantileLevels of the remaining life.
var quantileLevels = [3]float64{0.05, 0.5, 0.95}

// bridge is the density of progress within a life, by law.
type bridge struct {
	law     physics.Law
	a, q    float64 // of gamma laws
	cv      float64 // of a wanderer
	certain bool    // nothing is seen before the failure
}

// bridgeOf says how package physics draws a course of a law.
func bridgeOf(l physics.Law) bridge {
	cv, q := l.CV, l.Q
	switch l.Process {
	case physics.Sudden:
		return bridge{law: l, certain: true}
	case physics.Wiener1:
		return bridge{law: l, cv: cv}
	case physics.InverseGaussian, physics.Shock:
		q, cv = 1, max(0.1, cv/5)
	}
	return bridge{law: l, a: 1 / (cv * cv), q: q}
}

// progress is what the damage tells of x.
func (b bridge) progress(damage float64) float64 {
	lo, hi := 0.0, 1.0
	if b.law.Shape == nil {
		return min(max(damage, 1e-9), 1-1e-9)
	}
	for range 40 {
		if mid := (lo + hi) / 2; b.law.Shape(mid) < damage {
			lo = mid
		} else {
			hi = mid
		}
	}
	return min(max(lo, 1e-9), 1-1e-9)
}

// hardlyAny progress is as good as none.
const hardlyAny = 1e-4

// logDensity of progress x at a share u of the life, both within (0, 1).
func (b bridge) logDensity(x, u float64) float64 {
	if b.cv > 0 {
		m, s := 1-u, b.cv*math.Sqrt(u*(1-u))
		r := 1 - x
		z := 2 * r * m / (s * s)
		return math.Log(r/(m*s)) - (r-m)*(r-m)/(2*s*s) + math.Log1p(-math.Exp(-z))
	}
	up := math.Pow(u, b.q)
	p, q := b.a*up, b.a*(1-up)
	lq, _ := math.Lgamma(q)
	if x <= hardlyAny {
		// The chance of so little, since a density there says nothing.
		l1, _ := math.Lgamma(p + 1)
		return p*math.Log(hardlyAny) - l1 - lq
	}
	lp, _ := math.Lgamma(p)
	return (p-1)*math.Log(x) + (q-1)*math.Log1p(-x) - lp - lq
}

// grid of shares on which the posterior stands.
const gridCells = 96

// remaining are the quantiles of the remaining life, in seconds, of a component
// whose damage has been growing for ageS: those of an observer who sees the
// damage itself, and knows the law and the bounds of life. No model can know
// more from the present.
func (b bridge) remaining(damage, ageS, loS, hiS float64) (q [3]float64) {
	from, to := ageS/hiS, min(ageS/loS, 1-1e-9)
	if ageS < 1 || damage <= 0 && b.cv == 0 || b.certain || from >= to {
		// Nothing is known but the bounds, and that it still lives.
		lo := max(loS, ageS)
		for i, p := range quantileLevels {
			q[i] = max(0, lo*math.Pow(hiS/lo, p)-ageS)
		}
		return q
	}
	x := b.progress(damage)
	var weight [gridCells]float64
	// Look where the weight is, then closer there.
	for range 3 {
		step := (to - from) / gridCells
		best := math.Inf(-1)
		for i := range weight {
			u := from + (float64(i)+0.5)*step
			weight[i] = b.logDensity(x, u) - math.Log(u) // a log-uniform life: density 1/u
			best = max(best, weight[i])
		}
		first, last := gridCells, -1
		for i, w := range weight {
			if w > best-15 {
				first, last = min(first, i), i
			}
		}
		if last < 0 || last-first > gridCells/3 {
			break
		}
		from, to = max(from, from+float64(first-1)*step), min(to, from+float64(last+2)*step)
	}
	return b.quantiles(x, ageS, from, to)
}

// quantiles of a posterior between two shares. A large share a/L is a short
// life: they run from that end.
func (b bridge) quantiles(x, ageS, from, to float64) (q [3]float64) {
	var weight [gridCells]float64
	step := (to - from) / gridCells
	best, total := math.Inf(-1), 0.0
	for i := range weight {
		u := from + (float64(i)+0.5)*step
		weight[i] = b.logDensity(x, u) - math.Log(u)
		best = max(best, weight[i])
	}
	for i := range weight {
		weight[i] = math.Exp(weight[i] - best)
		total += weight[i]
	}
	for i, p := range quantileLevels {
		sum, k := 0.0, gridCells-1
		for ; k > 0 && sum+weight[k] < p*total; k-- {
			sum += weight[k]
		}
		inside := min(1, (p*total-sum)/max(weight[k], 1e-300)) // of the cell, in proportion
		u := from + (float64(k)+1-inside)*step
		q[i] = max(0, ageS/max(u, 1e-12)-ageS)
	}
	return q
}
