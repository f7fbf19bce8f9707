package faults

import (
	"time"

	"github.com/plantbed/plantbed/internal/strict"
)

func checkGatewayClock(c Config, ps *strict.Problems) {
	ppm.check(ps, "drift", c.Drift, nonZero, "a drift; 0 ppm is a right clock")
	if c.Offset == 0 && c.Drift == "" {
		ps.Add("offset", "is missing: a wrong clock needs offset, drift or both")
	}
}

// Offsets and drifts add up. At each edge the clock is set anew, with what the
// drifts of the open windows have gained by then.
func bindGatewayClock(p Plant, target string) (apply, bool) {
	h, ok := p.Host(target)
	return func(now time.Duration, open []active) error {
		var offset time.Duration
		var drift float64
		for _, a := range open {
			rate := ppm.value(a.cfg.Drift)
			offset += a.cfg.Offset.D() + time.Duration(rate*float64(now-a.From))
			drift += rate
		}
		return h.Clock(offset, drift)
	}, ok
}
