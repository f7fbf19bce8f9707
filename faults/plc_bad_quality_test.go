package faults

import "testing"

func TestPLCBadQuality(t *testing.T) {
	runs(t, []Config{
		fault("plc.bad_quality", "s", 10, 20),
		fault("plc.bad_quality", "s", 20, 20, func(c *Config) { c.Quality = "UncertainLastUsableValue" }),
	},
		"10s s BadQuality(BadDeviceFailure)",
		"20s s BadQuality(UncertainLastUsableValue)",
		"40s s BadQuality(Good)",
		"40s s Clear()",
	)
}
