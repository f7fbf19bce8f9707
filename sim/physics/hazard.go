package physics

import "math"

// Weibull are failure times: a slope Beta under 1 is of infant mortality, 1 of
// chance, 1.5 to 3.5 of wear; Eta is the age that 63 % fail by.
type Weibull struct{ Beta, Eta float64 }

// ComponentLives are typical slopes and characteristic lives in hours, in the
// manner of Barringer's table. They are a start for a guess, not data.
var ComponentLives = map[string]Weibull{
	"ball bearing": {1.3, 40_000}, "roller bearing": {1.3, 50_000}, "ac motor": {1.2, 100_000},
	"centrifugal pump": {1.2, 35_000}, "mechanical seal": {1.4, 25_000}, "v-belt": {1.1, 30_000},
	"gear": {2, 75_000}, "impeller": {2.5, 150_000}, "solenoid valve": {1.1, 75_000},
}

// Mean life.
func (w Weibull) Mean() float64 { return w.Eta * math.Gamma(1+1/w.Beta) }

// Survival is the chance to get as old as t.
func (w Weibull) Survival(t float64) float64 { return math.Exp(-math.Pow(max(t, 0)/w.Eta, w.Beta)) }

// Hazard is the rate of failure at age t.
func (w Weibull) Hazard(t float64) float64 {
	return w.Beta / w.Eta * math.Pow(t/w.Eta, w.Beta-1)
}

// Residual is the remaining life at an age for a uniform u in (0, 1).
func (w Weibull) Residual(age, u float64) float64 { return WeibullLife(w.Beta, w.Eta, age, u) }

// Repairs is how many failures are expected by age t where a repair leaves a
// part as old as it was: a Poisson process with a power law (Crow 1975).
func (w Weibull) Repairs(t float64) float64 { return math.Pow(t/w.Eta, w.Beta) }

// Accelerated shortens life by covariates: eta exp(-b z), the sum over both.
func (w Weibull) Accelerated(b, z []float64) Weibull {
	w.Eta *= math.Exp(-dot(b, z))
	return w
}

// Proportional multiplies the hazard by exp(b z) (Cox 1972), which for a
// Weibull law is again one.
func (w Weibull) Proportional(b, z []float64) Weibull {
	w.Eta *= math.Exp(-dot(b, z) / w.Beta)
	return w
}

func dot(a, b []float64) (sum float64) {
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

// WeibullLife is the remaining life at an age for a uniform u in (0, 1).
func WeibullLife(beta, eta, age, u float64) float64 {
	return eta*math.Pow(math.Pow(age/eta, beta)-math.Log(u), 1/beta) - age
}

// VirtualAge is the age of a part after a repair by Kijima's first model: of
// what it lived since the last one a share q stays, 0 as new and 1 as old.
func VirtualAge(before, lived, q float64) float64 { return before + q*lived }

// ExposureS is equivalent time: dtS seconds at a share of rated load, whose
// power ages it (3 for ball bearings), dT kelvin over rated temperature, and a
// duty from 0 to 1.
func ExposureS(dtS, load, power, dT, duty float64) float64 {
	return dtS * math.Pow(load, power) * TenKelvinFactor(dT, 0) * duty
}
