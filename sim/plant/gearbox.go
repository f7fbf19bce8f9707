package plant

import (
	"math"

	"github.com/plantbed/plantbed/sim/physics"
)

const (
	gbSpeed = iota
	gbTorque
	gbMesh
	gbSideband
	gbVibration
	gbOilTemp
	gbOilPressure
	gbParticles
	gbPower
)

const (
	gbTooth = iota
	gbFlank
	gbBearing
	gbOil
)

var gearboxKind = kind{
	Kind: Kind{
		Name: "gearbox",
		Doc:  "an industrial gearbox under a varying load, with its oil; works no units",
		Params: []Param{
			{"motor_power", "kW", 45, 1, 2000, "rated power"},
			{"load", "%", 70, 5, 110, "of rated power, usual"},
			{"speed", "rpm", 1480, 100, 3600, "input shaft"},
			{"ratio", "", 5.6, 1.1, 200, "of reduction"},
		},
		Regimes: []Regime{
			{"drives", "under a load that swings in tens of seconds"},
			{"coasts", "speed falls, oil stays warm for an hour"},
			{"stands", "cold oil"},
		},
		Signals: []SignalSpec{
			gbSpeed:       {Name: "input/speed", Unit: "rpm", Lo: 0, Hi: 2000, Type: "float", Resolution: 0.1, Noise: 0.5, Doc: "input shaft"},
			gbTorque:      {Name: "output/torque", Unit: "Nm", Lo: 0, Hi: 4000, Type: "float", Resolution: 0.5, Noise: 4, Flicker: 2, LagS: 0.1, Doc: "output shaft"},
			gbMesh:        {Name: "mesh/vibration", Unit: "g", Lo: 0, Hi: 30, Type: "float", Resolution: 0.001, Noise: 0.01, Flicker: 0.004, Doc: "amplitude of the tooth mesh line"},
			gbSideband:    {Name: "mesh/sidebands", Unit: "%", Lo: 0, Hi: 200, Type: "float", Resolution: 0.01, Noise: 0.3, Doc: "energy of its sidebands over its own"},
			gbVibration:   {Name: "bearing/vibration", Unit: "g", Lo: 0, Hi: 30, Type: "float", Resolution: 0.001, Noise: 0.008, Flicker: 0.004, Fast: true, Doc: "acceleration RMS at the input bearing"},
			gbOilTemp:     {Name: "oil/temp", Unit: "degC", Lo: 0, Hi: 150, Type: "float", Resolution: 0.1, Noise: 0.1, Flicker: 0.05, LagS: 20, Doc: "oil sump"},
			gbOilPressure: {Name: "oil/pressure", Unit: "bar", Lo: 0, Hi: 10, Type: "float", Resolution: 0.001, Noise: 0.01, Flicker: 0.004, LagS: 0.2, Doc: "behind the oil pump"},
			gbParticles:   {Name: "oil/particles", Unit: "1/s", Lo: 0, Hi: 200, Type: "float", Resolution: 0.01, Noise: 0.1, LagS: 30, Doc: "metal particles counted"},
			gbPower:       {Name: "input/power", Unit: "kW", Lo: 0, Hi: 100, Type: "float", Resolution: 0.01, Noise: 0.1, Flicker: 0.05, Doc: "at the input shaft"},
		},
		Components: []Component{
			gbTooth: {Name: "tooth", Mode: "tooth_crack", Doc: "a crack in the root of a tooth: one knock a turn, sidebands of the mesh line",
				Law: physics.Crack, Shows: "mesh/sidebands", LookAlike: LookAlike{Doc: "a harder driven load", Load: 1.25}},
			gbFlank: {Name: "flanks", Mode: "tooth_wear", Doc: "worn flanks: the mesh line grows, metal in the oil",
				Law: physics.Erosion, Shows: "mesh/vibration", LookAlike: LookAlike{Doc: "a harder driven load", Load: 1.25}},
			gbBearing: {Name: "bearing", Mode: "bearing_wear", Doc: "the input bearing: vibration and particles",
				Law: physics.Spall, Shows: "bearing/vibration", LookAlike: LookAlike{Doc: "a harder driven load", Load: 1.3}},
			gbOil: {Name: "oil", Mode: "lubrication_loss", Doc: "old or little oil: heat, friction, less oil pressure",
				Law: physics.Abrasion, Shows: "oil/temp", LookAlike: LookAlike{Doc: "a warm day in the hall", AmbientK: 8}},
		},
	},
	utility: true,
	recipe:  []string{"load", "speed"},
	build:   newGearbox,
	spans: func(p params, s []SignalSpec) {
		s[gbSpeed].stretch(p["speed"] / 1480)
		s[gbPower].stretch(p["motor_power"] / 45)
		s[gbTorque].stretch(p["motor_power"] / p["speed"] * p["ratio"] / (45. / 1480 * 5.6))
	},
}

type gearbox struct {
	ratedKW, usual, rpm, ratio float64
	mesh0, shake0              float64
	demand, shake, hum         wobble

	speed float64
	oilK  float64
}

func newGearbox(p params, c chance) model {
	return &gearbox{
		ratedKW: p["motor_power"], usual: p["load"] / 100, rpm: p["speed"], ratio: p["ratio"],
		mesh0: 0.5 * c.spread("mesh", 0.12), shake0: 0.35 * c.spread("shake", 0.1),
		demand: c.wobble("demand", 0.06, 25), shake: c.wobble("shake", 0.05, 1.9), hum: c.wobble("hum", 0.04, 1.2),
	}
}

func (m *gearbox) fork() model { c := *m; return &c }

func (m *gearbox) inherit(old model) {
	o := old.(*gearbox)
	m.speed, m.oilK = o.speed, o.oilK
}

func (m *gearbox) load(in *inputs) float64 {
	return m.usual * m.demand.factor(in.tS) * (1 + in.extra) * m.speed
}

// lossKW: 1.5 % of what goes through, churning, and what bad oil adds.
func (m *gearbox) lossKW(in *inputs) float64 {
	return m.ratedKW * (0.015*m.load(in) + 0.008*m.speed*m.speed) * (1 + 0.8*in.damage[gbOil] + 0.3*in.damage[gbFlank])
}

func (m *gearbox) advance(in *inputs, dtS float64) {
	target := 0.0
	if in.driving() {
		target = 1
	}
	m.oilK = physics.Settle(m.oilK, 38*m.lossKW(in)/(m.ratedKW*0.0185), dtS, 2700)
	m.speed = spin(m.speed, target, dtS, 2.4)
}

func (m *gearbox) powerKW(in *inputs) float64 {
	return when(in.driving(), m.load(in)*m.ratedKW+m.lossKW(in))
}

func (m *gearbox) measure(in *inputs, dtS float64, y []float64) {
	s := *m
	s.advance(in, dtS)
	d, load := in.damage, s.load(in)
	oilC := in.ambientC + s.oilK
	hum, shake := s.hum.factor(in.tS), s.shake.factor(in.tS)
	y[gbSpeed] = s.rpm * s.speed * (1 - 0.01*(load-s.usual))
	y[gbTorque] = load * s.ratedKW * 1000 / (s.rpm * 2 * math.Pi / 60) * s.ratio * when(s.speed > 0, 1)
	y[gbMesh] = s.mesh0 * s.speed * (0.3 + load) * (1 + 2.5*d[gbFlank]) * hum
	y[gbSideband] = when(s.speed > 0, (12+6*(load-s.usual)/s.usual+70*d[gbTooth]+15*d[gbFlank])*hum)
	y[gbVibration] = s.shake0 * s.speed * math.Hypot(0.5+load, 6*d[gbBearing]+2*d[gbTooth]) * shake
	y[gbOilTemp] = oilC
	y[gbOilPressure] = 3.2 * s.speed * math.Exp(-0.012*(oilC-60)) * (1 - 0.35*d[gbOil]) * (0.9 + 0.1*hum)
	y[gbParticles] = s.speed * (0.8 + 0.6*load + 12*d[gbFlank] + 9*d[gbBearing]*d[gbBearing] + 3*d[gbTooth]) * shake
	y[gbPower] = s.powerKW(in)
}
