package plant

import (
	"math"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/physics"
)

const (
	tkLevel = iota
	tkTemp
	tkJacket
	tkDuty
	tkPressure
	tkStirCurrent
	tkStirSpeed
	tkStirVibration
	tkInlet
	tkOutlet
	tkPhase
)

const (
	tkFouling = iota
	tkStirrer
	tkLeak
	tkHeater
)

var tankKind = kind{
	Kind: Kind{
		Name: "tank",
		Doc:  "a stirred vessel with a heated jacket that works batch by batch: fill, heat, hold, empty",
		Params: []Param{
			{"cycle", "ms", 3_600_000, 60_000, 86_400_000, "ideal time per batch"},
			{"volume", "l", 3000, 50, 100_000, "of a batch"},
			{"room", "l", 3750, 60, 130_000, "of the vessel"},
			{"setpoint", "degC", 72, 25, 140, "at which it is held"},
			{"feed_temp", "degC", 15, 2, 90, "of what comes in"},
			{"jacket_power", "kW", 620, 1, 20_000, "heating that the jacket can give"},
			{"motor_power", "kW", 4, 0.2, 160, "of the stirrer"},
		},
		Regimes: []Regime{
			{"fills", "batch by batch, from the feed"},
			{"heats", "with the stirrer, up to the set point"},
			{"holds", "at the set point"},
			{"empties", "through the outlet"},
			{"stands", "the batch cools in the jacket"},
		},
		Signals: []SignalSpec{
			tkLevel:         {Name: "level", Unit: "%", Lo: 0, Hi: 100, Type: "float", Resolution: 0.01, Noise: 0.05, Flicker: 0.02, LagS: 1, Doc: "of its room"},
			tkTemp:          {Name: "temp", Unit: "degC", Lo: 0, Hi: 200, Type: "float", Resolution: 0.1, Noise: 0.05, Flicker: 0.03, LagS: 40, Doc: "product, in a thermowell"},
			tkJacket:        {Name: "jacket/temp", Unit: "degC", Lo: 0, Hi: 250, Type: "float", Resolution: 0.1, Noise: 0.1, Flicker: 0.05, LagS: 15, Doc: "in the jacket"},
			tkDuty:          {Name: "jacket/duty", Unit: "%", Lo: 0, Hi: 100, Type: "float", Resolution: 0.1, Noise: 0.1, Doc: "heating, share of what there is"},
			tkPressure:      {Name: "bottom/pressure", Unit: "bar", Lo: 0, Hi: 3, Type: "float", Resolution: 0.001, Noise: 0.001, Flicker: 0.0005, LagS: 0.2, Doc: "under the liquid"},
			tkStirCurrent:   {Name: "stirrer/current", Unit: "A", Lo: 0, Hi: 15, Type: "float", Resolution: 0.001, Noise: 0.02, Flicker: 0.01, LagS: 0.2, Doc: "stirrer motor"},
			tkStirSpeed:     {Name: "stirrer/speed", Unit: "rpm", Lo: 0, Hi: 150, Type: "float", Resolution: 0.01, Noise: 0.05, Doc: "stirrer"},
			tkStirVibration: {Name: "stirrer/vibration", Unit: "mm/s", Lo: 0, Hi: 30, Type: "float", Resolution: 0.01, Noise: 0.01, Flicker: 0.005, Doc: "velocity RMS at the stirrer's bearing"},
			tkInlet:         {Name: "inlet/open", Unit: "1", Lo: 0, Hi: 1, Type: "bool", Resolution: 1, Doc: "inlet valve"},
			tkOutlet:        {Name: "outlet/open", Unit: "1", Lo: 0, Hi: 1, Type: "bool", Resolution: 1, Doc: "outlet valve"},
			tkPhase:         {Name: "phase", Unit: "1", Lo: 0, Hi: 4, Type: "int16", Resolution: 1, Doc: "0 waits, 1 fills, 2 heats, 3 holds, 4 empties"},
		},
		Components: []Component{
			tkFouling: {Name: "jacket", Mode: "fouling", Doc: "scale on the wall: a hotter jacket for the same heat",
				Law: physics.Diffusion, Shows: "jacket/temp", LookAlike: LookAlike{Doc: "a hotter recipe", Recipe: map[string]string{"setpoint": "76 degC"}}},
			tkStirrer: {Name: "stirrer/bearing", Mode: "bearing_wear", Doc: "the stirrer's bearing: vibration, later current",
				Law: physics.Spall, Shows: "stirrer/vibration", LookAlike: LookAlike{Doc: "a thicker batch", Load: 1.4}},
			tkLeak: {Name: "outlet", Mode: "valve_leak", Doc: "the outlet does not close: the level sinks while it holds",
				Law: physics.Abrasion, Shows: "bottom/pressure", LookAlike: LookAlike{Doc: "smaller batches by recipe", Recipe: map[string]string{"volume": "2700 l"}}},
			tkHeater: {Name: "heater", Mode: "element_ageing", Doc: "heating elements fail, one after the other: slower heating at full duty",
				Law: physics.Shocks, Skill: "electrical", Shows: "jacket/duty", LookAlike: LookAlike{Doc: "colder feed", Recipe: map[string]string{"feed_temp": "5 degC"}}},
		},
	},
	paced:  true,
	recipe: []string{"volume", "setpoint", "feed_temp"},
	build:  newTank,
	check: func(p params) (problems strict.Problems) {
		if p["volume"] > 0.95*p["room"] {
			problems.Addf("room", "%g l is too small for batches of %g l", p["room"], p["volume"])
		}
		if p["setpoint"] < p["feed_temp"]+5 {
			problems.Addf("setpoint", "%g degC is not 5 K above the feed, %g degC", p["setpoint"], p["feed_temp"])
		}
		seconds := p["cycle"] / 1000 * (heatUntil - fillUntil)
		kW := p["volume"] * waterJPerLK * (p["setpoint"] - p["feed_temp"]) / seconds / 1000
		if kW > p["jacket_power"] {
			problems.Addf("jacket_power", "%g kW is too weak: %g l take %.0f kW to heat in %.0f s", p["jacket_power"], p["volume"], kW/0.85, seconds)
		}
		return problems
	},
	spans: func(p params, s []SignalSpec) {
		s[tkStirCurrent].stretch(p["motor_power"] / 4)
	},
	spoils: [maxComponents]float64{tkHeater: 0.1},
}

// The phases of a batch, as shares of its time.
const fillUntil, heatUntil, holdUntil = 0.15, 0.6, 0.85

type tank struct {
	p         params
	motor     physics.Motor
	shake0    float64
	wallWPerK float64
	thick     wobble
	shake     wobble
	feed      wobble
	litres    float64
	contentC  float64
	jacketC   float64
	speed     float64
}

func newTank(p params, c chance) model {
	return &tank{
		p: p, motor: physics.NewMotor(p["motor_power"], 1500), shake0: 0.7 * c.spread("shake", 0.1),
		wallWPerK: p["jacket_power"] * 1000 / 45 * c.spread("wall", 0.05),
		thick:     c.wobble("thick", 0.03, 400), shake: c.wobble("shake", 0.05, 1.4), feed: c.wobble("feed", 0.6, 1900),
		litres: 0.05 * p["volume"], contentC: p["setpoint"], jacketC: p["setpoint"],
	}
}

func (m *tank) fork() model { c := *m; return &c }

func (m *tank) inherit(old model) {
	o := old.(*tank)
	m.litres, m.contentC, m.jacketC, m.speed = o.litres, o.contentC, o.jacketC, o.speed
}

func (m *tank) phase(in *inputs) int {
	x := in.progress()
	switch {
	case x >= 1 || in.state != Execute:
		return 0
	case x < fillUntil:
		return 1
	case x < heatUntil:
		return 2
	case x < holdUntil:
		return 3
	}
	return 4
}

func (m *tank) seconds(in *inputs) float64 { return max(1, in.cycleS) }

func (m *tank) duty(in *inputs) float64 {
	if !in.powered() || m.litres < 0.15*m.p["volume"] {
		return 0
	}
	want := m.p["setpoint"]
	need := (0.15*(want-m.contentC)*m.wallWPerK*4 + 0.002*m.wallWPerK*(want-in.ambientC)) / (m.p["jacket_power"] * 1000)
	return min(max(need, 0), 1)
}

// watts that the jacket gives now, and what it gives them through, W/K.
func (m *tank) watts(in *inputs) float64 {
	return m.duty(in) * m.p["jacket_power"] * 1000 * (1 - 0.6*in.damage[tkHeater])
}

func (m *tank) wall(in *inputs) float64 {
	return max(1, m.wallWPerK/(1+1.5*in.damage[tkFouling])*m.litres/m.p["volume"])
}

func (m *tank) advance(in *inputs, dtS float64) {
	phase, batch := m.phase(in), m.p["volume"]
	if in.steady { // in the middle of heating
		m.litres, m.contentC, m.speed = batch*math.Exp(-0.2*in.damage[tkLeak]), m.p["setpoint"]-8, 1
		m.jacketC = m.contentC + m.watts(in)/m.wall(in)
		return
	}
	left := 0.05 * batch
	switch phase {
	case 1:
		flow := (batch - left) / (fillUntil * m.seconds(in))
		more := min(flow*dtS, max(0, batch-m.litres))
		feedC := m.p["feed_temp"] + m.feed.offset(in.tS)
		m.contentC = (m.contentC*m.litres + feedC*more) / (m.litres + more)
		m.litres += more
	case 0, 4:
		if phase == 0 && in.state != Execute {
			break
		}
		m.litres = max(left, m.litres-(batch-left)/((1-holdUntil)*0.95*m.seconds(in))*dtS)
	}
	if m.litres > left {
		m.litres = max(left, m.litres*math.Exp(-0.0003*in.damage[tkLeak]*dtS))
	}
	watts := m.watts(in)
	lost := 0.002 * m.wallWPerK * (m.contentC - in.ambientC)
	m.contentC += (watts - lost) * dtS / (m.litres * waterJPerLK)
	m.jacketC = physics.Settle(m.jacketC, m.contentC+watts/m.wall(in), dtS, 30)
	target := 0.0
	if in.driving() && m.litres > 0.3*batch {
		target = 1
	}
	m.speed = spin(m.speed, target, dtS, 2)
}

func (m *tank) load(in *inputs) float64 {
	return m.speed * (0.15 + 0.45*m.litres/m.p["volume"]*m.thick.factor(in.tS)*(1+in.extra) + 0.05*in.damage[tkStirrer])
}

func (m *tank) powerKW(in *inputs) float64 {
	load := m.load(in)
	return m.watts(in)/1000 + load*m.motor.RatedKW
}

func (m *tank) measure(in *inputs, dtS float64, y []float64) {
	s := *m
	s.advance(in, dtS)
	share := s.litres / s.p["room"]
	y[tkLevel] = 100 * share
	y[tkTemp] = s.contentC
	y[tkJacket] = s.jacketC
	y[tkDuty] = 100 * s.duty(in)
	y[tkPressure] = physics.HeadToBar(2.8 * math.Cbrt(s.p["room"]/3750) * share)
	y[tkStirCurrent] = when(s.speed > 0 && in.driving(), s.motor.CurrentA(s.load(in))*(2-in.mains))
	y[tkStirSpeed] = 60 * s.speed
	y[tkStirVibration] = s.shake0 * s.speed * math.Hypot(1+0.5*in.extra, 5*in.damage[tkStirrer]) * s.shake.factor(in.tS)
	phase := s.phase(in)
	y[tkInlet] = when(phase == 1, 1)
	y[tkOutlet] = when(phase == 4, 1)
	y[tkPhase] = float64(phase)
}
