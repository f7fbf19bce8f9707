package plant

import (
	"math"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/physics"
)

// Signals and components of a pump skid, in the order of their tables.
const (
	psCurrent = iota
	psSpeed
	psWinding
	psDEVibration
	psDEKurtosis
	psDETemp
	psNDEVibration
	psNDETemp
	psSuction
	psDischarge
	psFlow
	psPumpVibration
	psCasing
	psLevel
	psTankTemp
	psMakeUp
	psSignals
)

const (
	psBearingDE = iota
	psBearingNDE
	psImpeller
	psCooling
)

var pumpSkidKind = kind{
	Kind: Kind{
		Name: "pump-skid",
		Doc:  "a tank with make-up valve and a centrifugal pump that keeps product circulating past the filler; first station of a line",
		Params: []Param{
			{"cycle", "ms", 800, 10, 600_000, "ideal time to supply one portion"},
			{"portion", "l", 0.75, 0.01, 100, "product per unit"},
			{"flow", "l/s", 10, 1, 100, "circulation at the duty point"},
			{"head", "m", 24, 5, 120, "head at the duty point"},
			{"motor_power", "kW", 5.5, 0.37, 250, "rated power of the motor"},
			{"tank", "l", 2000, 100, 100_000, "size of the tank"},
			{"product_temp", "degC", 12, 1, 90, "temperature of the make-up"},
		},
		Regimes: []Regime{
			{"circulates", "the filler draws: the pump at its duty point, the tank between its two marks"},
			{"throttled", "the filler draws nothing: a quarter more resistance, less flow, more head"},
			{"make-up", "the valve is open and the tank warms or cools towards the make-up"},
			{"stands", "coasts down, cools, the tank keeps its level"},
		},
		Signals: []SignalSpec{
			psCurrent:       {Name: "motor/current", Unit: "A", Lo: 0, Hi: 20, Type: "float", Resolution: 0.01, Noise: 0.03, Fast: true, Doc: "motor current"},
			psSpeed:         {Name: "motor/speed", Unit: "rpm", Lo: 0, Hi: 1800, Type: "int16", Resolution: 1, Noise: 0.5, Doc: "shaft speed"},
			psWinding:       {Name: "motor/winding-temp", Unit: "degC", Lo: 0, Hi: 180, Type: "float", Resolution: 0.1, Noise: 0.1, Doc: "hottest winding"},
			psDEVibration:   {Name: "motor/bearing-de/vibration", Unit: "g", Lo: 0, Hi: 5, Type: "float", Resolution: 0.001, Noise: 0.001, Fast: true, Doc: "acceleration RMS at the drive end bearing"},
			psDEKurtosis:    {Name: "motor/bearing-de/kurtosis", Unit: "1", Lo: 0, Hi: 25, Type: "float", Resolution: 0.001, Noise: 0.02, Doc: "kurtosis of the acceleration there"},
			psDETemp:        {Name: "motor/bearing-de/temp", Unit: "degC", Lo: 0, Hi: 150, Type: "float", Resolution: 0.1, Noise: 0.08, Doc: "drive end bearing"},
			psNDEVibration:  {Name: "motor/bearing-nde/vibration", Unit: "g", Lo: 0, Hi: 5, Type: "float", Resolution: 0.001, Noise: 0.001, Fast: true, Doc: "acceleration RMS at the other bearing"},
			psNDETemp:       {Name: "motor/bearing-nde/temp", Unit: "degC", Lo: 0, Hi: 150, Type: "float", Resolution: 0.1, Noise: 0.08, Doc: "non-drive end bearing"},
			psSuction:       {Name: "pump/suction-pressure", Unit: "bar", Lo: -1, Hi: 3, Type: "float", Resolution: 0.001, Noise: 0.001, Doc: "gauge pressure before the pump"},
			psDischarge:     {Name: "pump/discharge-pressure", Unit: "bar", Lo: 0, Hi: 6, Type: "float", Resolution: 0.001, Noise: 0.004, Fast: true, Doc: "gauge pressure behind the pump"},
			psFlow:          {Name: "pump/flow", Unit: "l/s", Lo: 0, Hi: 16, Type: "double", Resolution: 0.001, Noise: 0.03, Doc: "circulating flow"},
			psPumpVibration: {Name: "pump/vibration", Unit: "mm/s", Lo: 0, Hi: 30, Type: "float", Resolution: 0.01, Noise: 0.02, Doc: "velocity RMS of the casing, 10 to 1000 Hz"},
			psCasing:        {Name: "pump/casing-temp", Unit: "degC", Lo: 0, Hi: 120, Type: "float", Resolution: 0.1, Noise: 0.08, Doc: "pump casing at the seal"},
			psLevel:         {Name: "tank/level", Unit: "%", Lo: 0, Hi: 100, Type: "float", Resolution: 0.01, Noise: 0.05, Doc: "tank level"},
			psTankTemp:      {Name: "tank/temp", Unit: "degC", Lo: 0, Hi: 120, Type: "float", Resolution: 0.1, Noise: 0.05, Doc: "product in the tank"},
			psMakeUp:        {Name: "tank/make-up", Unit: "1", Lo: 0, Hi: 1, Type: "bool", Resolution: 1, Doc: "make-up valve is open"},
		},
		Components: []Component{
			psBearingDE: {Name: "motor/bearing-de", Mode: "bearing_wear", Doc: "a spall in the drive end bearing: vibration, kurtosis, later heat",
				Law: physics.Spall, Shows: "motor/bearing-de/vibration", LookAlike: LookAlike{Doc: "more is drawn: more flow, which shakes the whole skid", Load: 1.3}},
			psBearingNDE: {Name: "motor/bearing-nde", Mode: "bearing_wear", Doc: "the same at the non-drive end",
				Law: physics.Spall, Shows: "motor/bearing-nde/vibration", LookAlike: LookAlike{Doc: "more is drawn: more flow, which shakes the whole skid", Load: 1.3}},
			psImpeller: {Name: "pump/impeller", Mode: "impeller_wear", Doc: "head falls by up to 15 %, and flow with it",
				Law: physics.Erosion, Shows: "pump/discharge-pressure", LookAlike: LookAlike{Doc: "a valve stands further open: less pressure at more flow", Load: 1.2}},
			psCooling: {Name: "motor/cooling", Mode: "cooling_fouling", Doc: "the motor's fins clog: it runs hotter at the same load",
				Law: physics.Diffusion, Shows: "motor/winding-temp", LookAlike: LookAlike{Doc: "a warm day in the hall", AmbientK: 8}},
		},
	},
	feeds:  true,
	recipe: []string{"product_temp"},
	build:  newPumpSkid,
	check: func(p params) (problems strict.Problems) {
		if kW := physics.NewPump(p["flow"], p["head"]).Duty(1, 0, 1).ShaftKW; kW > p["motor_power"] {
			problems.Addf("motor_power", "%g kW is too weak: the pump takes %.1f kW at its duty point", p["motor_power"], kW)
		}
		if p["tank"] < 20*p["portion"] {
			problems.Addf("tank", "%g l is too small for portions of %g l; it must hold 20", p["tank"], p["portion"])
		}
		return problems
	},
	spans: func(p params, s []SignalSpec) {
		s[psCurrent].stretch(p["motor_power"] / 5.5)
		s[psDischarge].stretch(p["head"] / 24)
		s[psFlow].stretch(p["flow"] / 10)
	},
}

type pumpSkid struct {
	pump       physics.Pump
	motor      physics.Motor
	ratedRPM   float64
	bearings   [2]physics.BearingVibration
	radialN    [2]float64
	portionL   float64
	productC   float64
	vibration0 float64 // of the healthy casing, mm/s

	demand, density, turbulence, pulse wobble // of the process
	vibes                              [2]wobble
	kurtosis                           wobble

	// state
	speed    float64 // share of rated speed
	heat     physics.TwoTau
	bearingK [2]float64 // over ambient
	casingC  float64
	tankC    float64
	tank     physics.Tank
}

func newPumpSkid(p params, c chance) model {
	motor := physics.NewMotor(p["motor_power"], 1500)
	pump := physics.NewPump(p["flow"], p["head"])
	pump.BestShare *= c.spread("efficiency", 0.03)
	m := &pumpSkid{
		pump: pump, motor: motor,
		ratedRPM:   motor.SpeedRPM(pump.Duty(1, 0, 1).ShaftKW/motor.RatedKW, 1),
		portionL:   p["portion"],
		productC:   p["product_temp"],
		vibration0: 1.1 * c.spread("casing", 0.1),
		demand:     c.wobble("demand", 0.03, 240),
		density:    c.wobble("density", 0.01, 900),
		turbulence: c.wobble("turbulence", 0.005, 2.3),
		pulse:      c.wobble("pulse", 0.03, 0.7),
		kurtosis:   c.wobble("kurtosis", 0.03, 1.1),
		heat:       motor.Thermal(),
		tankC:      p["product_temp"],
		casingC:    p["product_temp"],
		tank: physics.Tank{
			CapacityL: p["tank"], LowL: 0.5 * p["tank"], HighL: 0.8 * p["tank"],
			MakeUpLPS: 1.8 * p["portion"] / (p["cycle"] / 1000),
			VolumeL:   p["tank"] * (0.5 + 0.3*physics.KeyedUniform(c.key("level"), 0)),
		},
	}
	for i, end := range []string{"de", "nde"} {
		healthy := 0.1 * c.spread(end+"/vibration", 0.1)
		m.bearings[i] = physics.BearingVibration{HealthyG: healthy, FailedG: 10 * healthy}
		m.radialN[i] = []float64{1200, 700}[i] * c.spread(end+"/load", 0.1)
		m.vibes[i] = c.wobble(end+"/vibration", 0.04, 1.7)
	}
	m.heat.FrameKPerW *= c.spread("cooling", 0.05)
	return m
}

func (m *pumpSkid) fork() model { c := *m; return &c }

func (m *pumpSkid) inherit(old model) {
	o := old.(*pumpSkid)
	m.speed, m.heat, m.bearingK, m.casingC, m.tankC, m.tank = o.speed, o.heat, o.bearingK, o.casingC, o.tankC, o.tank
}

// supply takes portions out of the tank.
func (m *pumpSkid) supply(portions float64) {
	m.tank.VolumeL = max(0, m.tank.VolumeL-portions*m.portionL)
}

// duty is the operating point now: it moves with the level in the tank, with
// what the filler draws and, slowly, with the product.
func (m *pumpSkid) duty(in *inputs) physics.Duty {
	p := m.pump
	p.StaticM -= tankHeightM * (m.tank.Share() - 0.65)
	throttle := m.demand.factor(in.tS)
	if !in.drawing {
		throttle *= 1.25
	}
	throttle /= 1 + in.extra // a valve further open asks for more
	d := p.Duty(m.speed, in.damage[psImpeller], throttle)
	d.ShaftKW *= m.density.factor(in.tS)
	return d
}

const tankHeightM = 2

func (m *pumpSkid) advance(in *inputs, dtS float64) {
	load := m.duty(in).ShaftKW / m.motor.RatedKW
	target, tauS, lossW := 0.0, 2.5, 0.0
	if in.driving() {
		target, tauS, lossW = m.motor.SpeedRPM(load, 1)/m.ratedRPM, 1.2, m.motor.LossesW(load)
	}
	shaftHz := m.speed * m.ratedRPM / 60
	m.heat.Step(lossW, 1+1.5*in.damage[psCooling], dtS)
	for i := range m.bearingK {
		friction := physics.FrictionHeatW(m.radialN[i], 25, shaftHz, in.damage[psBearingDE+i])
		m.bearingK[i] = physics.Settle(m.bearingK[i], 0.55*m.heat.FrameK+2.9*friction, dtS, 480)
	}
	m.casingC = physics.Settle(m.casingC, m.tankC+4*m.speed*m.speed, dtS, 300)
	product := m.productC
	if !m.tank.Filling {
		product += 4 // the pump's own heat, and the hall's
	}
	m.tankC = physics.Settle(m.tankC, product, dtS, 1800)
	if !in.steady {
		m.tank.Step(0, dtS)
	}
	m.speed = spin(m.speed, target, dtS, tauS)
}

func (m *pumpSkid) powerKW(in *inputs) float64 {
	if !in.driving() {
		return 0
	}
	kW := m.duty(in).ShaftKW
	return kW + m.motor.LossesW(kW/m.motor.RatedKW)/1000
}

func (m *pumpSkid) measure(in *inputs, dtS float64, y []float64) {
	s := *m
	s.advance(in, dtS)
	d := s.duty(in)
	turbulence := s.turbulence.offset(in.tS)
	// Vibration of the whole skid follows flow and its pulsation.
	common := s.pulse.offset(in.tS) + 2*turbulence + 0.8*(d.FlowLPS/s.pump.BestLPS-1)*s.speed
	y[psCurrent] = when(in.driving(), s.motor.CurrentA(d.ShaftKW/s.motor.RatedKW*(1+turbulence))*(2-in.mains))
	y[psSpeed] = s.speed * s.ratedRPM
	y[psWinding] = in.ambientC + s.heat.FrameK + s.heat.WindingK
	y[psDEVibration] = s.bearings[0].RMSg(in.damage[psBearingDE], s.speed) * (1 + common + s.vibes[0].offset(in.tS))
	y[psDEKurtosis] = s.bearings[0].Kurtosis(in.damage[psBearingDE], s.speed) * s.kurtosis.factor(in.tS)
	y[psDETemp] = in.ambientC + s.bearingK[0]
	y[psNDEVibration] = s.bearings[1].RMSg(in.damage[psBearingNDE], s.speed) * (1 + common + s.vibes[1].offset(in.tS))
	y[psNDETemp] = in.ambientC + s.bearingK[1]
	x := d.FlowLPS / s.pump.BestLPS
	lossM := 0.3 * x * x
	y[psSuction] = physics.HeadToBar(tankHeightM*s.tank.Share() - lossM)
	y[psDischarge] = y[psSuction] + physics.HeadToBar(d.HeadM)*s.density.factor(in.tS)*(1+turbulence)
	y[psFlow] = d.FlowLPS * (1 + 0.7*turbulence)
	y[psPumpVibration] = s.casing(in, x, lossM) * (1 + common)
	y[psCasing] = s.casingC
	y[psLevel] = 100 * s.tank.Share()
	y[psTankTemp] = s.tankC
	y[psMakeUp] = when(s.tank.Filling, 1)
}

// casing is the velocity of the pump's casing in mm/s: flow noise, cavitation,
// and a share of what its neighbour, the drive end bearing, gives off.
func (m *pumpSkid) casing(in *inputs, flowShare, lossM float64) float64 {
	available := physics.NPSHAvailableM(m.tankC, tankHeightM*m.tank.Share(), lossM)
	required := m.pump.NPSHRequiredM(m.speed, flowShare*m.pump.BestLPS)
	v := m.vibration0 * m.speed * m.speed * (1 + 0.6*in.damage[psImpeller])
	if required > 0 {
		v *= physics.CavitationNoise(available, required)
	}
	return math.Hypot(v, 0.6*m.bearings[0].ImpactG(in.damage[psBearingDE], m.speed))
}
