package plant

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/plantbed/plantbed/internal/strict"
)

// Times is how a time scatters: a law, a mean and a coefficient of variation.
//
//	cycle = { law = "lognormal", mean = 1.05, cv = 0.2 }
type Times struct {
	// Law is constant, exponential, uniform, normal (cut at 0), lognormal,
	// gamma or weibull.
	Law string `toml:"law"`
	// Mean is a multiple of the time that scatters; 0 means 1.
	Mean float64 `toml:"mean"`
	// CV is the standard deviation over the mean; an exponential's is 1, a
	// constant's 0.
	CV float64 `toml:"cv"`
}

var timesLaws = []string{"constant", "exponential", "uniform", "normal", "lognormal", "gamma", "weibull"}

func (t Times) validate() strict.Problems {
	var ps strict.Problems
	if _, ok := t.drawer(); !ok {
		ps.AddName("law", fmt.Sprintf("%q is no law of times", t.Law), t.Law, timesLaws)
	}
	if !(t.Mean >= 0 && t.Mean <= 100) {
		ps.Addf("mean", "%v is out of range; it is a multiple, above 0 to 100", t.Mean)
	}
	if most := t.mostCV(); !(t.CV >= 0 && t.CV <= most) {
		ps.Addf("cv", "%v is out of range; it goes from 0 to %v", t.CV, most)
	}
	return ps
}

// mostCV is what a law can scatter and stay a time.
func (t Times) mostCV() float64 {
	switch t.Law {
	case "uniform":
		return 0.57 // beyond, it would begin below 0
	case "normal":
		return 0.4
	}
	return 5
}

// drawer makes draws of mean 1; not ok for a law that there is none of.
func (t Times) drawer() (draw func(*rand.Rand) float64, ok bool) {
	cv := t.CV
	switch t.Law {
	case "constant":
		return func(*rand.Rand) float64 { return 1 }, true
	case "exponential":
		return (*rand.Rand).ExpFloat64, true
	case "uniform":
		return func(r *rand.Rand) float64 { return 1 + cv*math.Sqrt(3)*(2*r.Float64()-1) }, true
	case "normal":
		return func(r *rand.Rand) float64 {
			for {
				if x := 1 + cv*r.NormFloat64(); x > 0 {
					return x
				}
			}
		}, true
	case "lognormal":
		s := math.Sqrt(math.Log1p(cv * cv))
		return func(r *rand.Rand) float64 { return math.Exp(s*r.NormFloat64() - s*s/2) }, true
	case "gamma":
		a := 1 / (cv * cv)
		return func(r *rand.Rand) float64 {
			if cv == 0 {
				return 1
			}
			return distuv.Gamma{Alpha: a, Beta: a, Src: r}.Rand()
		}, true
	case "weibull":
		beta := weibullSlope(cv)
		scale := 1 / math.Gamma(1+1/beta)
		return func(r *rand.Rand) float64 { return scale * math.Pow(r.ExpFloat64(), 1/beta) }, true
	}
	return nil, false
}

// weibullSlope is the slope at which a Weibull law has a coefficient of
// variation, by bisection.
func weibullSlope(cv float64) float64 {
	lo, hi := 0.2, 1000.0
	for range 100 {
		beta := math.Sqrt(lo * hi)
		g := math.Gamma(1 + 1/beta)
		if math.Sqrt(max(0, math.Gamma(1+2/beta)/g/g-1)) > cv {
			lo = beta
		} else {
			hi = beta
		}
	}
	return lo
}

// times draws multiples of a time.
type times struct {
	draw func(*rand.Rand) float64
	mean float64
}

func (t *Times) times() *times {
	if t == nil {
		return nil
	}
	draw, _ := t.drawer()
	mean := t.Mean
	if mean == 0 {
		mean = 1
	}
	return &times{draw, mean}
}
