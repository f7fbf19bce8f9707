package faults

import "testing"

func TestPLCFreeze(t *testing.T) {
	runs(t, []Config{
		fault("plc.freeze", "s", 10, 20),
	},
		"10s s Freeze(true)",
		"30s s Freeze(false)",
		"30s s Clear()",
	)
}
