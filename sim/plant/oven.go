package plant

import (
	"math"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/physics"
)

const zones = 3

// The zones' signals come first: all temperatures, then all duties.
const (
	ovTemp         = 0
	ovDuty         = ovTemp + zones
	ovFan          = ovDuty + zones
	ovFanVibration = ovFan + 1
	ovExhaust      = ovFan + 2
)

const (
	ovHeater = iota
	ovFanBearing
)

var ovenKind = kind{
	Kind: Kind{
		Name: "oven",
		Doc:  "a shrink tunnel with three electrically heated zones and a circulating fan",
		Params: []Param{
			{"cycle", "ms", 920, 10, 600_000, "ideal time per unit"},
			{"setpoint", "degC", 150, 40, 350, "temperature of the middle zone"},
			{"zone_power", "kW", 9, 0.5, 200, "heating power of a zone"},
			{"product_heat", "kW", 6, 0, 200, "heat that the product takes away at the ideal rate"},
		},
		Regimes: []Regime{
			{"bakes", "all zones at their set points, heat taken along by the product"},
			{"holds", "at temperature without product: the duty of losses alone"},
			{"cools", "switched off or aborted: zones fall towards the hall"},
		},
		Signals: []SignalSpec{
			ovTemp + 0:     {Name: "zone-1/temp", Unit: "degC", Lo: 0, Hi: 250, Type: "float", Resolution: 0.1, Noise: 0.15, Doc: "air in the first zone"},
			ovTemp + 1:     {Name: "zone-2/temp", Unit: "degC", Lo: 0, Hi: 250, Type: "float", Resolution: 0.1, Noise: 0.15, Doc: "air in the middle zone"},
			ovTemp + 2:     {Name: "zone-3/temp", Unit: "degC", Lo: 0, Hi: 250, Type: "float", Resolution: 0.1, Noise: 0.15, Doc: "air in the last zone"},
			ovDuty + 0:     {Name: "zone-1/duty", Unit: "%", Lo: 0, Hi: 100, Type: "float", Resolution: 0.1, Noise: 0.1, Doc: "heating, share of what the element can give"},
			ovDuty + 1:     {Name: "zone-2/duty", Unit: "%", Lo: 0, Hi: 100, Type: "float", Resolution: 0.1, Noise: 0.1, Doc: "the same in the middle zone"},
			ovDuty + 2:     {Name: "zone-3/duty", Unit: "%", Lo: 0, Hi: 100, Type: "float", Resolution: 0.1, Noise: 0.1, Doc: "the same in the last zone"},
			ovFan:          {Name: "fan/current", Unit: "A", Lo: 0, Hi: 20, Type: "float", Resolution: 0.01, Noise: 0.01, Doc: "fan motor"},
			ovFanVibration: {Name: "fan/vibration", Unit: "mm/s", Lo: 0, Hi: 30, Type: "float", Resolution: 0.01, Noise: 0.01, Doc: "velocity RMS of the fan's bearing"},
			ovExhaust:      {Name: "exhaust/temp", Unit: "degC", Lo: 0, Hi: 150, Type: "float", Resolution: 0.1, Noise: 0.1, Doc: "exhaust air"},
		},
		Components: []Component{
			ovHeater: {Name: "zone-2/heater", Mode: "element_ageing", Doc: "the middle element loses up to 60 % of its power: higher duty, then a colder zone and scrap",
				Law: physics.Diffusion, Shows: "zone-2/duty", LookAlike: LookAlike{Doc: "more product, or colder, takes more heat away", Load: 1.3}},
			ovFanBearing: {Name: "fan/bearing", Mode: "bearing_wear", Doc: "the fan's bearing: vibration",
				Law: physics.Spall, Shows: "fan/vibration", LookAlike: LookAlike{Doc: "a fuller oven throttles the fan into rougher air", Load: 1.4}},
		},
	},
	build:  newOven,
	recipe: []string{"setpoint", "product_heat"},
	check: func(p params) (problems strict.Problems) {
		need := zoneLoss*p["zone_power"]*(p["setpoint"]-20) + zoneShare[0]*p["product_heat"]
		if need > 0.95*p["zone_power"] {
			problems.Addf("zone_power", "%g kW is too weak: the first zone takes %.1f kW to hold %g degC", p["zone_power"], need, p["setpoint"])
		}
		return problems
	},
	spans: func(p params, s []SignalSpec) {
		for _, i := range []int{ovTemp, ovTemp + 1, ovTemp + 2, ovExhaust} {
			s[i].stretch(p["setpoint"] / 150)
		}
	},
	spoils: [maxComponents]float64{ovHeater: 0.06},
}

type oven struct {
	zone     [zones]physics.HeatedZone
	productW float64
	fan      physics.Motor
	fan0     float64 // healthy vibration, mm/s
	draught  wobble
	hum      wobble
	ripple   [zones]wobble

	exhaustC float64
	fanSpeed float64
}

// zoneLoss is a zone's loss to the hall per kelvin, as a share of its power.
const zoneLoss = 0.3 / 130

// zoneShare is how the product's heat is spread, the coldest product first.
var zoneShare = [zones]float64{0.45, 0.33, 0.22}

func newOven(p params, c chance) model {
	m := &oven{
		productW: p["product_heat"] * 1000,
		fan:      physics.NewMotor(1.5, 3000),
		fan0:     1.2 * c.spread("fan", 0.1),
		draught:  c.wobble("draught", 0.03, 300),
		hum:      c.wobble("hum", 0.04, 1.1),
	}
	for i, name := range []string{"zone-1", "zone-2", "zone-3"} {
		set := p["setpoint"] + []float64{-5, 0, -10}[i]
		maxW := p["zone_power"] * 1000
		m.zone[i] = physics.HeatedZone{
			LossWPerK: zoneLoss * maxW * c.spread(name+"/loss", 0.05),
			HeatJPerK: 9 * maxW * c.spread(name+"/mass", 0.05),
			GainWPerK: maxW / 20,
			MaxW:      maxW, SetpointC: set, TempC: set, CapacityOf: 1,
		}
		m.ripple[i] = c.wobble(name+"/ripple", 0.015, 3)
	}
	return m
}

func (m *oven) fork() model { c := *m; return &c }

func (m *oven) inherit(old model) {
	o := old.(*oven)
	for i := range m.zone {
		m.zone[i].TempC = o.zone[i].TempC
	}
	m.exhaustC, m.fanSpeed = o.exhaustC, o.fanSpeed
}

func (m *oven) product(in *inputs, i int) float64 {
	if in.state != Execute {
		return 0
	}
	return m.productW * zoneShare[i] * (1 + in.extra)
}

func (m *oven) advance(in *inputs, dtS float64) {
	mean, speed := 0.0, 0.0
	if in.powered() {
		speed = 1
	}
	for i := range m.zone {
		z := &m.zone[i]
		z.CapacityOf = m.capacity(in, i)
		z.Step(in.ambientC, m.product(in, i), dtS)
		mean += z.TempC / zones
	}
	m.exhaustC = physics.Settle(m.exhaustC, in.ambientC+0.55*(mean-in.ambientC)*m.draught.factor(in.tS), dtS, 60)
	m.fanSpeed = spin(m.fanSpeed, speed, dtS, 4)
}

// capacity of a zone's element: an aged one gives less, a switched-off one nothing.
func (m *oven) capacity(in *inputs, i int) float64 {
	switch {
	case !in.powered():
		return 0
	case i == 1:
		return 1 - 0.6*in.damage[ovHeater]
	}
	return 1
}

func (m *oven) powerKW(in *inputs) float64 {
	if !in.powered() {
		return 0
	}
	kW := driveKW(in, m.fan, 0.7*m.fanSpeed)
	for i := range m.zone {
		kW += m.zone[i].PowerW(in.ambientC, m.product(in, i)) / 1000
	}
	return kW
}

func (m *oven) measure(in *inputs, dtS float64, y []float64) {
	s := *m
	s.advance(in, dtS)
	for i := range s.zone {
		z := &s.zone[i]
		y[ovTemp+i] = z.TempC * (1 + 0.1*s.ripple[i].offset(in.tS))
		y[ovDuty+i] = 0
		if z.CapacityOf > 0 {
			duty := z.PowerW(in.ambientC, s.product(in, i)) / (z.MaxW * z.CapacityOf)
			y[ovDuty+i] = 100 * min(1, duty*(1+s.ripple[i].offset(in.tS))*(0.8+0.2*s.draught.factor(in.tS)))
		}
	}
	y[ovFan] = when(in.powered(), s.fan.CurrentA(0.7*s.draught.factor(in.tS)*s.fanSpeed)*(2-in.mains))
	y[ovFanVibration] = s.fan0 * s.fanSpeed * s.fanSpeed * math.Hypot(1, 5*in.damage[ovFanBearing]) * s.hum.factor(in.tS) * (1 + 0.4*in.extra)
	y[ovExhaust] = s.exhaustC
}
