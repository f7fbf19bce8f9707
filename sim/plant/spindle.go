package plant

import (
	"math"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/physics"
)

const (
	csSpeed = iota
	csPower
	csTorque
	csVibration
	csBearingTemp
	csRoughness
	csForce
	csTool
	csCoolantPressure
	csCoolantTemp
	csCutting
)

const (
	csToolPart = iota
	csBearing
	csCoolant
	csClamp
)

var spindleKind = kind{
	Kind: Kind{
		Name: "cnc-spindle",
		Doc:  "a machining centre's spindle that turns steel parts; it changes its tool when that is worn",
		Params: []Param{
			{"cycle", "ms", 90_000, 2000, 3_600_000, "ideal time per part"},
			{"cutting_speed", "m/min", 200, 60, 450, "of the tool's edge"},
			{"feed", "mm", 0.2, 0.05, 0.6, "per turn"},
			{"depth", "mm", 2, 0.2, 8, "of cut"},
			{"diameter", "mm", 60, 10, 400, "of the part"},
			{"motor_power", "kW", 15, 1, 120, "rated power of the spindle"},
			{"tool_change", "s", 25, 1, 600, "time to change a worn tool and measure the new one"},
		},
		Regimes: []Regime{
			{"cuts", "three quarters of a cycle: force, power, chips"},
			{"moves", "the tool is out of the cut: next part, next pass"},
			{"tool change", "held while a worn tool is replaced"},
			{"stands", "spindle off"},
		},
		Signals: []SignalSpec{
			csSpeed:           {Name: "spindle/speed", Unit: "rpm", Lo: 0, Hi: 2000, Type: "float", Resolution: 0.1, Noise: 0.5, Doc: "spindle speed"},
			csPower:           {Name: "spindle/power", Unit: "kW", Lo: 0, Hi: 25, Type: "float", Resolution: 0.001, Noise: 0.02, Flicker: 0.01, LagS: 0.1, Fast: true, Doc: "spindle power"},
			csTorque:          {Name: "spindle/torque", Unit: "Nm", Lo: 0, Hi: 200, Type: "float", Resolution: 0.01, Noise: 0.2, Flicker: 0.1, Doc: "spindle torque"},
			csVibration:       {Name: "spindle/vibration", Unit: "g", Lo: 0, Hi: 20, Type: "float", Resolution: 0.001, Noise: 0.003, Flicker: 0.001, Fast: true, Doc: "acceleration RMS at the front bearing"},
			csBearingTemp:     {Name: "spindle/bearing-temp", Unit: "degC", Lo: 0, Hi: 150, Type: "float", Resolution: 0.1, Noise: 0.08, Flicker: 0.04, LagS: 12, Doc: "front bearing"},
			csRoughness:       {Name: "part/roughness", Unit: "um", Lo: 0, Hi: 20, Type: "float", Resolution: 0.001, Noise: 0.02, Doc: "Ra of the last part, gauged"},
			csForce:           {Name: "tool/force", Unit: "kN", Lo: 0, Hi: 20, Type: "float", Resolution: 0.001, Noise: 0.01, Flicker: 0.005, Doc: "cutting force"},
			csTool:            {Name: "tool/changes", Unit: "1", Lo: 0, Hi: 30_000, Type: "uint32", Resolution: 1, Doc: "tools changed since the start"},
			csCoolantPressure: {Name: "coolant/pressure", Unit: "bar", Lo: 0, Hi: 60, Type: "float", Resolution: 0.01, Noise: 0.1, Flicker: 0.05, LagS: 0.2, Doc: "cooling lubricant at the nozzle"},
			csCoolantTemp:     {Name: "coolant/temp", Unit: "degC", Lo: 0, Hi: 80, Type: "float", Resolution: 0.1, Noise: 0.06, Flicker: 0.03, LagS: 20, Doc: "cooling lubricant in the tank"},
			csCutting:         {Name: "cutting", Unit: "1", Lo: 0, Hi: 1, Type: "bool", Resolution: 1, Doc: "the tool is in the cut"},
		},
		Components: []Component{
			csToolPart: {Name: "tool", Mode: "tool_wear", Doc: "a bad batch of inserts: force, power and roughness as of a worn tool, also after a change",
				Law: physics.Flank, Shows: "tool/force", LookAlike: LookAlike{Doc: "a harder batch of material", Load: 1.15}},
			csBearing: {Name: "spindle/bearing", Mode: "bearing_wear", Doc: "the front bearing: vibration, later heat",
				Law: physics.Spall, Shows: "spindle/vibration", LookAlike: LookAlike{Doc: "a harder batch of material", Load: 1.3}},
			csCoolant: {Name: "coolant", Mode: "filter_clogging", Doc: "the coolant's filter clogs: pressure falls, tools wear faster",
				Law: physics.Erosion, Shows: "coolant/pressure", LookAlike: LookAlike{Doc: "a warm day: thinner coolant, less pressure", AmbientK: 10}},
			csClamp: {Name: "drawbar", Mode: "spring_fatigue", Doc: "the drawbar holds the tool less tightly: chatter, rougher parts, scrap",
				Law: physics.Crack, Shows: "part/roughness", LookAlike: LookAlike{Doc: "more feed by recipe: rougher parts", Recipe: map[string]string{"feed": "0.23 mm"}}},
		},
	},
	paced:  true,
	recipe: []string{"cutting_speed", "feed", "depth", "diameter"},
	build:  newSpindle,
	check: func(p params) (problems strict.Problems) {
		if kW := cutKW(p, 0.3); kW > p["motor_power"] {
			problems.Addf("motor_power", "%g kW is too weak: the cut takes %.1f kW with a worn tool", p["motor_power"], kW)
		}
		return problems
	},
	spans: func(p params, s []SignalSpec) {
		s[csSpeed].stretch(p["cutting_speed"] / p["diameter"] / (200. / 60))
		s[csPower].stretch(p["motor_power"] / 15)
		s[csTorque].stretch(p["motor_power"] / 15 * p["diameter"] / 60 * 200 / p["cutting_speed"])
		s[csForce].stretch(p["depth"] / 2 * p["feed"] / 0.2)
		s[csRoughness].stretch(p["feed"] * p["feed"] / 0.04)
	},
	spoils: [maxComponents]float64{csToolPart: 0.05, csClamp: 0.08},
}

func cutKW(p params, vbMM float64) float64 {
	return physics.CuttingForceN(2220, 0.14, p["depth"], p["feed"], vbMM) * p["cutting_speed"] / 60 / 0.85 / 1000
}

type spindle struct {
	p                         params
	motor                     physics.Motor
	rpm                       float64
	lifeS                     float64 // mean of a tool, cutting, by Taylor
	changeS                   float64
	key                       uint64
	bearing                   physics.BearingVibration
	hard                      wobble // the material
	shake, flow               wobble
	speed, bearingK, coolantK float64
	tools                     int     // changed so far
	used                      float64 // share of this tool's life
	roughUM                   float64
}

func newSpindle(p params, c chance) model {
	healthy := 0.12 * c.spread("vibration", 0.1)
	m := &spindle{
		p: p, motor: physics.NewMotor(p["motor_power"], 3000),
		rpm: p["cutting_speed"] * 1000 / math.Pi / p["diameter"], changeS: p["tool_change"],
		lifeS: 60 * physics.TaylorLifeMin(0.25, 700*math.Pow(p["feed"]/0.2, -0.15)*math.Pow(p["depth"]/2, -0.05), p["cutting_speed"]),
		key:   c.key("tools"), bearing: physics.BearingVibration{HealthyG: healthy, FailedG: 10 * healthy},
		hard: c.wobble("material", 0.03, 900), shake: c.wobble("shake", 0.06, 0.9), flow: c.wobble("flow", 0.01, 3.1),
	}
	m.used = physics.KeyedUniform(m.key, -1)
	m.roughUM = m.roughness(&inputs{})
	return m
}

func (m *spindle) fork() model { c := *m; return &c }

func (m *spindle) inherit(old model) {
	o := old.(*spindle)
	m.speed, m.bearingK, m.coolantK, m.tools, m.used, m.roughUM = o.speed, o.bearingK, o.coolantK, o.tools, o.used, o.roughUM
}

// wornMM is the tool's flank wear, a bad batch's on top.
func (m *spindle) wornMM(in *inputs) float64 {
	return physics.FlankWearMM(min(m.used, 1)) + 0.3*in.damage[csToolPart]
}

func (m *spindle) roughness(in *inputs) float64 {
	return physics.RoughnessUM(m.p["feed"], 0.8, m.wornMM(in)) * (1 + 0.6*in.damage[csClamp])
}

// cutting: the tool is in the cut for most of the middle of a cycle.
func (m *spindle) cutting(in *inputs) bool {
	x := in.progress()
	return in.state == Execute && x >= 0.12 && x < 0.86
}

func (m *spindle) forceN(in *inputs) float64 {
	if !m.cutting(in) {
		return 0
	}
	return physics.CuttingForceN(2220, 0.14, m.p["depth"], m.p["feed"], min(m.wornMM(in), 0.6)) * m.hard.factor(in.tS) * (1 + in.extra)
}

func (m *spindle) load(in *inputs) float64 {
	kW := m.forceN(in) * m.p["cutting_speed"] / 60 / 0.85 / 1000
	return (0.08 + kW/m.motor.RatedKW + 0.03*in.damage[csBearing]) * m.speed
}

// toolLifeS of the tool in the spindle: lognormal about Taylor's life, by 20 %.
func (m *spindle) toolLifeS(in *inputs) float64 {
	scatter := math.Exp(0.2 * physics.KeyedNormal(m.key, int64(m.tools)))
	return m.lifeS * scatter * (1 - 0.3*in.damage[csCoolant]) / ((1 + in.extra) * (1 + in.extra))
}

func (m *spindle) advance(in *inputs, dtS float64) {
	target := 0.0
	if in.driving() {
		target = 1
	}
	load := m.load(in)
	if m.cutting(in) && !in.steady {
		m.used += dtS / m.toolLifeS(in)
		m.roughUM = m.roughness(in)
	}
	heat := physics.FrictionHeatW(700, 60, m.speed*m.rpm/60, in.damage[csBearing])
	m.bearingK = physics.Settle(m.bearingK, (9+1.1*heat/max(1, m.rpm/1061))*m.speed+5*load, dtS, 900)
	m.coolantK = physics.Settle(m.coolantK, 9*load, dtS, 3600)
	m.speed = spin(m.speed, target, dtS, 1.1)
}

// upkeep: a worn tool is changed before the next part.
func (m *spindle) upkeep() (seconds float64, why reason) {
	if m.used < 1 {
		return 0, producing
	}
	m.tools++
	m.used = 0
	return m.changeS, toolChange
}

func (m *spindle) powerKW(in *inputs) float64 {
	if !in.powered() {
		return 0
	}
	load := m.load(in)
	return 1.5 + load*m.motor.RatedKW + when(in.driving(), m.motor.LossesW(load)/1000)
}

func (m *spindle) measure(in *inputs, dtS float64, y []float64) {
	s := *m
	s.advance(in, dtS)
	force, load := s.forceN(in), s.load(in)
	rpm := s.rpm * s.speed
	y[csSpeed] = rpm
	y[csPower] = when(in.driving(), load*s.motor.RatedKW)
	y[csTorque] = when(rpm > 1, load*s.motor.RatedKW*1000/(max(rpm, 1)*2*math.Pi/60)*s.speed)
	cut := 1.0
	if force > 0 {
		cut = 1.8 + 1.2*min(s.wornMM(in), 0.6)/0.3 + 1.5*in.damage[csClamp] + in.extra
	}
	y[csVibration] = s.bearing.RMSg(in.damage[csBearing], s.speed) * cut * s.shake.factor(in.tS)
	y[csBearingTemp] = in.ambientC + s.bearingK
	y[csRoughness] = s.roughUM
	y[csForce] = force / 1000 * (1 + 0.3*s.shake.offset(in.tS))
	y[csTool] = float64(s.tools)
	y[csCoolantPressure] = when(in.powered(), 20/physics.FilterDrop(0.5*in.damage[csCoolant])*s.flow.factor(in.tS)*(1-0.012*(in.ambientC+s.coolantK-28)))
	y[csCoolantTemp] = in.ambientC + s.coolantK
	y[csCutting] = when(force > 0, 1)
}
