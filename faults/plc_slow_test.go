package faults

import "testing"

func TestPLCSlow(t *testing.T) {
	once := func(c *Config) { c.Delay, c.Once = sec(5), true }
	runs(t, []Config{
		fault("plc.slow", "s", 10, 20, func(c *Config) { c.Delay = sec(1) }),
		fault("plc.slow", "s", 15, 10, once),
		fault("plc.slow", "s", 20, 5, once), // late once more
	},
		"10s s Slow(1s, false)",
		"15s s Slow(5s, true)",
		"20s s Slow(5s, true)",
		"25s s Slow(1s, false)",
		"30s s Slow(0s, false)",
		"30s s Clear()",
	)
	runs(t, []Config{
		fault("plc.slow", "s", 10, 20, once),
		fault("plc.slow", "s", 15, 5, func(c *Config) { c.Delay = sec(1) }),
	},
		"10s s Slow(5s, true)",
		"15s s Slow(1s, false)",
		"20s s Slow(0s, false)", // it was late once
		"30s s Slow(0s, false)",
		"30s s Clear()",
	)
}
