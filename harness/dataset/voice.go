package dataset

import (
	"math"
	"math/rand/v2"

	"github.com/plantbed/plantbed/sim"
	"github.com/plantbed/plantbed/sim/physics"
)

// voice is how one bearing of one unit sounds, whatever happens to it.
type voice struct {
	modes  []physics.Mode
	around physics.Background
	// slip of the balls, as a share of the time between two impacts: real ones
	// have 0.3 to 2 %, and without it there would be razor-sharp lines up to
	// high harmonics, by which alone a model could tell.
	slip float64
	// belt between the motor and a shaft whose speed nobody measures.
	belt    float64
	strayHz float64
}

func newVoice(serial uint64, name string) voice {
	rng := sim.Rand(serial, name+"/housing")
	v := voice{modes: physics.HousingModes(rng.Uint64()), around: physics.DrawBackground(rng)}
	v.slip = 0.006 + 0.014*rng.Float64()
	v.belt = math.Exp(0.5 * (rng.Float64() - 0.5))
	v.strayHz = meanStrayHz * 2 * rng.Float64()
	return v
}

// The ratio of impacts at damage 1 to the healthy background, where a machine
// has no signal to say it; that of package plant's pump.
const failedRatio = 10

// meanStrayHz is how often something else in the hall knocks on a machine: one
// recording in a dozen has such a blow, and nothing is wrong.
const meanStrayHz = 0.5

// record fills x, in g, with a bearing of so much damage whose RMS is total.
func (v *voice) record(x []float64, race physics.Race, damage, total, shaftHz, rateHz float64, rng *rand.Rand) {
	b := physics.Burst{Geometry: geometry, ShaftHz: shaftHz, RateHz: rateHz, Modes: v.modes, Around: &v.around, Slip: v.slip, StrayHz: v.strayHz}
	// Of two parts whose squares add, one so many times the other.
	b.BackgroundG = total / math.Hypot(1, failedRatio*damage)
	if damage > 0 {
		// One small spall knocks; in the end the whole race is rough.
		fault, rough := b.BackgroundG*failedRatio*damage, damage*damage
		b.Race, b.SpallMM = race, 1+4*damage
		b.ImpactG, b.RoughG = fault*math.Sqrt(1-rough*rough), fault*rough
	}
	b.Record(x, rng)
}

// geometry of every bearing.
var geometry = physics.SKF6205
