package physics

import "math"

// Valve is a control valve that sticks (Choudhury, Thornhill & Shah 2005): it
// stands still until its signal has moved by the stick band, and then slips by
// all but the jump's part of it.
type Valve struct {
	StickPct float64 // S, deadband and stickband, % of travel
	JumpPct  float64 // J, slip jump
	Pct      float64 // state: where it stands
	lastPct  float64 // state: where its signal was when it last moved
}

// Step moves the valve, if it moves, to a signal in %.
func (v *Valve) Step(signalPct float64) {
	d := signalPct - v.lastPct
	if math.Abs(d) <= v.StickPct {
		return
	}
	v.lastPct = signalPct
	v.Pct = signalPct - math.Copysign((v.StickPct-v.JumpPct)/2, d)
}
