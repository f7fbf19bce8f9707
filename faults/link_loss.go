package faults

import "github.com/plantbed/plantbed/internal/strict"

func checkLinkLoss(c Config, ps *strict.Problems) {
	notNegative(ps, "good", c.Good)
	notNegative(ps, "bad", c.Bad)
	notNegative(ps, "rto", c.RTO)
	checkOneOf(ps, "way", "way", c.Way, ways)
}

// Losses follow each other: what gets through one network may be lost in the next.
func shapeLoss(c Config, _ string, s *Shape) {
	s.Losses = append(s.Losses, Loss{c.Good.D(), c.Bad.D(), c.RTO.D()})
}
