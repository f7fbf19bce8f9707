package wire

import (
	"math"
	"time"
)

// Delay is how long one network on the way takes, and how that varies.
type Delay struct {
	Delay, Jitter time.Duration
	// Spread is how the delay varies; "" is Uniform.
	Spread string
}

// The spreads. None gives less than no delay, and none more than longest.
const (
	// Uniform is anything from Delay - Jitter to Delay + Jitter.
	Uniform = "uniform"
	// Normal has the mean Delay and the standard deviation Jitter.
	Normal = "normal"
	// LogNormal has the mean Delay and the standard deviation Jitter; it is
	// never below zero and leans to the left, with a tail to the right.
	LogNormal = "lognormal"
	// Pareto is never less than Delay, and on average Jitter more; few are
	// very late. Its exponent is 1 + Delay/Jitter.
	Pareto = "pareto"
)

// Spreads are all of them, for messages.
func Spreads() []string { return []string{Uniform, Normal, LogNormal, Pareto} }

// longest bounds the tail of a Pareto spread, in jitters above its delay.
const longest = 100

// at is the delay of a chunk that drew u, -1 to 1.
func (d Delay) at(u float64) time.Duration {
	mean, dev := float64(d.Delay), float64(d.Jitter)
	p := min(max((u+1)/2, 1e-12), 1-1e-12)
	v := mean + u*dev
	switch d.Spread {
	case Normal:
		v = mean + dev*quantile(p)
	case LogNormal:
		if mean > 0 && dev > 0 {
			s2 := math.Log1p(dev * dev / (mean * mean))
			v = math.Exp(math.Log(mean) - s2/2 + math.Sqrt(s2)*quantile(p))
		}
	case Pareto:
		if mean > 0 && dev > 0 {
			v = min(mean*math.Pow(1-p, -dev/(dev+mean)), mean+longest*dev)
		}
	}
	return time.Duration(max(0, v))
}

// quantile is that of the standard normal distribution.
func quantile(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }

// delay is what all networks on the way take together for the chunk that
// begins at a position of the stream.
func (l *lane) delay(pos int64, p *path) (sum time.Duration) {
	for i, d := range p.Delays {
		sum += d.at(l.luckOf(pos, i))
	}
	return sum
}
