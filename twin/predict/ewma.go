package predict

import "math"

// ewma is an exponentially weighted moving average of a vector of standardised
// values, scaled so that independent values of variance 1 give averages of
// variance 1 again (Montgomery, Introduction to Statistical Quality Control,
// the asymptotic variance lambda/(2-lambda)). It starts at 0, the mean.
type ewma struct {
	lambda float64
	state  []float64
	scale  float64
	out    []float64
}

func newEWMA(lambda float64, n int) *ewma {
	return &ewma{lambda: lambda, state: make([]float64, n), out: make([]float64, n),
		scale: math.Sqrt((2 - lambda) / lambda)}
}

// step returns the scaled averages; they are overwritten by the next step.
func (e *ewma) step(x []float64) []float64 {
	for i, v := range x {
		e.state[i] += e.lambda * (v - e.state[i])
		e.out[i] = e.state[i] * e.scale
	}
	return e.out
}
