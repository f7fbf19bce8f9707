package plant

import (
	"math"

	"github.com/plantbed/plantbed/sim/physics"
)

// surroundings is what all machines of a plant share: the hall's air, the
// mains, the compressor. It has no state
// but what SetAmbient has set.
type surroundings struct {
	weather, draught, mains, load physics.Drift
	compressorPhase               float64
	hall                          hall
}

func newSurroundings(c chance) *surroundings {
	return &surroundings{
		weather:         physics.Drift{Key: c.key("weather"), TauS: 1800},
		draught:         physics.Drift{Key: c.key("draught"), TauS: 420},
		mains:           physics.Drift{Key: c.key("mains"), TauS: 90},
		load:            physics.Drift{Key: c.key("load"), TauS: 11},
		compressorPhase: physics.KeyedUniform(c.key("compressor"), 0),
	}
}

// compressorS is the compressor's cycle: pumps up in a quarter of it.
const compressorS = 97

func (s *surroundings) at(tS float64, in *inputs) {
	in.tS = tS
	in.ambientC = 22 + 0.8*s.weather.At(tS) + 0.3*s.draught.At(tS) + s.hall.at(tS)
	in.mains = 1 + 0.006*s.mains.At(tS) + 0.002*s.load.At(tS)
	x := tS/compressorS + s.compressorPhase
	x -= math.Floor(x)
	if x < 0.25 {
		in.airBar = 6.2 + 0.8*x/0.25
	} else {
		in.airBar = 7 - 0.8*(x-0.25)/0.75
	}
}
