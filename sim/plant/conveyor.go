package plant

import (
	"math"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/physics"
)

const (
	cvSpeed = iota
	cvCurrent
	cvMotorTemp
	cvTorque
	cvLoad
	cvGearTemp
	cvGearVibration
	cvBearingTemp
)

const (
	cvBelt = iota
	cvBearing
)

var conveyorKind = kind{
	Kind: Kind{
		Name: "conveyor",
		Doc:  "a belt conveyor with gear motor",
		Params: []Param{
			{"cycle", "ms", 880, 10, 600_000, "ideal time per unit"},
			{"speed", "m/s", 0.5, 0.02, 5, "belt speed"},
			{"unit_mass", "kg", 1.2, 0.01, 200, "of a full bottle"},
			{"motor_power", "kW", 0.37, 0.12, 55, "rated power of the gear motor"},
		},
		Regimes: []Regime{
			{"runs", "at belt speed, under what lies in the buffers beside it"},
			{"full", "blocked behind a slower station: three times the weight"},
			{"empty", "starved: the belt's own weight"},
			{"stands", "drive off"},
		},
		Signals: []SignalSpec{
			cvSpeed:         {Name: "belt/speed", Unit: "m/s", Lo: 0, Hi: 1, Type: "float", Resolution: 0.001, Noise: 0.001, Doc: "belt speed"},
			cvCurrent:       {Name: "motor/current", Unit: "A", Lo: 0, Hi: 2, Type: "float", Resolution: 0.001, Noise: 0.004, Doc: "motor current"},
			cvMotorTemp:     {Name: "motor/temp", Unit: "degC", Lo: 0, Hi: 150, Type: "float", Resolution: 0.1, Noise: 0.1, Doc: "motor winding"},
			cvTorque:        {Name: "belt/torque", Unit: "Nm", Lo: 0, Hi: 100, Type: "float", Resolution: 0.1, Noise: 0.15, Doc: "torque at the drum"},
			cvLoad:          {Name: "belt/load", Unit: "kg", Lo: 0, Hi: 100, Type: "int16", Resolution: 0.1, Noise: 0.2, Doc: "weight on the belt and its lanes"},
			cvGearTemp:      {Name: "gearbox/temp", Unit: "degC", Lo: 0, Hi: 150, Type: "float", Resolution: 0.1, Noise: 0.1, Doc: "gear oil"},
			cvGearVibration: {Name: "gearbox/vibration", Unit: "mm/s", Lo: 0, Hi: 30, Type: "float", Resolution: 0.01, Noise: 0.01, Doc: "velocity RMS of the gearbox"},
			cvBearingTemp:   {Name: "drum/bearing-temp", Unit: "degC", Lo: 0, Hi: 150, Type: "float", Resolution: 0.1, Noise: 0.1, Doc: "bearing of the drive drum"},
		},
		Components: []Component{
			cvBelt: {Name: "belt", Mode: "belt_friction", Doc: "the belt rubs, by up to 60 % more: torque, current and heat",
				Law: physics.Abrasion, Shows: "belt/torque", LookAlike: LookAlike{Doc: "heavier units on the belt", Load: 1.4}},
			cvBearing: {Name: "drum/bearing", Mode: "bearing_wear", Doc: "the drum's bearing: vibration of the gearbox, heat of the bearing",
				Law: physics.Spall, Shows: "gearbox/vibration", LookAlike: LookAlike{Doc: "heavier units on the belt", Load: 1.4}},
		},
	},
	build:  newConveyor,
	recipe: []string{"speed", "unit_mass"},
	check: func(p params) (problems strict.Problems) {
		belt := physics.Belt{BeltKg: beltKg, Friction: beltFriction, ViscousNs: 80, DrumM: 0.12}
		kW := belt.PowerKW(belt.TorqueNm(40*p["unit_mass"], p["speed"], 0.5), p["speed"]) / gearEfficiency
		if kW > p["motor_power"] {
			problems.Addf("motor_power", "%g kW is too weak: a full belt takes %.2f kW", p["motor_power"], kW)
		}
		return problems
	},
	spans: func(p params, s []SignalSpec) {
		s[cvSpeed].stretch(p["speed"] / 0.5)
		s[cvCurrent].stretch(p["motor_power"] / 0.37)
		s[cvTorque].stretch((60 + 30*p["unit_mass"]) / 100)
		s[cvLoad].stretch(p["unit_mass"] / 1.2)
	},
}

type conveyor struct {
	belt     physics.Belt
	motor    physics.Motor
	beltMS   float64
	unitKg   float64
	gear0    float64 // healthy vibration, mm/s
	friction wobble
	rumble   wobble

	speed    float64 // share of beltMS
	heat     physics.TwoTau
	gearK    float64
	bearingK float64
}

const (
	beltKg         = 60.0
	beltFriction   = 0.28
	gearEfficiency = 0.85
)

func newConveyor(p params, c chance) model {
	motor := physics.NewMotor(p["motor_power"], 1500)
	return &conveyor{
		belt: physics.Belt{
			BeltKg: beltKg * c.spread("belt", 0.05), Friction: beltFriction * c.spread("friction", 0.08),
			ViscousNs: 80, DrumM: 0.12,
		},
		motor: motor, beltMS: p["speed"], unitKg: p["unit_mass"],
		gear0:    0.9 * c.spread("gear", 0.1),
		friction: c.wobble("friction", 0.03, 40),
		rumble:   c.wobble("rumble", 0.04, 1.3),
		heat:     motor.Thermal(),
	}
}

func (m *conveyor) fork() model { c := *m; return &c }

func (m *conveyor) inherit(old model) {
	o := old.(*conveyor)
	m.speed, m.heat, m.gearK, m.bearingK = o.speed, o.heat, o.gearK, o.bearingK
}

func (m *conveyor) torque(in *inputs, kg float64) float64 {
	return m.belt.TorqueNm(kg, m.speed*m.beltMS, in.damage[cvBelt]) * m.friction.factor(in.tS)
}

// load of the motor behind a worm gear.
func (m *conveyor) load(torqueNm float64) float64 {
	return m.belt.PowerKW(torqueNm, m.speed*m.beltMS) / gearEfficiency / m.motor.RatedKW
}

// usualKg is what lies on the belt on average; the slow states take it for
// the weight, so that they depend on no count.
func (m *conveyor) usualKg() float64 { return 20 * m.unitKg }

func (m *conveyor) advance(in *inputs, dtS float64) {
	target, lossW := 0.0, 0.0
	torque := m.torque(in, m.usualKg()*(1+in.extra))
	load := m.load(torque)
	if in.driving() {
		target, lossW = 1, m.motor.LossesW(load)
	}
	m.heat.Step(lossW, 1, dtS)
	m.gearK = physics.Settle(m.gearK, 12*m.speed+30*load, dtS, 1500)
	m.bearingK = physics.Settle(m.bearingK, (6+0.08*torque+25*in.damage[cvBearing])*m.speed, dtS, 700)
	m.speed = spin(m.speed, target, dtS, 0.9)
}

func (m *conveyor) powerKW(in *inputs) float64 {
	return driveKW(in, m.motor, m.load(m.torque(in, m.usualKg()*(1+in.extra))))
}

func (m *conveyor) measure(in *inputs, dtS float64, y []float64) {
	s := *m
	s.advance(in, dtS)
	kg := s.unitKg * (8 + min(in.queue, 60)) * (1 + in.extra)
	torque := s.torque(in, kg)
	y[cvSpeed] = s.speed * s.beltMS * (1 - 0.01*(torque/40-1))
	y[cvCurrent] = when(in.driving(), s.motor.CurrentA(s.load(torque))*(2-in.mains))
	y[cvMotorTemp] = in.ambientC + s.heat.FrameK + s.heat.WindingK
	y[cvTorque] = torque
	y[cvLoad] = kg
	y[cvGearTemp] = in.ambientC + s.gearK
	y[cvGearVibration] = s.gear0 * s.speed * math.Hypot(0.8+0.2*torque/40, 4*in.damage[cvBearing]) * s.rumble.factor(in.tS) * (1 + 0.4*in.extra)
	y[cvBearingTemp] = in.ambientC + s.bearingK
}
