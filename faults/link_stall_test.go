package faults

import "testing"

func TestLinkStall(t *testing.T) {
	runs(t, []Config{
		fault("link.stall", "l", 10, 20),
		fault("link.stall", "l", 20, 20),
	},
		"10s l Stall(true)",
		"40s l Stall(false)",
	)
}
