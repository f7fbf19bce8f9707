package faults

import (
	"math"

	"github.com/plantbed/plantbed/internal/strict"
)

func checkSensorTemperature(c Config, ps *strict.Problems) {
	percent.check(ps, "per_kelvin", c.PerKelvin, func(v float64) bool { return v != 0 && math.Abs(v) <= 0.05 }, "a share of the span, not 0 and at most 5 %")
}

// What the open windows add for each kelvin adds up.
func bindSensorTemperature(p Plant, target string) (apply, bool) {
	ch, span, ok := p.Channel(target)
	return settle(0,
		func(open []active) float64 {
			sum := 0.0
			for _, a := range open {
				sum += percent.value(a.cfg.PerKelvin) * span.width()
			}
			return sum
		},
		plain(func(v float64) { ch.SetCross(v) })), ok
}
