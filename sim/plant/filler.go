package plant

import (
	"math"

	"github.com/plantbed/plantbed/sim/physics"
)

const (
	flSpeed = iota
	flCurrent
	flDriveTemp
	flVibration
	flBowlPressure
	flBowlLevel
	flProductTemp
	flVolume
	flFillTime
	flAir
	flRunning
)

const (
	flBearing = iota
	flValve
)

var fillerKind = kind{
	Kind: Kind{
		Name: "filler",
		Doc:  "a rotary counter-pressure filler with its bowl",
		Params: []Param{
			{"cycle", "ms", 1000, 10, 600_000, "ideal time per unit"},
			{"volume", "ml", 750, 10, 50_000, "contents of a unit"},
			{"bowl_pressure", "bar", 1.8, 0.2, 8, "counter-pressure in the bowl"},
			{"speed", "rpm", 12, 1, 60, "carousel"},
			{"motor_power", "kW", 3, 0.12, 55, "rated power of the drive"},
			{"product_temp", "degC", 12, 1, 90, "temperature of the product"},
		},
		Regimes: []Regime{
			{"fills", "unit by unit at the speed of the carousel"},
			{"idles", "the carousel turns, nothing is drawn, product warms in the pipes"},
			{"stands", "bowl under pressure, drive off"},
		},
		Signals: []SignalSpec{
			flSpeed:        {Name: "drive/speed", Unit: "rpm", Lo: 0, Hi: 20, Type: "float", Resolution: 0.01, Noise: 0.01, Doc: "carousel speed"},
			flCurrent:      {Name: "drive/current", Unit: "A", Lo: 0, Hi: 12, Type: "float", Resolution: 0.001, Noise: 0.02, Doc: "drive current"},
			flDriveTemp:    {Name: "drive/temp", Unit: "degC", Lo: 0, Hi: 150, Type: "float", Resolution: 0.1, Noise: 0.1, Doc: "drive winding"},
			flVibration:    {Name: "drive/vibration", Unit: "g", Lo: 0, Hi: 5, Type: "float", Resolution: 0.001, Noise: 0.001, Fast: true, Doc: "acceleration RMS at the main bearing"},
			flBowlPressure: {Name: "bowl/pressure", Unit: "bar", Lo: 0, Hi: 4, Type: "float", Resolution: 0.001, Noise: 0.003, Fast: true, Doc: "gas pressure in the bowl"},
			flBowlLevel:    {Name: "bowl/level", Unit: "%", Lo: 0, Hi: 100, Type: "float", Resolution: 0.1, Noise: 0.15, Doc: "product in the bowl"},
			flProductTemp:  {Name: "product/temp", Unit: "degC", Lo: 0, Hi: 120, Type: "float", Resolution: 0.1, Noise: 0.05, Doc: "product at the valves"},
			flVolume:       {Name: "fill/volume", Unit: "ml", Lo: 0, Hi: 1000, Type: "float", Resolution: 0.1, Noise: 0.4, Doc: "last unit's contents, by weight"},
			flFillTime:     {Name: "fill/time", Unit: "ms", Lo: 0, Hi: 1000, Type: "int32", Resolution: 1, Noise: 2, Doc: "opening time of the valves"},
			flAir:          {Name: "air/pressure", Unit: "bar", Lo: 0, Hi: 10, Type: "int16", Resolution: 0.001, Noise: 0.005, Doc: "control air"},
			flRunning:      {Name: "drive/running", Unit: "1", Lo: 0, Hi: 1, Type: "bool", Resolution: 1, Doc: "the drive is switched on"},
		},
		Components: []Component{
			flBearing: {Name: "drive/bearing", Mode: "bearing_wear", Doc: "the carousel's main bearing: vibration, later heat and current",
				Law: physics.Spall, Shows: "drive/vibration", LookAlike: LookAlike{Doc: "heavier containers on the carousel", Load: 1.3}},
			flValve: {Name: "valve", Mode: "valve_wear", Doc: "filling valves leak and stick: longer filling, less in the bottle, more scrap",
				Law: physics.Abrasion, Shows: "fill/time", LookAlike: LookAlike{Doc: "thicker product: filling takes longer", Load: 1.3}},
		},
	},
	build:  newFiller,
	recipe: []string{"volume", "bowl_pressure", "speed", "product_temp"},
	spans: func(p params, s []SignalSpec) {
		s[flSpeed].stretch(p["speed"] / 12)
		s[flCurrent].stretch(p["motor_power"] / 3)
		s[flBowlPressure].stretch(p["bowl_pressure"] / 1.8)
		s[flVolume].stretch(p["volume"] / 750)
		s[flFillTime].stretch(p["cycle"] / 1000)
	},
	spoils: [maxComponents]float64{flValve: 0.04},
}

type filler struct {
	motor     physics.Motor
	bearing   physics.BearingVibration
	rpm       float64
	volumeML  float64
	bowlBar   float64
	productC  float64
	fillMS    float64
	viscosity wobble
	foam      wobble
	shake     wobble
	ripple    wobble

	speed    float64 // share of rated speed
	heat     physics.TwoTau
	pressure float64
	product  float64
}

func newFiller(p params, c chance) model {
	motor := physics.NewMotor(p["motor_power"], 1500)
	healthy := 0.06 * c.spread("vibration", 0.1)
	return &filler{
		motor:     motor,
		bearing:   physics.BearingVibration{HealthyG: healthy, FailedG: 12 * healthy},
		rpm:       p["speed"],
		volumeML:  p["volume"],
		bowlBar:   p["bowl_pressure"],
		productC:  p["product_temp"],
		fillMS:    0.6 * p["cycle"] * c.spread("valves", 0.05),
		viscosity: c.wobble("viscosity", 0.03, 700),
		foam:      c.wobble("foam", 0.001, 1.9),
		shake:     c.wobble("shake", 0.05, 0.9),
		ripple:    c.wobble("ripple", 0.008, 0.6),
		heat:      motor.Thermal(),
		product:   p["product_temp"],
	}
}

func (m *filler) fork() model { c := *m; return &c }

func (m *filler) inherit(old model) {
	o := old.(*filler)
	m.speed, m.heat, m.pressure, m.product = o.speed, o.heat, o.pressure, o.product
}

// load of the drive: friction of the carousel, thicker product, a bad bearing.
func (m *filler) load(in *inputs) float64 {
	return 0.5*m.speed*(0.4+0.6*m.viscosity.factor(in.tS))*(1+in.extra) + 0.06*in.damage[flBearing]*m.speed
}

func (m *filler) advance(in *inputs, dtS float64) {
	target, lossW, draw := 0.0, 0.0, 0.0
	if in.driving() {
		target, lossW = 1, m.motor.LossesW(m.load(in))
	}
	if in.state == Execute {
		draw = 0.06 * m.bowlBar // the bowl breathes out into the bottles
	}
	m.heat.Step(lossW, 1, dtS)
	m.pressure = physics.Settle(m.pressure, m.bowlBar-draw+0.05*(in.airBar-6.5), dtS, 0.8)
	warm := m.productC + 0.6
	if in.state != Execute {
		warm = m.productC + 0.25*(in.ambientC-m.productC) // it stands in the pipes
	}
	m.product = physics.Settle(m.product, warm, dtS, 420)
	m.speed = spin(m.speed, target, dtS, 1.5)
}

func (m *filler) powerKW(in *inputs) float64 { return driveKW(in, m.motor, m.load(in)) }

func (m *filler) measure(in *inputs, dtS float64, y []float64) {
	s := *m
	s.advance(in, dtS)
	d := in.damage
	y[flSpeed] = s.rpm * s.speed
	y[flCurrent] = when(in.driving(), s.motor.CurrentA(s.load(in)*(1+0.3*s.shake.offset(in.tS)))*(2-in.mains))
	y[flRunning] = when(in.driving(), 1)
	y[flDriveTemp] = in.ambientC + s.heat.FrameK + s.heat.WindingK
	y[flVibration] = s.bearing.RMSg(d[flBearing], s.speed) * s.shake.factor(in.tS) * (1 + 0.5*in.extra)
	// The less there is in the bowl, the less stands on the valves.
	y[flBowlPressure] = s.pressure*s.ripple.factor(in.tS) + 0.02*(in.bowl-1)
	y[flBowlLevel] = 100 * (0.1 + 0.8*in.bowl) * (1 + 0.3*s.ripple.offset(in.tS))
	y[flProductTemp] = s.product
	y[flVolume] = s.volumeML * (s.foam.factor(in.tS) - 0.02*d[flValve] + 0.0004*(s.product-s.productC))
	y[flFillTime] = s.fillMS * s.viscosity.factor(in.tS) * math.Sqrt(s.bowlBar/max(0.1, s.pressure)) * (1 + 0.25*d[flValve]) * (1 + 0.3*in.extra)
	y[flAir] = in.airBar - 0.05*s.speed
}
