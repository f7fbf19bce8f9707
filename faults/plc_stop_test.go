package faults

import "testing"

func TestPLCStop(t *testing.T) {
	runs(t, []Config{
		fault("plc.stop", "s", 10, 20),
		fault("plc.stop", "s", 15, 30),
	},
		"10s s Stop()",
		"45s s Start()",
		"45s s Clear()",
	)
}
