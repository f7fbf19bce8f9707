package faults

import "github.com/plantbed/plantbed/internal/strict"

func checkSensorGain(c Config, ps *strict.Problems) {
	percent.check(ps, "gain", c.Gain, nonZero, "a wrong gain")
}

// Gains multiply.
func bindSensorGain(p Plant, target string) (apply, bool) {
	ch, _, ok := p.Channel(target)
	return settle(1,
		func(open []active) float64 {
			g := 1.0
			for _, a := range open {
				g *= 1 + percent.value(a.cfg.Gain)
			}
			return g
		},
		plain(func(g float64) { ch.SetGain(g) })), ok
}
