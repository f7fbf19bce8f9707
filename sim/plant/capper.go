package plant

import (
	"math"

	"github.com/plantbed/plantbed/sim/physics"
)

const (
	cpTorque = iota
	cpSpeed
	cpCurrent
	cpDriveTemp
	cpVibration
	cpAir
	cpHopper
	cpRunning
)

const (
	cpClutch = iota
	cpBearing
)

var capperKind = kind{
	Kind: Kind{
		Name: "capper",
		Doc:  "a screw capper with magnetic clutches",
		Params: []Param{
			{"cycle", "ms", 900, 10, 600_000, "ideal time per unit"},
			{"torque", "Nm", 1.8, 0.1, 50, "closing torque"},
			{"speed", "rpm", 60, 5, 600, "turret"},
			{"motor_power", "kW", 1.5, 0.12, 55, "rated power of the drive"},
		},
		Regimes: []Regime{
			{"caps", "turret and heads turn, cap by cap"},
			{"idles", "the turret turns without a cap: the torque of the last one stays"},
			{"stands", "drive off"},
		},
		Signals: []SignalSpec{
			cpTorque:    {Name: "head/torque", Unit: "Nm", Lo: 0, Hi: 4, Type: "float", Resolution: 0.001, Noise: 0.005, Doc: "closing torque of the last cap"},
			cpSpeed:     {Name: "turret/speed", Unit: "rpm", Lo: 0, Hi: 100, Type: "float", Resolution: 0.1, Noise: 0.05, Doc: "turret speed"},
			cpCurrent:   {Name: "drive/current", Unit: "A", Lo: 0, Hi: 6, Type: "float", Resolution: 0.001, Noise: 0.01, Doc: "drive current"},
			cpDriveTemp: {Name: "drive/temp", Unit: "degC", Lo: 0, Hi: 150, Type: "float", Resolution: 0.1, Noise: 0.1, Doc: "drive winding"},
			cpVibration: {Name: "drive/vibration", Unit: "mm/s", Lo: 0, Hi: 30, Type: "float", Resolution: 0.01, Noise: 0.01, Doc: "velocity RMS at the turret's bearing"},
			cpAir:       {Name: "air/pressure", Unit: "bar", Lo: 0, Hi: 10, Type: "int16", Resolution: 0.001, Noise: 0.005, Doc: "control air"},
			cpHopper:    {Name: "hopper/level", Unit: "%", Lo: 0, Hi: 100, Type: "float", Resolution: 0.1, Noise: 0.3, Doc: "caps in the hopper"},
			cpRunning:   {Name: "drive/running", Unit: "1", Lo: 0, Hi: 1, Type: "bool", Resolution: 1, Doc: "the drive is switched on"},
		},
		Components: []Component{
			cpClutch: {Name: "head/clutch", Mode: "clutch_wear", Doc: "a clutch slips: closing torque falls by up to 30 % and scatters, more scrap",
				Law: physics.Abrasion, Shows: "head/torque", LookAlike: LookAlike{Doc: "smaller caps, closed with less torque", Recipe: map[string]string{"torque": "1.5 Nm"}}},
			cpBearing: {Name: "drive/bearing", Mode: "bearing_wear", Doc: "the turret's bearing: vibration, later current",
				Law: physics.Spall, Shows: "drive/vibration", LookAlike: LookAlike{Doc: "stiffer caps, which the turret works harder for", Load: 1.3}},
		},
	},
	build:  newCapper,
	recipe: []string{"torque", "speed"},
	spans: func(p params, s []SignalSpec) {
		s[cpTorque].stretch(p["torque"] / 1.8)
		s[cpSpeed].stretch(p["speed"] / 60)
		s[cpCurrent].stretch(p["motor_power"] / 1.5)
	},
	spoils: [maxComponents]float64{cpClutch: 0.05},
}

type capper struct {
	motor    physics.Motor
	torqueNm float64
	rpm      float64
	shake0   float64 // healthy vibration, mm/s
	grip     wobble
	slip     wobble
	shake    wobble

	speed float64 // share of rated speed
	heat  physics.TwoTau
}

// capsPerFill is how many caps an operator pours into the hopper.
const capsPerFill = 1800

func newCapper(p params, c chance) model {
	motor := physics.NewMotor(p["motor_power"], 1500)
	return &capper{
		motor: motor, torqueNm: p["torque"] * c.spread("clutch", 0.02), rpm: p["speed"],
		shake0: 0.8 * c.spread("vibration", 0.1),
		grip:   c.wobble("grip", 0.012, 1.3),
		slip:   c.wobble("slip", 0.15, 1.1),
		shake:  c.wobble("shake", 0.05, 0.9),
		heat:   motor.Thermal(),
	}
}

func (m *capper) fork() model { c := *m; return &c }

func (m *capper) inherit(old model) {
	o := old.(*capper)
	m.speed, m.heat = o.speed, o.heat
}

func (m *capper) closing(in *inputs) float64 {
	d := in.damage[cpClutch]
	return m.torqueNm * (m.grip.factor(in.tS) - 0.3*d + d*m.slip.offset(in.tS))
}

func (m *capper) load(in *inputs) float64 {
	return m.speed * ((0.35+0.2*m.closing(in)/m.torqueNm)*(1+in.extra) + 0.06*in.damage[cpBearing])
}

func (m *capper) advance(in *inputs, dtS float64) {
	target, lossW := 0.0, 0.0
	if in.driving() {
		target, lossW = 1, m.motor.LossesW(m.load(in))
	}
	m.heat.Step(lossW, 1, dtS)
	m.speed = spin(m.speed, target, dtS, 1.1)
}

func (m *capper) powerKW(in *inputs) float64 { return driveKW(in, m.motor, m.load(in)) }

func (m *capper) measure(in *inputs, dtS float64, y []float64) {
	s := *m
	s.advance(in, dtS)
	y[cpTorque] = s.closing(in) // of the last cap, so it stays when the turret stops
	y[cpSpeed] = s.rpm * s.speed
	y[cpCurrent] = when(in.driving(), s.motor.CurrentA(s.load(in))*(2-in.mains))
	y[cpRunning] = when(in.driving(), 1)
	y[cpDriveTemp] = in.ambientC + s.heat.FrameK + s.heat.WindingK
	y[cpVibration] = s.shake0 * s.speed * math.Hypot(1, 4*in.damage[cpBearing]) * s.shake.factor(in.tS) * (1 + 0.5*in.extra)
	y[cpAir] = in.airBar - 0.04*s.speed
	y[cpHopper] = 100 - 75*math.Mod(in.total, capsPerFill)/capsPerFill
}
