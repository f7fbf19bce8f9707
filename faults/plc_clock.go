package faults

import (
	"time"

	"github.com/plantbed/plantbed/internal/strict"
)

func checkPLCClock(c Config, ps *strict.Problems) {
	if c.Offset == 0 && c.Drift == "" {
		ps.Add("offset", "is missing: a wrong clock has an offset, such as \"-1h\", a drift, such as \"50 ppm\", or both")
	}
	ppm.check(ps, "drift", c.Drift, nonZero, "a drift")
}

// Offsets and drifts add up. A drift starts when the switch is turned, so what
// earlier windows have gained by then becomes part of the offset.
func bindPLCClock(p Plant, target string) (apply, bool) {
	sw, ok := p.Switch(target)
	return func(now time.Duration, open []active) error {
		var sum time.Duration
		var drift float64
		for _, a := range open {
			d := ppm.value(a.cfg.Drift)
			drift += d
			sum += a.cfg.Offset.D() + time.Duration(d*float64(now-a.From))
		}
		sw.Clock(sum, drift)
		return nil
	}, ok
}
