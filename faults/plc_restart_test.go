package faults

import "testing"

func TestPLCRestart(t *testing.T) {
	runs(t, []Config{
		fault("plc.restart", "s", 10, 10),
		fault("plc.restart", "s", 15, 10, func(c *Config) { c.IDs = "same" }),
	},
		"10s s Restart(true, false)",
		"15s s Restart(true, true)",
		"25s s Restart(false, true)",
		"25s s Clear()",
	)
}
