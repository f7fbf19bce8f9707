package faults

import "testing"

func TestPLCNoRepublish(t *testing.T) {
	runs(t, []Config{
		fault("plc.no_republish", "s", 10, 20),
	},
		"10s s NoRepublish(true)",
		"30s s NoRepublish(false)",
		"30s s Clear()",
	)
}
