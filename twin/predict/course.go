package predict

import (
	"math"
	"time"
)

// The course of a residual tells what lies from what wears, where nothing else
// does: a sensor that is off by so much jumps and stays there, one that drifts
// goes straight on from where it began, and what wears begins small and goes ever
// faster, in proportion to what it has come to.
//
//	bias   ___|‾‾‾‾‾‾    drift  ____/‾    wear  ____.-'
//
// Each is fitted by least squares to the last hours, for every instant at which it
// may have begun, and wear for several paces as well.

// past keeps the residuals of each channel by the minute for some hours.
type past struct {
	at   [pastRows]time.Time
	y    [][pastRows]float64 // by channel, in its standard deviations
	next int
	n    int

	sum   []float64 // of the minute that is open
	count int
	since time.Time
}

// pastRows are six hours of running.
const pastRows = 360

func newPast(channels int) *past {
	return &past{y: make([][pastRows]float64, channels), sum: make([]float64, channels)}
}

// add takes a row's residuals.
func (p *past) add(at time.Time, resid []float64) {
	if p.count > 0 && at.Sub(p.since) >= time.Minute {
		for k := range p.sum {
			p.y[k][p.next] = p.sum[k] / float64(p.count)
		}
		p.at[p.next] = p.since
		p.next = (p.next + 1) % pastRows
		p.n = min(p.n+1, pastRows)
		clear(p.sum)
		p.count = 0
	}
	if p.count == 0 {
		p.since = at
	}
	p.count++
	for k, r := range resid {
		p.sum[k] += r
	}
}

// of is the past of a channel since an instant, in hours before now.
func (p *past) of(k int, from, now time.Time) (t, y []float64) {
	for i := range p.n {
		j := (p.next - p.n + i + pastRows) % pastRows
		if !p.at[j].Before(from) {
			t = append(t, p.at[j].Sub(now).Hours())
			y = append(y, p.y[k][j])
		}
	}
	return t, y
}

// The shapes, by the hours since it began. A sensor that is off jumps or goes
// straight. What wears goes faster and faster, at a pace of a life of a day or of
// some hours; where it tells by heat, that comes after it, with a delay, and may
// have gone most of its way before the wear goes on.
var (
	lying = []func(h float64) float64{
		func(float64) float64 { return 1 },
		func(h float64) float64 { return h },
	}
	wearing = []func(h float64) float64{
		growing(0.2, 0), growing(0.3, 0), growing(0.45, 0), growing(0.7, 0), growing(1, 0), growing(1.5, 0), growing(2.2, 0),
		growing(0, 0.4), growing(0, 0.8), growing(0, 1.5), growing(0.3, 0.4), growing(0.3, 0.8),
	}
)

// growing is what a delay of the first order (hours) makes of exp(pace h) that
// sets in at 0.
func growing(pace, delay float64) func(h float64) float64 {
	if delay == 0 {
		return func(h float64) float64 { return math.Exp(pace * h) }
	}
	return func(h float64) float64 { return math.Exp(pace*h) - math.Exp(-h/delay) }
}

// onsets is how many instants of a beginning are tried, leastPoints how many
// minutes it takes to see any shape.
const onsets, leastPoints = 36, 20

// course says how much better wear explains a past than a lying sensor does: the
// logarithm of the quotient of what either leaves unexplained. Above zero it is
// wear.
func course(t, y []float64) float64 {
	if len(t) < leastPoints {
		return 0
	}
	first, last := t[0], t[len(t)-1]
	best := func(shapes []func(float64) float64) float64 {
		least := math.Inf(1)
		for i := range onsets {
			from := first + (last-first)*float64(i)/onsets
			for _, shape := range shapes {
				least = min(least, unexplained(t, y, from, shape))
			}
		}
		return least + 1e-12
	}
	return math.Log(best(lying) / best(wearing))
}

// unexplained is the sum of squares that is left of y by the best multiple of a
// shape that begins at an instant and is nothing before it.
func unexplained(t, y []float64, from float64, shape func(h float64) float64) float64 {
	var ss, sy, yy float64
	for i, v := range y {
		yy += v * v
		if t[i] >= from {
			s := shape(t[i] - from)
			ss += s * s
			sy += s * v
		}
	}
	if ss == 0 {
		return yy
	}
	return max(0, yy-sy*sy/ss)
}
