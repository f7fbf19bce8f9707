package faults

import "github.com/plantbed/plantbed/internal/strict"

func checkLinkBandwidth(c Config, ps *strict.Problems) {
	bandwidth.check(ps, "rate", c.Rate, positive, "above zero; what lets nothing pass is link.stall")
	checkOneOf(ps, "way", "way", c.Way, ways)
}

// The narrowest place decides.
func shapeBandwidth(c Config, _ string, s *Shape) { s.narrow(bandwidth.value(c.Rate)) }

// narrow limits the rate; 0 is no limit.
func (s *Shape) narrow(rate float64) {
	if rate > 0 && (s.Rate == 0 || rate < s.Rate) {
		s.Rate = rate
	}
}
