package physics

import "math"

// Motor is a three-phase induction motor on 400 V. Load is shaft power over
// rated power.
type Motor struct {
	RatedKW   float64
	SyncRPM   float64
	RatedSlip float64
	RatedA    float64
	NoLoadA   float64
	LossW     float64 // at rated load
}

// NewMotor is a typical IE3 motor: 90.4 % efficient, power factor 0.84, no-load
// current 42 % and slip 3.3 % of rated, so that 7.5 kW lose 800 W.
func NewMotor(ratedKW, syncRPM float64) Motor {
	const efficiency, powerFactor, volt = 7.5 / 8.3, 0.84, 400
	rated := ratedKW * 1000 / (math.Sqrt(3) * volt * powerFactor * efficiency)
	return Motor{
		RatedKW: ratedKW, SyncRPM: syncRPM, RatedSlip: 1.0 / 30,
		RatedA: rated, NoLoadA: 0.42 * rated,
		LossW: ratedKW * 1000 * (1/efficiency - 1),
	}
}

// SpeedRPM at a share of the supply frequency (1 = mains).
func (m Motor) SpeedRPM(load, frequency float64) float64 {
	return m.SyncRPM * frequency * (1 - m.RatedSlip*load)
}

// CurrentA: magnetising and load current stand at right angles.
func (m Motor) CurrentA(load float64) float64 {
	return math.Sqrt(m.NoLoadA*m.NoLoadA + (m.RatedA*m.RatedA-m.NoLoadA*m.NoLoadA)*load*load)
}

// LossesW: 35 % of the rated loss is there at any load, the rest is copper.
func (m Motor) LossesW(load float64) float64 { return m.LossW * (0.35 + 0.65*load*load) }

// Thermal is the motor's two-part body, 80 K winding rise at rated load:
// three quarters of it frame over ambient (40 min), one quarter winding over
// frame (5 min).
func (m Motor) Thermal() TwoTau {
	perW := 80 / m.LossW
	return TwoTau{FrameKPerW: 0.75 * perW, FrameTauS: 2400, WindingKPerW: 0.25 * perW, WindingTauS: 300}
}

// InsulationHours is the life of a class F winding at tC by Arrhenius with
// 1.1 eV, which halves it for 10 K: 20 000 h at 155 degC.
func InsulationHours(tC float64) float64 { return 20_000 / ArrheniusFactor(1.1, tC, 155) }
