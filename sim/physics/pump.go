package physics

import "math"

// Water at about 20 degC, and gravity.
const (
	WaterKgPerM3 = 998.2
	GravityMS2   = 9.80665
)

// Pump is a centrifugal pump against its pipework. Flows are in l/s, heads in
// m; speed is a share of rated speed (affinity laws: Q~r, H~r^2, P~r^3).
type Pump struct {
	ShutoffM  float64 // H0, head at no flow
	CurveM    float64 // k in H = H0 r^2 - k Q^2, m/(l/s)^2
	StaticM   float64 // Hs, lift of the system
	SystemM   float64 // K in Hs + K Q^2, m/(l/s)^2
	BestLPS   float64 // flow of the best efficiency
	BestShare float64 // the best efficiency
}

// NewPump works at its best point when it gives dutyLPS at dutyM: shut-off
// head a quarter above, static lift five 24ths of it.
func NewPump(dutyLPS, dutyM float64) Pump {
	q2 := dutyLPS * dutyLPS
	return Pump{
		ShutoffM: 1.25 * dutyM, CurveM: 0.25 * dutyM / q2,
		StaticM: dutyM * 5 / 24, SystemM: dutyM * 19 / 24 / q2,
		BestLPS: dutyLPS, BestShare: 0.72,
	}
}

// Duty is where pump and pipework meet.
type Duty struct {
	FlowLPS    float64
	HeadM      float64
	Efficiency float64
	ShaftKW    float64
}

// Duty at a speed. Damage of the impeller takes 15 % off the head at 1;
// throttle multiplies the resistance of the pipework (1 as designed).
func (p Pump) Duty(speed, damage, throttle float64) Duty {
	h0 := p.ShutoffM * (1 - 0.15*damage) * speed * speed
	q := math.Sqrt(max(0, h0-p.StaticM) / (p.CurveM + p.SystemM*throttle))
	d := Duty{FlowLPS: q, HeadM: h0 - p.CurveM*q*q}
	if speed <= 0 {
		return d
	}
	off := q/speed/p.BestLPS - 1
	d.Efficiency = p.BestShare * max(0, 1-off*off)
	// Against a closed valve the fluid is only churned: 35 % of the best
	// point's power, by the cube of speed.
	best := WaterKgPerM3 * GravityMS2 * p.BestLPS / 1000 * (p.ShutoffM - p.CurveM*p.BestLPS*p.BestLPS) / p.BestShare / 1000
	churn := 0.35 * best * speed * speed * speed
	if d.Efficiency > 0.05 {
		d.ShaftKW = max(churn, WaterKgPerM3*GravityMS2*q/1000*d.HeadM/d.Efficiency/1000)
	} else {
		d.ShaftKW = churn
	}
	return d
}

// NPSHRequiredM by speed and flow.
func (p Pump) NPSHRequiredM(speed, flowLPS float64) float64 {
	x := flowLPS / p.BestLPS
	return 2 * speed * speed * (0.6 + 0.4*x*x)
}

// CavitationHead is the factor on head: 3 % lost where available and required
// suction head are equal, by definition.
func CavitationHead(availableM, requiredM float64) float64 {
	return max(0.6, 1-0.03*math.Exp((requiredM-availableM)/0.5))
}

// CavitationNoise is the factor on broad-band vibration; it starts well
// before any head is lost.
func CavitationNoise(availableM, requiredM float64) float64 {
	return 1 + 3*math.Exp(-max(-1, availableM/requiredM-1)/0.3)
}

// VapourMMHg is the vapour pressure of water (Antoine, 1 to 100 degC).
func VapourMMHg(tC float64) float64 {
	return math.Pow(10, 8.07131-1730.63/(233.426+tC))
}

// HeadToBar is the pressure under a column of water.
func HeadToBar(m float64) float64 { return m * WaterKgPerM3 * GravityMS2 / 1e5 }

// NPSHAvailableM of water at tC under an atmosphere and a head of liquid over
// the suction.
func NPSHAvailableM(tC, liquidM, lossM float64) float64 {
	const atmospherePa, paPerMMHg = 101325, 133.322
	return (atmospherePa-VapourMMHg(tC)*paPerMMHg)/(WaterKgPerM3*GravityMS2) + liquidM - lossM
}
