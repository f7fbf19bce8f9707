package plant

import (
	"math"

	"github.com/plantbed/plantbed/sim/physics"
)

const (
	moCurrent = iota
	moUnbalance
	moSpeed
	moPower
	moWinding
	moVibration
	moBearing
	moBearingTemp
	moRunning
)

const (
	moBearingDE = iota
	moWindingPart
	moCooling
	moRotor
)

var motorKind = kind{
	Kind: Kind{
		Name: "motor",
		Doc:  "an induction motor that drives a load of its own, a fan or an agitator; works no units",
		Params: []Param{
			{"motor_power", "kW", 7.5, 0.37, 500, "rated power"},
			{"load", "%", 65, 5, 110, "of rated power, usual"},
			{"sync_speed", "rpm", 1500, 500, 3000, "synchronous speed"},
		},
		Regimes: []Regime{
			{"runs", "at its load, which wanders by some percent in minutes"},
			{"coasts", "switched off, speed falls in seconds, heat in an hour"},
			{"stands", "cold, at the temperature of the hall"},
		},
		Signals: []SignalSpec{
			moCurrent:     {Name: "current", Unit: "A", Lo: 0, Hi: 30, Type: "float", Resolution: 0.01, Noise: 0.03, Flicker: 0.01, LagS: 0.2, Doc: "mean of the phases"},
			moUnbalance:   {Name: "current-unbalance", Unit: "%", Lo: 0, Hi: 30, Type: "float", Resolution: 0.01, Noise: 0.05, Flicker: 0.02, Doc: "negative over positive sequence"},
			moSpeed:       {Name: "speed", Unit: "rpm", Lo: 0, Hi: 2000, Type: "int16", Resolution: 1, Noise: 0.5, Doc: "shaft speed"},
			moPower:       {Name: "power", Unit: "kW", Lo: 0, Hi: 15, Type: "float", Resolution: 0.001, Noise: 0.01, Flicker: 0.005, Doc: "electric power"},
			moWinding:     {Name: "winding/temp", Unit: "degC", Lo: 0, Hi: 220, Type: "float", Resolution: 0.1, Noise: 0.1, Flicker: 0.05, LagS: 15, Doc: "hottest winding, PT100"},
			moVibration:   {Name: "vibration", Unit: "mm/s", Lo: 0, Hi: 30, Type: "float", Resolution: 0.01, Noise: 0.01, Flicker: 0.005, Doc: "velocity RMS, 10 to 1000 Hz"},
			moBearing:     {Name: "bearing/vibration", Unit: "g", Lo: 0, Hi: 5, Type: "float", Resolution: 0.001, Noise: 0.001, Flicker: 0.0005, Fast: true, Doc: "acceleration RMS at the drive end"},
			moBearingTemp: {Name: "bearing/temp", Unit: "degC", Lo: 0, Hi: 180, Type: "float", Resolution: 0.1, Noise: 0.08, Flicker: 0.04, LagS: 12, Doc: "drive end bearing"},
			moRunning:     {Name: "running", Unit: "1", Lo: 0, Hi: 1, Type: "bool", Resolution: 1, Doc: "switched on"},
		},
		Components: []Component{
			moBearingDE: {Name: "bearing", Mode: "bearing_wear", Doc: "a spall in the drive end bearing: vibration, later heat",
				Law: physics.Spall, Shows: "bearing/vibration", LookAlike: LookAlike{Doc: "a load step shakes the motor harder", Load: 1.3}},
			moWindingPart: {Name: "winding", Mode: "insulation_ageing", Doc: "turns short: the phases draw unlike currents, and the winding heats",
				Law: physics.Wander, Skill: "electrical", Shows: "winding/temp", LookAlike: LookAlike{Doc: "a load step heats the winding", Load: 1.25}},
			moCooling: {Name: "cooling", Mode: "cooling_fouling", Doc: "the fins clog: hotter at the same load",
				Law: physics.Diffusion, Shows: "winding/temp", LookAlike: LookAlike{Doc: "a warm day in the hall", AmbientK: 8}},
			moRotor: {Name: "rotor", Mode: "unbalance", Doc: "dirt on the fan wheel: vibration once per turn",
				Law: physics.Diffusion, Shows: "vibration", LookAlike: LookAlike{Doc: "a load step shakes the motor harder", Load: 1.3}},
		},
	},
	utility: true,
	recipe:  []string{"load"},
	build:   newMotor,
	spans: func(p params, s []SignalSpec) {
		s[moCurrent].stretch(p["motor_power"] / 7.5)
		s[moPower].stretch(p["motor_power"] / 7.5)
		s[moSpeed].stretch(p["sync_speed"] / 1500)
	},
}

type motorDrive struct {
	motor   physics.Motor
	usual   float64 // load
	bearing physics.BearingVibration
	shake0  float64 // mm/s
	skew0   float64 // %
	demand  wobble
	ripple  wobble
	shake   wobble

	speed    float64 // share of synchronous speed
	heat     physics.TwoTau
	bearingK float64
}

func newMotor(p params, c chance) model {
	motor := physics.NewMotor(p["motor_power"], p["sync_speed"])
	healthy := 0.09 * c.spread("vibration", 0.1)
	m := &motorDrive{
		motor: motor, usual: p["load"] / 100,
		bearing: physics.BearingVibration{HealthyG: healthy, FailedG: 11 * healthy},
		shake0:  1.1 * c.spread("shake", 0.12), skew0: 0.8 * c.spread("skew", 0.15),
		demand: c.wobble("demand", 0.03, 180), ripple: c.wobble("ripple", 0.01, 1.3), shake: c.wobble("shake", 0.05, 1.7),
		heat: motor.Thermal(),
	}
	m.heat.FrameKPerW *= c.spread("cooling", 0.05)
	return m
}

func (m *motorDrive) fork() model { c := *m; return &c }

func (m *motorDrive) inherit(old model) {
	o := old.(*motorDrive)
	m.speed, m.heat, m.bearingK = o.speed, o.heat, o.bearingK
}

func (m *motorDrive) load(in *inputs) float64 {
	return m.usual*m.demand.factor(in.tS)*(1+in.extra)*m.speed*m.speed + 0.04*in.damage[moBearingDE]*m.speed
}

func (m *motorDrive) advance(in *inputs, dtS float64) {
	load := m.load(in)
	target, lossW := 0.0, 0.0
	if in.driving() {
		target = m.motor.SpeedRPM(load, 1) / m.motor.SyncRPM
		lossW = m.motor.LossesW(load) * (1 + 0.35*in.damage[moWindingPart])
	}
	m.heat.Step(lossW, 1+1.5*in.damage[moCooling], dtS)
	friction := physics.FrictionHeatW(900, 25, m.speed*m.motor.SyncRPM/60, in.damage[moBearingDE])
	m.bearingK = physics.Settle(m.bearingK, 0.5*m.heat.FrameK+2.9*friction, dtS, 480)
	m.speed = spin(m.speed, target, dtS, 1.8)
}

func (m *motorDrive) powerKW(in *inputs) float64 {
	if !in.driving() {
		return 0
	}
	load := m.load(in)
	return load*m.motor.RatedKW + m.motor.LossesW(load)/1000
}

func (m *motorDrive) measure(in *inputs, dtS float64, y []float64) {
	s := *m
	s.advance(in, dtS)
	load, ripple := s.load(in), s.ripple.factor(in.tS)
	hard := 1 + 0.5*in.extra + 0.3*s.demand.offset(in.tS)
	y[moCurrent] = when(in.driving(), s.motor.CurrentA(load*ripple)*(2-in.mains))
	y[moUnbalance] = when(in.driving(), (s.skew0+9*in.damage[moWindingPart])*(1+8*(1-in.mains))*s.shake.factor(in.tS))
	y[moSpeed] = s.speed * s.motor.SyncRPM
	y[moPower] = s.powerKW(in) * ripple
	y[moWinding] = in.ambientC + s.heat.FrameK + s.heat.WindingK
	y[moVibration] = s.shake0 * s.speed * s.speed * math.Hypot(hard, 5*in.damage[moRotor]) * s.shake.factor(in.tS)
	y[moBearing] = s.bearing.RMSg(in.damage[moBearingDE], s.speed) * hard * s.shake.factor(in.tS)
	y[moBearingTemp] = in.ambientC + s.bearingK
	y[moRunning] = when(in.driving(), 1)
}
