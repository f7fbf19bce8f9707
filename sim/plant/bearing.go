package plant

import (
	"math"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/physics"
)

const (
	rbSpeed = iota
	rbLoad
	rbRMS
	rbKurtosis
	rbCrest
	rbOuterLine
	rbInnerLine
	rbBallLine
	rbTemp
	rbTorque
	rbVelocity
	rbZone
)

const (
	rbOuter = iota
	rbInner
	rbBalls
	rbGrease
)

var bearingKind = kind{
	Kind: Kind{
		Name: "rolling-bearing",
		Doc:  "a deep groove ball bearing (6205) in its housing under a radial load, watched as in condition monitoring; works no units",
		Params: []Param{
			{"speed", "rpm", 1500, 100, 6000, "of the shaft"},
			{"load", "kN", 1.5, 0.05, 30, "radial"},
			{"capacity", "kN", 14.8, 1, 300, "dynamic load rating C"},
			{"bore", "mm", 25, 5, 300, "of the inner ring"},
			{"motor_power", "kW", 15, 0.37, 5000, "of the machine that it carries, which sets the limits of its vibration"},
		},
		Regimes: []Regime{
			{"runs", "at its speed, under a load that wanders by some percent"},
			{"coasts", "speed falls in seconds, and with it every frequency and every amplitude"},
			{"stands", "cools to the temperature of the hall"},
		},
		Signals: []SignalSpec{
			rbSpeed:     {Name: "speed", Unit: "rpm", Lo: 0, Hi: 2000, Type: "float", Resolution: 0.1, Noise: 0.5, Doc: "of the shaft"},
			rbLoad:      {Name: "load", Unit: "kN", Lo: 0, Hi: 5, Type: "float", Resolution: 0.001, Noise: 0.004, Flicker: 0.002, LagS: 0.1, Doc: "radial"},
			rbRMS:       {Name: "vibration", Unit: "g", Lo: 0, Hi: 10, Type: "float", Resolution: 0.001, Noise: 0.001, Flicker: 0.0005, Fast: true, Doc: "acceleration RMS at the housing"},
			rbKurtosis:  {Name: "kurtosis", Unit: "1", Lo: 0, Hi: 25, Type: "float", Resolution: 0.001, Noise: 0.02, Doc: "of the acceleration"},
			rbCrest:     {Name: "crest", Unit: "1", Lo: 0, Hi: 20, Type: "float", Resolution: 0.001, Noise: 0.03, Doc: "peak over RMS of the acceleration"},
			rbOuterLine: {Name: "envelope/outer", Unit: "g", Lo: 0, Hi: 5, Type: "float", Resolution: 0.0002, Noise: 0.0003, Doc: "line at which the outer race is rolled over, of the envelope"},
			rbInnerLine: {Name: "envelope/inner", Unit: "g", Lo: 0, Hi: 5, Type: "float", Resolution: 0.0002, Noise: 0.0003, Doc: "the same of the inner race"},
			rbBallLine:  {Name: "envelope/ball", Unit: "g", Lo: 0, Hi: 5, Type: "float", Resolution: 0.0002, Noise: 0.0003, Doc: "the same of a ball, which meets both races"},
			rbTemp:      {Name: "temp", Unit: "degC", Lo: 0, Hi: 180, Type: "float", Resolution: 0.1, Noise: 0.08, Flicker: 0.04, LagS: 12, Doc: "outer ring, PT100"},
			rbTorque:    {Name: "torque", Unit: "Nm", Lo: 0, Hi: 1, Type: "float", Resolution: 0.0001, Noise: 0.0003, Flicker: 0.0001, Doc: "of friction"},
			rbVelocity:  {Name: "velocity", Unit: "mm/s", Lo: 0, Hi: 30, Type: "float", Resolution: 0.01, Noise: 0.01, Flicker: 0.005, Doc: "velocity RMS, 10 to 1000 Hz"},
			rbZone:      {Name: "zone", Unit: "1", Lo: 0, Hi: 4, Type: "uint16", Resolution: 1, Doc: "zone of ISO 20816-3, 1 is A and 4 is D; rigid support"},
		},
		Components: []Component{
			rbOuter: {Name: "outer", Mode: "bearing_outer_race", Doc: "a spall in the outer race: its line, impacts, at last a rough race",
				Law: physics.Spall, Shows: "envelope/outer", LookAlike: LookAlike{Doc: "a harder load shakes the housing", Load: 1.4}},
			rbInner: {Name: "inner", Mode: "bearing_inner_race", Doc: "a spall in the inner race, which turns through the load zone",
				Law: physics.Spall, Shows: "envelope/inner", LookAlike: LookAlike{Doc: "a harder load shakes the housing", Load: 1.4}},
			rbBalls: {Name: "ball", Mode: "bearing_ball", Doc: "a spall on a ball",
				Law: physics.Spall, Shows: "envelope/ball", LookAlike: LookAlike{Doc: "a harder load shakes the housing", Load: 1.4}},
			rbGrease: {Name: "grease", Mode: "lubrication_loss", Doc: "old or little grease: heat, friction, noise, and no line",
				Law: physics.Abrasion, Shows: "temp", LookAlike: LookAlike{Doc: "a warm day in the hall", AmbientK: 8}},
		},
	},
	utility: true,
	recipe:  []string{"speed", "load"},
	build:   newBearing,
	check: func(p params) (problems strict.Problems) {
		if p["load"] > p["capacity"]/2 {
			problems.Addf("load", "%g kN is more than half the capacity, %g kN: no bearing is run like that", p["load"], p["capacity"])
		}
		return problems
	},
	spans: func(p params, s []SignalSpec) {
		s[rbSpeed].stretch(p["speed"] / 1500)
		s[rbLoad].stretch(p["load"] / 1.5)
		s[rbTorque].stretch(p["load"] / 1.5 * p["bore"] / 25)
		energy := max(1, p["speed"]/1500)
		for _, i := range []int{rbRMS, rbOuterLine, rbInnerLine, rbBallLine, rbVelocity} {
			s[i].stretch(energy * energy)
		}
	},
}

type bearing struct {
	vibration physics.BearingVibration
	limits    physics.VibrationLimits
	rpm       float64
	loadN     float64
	boreMM    float64
	kPerW     float64
	velocity0 float64
	demand    wobble
	shake     wobble
	lines     [3]wobble

	speed float64 // share of its own
	ringK float64 // over ambient
}

// nominalRPM is where the healthy vibration is that of the table; it goes with
// the square of speed.
const nominalRPM = 1500

func newBearing(p params, c chance) model {
	energy := p["speed"] / nominalRPM
	healthy := 0.1 * energy * energy * c.spread("vibration", 0.12)
	m := &bearing{
		vibration: physics.BearingVibration{HealthyG: healthy, FailedG: 12 * healthy},
		limits:    physics.LimitsFor(p["motor_power"], false),
		rpm:       p["speed"], loadN: 1000 * p["load"], boreMM: p["bore"],
		velocity0: 0.8 * energy * c.spread("balance", 0.2),
		demand:    c.wobble("demand", 0.04, 90), shake: c.wobble("shake", 0.05, 1.3),
	}
	// A larger one, and one that turns faster, loses more and is cooled better.
	m.kPerW = 26 * c.spread("cooling", 0.05) / physics.FrictionHeatW(m.loadN, m.boreMM, m.rpm/60, 0)
	for i, name := range []string{"outer", "inner", "ball"} {
		m.lines[i] = c.wobble("line/"+name, 0.08, 2.1)
	}
	return m
}

func (m *bearing) fork() model { c := *m; return &c }

func (m *bearing) inherit(old model) {
	o := old.(*bearing)
	m.speed, m.ringK = o.speed*o.rpm/m.rpm, o.ringK
}

// spalls is the damage of all that rolls: their impacts add by squares.
func (m *bearing) spalls(in *inputs) float64 {
	d := in.damage
	return min(1, math.Sqrt(d[rbOuter]*d[rbOuter]+d[rbInner]*d[rbInner]+d[rbBalls]*d[rbBalls]))
}

func (m *bearing) load(in *inputs) float64 {
	return m.loadN * m.demand.factor(in.tS) * (1 + in.extra)
}

// heatW of friction: rough races rub more, and so does what is not greased.
func (m *bearing) heatW(in *inputs) float64 {
	return physics.FrictionHeatW(m.load(in), m.boreMM, m.speed*m.rpm/60, m.spalls(in)) * (1 + 0.8*in.damage[rbGrease])
}

func (m *bearing) advance(in *inputs, dtS float64) {
	target := 0.0
	if in.driving() {
		target = 1
	}
	m.ringK = physics.Settle(m.ringK, m.kPerW*m.heatW(in), dtS, 600)
	m.speed = spin(m.speed, target, dtS, 2)
}

func (m *bearing) powerKW(in *inputs) float64 { return when(in.driving(), m.heatW(in)/1000) }

func (m *bearing) measure(in *inputs, dtS float64, y []float64) {
	s := *m
	s.advance(in, dtS)
	d, v := s.spalls(in), s.vibration
	hard := (1 + 0.4*in.extra) * s.shake.factor(in.tS)
	v.HealthyG *= 1 + 0.7*in.damage[rbGrease]
	y[rbSpeed] = s.rpm * s.speed
	y[rbLoad] = s.load(in) / 1000
	y[rbRMS] = v.RMSg(d, s.speed) * hard
	y[rbKurtosis] = v.Kurtosis(d, s.speed) * (0.97 + 0.03*s.lines[0].factor(in.tS))
	y[rbCrest] = v.Crest(d, s.speed) * (0.97 + 0.03*s.lines[1].factor(in.tS))
	for i, line := range []int{rbOuterLine, rbInnerLine, rbBallLine} {
		y[line] = (0.05*v.BackgroundG(s.speed) + 0.5*v.ImpactG(in.damage[rbOuter+i], s.speed)) * hard * s.lines[i].factor(in.tS)
	}
	y[rbTemp] = in.ambientC + s.ringK
	y[rbTorque] = when(s.speed > 0, s.heatW(in)/max(s.speed*s.rpm*2*math.Pi/60, 1e-9))
	// Spalls are loud in acceleration, and late in velocity.
	y[rbVelocity] = s.velocity0 * s.speed * s.speed * math.Hypot(1, 2.5*d*d) * hard
	y[rbZone] = when(s.speed > 0.1, float64(s.limits.Zone(y[rbVelocity])-'A'+1))
}
