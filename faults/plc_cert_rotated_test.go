package faults

import "testing"

func TestPLCCertRotated(t *testing.T) {
	runs(t, []Config{
		fault("plc.cert_rotated", "s", 10, 30),
		fault("plc.cert_rotated", "s", 20, 10),
	},
		"10s s Certificate(1, false)",
		"20s s Certificate(2, false)",
		"30s s Certificate(1, false)",
		"40s s Certificate(0, false)",
		"40s s Clear()",
	)
}
