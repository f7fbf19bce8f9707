package plant

import (
	"math"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/physics"
)

const (
	coPressure = iota
	coFlow
	coLoaded
	coDuty
	coCurrent
	coOilTemp
	coAirTemp
	coVibration
	coFilter
)

const (
	coLeak = iota
	coElement
	coCooler
	coInlet
)

var compressorKind = kind{
	Kind: Kind{
		Name: "compressor",
		Doc:  "a screw compressor that loads and unloads, with the compressed air net behind it; works no units",
		Params: []Param{
			{"motor_power", "kW", 22, 2, 400, "rated power"},
			{"demand", "%", 55, 5, 90, "of its delivery that the consumers draw, leaks of a tight net included"},
			{"receiver", "l", 1000, 100, 100_000, "vessel and pipes"},
			{"load_pressure", "bar", 6.4, 2, 12, "at which it starts to deliver"},
			{"unload_pressure", "bar", 7.2, 2.2, 14, "at which it stops"},
		},
		Regimes: []Regime{
			{"loaded", "delivers, pressure rises to unload_pressure"},
			{"unloaded", "turns without delivering, pressure falls to load_pressure"},
			{"stands", "the net is drawn empty"},
		},
		Signals: []SignalSpec{
			coPressure:  {Name: "net/pressure", Unit: "bar", Lo: 0, Hi: 16, Type: "float", Resolution: 0.001, Noise: 0.005, Flicker: 0.002, LagS: 0.2, Doc: "in the net"},
			coFlow:      {Name: "net/flow", Unit: "l/s", Lo: 0, Hi: 200, Type: "float", Resolution: 0.01, Noise: 0.2, Flicker: 0.1, LagS: 1.5, Doc: "free air into the net"},
			coLoaded:    {Name: "loaded", Unit: "1", Lo: 0, Hi: 1, Type: "bool", Resolution: 1, Doc: "delivers"},
			coDuty:      {Name: "duty", Unit: "%", Lo: 0, Hi: 100, Type: "float", Resolution: 0.01, Noise: 0.05, Doc: "share of the last quarter of an hour that it delivered"},
			coCurrent:   {Name: "motor/current", Unit: "A", Lo: 0, Hi: 100, Type: "float", Resolution: 0.01, Noise: 0.1, Flicker: 0.05, LagS: 0.2, Fast: true, Doc: "motor current"},
			coOilTemp:   {Name: "oil/temp", Unit: "degC", Lo: 0, Hi: 150, Type: "float", Resolution: 0.1, Noise: 0.1, Flicker: 0.05, LagS: 15, Doc: "oil before the element"},
			coAirTemp:   {Name: "air/temp", Unit: "degC", Lo: 0, Hi: 180, Type: "float", Resolution: 0.1, Noise: 0.15, Flicker: 0.05, LagS: 8, Doc: "air behind the element"},
			coVibration: {Name: "element/vibration", Unit: "g", Lo: 0, Hi: 20, Type: "float", Resolution: 0.001, Noise: 0.01, Flicker: 0.005, Doc: "acceleration RMS at the element"},
			coFilter:    {Name: "inlet/vacuum", Unit: "mbar", Lo: 0, Hi: 200, Type: "float", Resolution: 0.01, Noise: 0.3, Flicker: 0.1, LagS: 0.3, Doc: "behind the inlet filter"},
		},
		Components: []Component{
			coLeak: {Name: "net", Mode: "pneumatic_leak", Doc: "the net leaks, up to a third of the delivery: it delivers for more of the time",
				Law: physics.Abrasion, Shows: "duty", LookAlike: LookAlike{Doc: "production draws more air", Load: 1.25}},
			coElement: {Name: "element", Mode: "bearing_wear", Doc: "bearings of the screws: vibration, later current",
				Law: physics.Spall, Shows: "element/vibration", LookAlike: LookAlike{Doc: "more air drawn: it delivers, and shakes, for more of the time", Load: 1.4}},
			coCooler: {Name: "cooler", Mode: "cooler_fouling", Doc: "the oil cooler clogs: oil and air run hotter",
				Law: physics.Diffusion, Shows: "oil/temp", LookAlike: LookAlike{Doc: "a warm day in the hall", AmbientK: 8}},
			coInlet: {Name: "inlet", Mode: "filter_clogging", Doc: "the inlet filter clogs: vacuum, less delivery, higher duty",
				Law: physics.Erosion, Shows: "duty", LookAlike: LookAlike{Doc: "production draws more air", Load: 1.15}},
		},
	},
	utility: true,
	recipe:  []string{"demand", "load_pressure", "unload_pressure"},
	build:   newCompressor,
	check: func(p params) (problems strict.Problems) {
		if p["unload_pressure"] < p["load_pressure"]+0.1 {
			problems.Addf("unload_pressure", "%g bar is not 0.1 bar above load_pressure, %g bar", p["unload_pressure"], p["load_pressure"])
		}
		return problems
	},
	spans: func(p params, s []SignalSpec) {
		s[coCurrent].stretch(p["motor_power"] / 22)
		s[coFlow].stretch(p["motor_power"] / 22)
	},
}

type compressor struct {
	motor      physics.Motor
	deliverLPS float64
	drawShare  float64
	shake0     float64
	demand     wobble
	shake      wobble
	air        physics.Receiver
	duty       float64 // moving average
	oilK, airK float64 // over ambient
	runs       float64 // share of rated speed
}

// litresPerKW is free air per second and kW at 7 bar.
const litresPerKW = 2.6

func newCompressor(p params, c chance) model {
	m := &compressor{
		motor:      physics.NewMotor(p["motor_power"], 3000),
		deliverLPS: litresPerKW * p["motor_power"] * c.spread("delivery", 0.04),
		drawShare:  p["demand"] / 100,
		shake0:     1.2 * c.spread("shake", 0.1),
		demand:     c.wobble("demand", 0.06, 70),
		shake:      c.wobble("shake", 0.05, 1.3),
		air: physics.Receiver{VolumeL: p["receiver"], LoadBar: p["load_pressure"], UnloadBar: p["unload_pressure"],
			PressureBar: p["load_pressure"] + (p["unload_pressure"]-p["load_pressure"])*physics.KeyedUniform(c.key("pressure"), 0), AtmosphereBar: 1.013, Loaded: true},
	}
	m.duty = m.drawShare
	return m
}

func (m *compressor) fork() model { c := *m; return &c }

func (m *compressor) inherit(old model) {
	o := old.(*compressor)
	m.air.PressureBar, m.air.Loaded, m.air.LoadedS, m.air.DeliveredNl = o.air.PressureBar, o.air.Loaded, o.air.LoadedS, o.air.DeliveredNl
	m.duty, m.oilK, m.airK, m.runs = o.duty, o.oilK, o.airK, o.runs
}

// delivers is what the element gives when loaded; a clogged filter throttles it.
func (m *compressor) delivers(in *inputs) float64 {
	return m.deliverLPS * (1 - 0.12*in.damage[coInlet]) * m.runs
}

func (m *compressor) advance(in *inputs, dtS float64) {
	target := 0.0
	if in.driving() {
		target = 1
	}
	before := m.air.LoadedS
	draw := min(m.drawShare*(1+in.extra)*m.demand.factor(in.tS), 0.97) * m.deliverLPS
	leak := 0.3 * in.damage[coLeak] * m.deliverLPS / (m.air.LoadBar + m.air.AtmosphereBar)
	if in.steady {
		m.duty = min(1, (draw+leak*(m.air.LoadBar+m.air.AtmosphereBar))/m.deliverLPS/(1-0.12*in.damage[coInlet]))
	} else {
		if m.runs < 0.5 {
			m.air.Loaded = false
		}
		m.air.Step(m.delivers(in), draw, leak, dtS)
		if dtS > 0 {
			m.duty = physics.Settle(m.duty, (m.air.LoadedS-before)/dtS, dtS, 900)
		}
	}
	load := 0.3 + 0.7*m.duty
	m.oilK = physics.Settle(m.oilK, (20+32*load)*m.runs*(1+0.6*in.damage[coCooler]), dtS, 600)
	m.airK = physics.Settle(m.airK, m.oilK+14*load*m.runs, dtS, 90)
	m.runs = spin(m.runs, target, dtS, 2.2)
}

func (m *compressor) load(in *inputs) float64 {
	share := 0.28
	if m.air.Loaded {
		share = 0.78 + 0.02*(m.air.PressureBar-6)
	}
	return min(1.2, share+0.05*in.damage[coElement]) * m.runs
}

func (m *compressor) powerKW(in *inputs) float64 {
	if !in.driving() {
		return 0
	}
	load := m.load(in)
	return load*m.motor.RatedKW + m.motor.LossesW(load)/1000
}

func (m *compressor) measure(in *inputs, dtS float64, y []float64) {
	s := *m
	s.advance(in, dtS)
	loaded := when(s.air.Loaded && in.driving(), 1)
	y[coPressure] = s.air.PressureBar
	y[coFlow] = s.delivers(in) * loaded
	y[coLoaded] = loaded
	y[coDuty] = 100 * s.duty
	y[coCurrent] = when(in.driving(), s.motor.CurrentA(s.load(in))*(2-in.mains))
	y[coOilTemp] = in.ambientC + s.oilK
	y[coAirTemp] = in.ambientC + s.airK
	y[coVibration] = s.shake0 * s.runs * math.Hypot(0.6+0.4*s.duty, 4*in.damage[coElement]) * s.shake.factor(in.tS)
	y[coFilter] = (8 + 30*loaded) * s.runs * (1 + 2.5*in.damage[coInlet])
}
