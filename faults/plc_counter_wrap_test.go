package faults

import "testing"

func TestPLCCounterWrap(t *testing.T) {
	runs(t, []Config{
		fault("plc.counter_wrap", "s", 10, 20),
		fault("plc.counter_wrap", "s", 40, 10, func(c *Config) { c.Scans = 3 }),
	},
		"10s s WrapCounter(10)",
		"30s s WrapCounter(0)",
		"30s s Clear()",
		"40s s WrapCounter(3)",
		"50s s WrapCounter(0)",
		"50s s Clear()",
	)
}
