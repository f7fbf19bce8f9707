package physics

import "math"

// ChokedKgPerS is the air that a hole loses, while the pressure in the pipe is
// more than twice that outside: in proportion to the absolute pressure in Pa.
// C is 0.0404 sqrt(K) s/m for air, less the contraction of the jet.
func ChokedKgPerS(holeM2, pressurePa, tK float64) float64 {
	const c, contraction = 0.0404, 0.8
	return contraction * c * holeM2 * pressurePa / math.Sqrt(tK)
}

// CompressorDuty is the share of time that a compressor delivers: what is
// drawn and what leaks over what it gives; 1 is no longer enough.
func CompressorDuty(demand, leak, capacity float64) float64 {
	return min(1, max(0, (demand+leak)/capacity))
}

// RingLeakLPS is what flows back through the wear ring of a pump, in l/s, for
// a ring of that diameter, a gap in mm (0.3 new, 0.9 worn out) and a head in m.
func RingLeakLPS(ringMM, gapMM, headM float64) float64 {
	const discharge = 0.6
	area := math.Pi * ringMM / 1000 * gapMM / 1000
	return 1000 * discharge * area * math.Sqrt(2*GravityMS2*headM)
}

// ValveResistance is the factor on a pipe's resistance of a valve open to a
// share theta.
func ValveResistance(theta float64) float64 { return 1 / (theta * theta) }

// AirIngestion is the factor on head and flow of a pump that draws air along:
// phase runs with time, and the swing grows from a tenth to a third.
func AirIngestion(damage, phase float64) float64 {
	if damage <= 0 {
		return 1
	}
	return 1 - (0.1+0.2*damage)*(1+math.Sin(phase))/2
}

// BladePassHz is the line of an impeller's blades, 5 to 7 of them.
func BladePassHz(blades int, shaftHz float64) float64 { return float64(blades) * shaftHz }

// HydraulicLevels are the conditions of a test rig whose data are published
// (UCI, Condition monitoring of hydraulic systems): cooler efficiency and
// switching of the valve in %, leakage of the pump by degree, accumulator in bar.
var HydraulicLevels = struct{ Cooler, Valve, PumpLeak, AccumulatorBar []float64 }{
	[]float64{100, 20, 3}, []float64{100, 90, 80, 73}, []float64{0, 1, 2}, []float64{130, 115, 100, 90},
}
