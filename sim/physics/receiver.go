package physics

import "math"

// Receiver is a compressed air net with its vessel: a compressor that loads
// and unloads between two pressures, consumers who draw an amount of free air
// whatever the pressure, and leaks, which are choked and so draw in proportion
// to the absolute pressure.
type Receiver struct {
	VolumeL       float64 // of vessel and pipes
	LoadBar       float64 // gauge pressure at which the compressor starts to deliver
	UnloadBar     float64 // and at which it stops
	PressureBar   float64 // state, gauge
	Loaded        bool    // state
	LoadedS       float64 // state: time that it has delivered in all
	DeliveredNl   float64 // state: free air delivered in all
	AtmosphereBar float64
}

// Step follows constant flows of free air in l/s for dtS seconds, with every
// switching in between at its own instant; leakPerBar is l/s per bar absolute.
// In each phase dp/dt = (in - out - leak*p)/V*patm, a first-order lag.
func (r *Receiver) Step(deliverLPS, drawLPS, leakPerBar, dtS float64) {
	for range 1000 {
		in := 0.0
		limit := r.LoadBar
		if r.Loaded {
			in, limit = deliverLPS, r.UnloadBar
		}
		t := r.until(limit, in-drawLPS, leakPerBar)
		if r.Loaded == (r.PressureBar >= limit) { // beyond it already
			t = 0
		}
		if t > dtS {
			r.run(in, drawLPS, leakPerBar, dtS)
			return
		}
		r.run(in, drawLPS, leakPerBar, t)
		r.Loaded = !r.Loaded
		dtS -= t
	}
}

func (r *Receiver) run(inLPS, drawLPS, leak, dtS float64) {
	r.PressureBar = max(0, r.after(inLPS-drawLPS, leak, dtS))
	if r.Loaded {
		r.LoadedS += dtS
		r.DeliveredNl += inLPS * dtS
	}
}

func (r *Receiver) after(netLPS, leak, dtS float64) float64 {
	absolute := r.PressureBar + r.AtmosphereBar
	if leak <= 0 {
		return r.PressureBar + netLPS*r.AtmosphereBar/r.VolumeL*dtS
	}
	return Settle(absolute, netLPS/leak, dtS, r.VolumeL/(r.AtmosphereBar*leak)) - r.AtmosphereBar
}

// until is when pressure passes a limit, +Inf for never.
func (r *Receiver) until(limit, netLPS, leak float64) float64 {
	if leak <= 0 {
		t := (limit - r.PressureBar) / (netLPS * r.AtmosphereBar / r.VolumeL)
		if t > 0 {
			return t
		}
		return math.Inf(1)
	}
	target := netLPS / leak
	from, to := r.PressureBar+r.AtmosphereBar-target, limit+r.AtmosphereBar-target
	if share := to / from; share > 0 && share < 1 {
		return -math.Log(share) * r.VolumeL / (r.AtmosphereBar * leak)
	}
	return math.Inf(1)
}
