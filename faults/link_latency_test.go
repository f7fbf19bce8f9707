package faults

import "testing"

func TestLinkLatency(t *testing.T) {
	runs(t, []Config{
		fault("link.latency", "l", 10, 20, func(c *Config) { c.Delay = sec(2) }),
		fault("link.latency", "l", 20, 20, func(c *Config) { c.Delay, c.Jitter = sec(3), sec(1) }),
	},
		"10s l SetShape(2s)",
		"20s l SetShape(2s + 3s±1s)",
		"30s l SetShape(3s±1s)",
		"40s l SetShape()",
	)
}
