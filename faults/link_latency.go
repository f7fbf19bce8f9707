package faults

import (
	"time"

	"github.com/plantbed/plantbed/internal/strict"
)

type latency struct{ delay, jitter time.Duration }

func checkLinkLatency(c Config, ps *strict.Problems) {
	notNegative(ps, "delay", c.Delay)
	notNegative(ps, "jitter", c.Jitter)
}

// Delays add up, as those of networks one behind the other do.
func bindLinkLatency(p Plant, target string) (apply, bool) {
	l, ok := p.Link(target)
	return settle(latency{},
		func(open []active) (sum latency) {
			for _, a := range open {
				sum.delay += a.cfg.Delay.D()
				sum.jitter += a.cfg.Jitter.D()
			}
			return sum
		},
		plain(func(v latency) { l.SetLatency(v.delay, v.jitter) })), ok
}
