package faults

import "github.com/plantbed/plantbed/internal/strict"

type spike struct{ chance, amplitude float64 }

func checkSensorSpike(c Config, ps *strict.Problems) {
	percent.check(ps, "chance", c.Chance, func(v float64) bool { return v > 0 && v <= 1 }, "above 0 % and at most 100 %")
	percent.check(ps, "amplitude", c.Amplitude, positive, "above zero")
}

// A reading is spared only if every window spares it; the largest amplitude shows.
func bindSensorSpike(p Plant, target string) (apply, bool) {
	ch, span, ok := p.Channel(target)
	return settle(spike{},
		func(open []active) (s spike) {
			for _, a := range open {
				s.chance += (1 - s.chance) * percent.value(a.cfg.Chance)
				s.amplitude = max(s.amplitude, percent.value(a.cfg.Amplitude)*span.width())
			}
			return s
		},
		plain(func(s spike) { ch.Spike(s.chance, s.amplitude) })), ok
}
