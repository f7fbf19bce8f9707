package physics

import "math"

// Exchanger is a counter-flow heat exchanger.
type Exchanger struct {
	AreaM2  float64
	CleanU  float64 // W/(m2 K) when clean
	HotWPK  float64 // heat capacity flow of the hot side at rated flow, W/K
	ColdWPK float64
	MostRf  float64 // fouling resistance at damage 1, m2 K/W
}

// U with a fouling: 1/(1/U0 + Rf).
func (e Exchanger) U(damage float64) float64 { return 1 / (1/e.CleanU + e.MostRf*damage) }

// Outlets are the temperatures behind it, by effectiveness and number of
// transfer units; hotShare and coldShare are flows over rated flows.
func (e Exchanger) Outlets(hotC, coldC, hotShare, coldShare, damage float64) (hotOutC, coldOutC float64) {
	ch, cc := e.HotWPK*hotShare, e.ColdWPK*coldShare
	least, most := min(ch, cc), max(ch, cc)
	if least <= 0 {
		return hotC, coldC
	}
	// Film coefficients grow with flow to the power of 0.8.
	film := math.Pow((hotShare+coldShare)/2, 0.8)
	ntu := e.AreaM2 / (1/(e.CleanU*film) + e.MostRf*damage) / least
	w := least * Effectiveness(ntu, least/most) * (hotC - coldC)
	return hotC - w/ch, coldC + w/cc
}

// Effectiveness of a counter-flow exchanger.
func Effectiveness(ntu, ratio float64) float64 {
	if math.Abs(1-ratio) < 1e-9 {
		return ntu / (1 + ntu)
	}
	x := math.Exp(-ntu * (1 - ratio))
	return (1 - x) / (1 - ratio*x)
}

// KernSeaton is the fouling resistance after a time: it grows towards the
// most that the flow does not tear off again.
func KernSeaton(mostRf, t, tau float64) float64 { return mostRf * -math.Expm1(-t/tau) }

// FilterDrop is the factor on a filter's pressure drop as it clogs.
func FilterDrop(damage float64) float64 { return 1 + damage/(1.05-damage) }
