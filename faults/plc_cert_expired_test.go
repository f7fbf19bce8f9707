package faults

import "testing"

func TestPLCCertExpired(t *testing.T) {
	runs(t, []Config{
		fault("plc.cert_expired", "s", 10, 20),
		fault("plc.cert_rotated", "s", 20, 20), // the new one has expired as well
	},
		"10s s Certificate(0, true)",
		"20s s Certificate(2, true)",
		"30s s Certificate(2, false)",
		"40s s Certificate(0, false)",
		"40s s Clear()",
	)
}
