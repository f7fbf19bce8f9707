package faults

import "testing"

func TestGatewayClock(t *testing.T) {
	runs(t, []Config{
		fault("gateway.clock", "", 10, 20, func(c *Config) { c.Offset = sec(3600) }),
		fault("gateway.clock", "", 15, 5, func(c *Config) { c.Drift = "100000 ppm" }),
	},
		"10s gateway Clock(1h0m0s, 0)",
		"15s gateway Clock(1h0m0s, 0.1)",
		"20s gateway Clock(1h0m0s, 0)",
		"30s gateway Clock(0s, 0)",
	)
}
