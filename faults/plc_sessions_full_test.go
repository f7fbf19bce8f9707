package faults

import "testing"

func TestPLCSessionsFull(t *testing.T) {
	runs(t, []Config{
		fault("plc.sessions_full", "s", 10, 20),
	},
		"10s s SessionsFull(true)",
		"30s s SessionsFull(false)",
		"30s s Clear()",
	)
}
