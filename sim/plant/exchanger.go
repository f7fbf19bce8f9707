package plant

import (
	"github.com/plantbed/plantbed/sim/physics"
)

const (
	hxHotIn = iota
	hxHotOut
	hxColdIn
	hxColdOut
	hxHotFlow
	hxColdFlow
	hxDrop
	hxValve
	hxPump
)

const (
	hxPlates = iota
	hxStrainer
	hxStick
)

var exchangerKind = kind{
	Kind: Kind{
		Name: "heat-exchanger",
		Doc:  "a plate heat exchanger that warms a product with hot water, which a control valve throttles; works no units",
		Params: []Param{
			{"area", "m2", 6, 0.5, 500, "of the plates"},
			{"product_flow", "l/s", 3, 0.2, 200, "cold side"},
			{"product_temp", "degC", 15, 1, 60, "cold inlet"},
			{"setpoint", "degC", 60, 20, 90, "of the product behind it"},
			{"water_temp", "degC", 88, 40, 110, "hot inlet"},
		},
		Regimes: []Regime{
			{"controls", "the valve keeps the outlet at its set point, under any flow"},
			{"at its limit", "fouled or asked too much: the valve is open and the outlet falls short"},
			{"stands", "pumps off, both sides settle"},
		},
		Signals: []SignalSpec{
			hxHotIn:    {Name: "hot/in-temp", Unit: "degC", Lo: 0, Hi: 150, Type: "float", Resolution: 0.1, Noise: 0.06, Flicker: 0.03, LagS: 20, Doc: "hot water before it"},
			hxHotOut:   {Name: "hot/out-temp", Unit: "degC", Lo: 0, Hi: 150, Type: "float", Resolution: 0.1, Noise: 0.06, Flicker: 0.03, LagS: 20, Doc: "hot water behind it"},
			hxColdIn:   {Name: "cold/in-temp", Unit: "degC", Lo: 0, Hi: 150, Type: "float", Resolution: 0.1, Noise: 0.06, Flicker: 0.03, LagS: 20, Doc: "product before it"},
			hxColdOut:  {Name: "cold/out-temp", Unit: "degC", Lo: 0, Hi: 150, Type: "float", Resolution: 0.1, Noise: 0.06, Flicker: 0.03, LagS: 20, Doc: "product behind it"},
			hxHotFlow:  {Name: "hot/flow", Unit: "l/s", Lo: 0, Hi: 20, Type: "float", Resolution: 0.001, Noise: 0.01, Flicker: 0.005, LagS: 1.5, Doc: "hot water"},
			hxColdFlow: {Name: "cold/flow", Unit: "l/s", Lo: 0, Hi: 10, Type: "float", Resolution: 0.001, Noise: 0.01, Flicker: 0.005, LagS: 1.5, Doc: "product"},
			hxDrop:     {Name: "cold/pressure-drop", Unit: "bar", Lo: 0, Hi: 10, Type: "float", Resolution: 0.001, Noise: 0.003, Flicker: 0.001, LagS: 0.2, Doc: "over strainer and plates"},
			hxValve:    {Name: "valve/position", Unit: "%", Lo: 0, Hi: 100, Type: "float", Resolution: 0.01, Noise: 0.1, Doc: "of the hot water's control valve"},
			hxPump:     {Name: "pump/current", Unit: "A", Lo: 0, Hi: 10, Type: "float", Resolution: 0.001, Noise: 0.01, Flicker: 0.005, Doc: "hot water pump"},
		},
		Components: []Component{
			hxPlates: {Name: "plates", Mode: "fouling", Doc: "deposits on the plates: more hot water for the same product, until the valve is open and the product too cold",
				Law: physics.Diffusion, Shows: "valve/position", LookAlike: LookAlike{Doc: "more product through it", Load: 1.15}},
			hxStrainer: {Name: "strainer", Mode: "clogging", Doc: "the strainer before it clogs: pressure drop, less product",
				Law: physics.Erosion, Shows: "cold/pressure-drop", LookAlike: LookAlike{Doc: "more product through it", Load: 1.15}},
			hxStick: {Name: "valve", Mode: "stiction", Doc: "the control valve sticks: position, flow and temperature swing",
				Law: physics.Abrasion, Skill: "electrical", Shows: "valve/position", LookAlike: LookAlike{Doc: "colder product: the valve stands elsewhere", Recipe: map[string]string{"product_temp": "9 degC"}}},
		},
	},
	utility: true,
	recipe:  []string{"product_flow", "product_temp", "setpoint", "water_temp"},
	build:   newExchanger,
	spans: func(p params, s []SignalSpec) {
		s[hxHotFlow].stretch(p["product_flow"] / 3)
		s[hxColdFlow].stretch(p["product_flow"] / 3)
		s[hxPump].stretch(p["product_flow"] / 3)
	},
}

type exchanger struct {
	hx         physics.Exchanger
	flowLPS    float64
	inC        float64
	setC       float64
	waterC     float64
	motor      physics.Motor
	feed, warm wobble
	push       wobble

	runs       float64
	valve      physics.Valve
	signal     float64 // of the controller, %
	integral   float64
	hotC, outC float64
}

const waterJPerLK = 4180

func newExchanger(p params, c chance) model {
	w := p["product_flow"] * waterJPerLK
	return &exchanger{
		hx: physics.Exchanger{AreaM2: p["area"], CleanU: 3200 * p["product_flow"] / 3 * 6 / p["area"] * c.spread("plates", 0.05), HotWPK: 1.5 * w, ColdWPK: w,
			MostRf: 4e-4 * 3 / p["product_flow"] * p["area"] / 6},
		flowLPS: p["product_flow"], inC: p["product_temp"], setC: p["setpoint"], waterC: p["water_temp"],
		motor: physics.NewMotor(max(0.37, 0.3*p["product_flow"]), 3000),
		feed:  c.wobble("feed", 0.02, 200), warm: c.wobble("warm", 0.8, 600), push: c.wobble("push", 0.01, 2.1),
		signal: 50, integral: 50, valve: physics.Valve{Pct: 50}, hotC: p["water_temp"], outC: p["setpoint"],
	}
}

func (m *exchanger) fork() model { c := *m; return &c }

func (m *exchanger) inherit(old model) {
	o := old.(*exchanger)
	m.runs, m.valve, m.signal, m.integral, m.hotC, m.outC = o.runs, o.valve, o.signal, o.integral, o.hotC, o.outC
}

// shares of the rated flows: what the strainer lets through and what the valve does.
func (m *exchanger) shares(in *inputs) (hot, cold float64) {
	cold = (1 + in.extra) * m.feed.factor(in.tS) * (1 - 0.15*in.damage[hxStrainer]) * m.runs
	return max(0.02, m.valve.Pct/100) * m.runs, max(0, cold)
}

// outlet is where the product's temperature is heading.
func (m *exchanger) outlet(in *inputs) (hotOutC, coldOutC float64) {
	hot, cold := m.shares(in)
	if m.runs < 0.05 || cold < 0.02 {
		return in.ambientC, in.ambientC
	}
	return m.hx.Outlets(m.waterC+m.warm.offset(in.tS), m.inC, hot, cold, in.damage[hxPlates])
}

func (m *exchanger) advance(in *inputs, dtS float64) {
	target := 0.0
	if in.driving() {
		target = 1
	}
	rounds, h := 1, dtS
	if in.steady {
		rounds, h = 400, 2 // the controller has to find its place
		m.runs = target
	}
	for range rounds {
		m.control(in, h)
	}
	m.runs = spin(m.runs, target, dtS, 2.5)
}

// control is a PI controller with the plates' thermal inertia.
func (m *exchanger) control(in *inputs, dtS float64) {
	hotC, outC := m.outlet(in)
	m.hotC = physics.Settle(m.hotC, hotC, dtS, 14)
	m.outC = physics.Settle(m.outC, outC, dtS, 11)
	if in.driving() && dtS > 0 {
		e := m.setC - m.outC
		m.integral = min(max(m.integral+0.05*e*dtS, 0), 100)
		m.signal = min(max(m.integral+1.2*e, 0), 100)
	}
	m.valve.StickPct, m.valve.JumpPct = 8*in.damage[hxStick], 4*in.damage[hxStick]
	m.valve.Step(m.signal)
}

func (m *exchanger) powerKW(in *inputs) float64 { return when(in.driving(), 0.7*m.motor.RatedKW) }

func (m *exchanger) measure(in *inputs, dtS float64, y []float64) {
	s := *m
	s.advance(in, dtS)
	hot, cold := s.shares(in)
	push := s.push.factor(in.tS)
	y[hxHotIn] = s.waterC + s.warm.offset(in.tS)
	y[hxHotOut] = s.hotC
	y[hxColdIn] = s.inC + 0.3*s.warm.offset(in.tS+5000)
	y[hxColdOut] = s.outC
	y[hxHotFlow] = 1.5 * s.flowLPS * hot * push
	y[hxColdFlow] = s.flowLPS * cold * push
	y[hxDrop] = 0.4 * cold * cold * physics.FilterDrop(0.8*in.damage[hxStrainer]) * push * push
	y[hxValve] = s.valve.Pct
	y[hxPump] = when(in.driving(), s.motor.CurrentA(0.5+0.3*hot)*(2-in.mains))
}
