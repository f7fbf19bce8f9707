package faults

import (
	"math"

	"github.com/plantbed/plantbed/internal/strict"
)

func checkSensorNoise(c Config, ps *strict.Problems) {
	if c.Factor < 0 || math.IsNaN(c.Factor) || math.IsInf(c.Factor, 0) {
		ps.Addf("factor", "%v is not above zero", c.Factor)
	}
}

// Independent noises add up by their squares; what each window adds is the
// noise beyond the healthy one.
func bindSensorNoise(p Plant, target string) (apply, bool) {
	ch, _, ok := p.Channel(target)
	return settle(1,
		func(open []active) float64 {
			square := 1.0
			for _, a := range open {
				square += a.cfg.Factor*a.cfg.Factor - 1
			}
			return math.Sqrt(max(0, square))
		},
		plain(func(f float64) { ch.SetNoise(f) })), ok
}
