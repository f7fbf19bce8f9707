package faults

import "github.com/plantbed/plantbed/internal/strict"

func checkLinkBandwidth(c Config, ps *strict.Problems) {
	bandwidth.check(ps, "rate", c.Rate, positive, "above zero; what lets nothing pass is link.stall")
}

// The narrowest place decides.
func bindLinkBandwidth(p Plant, target string) (apply, bool) {
	l, ok := p.Link(target)
	return settle(0,
		func(open []active) float64 {
			least := bandwidth.value(open[0].cfg.Rate)
			for _, a := range open {
				least = min(least, bandwidth.value(a.cfg.Rate))
			}
			return least
		},
		plain(func(bps float64) { l.SetBandwidth(bps) })), ok
}
