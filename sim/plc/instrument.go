package plc

import (
	"math"
	"math/rand/v2"
	"time"
)

// lag is a first-order instrument: exact for a value that changes in steps
// between two readings. It starts settled.
type lag struct {
	tauS  float64
	y     float64
	at    time.Duration
	begun bool
	dt    time.Duration // for which keep holds
	keep  float64       // share of the difference that is left after dt
}

func (l *lag) follow(now time.Duration, x float64) float64 {
	if x-x != 0 { // no number, or an infinite one: the instrument says so at once
		return x
	}
	if !l.begun {
		l.begun, l.y, l.at = true, x, now
		return x
	}
	if dt := now - l.at; dt != l.dt {
		l.dt, l.keep = dt, math.Exp(-dt.Seconds()/l.tauS)
	}
	l.y = x + (l.y-x)*l.keep
	l.at = now
	return l.y
}

// flicker is 1/f noise: the sum of three first-order autoregressions with time
// constants of 1, 30 and 1000 s and a third of the variance each. They take
// turns: a reading draws one number and moves one of them, by the exact law
// for the time since it moved last.
type flicker struct {
	rng  *rand.Rand
	sum  float64
	turn int
	part [3]part
	sd   float64 // of each
}

type part struct {
	tauS, x    float64
	at, dt     time.Duration
	keep, kick float64
}

func newFlicker(sd float64, rng *rand.Rand) *flicker {
	f := &flicker{rng: rng, sd: sd / math.Sqrt(3), part: [3]part{{tauS: 1}, {tauS: 30}, {tauS: 1000}}}
	for i := range f.part {
		f.part[i].x = f.sd * rng.NormFloat64()
		f.sum += f.part[i].x
	}
	return f
}

func (f *flicker) next(now time.Duration) float64 {
	p := &f.part[f.turn]
	if f.turn++; f.turn == len(f.part) {
		f.turn = 0
	}
	if dt := now - p.at; dt != p.dt {
		p.dt, p.keep = dt, math.Exp(-dt.Seconds()/p.tauS)
		p.kick = f.sd * math.Sqrt(1-p.keep*p.keep)
	}
	p.at = now
	x := p.keep*p.x + p.kick*f.rng.NormFloat64()
	f.sum += x - p.x
	p.x = x
	return f.sum
}
