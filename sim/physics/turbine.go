package physics

import (
	"math"
	"math/rand/v2"
)

// SystemHealth is the course of a turbine's module health in the manner of
// C-MAPSS (Saxena, Goebel, Simon & Eklund, PHM 2008): 1-d at t = 0 and exactly
// 0 at the life.
type SystemHealth struct{ A, B, D float64 }

// NewSystemHealth has curvature b (1.4 to 1.6) and initial wear d (to 0.01).
func NewSystemHealth(life, b, d float64) SystemHealth {
	return SystemHealth{A: math.Log(2-d) / math.Pow(life, b), B: b, D: d}
}

// At is the health at t.
func (h SystemHealth) At(t float64) float64 {
	return 1 - h.D - math.Expm1(h.A*math.Pow(t, h.B))
}

// Turbine is a fleet of engines whose modules wear at their own pace, seen
// through sensors under six operating regimes.
//
//	e := physics.NewTurbine().Draw(rng)
//	y := make([]float64, physics.TurbineSensors)
//	for cycle := 1.0; cycle <= e.LifeCycles; cycle++ {
//		regime := e.Record(cycle, y, rng)
//	}
type Turbine struct {
	// Base is what sensor k reads of a new engine under each regime, Slope what
	// it gains until the module that it looks at has failed, Sigma its noise.
	Base   [TurbineRegimes][TurbineSensors]float64
	Slope  [TurbineSensors]float64
	Sigma  [TurbineSensors]float64
	Module [TurbineSensors]int
}

// The sizes of a turbine.
const (
	TurbineRegimes = 6
	TurbineModules = 5 // fan, two compressors, two turbines
	TurbineSensors = 14
)

// NewTurbine has sensors that move two to four times their noise over a life,
// and regimes that shift them by far more: whoever does not normalise by
// regime sees nothing.
func NewTurbine() Turbine {
	var t Turbine
	for k := range TurbineSensors {
		t.Module[k] = k % TurbineModules
		t.Sigma[k] = 0.5 + 0.1*float64(k)
		sign := float64(1 - 2*(k%2))
		t.Slope[k] = sign * t.Sigma[k] * (2 + 2*float64(k)/(TurbineSensors-1))
		for r := range TurbineRegimes {
			t.Base[r][k] = 100 + 10*float64(k) + 40*t.Sigma[k]*math.Sin(float64(r*(k+2)))
		}
	}
	return t
}

// Engine is one turbine with its life.
type Engine struct {
	*Turbine
	LifeCycles float64
	Health     [TurbineModules]SystemHealth
}

// Draw is an engine: 100 and a Weibull number (2.4, 120) of cycles until the
// worst of its modules has no margin left; the others would last longer.
func (t Turbine) Draw(rng *rand.Rand) Engine {
	e := Engine{Turbine: &t, LifeCycles: 100 + WeibullLife(2.4, 120, 0, 1-rng.Float64())}
	worst := rng.IntN(TurbineModules)
	for m := range e.Health {
		life := e.LifeCycles
		if m != worst {
			life *= 1.2 + 2*rng.Float64()
		}
		e.Health[m] = NewSystemHealth(life, 1.4+0.2*rng.Float64(), 0.01*rng.Float64())
	}
	return e
}

// Margin is the health of the whole engine: that of its worst module.
func (e Engine) Margin(cycle float64) float64 {
	h := math.Inf(1)
	for _, m := range e.Health {
		h = min(h, m.At(cycle))
	}
	return h
}

// Record fills y with what the sensors read in a cycle, and returns the regime
// that it was flown under. Health is rough by 0.005.
func (e Engine) Record(cycle float64, y []float64, rng *rand.Rand) (regime int) {
	regime = rng.IntN(TurbineRegimes)
	for k := range y {
		h := e.Health[e.Module[k]].At(cycle) + 0.005*rng.NormFloat64()
		y[k] = e.Base[regime][k] + e.Slope[k]*(1-h) + e.Sigma[k]*rng.NormFloat64()
	}
	return regime
}

// CappedRUL is the label that is usual with such data: early in a life nothing
// can be known but that it is long.
func CappedRUL(cycles float64) float64 { return min(cycles, 125) }
