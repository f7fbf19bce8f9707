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

// lossEffect: bursts have no longest, and each packet that is lost in one holds
// up all that follows it. A server that sends by itself has it all in the end.
func lossEffect(_ Config, protocol string) Effect { return Effect{Jerky: protocol == "modbus"} }
