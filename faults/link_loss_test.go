package faults

import "testing"

func TestLinkLoss(t *testing.T) {
	runs(t, []Config{
		fault("link.loss", "l", 10, 20, func(c *Config) { c.Good, c.Bad = sec(20), sec(1) }),
		fault("link.latency", "l", 15, 5, func(c *Config) { c.Delay = sec(2) }),
	},
		"10s l SetShape(loss 20s/1s)",
		"15s l SetShape(2s + loss 20s/1s)",
		"20s l SetShape(loss 20s/1s)",
		"30s l SetShape()",
	)
}
