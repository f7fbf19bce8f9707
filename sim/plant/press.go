package plant

import (
	"math"

	"github.com/plantbed/plantbed/sim/physics"
)

const (
	hpPressure = iota
	hpPosition
	hpForce
	hpCurrent
	hpOilTemp
	hpAccumulator
	hpFilter
	hpDrain
	hpSwitch
	hpStrain
)

const (
	hpPump = iota
	hpGas
	hpCooler
	hpValve
)

var pressKind = kind{
	Kind: Kind{
		Name: "hydraulic-press",
		Doc:  "a hydraulic press that forms sheet metal stroke by stroke: approach, press, hold, return",
		Params: []Param{
			{"cycle", "ms", 12_000, 2000, 600_000, "ideal time per stroke"},
			{"force", "kN", 1600, 50, 50_000, "pressing force"},
			{"stroke", "mm", 500, 50, 3000, "of the ram"},
			{"pressure", "bar", 210, 50, 400, "in the cylinder when it presses"},
			{"motor_power", "kW", 30, 2, 500, "of the pump"},
		},
		Regimes: []Regime{
			{"approaches", "fast and without force"},
			{"presses", "full force, held for a moment"},
			{"returns", "fast, against the accumulator"},
			{"waits", "pump runs, ram is up"},
			{"stands", "pump off, oil cools"},
		},
		Signals: []SignalSpec{
			hpPressure:    {Name: "cylinder/pressure", Unit: "bar", Lo: 0, Hi: 400, Type: "float", Resolution: 0.1, Noise: 0.3, Flicker: 0.1, LagS: 0.05, Fast: true, Doc: "in the cylinder"},
			hpPosition:    {Name: "ram/position", Unit: "mm", Lo: 0, Hi: 1000, Type: "float", Resolution: 0.1, Noise: 0.05, Fast: true, Doc: "of the ram, 0 is up"},
			hpForce:       {Name: "ram/force", Unit: "kN", Lo: 0, Hi: 4000, Type: "float", Resolution: 1, Noise: 3, Flicker: 1, Doc: "on the sheet"},
			hpCurrent:     {Name: "pump/current", Unit: "A", Lo: 0, Hi: 120, Type: "float", Resolution: 0.01, Noise: 0.15, Flicker: 0.05, LagS: 0.2, Doc: "pump motor"},
			hpOilTemp:     {Name: "oil/temp", Unit: "degC", Lo: 0, Hi: 150, Type: "float", Resolution: 0.1, Noise: 0.08, Flicker: 0.04, LagS: 20, Doc: "oil in the tank"},
			hpAccumulator: {Name: "accumulator/pressure", Unit: "bar", Lo: 0, Hi: 300, Type: "float", Resolution: 0.1, Noise: 0.2, Flicker: 0.1, LagS: 0.1, Doc: "of the gas"},
			hpFilter:      {Name: "filter/pressure-drop", Unit: "bar", Lo: 0, Hi: 10, Type: "float", Resolution: 0.001, Noise: 0.005, Flicker: 0.002, LagS: 0.3, Doc: "over the return filter"},
			hpDrain:       {Name: "pump/drain-flow", Unit: "l/s", Lo: 0, Hi: 2, Type: "float", Resolution: 0.0001, Noise: 0.0005, Flicker: 0.0003, LagS: 2, Doc: "leakage oil of the pump"},
			hpSwitch:      {Name: "valve/switching-time", Unit: "ms", Lo: 0, Hi: 500, Type: "float", Resolution: 0.1, Noise: 0.5, Doc: "of the main valve, last stroke"},
			hpStrain:      {Name: "frame/strain", Unit: "um/m", Lo: 0, Hi: 1000, Type: "float", Resolution: 0.1, Noise: 0.5, Flicker: 0.2, Doc: "of the frame"},
		},
		Components: []Component{
			hpPump: {Name: "pump", Mode: "internal_leak", Doc: "the pump leaks inside: drain flow, current, heat",
				Law: physics.Abrasion, Shows: "pump/drain-flow", LookAlike: LookAlike{Doc: "a warm day: thinner oil leaks more", AmbientK: 10}},
			hpGas: {Name: "accumulator", Mode: "gas_loss", Doc: "the accumulator loses its gas: lower pressure in it",
				Law: physics.Diffusion, Shows: "accumulator/pressure", LookAlike: LookAlike{Doc: "a cold hall: less gas pressure", AmbientK: -12}},
			hpCooler: {Name: "cooler", Mode: "cooler_fouling", Doc: "the oil cooler clogs: hotter oil",
				Law: physics.Diffusion, Shows: "oil/temp", LookAlike: LookAlike{Doc: "a warm day in the hall", AmbientK: 8}},
			hpValve: {Name: "valve", Mode: "valve_sticking", Doc: "the main valve sticks: it switches late, and parts are spoiled",
				Law: physics.Abrasion, Skill: "electrical", Shows: "valve/switching-time", LookAlike: LookAlike{Doc: "a cold hall: thick oil switches late", AmbientK: -12}},
		},
	},
	paced:  true,
	recipe: []string{"force", "stroke", "pressure"},
	build:  newPress,
	spans: func(p params, s []SignalSpec) {
		s[hpPosition].stretch(p["stroke"] / 500)
		s[hpForce].stretch(p["force"] / 1600)
		s[hpCurrent].stretch(p["motor_power"] / 30)
		s[hpDrain].stretch(p["motor_power"] / 30)
	},
	spoils: [maxComponents]float64{hpValve: 0.06},
}

type press struct {
	p      params
	motor  physics.Motor
	leak0  float64 // l/s
	charge float64 // bar at 20 degC
	sheet  wobble
	ripple wobble
	oilK   float64
	runs   float64
	last   float64 // load of the last step, smoothed: what warms the oil
}

func newPress(p params, c chance) model {
	return &press{
		p: p, motor: physics.NewMotor(p["motor_power"], 1500),
		leak0: 0.02 * p["motor_power"] / 30 * c.spread("leak", 0.1), charge: 115 * c.spread("charge", 0.02),
		sheet: c.wobble("sheet", 0.02, 300), ripple: c.wobble("ripple", 0.006, 0.7),
	}
}

func (m *press) fork() model { c := *m; return &c }

func (m *press) inherit(old model) {
	o := old.(*press)
	m.oilK, m.runs, m.last = o.oilK, o.runs, o.last
}

// stroke is where the ram is and how hard it presses, as shares.
func (m *press) stroke(in *inputs) (down, hard float64) {
	x := in.progress()
	ease := func(u float64) float64 { return u * u * (3 - 2*u) }
	switch {
	case in.state != Execute && in.state != Suspended:
		return 0, 0
	case x < 0.3:
		return 0.9 * ease(x/0.3), 0.05
	case x < 0.5:
		u := (x - 0.3) / 0.2
		return 0.9 + 0.1*u, 0.05 + 0.95*u
	case x < 0.65:
		return 1, 1
	case x < 0.95:
		return 1 - ease((x-0.65)/0.3), 0.08
	}
	return 0, 0
}

// thin is how much thinner the oil is than at 45 degC: viscosity falls by half per 20 K.
func (m *press) thin(in *inputs) float64 { return math.Exp2((in.ambientC + m.oilK - 45) / 20) }

func (m *press) load(in *inputs) float64 {
	_, hard := m.stroke(in)
	leak := 0.12 * in.damage[hpPump] * hard
	return min(1.5, 0.2+0.65*hard*m.sheet.factor(in.tS)*(1+in.extra)+leak) * m.runs
}

// usual is the mean load over a stroke.
const usual = 0.2 + 0.65*0.31

func (m *press) advance(in *inputs, dtS float64) {
	target := 0.0
	if in.driving() {
		target = 1
	}
	load := m.load(in)
	if in.steady {
		load = usual
	}
	m.last = physics.Settle(m.last, load, dtS, 60)
	heat := m.last + 0.25*in.damage[hpPump]*m.runs
	m.oilK = physics.Settle(m.oilK, 24*heat/usual*(1+0.7*in.damage[hpCooler]), dtS, 2400)
	m.runs = spin(m.runs, target, dtS, 1.6)
}

func (m *press) powerKW(in *inputs) float64 {
	if !in.driving() {
		return 0
	}
	load := m.load(in)
	return load*m.motor.RatedKW + m.motor.LossesW(load)/1000
}

func (m *press) measure(in *inputs, dtS float64, y []float64) {
	s := *m
	s.advance(in, dtS)
	down, hard := s.stroke(in)
	force := hard * s.sheet.factor(in.tS) * (1 + in.extra) * s.runs
	thin := s.thin(in)
	y[hpPressure] = min(400, s.p["pressure"]*min(1.9, force)*s.ripple.factor(in.tS))
	y[hpPosition] = s.p["stroke"] * down
	y[hpForce] = s.p["force"] * force
	y[hpCurrent] = when(in.driving(), s.motor.CurrentA(s.load(in))*(2-in.mains))
	y[hpOilTemp] = in.ambientC + s.oilK
	y[hpAccumulator] = s.charge * (1 - 0.4*in.damage[hpGas]) * (in.ambientC + 0.4*s.oilK + 273) / 293 * (1 + 0.1*down) * s.ripple.factor(in.tS)
	y[hpFilter] = 0.9 * s.runs * (0.5 + 0.5*hard) / math.Sqrt(thin)
	y[hpDrain] = s.leak0 * s.runs * (0.4 + 0.6*hard) * thin * (1 + 6*in.damage[hpPump])
	y[hpSwitch] = min(500, 55*(0.6+0.4/math.Sqrt(thin))*(1+2*in.damage[hpValve])*s.ripple.factor(in.tS))
	y[hpStrain] = 280 * force * s.ripple.factor(in.tS)
}
