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

func TestLinkStallOneWay(t *testing.T) {
	runs(t, []Config{
		fault("link.stall", "l", 10, 20, func(c *Config) { c.Way = ToClient }),
		fault("link.stall", "l", 20, 20),
		fault("link.stall", "l", 50, 5),
	},
		"10s l Stall(to_client true)",
		"20s l Stall(to_server true)",
		"40s l Stall(false)",
		"50s l Stall(true)",
		"55s l Stall(false)",
	)
}
