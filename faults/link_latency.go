package faults

import "github.com/plantbed/plantbed/internal/strict"

// Spreads are how a latency can vary; the first is the default. Package wire
// says what they mean.
var Spreads = []string{"uniform", "normal", "lognormal", "pareto"}

func checkLinkLatency(c Config, ps *strict.Problems) {
	notNegative(ps, "delay", c.Delay)
	notNegative(ps, "jitter", c.Jitter)
	checkOneOf(ps, "way", "way", c.Way, ways)
	checkOneOf(ps, "spread", "spread", c.Spread, Spreads)
	if (c.Spread == "lognormal" || c.Spread == "pareto") && c.Delay == 0 {
		ps.Addf("delay", "a spread that is %s needs one above zero", c.Spread)
	}
}

// See bindLinkShape for how latencies compose.
func shapeLatency(c Config, _ string, s *Shape) {
	s.Delays = append(s.Delays, Delay{c.Delay.D(), c.Jitter.D(), c.Spread})
}

// latencyEffect: an answer is two ways off.
func latencyEffect(c Config, _ string) Effect { return Effect{Late: 2*c.Delay.D() + c.Jitter.D()} }
