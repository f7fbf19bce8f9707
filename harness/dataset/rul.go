package dataset

import "math"

// The law of a wearing component, as package physics has it: the logarithm of
// damage grows from ln 0.01 at the onset to 0 at the failure as a gamma bridge
// of 256 steps of shape 4, and the logarithm of the life is uniform between
// two bounds. At age a of a life L the share g of the way that is gone is thus
// Beta(1024 a/L, 1024 (1 - a/L)).
const (
	bridgeShape   = 4 * 256
	logIncipient  = -4.605170185988091 // ln 0.01
	posteriorGrid = 96
)

// quantileLevels of the remaining life.
var quantileLevels = [3]float64{0.05, 0.5, 0.95}

// remaining are the quantiles of the remaining life, in seconds, of a component
// whose damage has been growing for ageS: those of an observer who sees the
// damage itself, and knows the law and the bounds of life. No model can know
// more from the present.
func remaining(damage, ageS, loS, hiS float64) (q [3]float64) {
	if ageS < 1 || damage <= 0 {
		for i, p := range quantileLevels {
			q[i] = loS*math.Pow(hiS/loS, p) - ageS
		}
		return q
	}
	x, weight := posterior(damage, ageS, loS, hiS)
	total := 0.0
	for _, w := range weight {
		total += w
	}
	// A large share x = a/L is a short life: quantiles run from the other end.
	for i, p := range quantileLevels {
		sum := 0.0
		at := 0
		for k := len(x) - 1; k >= 0; k-- {
			next := sum + weight[k]
			if next >= p*total {
				at = k
				break
			}
			sum = next
		}
		// Within a cell, in proportion.
		inside := (p*total - sum) / max(weight[at], 1e-300)
		step := x[1] - x[0]
		q[i] = ageS/max(x[at]+step/2-inside*step, 1e-9) - ageS
	}
	return q
}

// posterior is the probability of each share x = age/life on an even grid of
// cells, by their middles.
func posterior(damage, ageS, loS, hiS float64) (x, weight [posteriorGrid]float64) {
	g := min(max(1-math.Log(min(damage, 1))/logIncipient, 1e-9), 1-1e-9)
	sd := math.Sqrt(max(g*(1-g), 1e-4) / bridgeShape)
	least, most := ageS/hiS, min(ageS/loS, 1)
	from, to := max(least, g-8*sd), min(most, g+8*sd)
	if from >= to { // the damage is further from its mean than eight deviations
		from, to = least, most
	}
	step := (to - from) / posteriorGrid
	logs, best := [posteriorGrid]float64{}, math.Inf(-1)
	lg, l1g := math.Log(g), math.Log1p(-g)
	for i := range x {
		x[i] = from + (float64(i)+0.5)*step
		a, b := bridgeShape*x[i], bridgeShape*(1-x[i])
		la, _ := math.Lgamma(a)
		lb, _ := math.Lgamma(b)
		logs[i] = (a-1)*lg + (b-1)*l1g - la - lb - math.Log(x[i]) // log-uniform life: density 1/x
		best = max(best, logs[i])
	}
	for i := range weight {
		weight[i] = math.Exp(logs[i] - best)
	}
	return x, weight
}
