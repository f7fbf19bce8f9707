package physics

import "math"

// Settle moves x towards its target as a first-order lag does in dtS seconds:
// Newton's cooling, a spinning-up drive, a sensor in a sheath. Exact for a
// constant target.
func Settle(x, target, dtS, tauS float64) float64 {
	if dtS <= 0 {
		return x
	}
	return target + (x-target)*math.Exp(-dtS/tauS)
}

// TwoTau is the temperature rise of a body of two parts over its
// surroundings: a light one (a winding) on a heavy one (the frame). Both
// follow the loss as first-order lags, and their rises add up.
type TwoTau struct {
	FrameKPerW, FrameTauS     float64
	WindingKPerW, WindingTauS float64
	FrameK, WindingK          float64 // state: frame over ambient, winding over frame
}

// Step follows a constant loss for dtS seconds; fouling multiplies the
// frame's thermal resistance (1 clean).
func (t *TwoTau) Step(lossW, fouling, dtS float64) {
	t.FrameK = Settle(t.FrameK, lossW*t.FrameKPerW*fouling, dtS, t.FrameTauS*fouling)
	t.WindingK = Settle(t.WindingK, lossW*t.WindingKPerW, dtS, t.WindingTauS)
}

// ArrheniusFactor is how many times faster ageing runs at tC than at refC for
// an activation energy in eV.
func ArrheniusFactor(eV, tC, refC float64) float64 {
	const boltzmannEVPerK = 8.617e-5
	return math.Exp(eV / boltzmannEVPerK * (1/(refC+273.15) - 1/(tC+273.15)))
}

// TenKelvinFactor is the rule of thumb for the same: twice as fast per 10 K.
func TenKelvinFactor(tC, refC float64) float64 { return math.Exp2((tC - refC) / 10) }

// HeatedZone is an oven's zone with a proportional controller: electric
// power in, losses and product out.
type HeatedZone struct {
	LossWPerK  float64 // to the surroundings
	HeatJPerK  float64 // stored in walls and air
	GainWPerK  float64 // of the controller
	MaxW       float64 // of a new heating element
	SetpointC  float64
	TempC      float64 // state
	CapacityOf float64 // share of MaxW that is left, 1 new
}

// PowerW is what the heater gives now: what the set point costs in steady
// state plus the controller's share, within what the element can give.
func (z *HeatedZone) PowerW(ambientC, productW float64) float64 {
	want := z.demandW(ambientC, productW) + z.GainWPerK*(z.SetpointC-z.TempC)
	return min(max(want, 0), z.MaxW*z.CapacityOf)
}

func (z *HeatedZone) demandW(ambientC, productW float64) float64 {
	return z.LossWPerK*(z.SetpointC-ambientC) + productW
}

// Step follows constant surroundings for dtS seconds: the closed loop's own
// exponential while the controller is within its limits, the open loop's
// where it was at one of them as the step began.
func (z *HeatedZone) Step(ambientC, productW, dtS float64) {
	p := z.PowerW(ambientC, productW)
	want := z.demandW(ambientC, productW) + z.GainWPerK*(z.SetpointC-z.TempC)
	if p == want {
		z.TempC = Settle(z.TempC, z.SetpointC, dtS, z.HeatJPerK/(z.LossWPerK+z.GainWPerK))
		return
	}
	target := ambientC + (p-productW)/z.LossWPerK
	z.TempC = Settle(z.TempC, target, dtS, z.HeatJPerK/z.LossWPerK)
}
