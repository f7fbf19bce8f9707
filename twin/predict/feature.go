package predict

import (
	"math"
	"time"
)

// A machine's channels depend on how it is worked: on load and product at once,
// and not always in proportion; on both, through heat that is stored, with
// delay; and on how long it has stood. A feature vector holds what a linear model
// needs to follow that, for each channel in use
//
//	z      the standardised value
//	z*z    for what is not in proportion
//	lags   exponential averages of z over 5 and 30 minutes
//
// and then the shares of time in which the machine has run, and a one. Which
// channel a feature was made of is known, so that a model can do without it.
type features struct {
	channels int
	lag      [][len(lagS)]float64
	last     time.Time
	out      []float64
}

// lagS are the time constants of the averages, in seconds.
var lagS = [...]float64{300, 1800}

// perChannel is how many features are made of a channel.
const perChannel = 2 + len(lagS)

func featureCount(channels int) int { return channels*perChannel + len(runningS) + 1 }

// madeOf is the channel that a feature was made of, or -1.
func madeOf(feature, channels int) int {
	if c := feature / perChannel; c < channels {
		return c
	}
	return -1
}

func newFeatures(channels int) *features {
	return &features{channels: channels, lag: make([][len(lagS)]float64, channels), out: make([]float64, featureCount(channels))}
}

// step takes a row's standardised values; the result is overwritten by the next.
func (f *features) step(at time.Time, z []float64, running [len(runningS)]float64) []float64 {
	dt := at.Sub(f.last).Seconds()
	if f.last.IsZero() {
		dt = math.Inf(1) // the averages start at the first row
	}
	f.last = at
	for k, v := range z {
		o := f.out[k*perChannel:]
		o[0], o[1] = v, (v*v-1)/math.Sqrt2 // of variance 1 for normal values
		for i, tau := range lagS {
			f.lag[k][i] += (v - f.lag[k][i]) * -math.Expm1(-dt/tau)
			o[2+i] = f.lag[k][i]
		}
	}
	o := f.out[f.channels*perChannel:]
	for i, r := range running {
		o[i] = 4 * (r - 1) // a quarter of the time stood still is one
	}
	o[len(running)] = 1
	return f.out
}
