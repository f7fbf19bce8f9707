package predict

import (
	"math"
	"time"
)

// Result is one row as a monitor sees it.
type Result struct {
	// T2 of the residuals, smoothed over a short and a long time.
	T2 [scales]float64
	// Score is the larger of them in units of its limit.
	Score float64
	Over  bool
	// Acting is what decides: Score, or that of the rest of the machine while one
	// of its sensors is known to lie. Watch fills it in.
	Acting float64
	// Top is the index into Names of the channel that explains most.
	Top int
	// Class is Sensor or Process while it is over, empty where it cannot be told.
	Class string
	// Judged is false while the machine is between two ways of working.
	Judged bool
}

// monitor runs a Model over the rows of one machine.
type monitor struct {
	m       *Model
	feat    *features
	z       []float64 // standardised row
	resid   []float64
	smooth  [scales]*ewma
	seen    [scales]*ewma // feature vectors, smoothed
	x       [scales][]float64
	spread  []float64 // smoothed logarithms, beyond what they should be at the level that the others predict
	level   []float64 // smoothed logarithms of the level over what the others predict
	unrest  *unrest
	past    *past
	looked  look
	scratch []float64
}

// newMonitor starts at the mean.
func newMonitor(m *Model) *monitor {
	p := len(m.Use)
	mon := &monitor{m: m, feat: newFeatures(p), z: make([]float64, p), resid: make([]float64, p),
		spread: make([]float64, p), scratch: make([]float64, p), level: make([]float64, p), unrest: newUnrest(m), past: newPast(p)}
	for s := range scales {
		mon.smooth[s] = newEWMA(m.Options.lambda(s), p)
		mon.seen[s] = newEWMA(m.Options.lambda(s), featureCount(p))
	}
	return mon
}

// step takes a row with a value for each of the model's Names.
func (mon *monitor) step(at time.Time, row *row) Result {
	m := mon.m
	m.standardise(mon.z, row.mean)
	x := mon.feat.step(at, mon.z, row.running)
	residual(mon.resid, m.Whole.Weights, x)
	mon.scatters(row, x)
	if mon.unrest.step(at, mon.z) {
		return Result{Top: m.Use[0]}
	}
	mon.past.add(at, mon.resid)
	m.Whole.cut(mon.resid)
	var r Result
	for s := range scales {
		mon.x[s] = mon.seen[s].step(x)
		r.T2[s] = quadratic(m.Whole.Scales[s].Precision, mon.smooth[s].step(mon.resid))
		r.Score = max(r.Score, ratio(r.T2[s], m.Whole.Scales[s].Limit))
	}
	r.Over = r.Score > 1
	r.Top = m.Use[0]
	if r.Over {
		k, class := mon.diagnose()
		r.Top, r.Class = m.Use[k], class
	}
	r.Judged = true
	return r
}

// scatters follows how much each channel scatters beyond what it should where the
// others say that it is.
func (mon *monitor) scatters(row *row, x []float64) {
	m := mon.m
	for k, j := range m.Use {
		s := &m.Spreads[k]
		if !s.Known || math.IsInf(row.spread[j], 0) { // a stuck sensor tells nothing
			continue
		}
		z := x[k*perChannel]
		is, want := m.Mean[k]+m.Scale[k]*z, m.Mean[k]+m.Scale[k]*(z-mon.resid[k])
		level := math.Log(math.Abs(want) + 1e-9*m.Scale[k])
		mon.level[k] = stepSpread(mon.level[k], math.Log(math.Abs(is)+1e-9*m.Scale[k])-level)
		mon.spread[k] = stepSpread(mon.spread[k], s.beyond(row.spread[j], level))
	}
}

// off is by how much a channel (an index into Use) is off what the others predict,
// in its standard deviations and not cut.
func (mon *monitor) off(k int) float64 {
	return mon.feat.out[k*perChannel] - dot(mon.m.Whole.Weights[k], mon.feat.out)
}

const (
	// farOff is in bounds of a row's residual, and farAway in standard deviations of
	// the channel itself: what others predict well is soon off by much of the former.
	farOff, farAway = 2, 12
)

// runsOff tells that a channel is very far off.
func (mon *monitor) runsOff(k int, off float64) bool {
	return math.Abs(off) > farOff*mon.m.Whole.Bound[k] && math.Abs(off) > farAway
}

// course of a channel since an hour before an instant; see the function course. It
// is looked at anew each minute.
func (mon *monitor) course(k int, since, now time.Time) float64 {
	if l := &mon.looked; l.channel != k || l.since != since || now.Sub(l.at) >= time.Minute {
		t, y := mon.past.of(k, since.Add(-time.Hour), now)
		*l = look{k, since, now, course(t, y)}
	}
	return mon.looked.wear
}

// look is what was last made of a course.
type look struct {
	channel   int
	since, at time.Time
	wear      float64
}

// forget starts the averages anew; what the machine was put to in the last hours
// is kept.
func (mon *monitor) forget() {
	for s := range scales {
		clear(mon.smooth[s].state)
		clear(mon.seen[s].state)
	}
	clear(mon.spread)
	clear(mon.level)
}

// ratio of a statistic to its limit.
func ratio(v, limit float64) float64 {
	if limit <= 0 {
		return 0
	}
	return v / limit
}

func dot(a, b []float64) float64 {
	s := 0.0
	for i, v := range a {
		s += v * b[i]
	}
	return s
}
