package faults

import "testing"

func TestPLCClock(t *testing.T) {
	runs(t, []Config{
		fault("plc.clock", "s", 10, 30, func(c *Config) { c.Drift = "1000 ppm" }),
		fault("plc.clock", "s", 20, 10, func(c *Config) { c.Offset = sec(-3600) }),
	},
		"10s s Clock(0s, 0.001)",
		"20s s Clock(-59m59.99s, 0.001)", // 10 s at 1000 ppm have been gained
		"30s s Clock(20ms, 0.001)",
		"40s s Clock(0s, 0)",
		"40s s Clear()",
	)
}
