package faults

import "testing"

func TestGatewayKill(t *testing.T) {
	runs(t, []Config{
		fault("gateway.kill", "", 10, 20),
		fault("gateway.kill", "gateway", 15, 20),
		fault("gateway.kill", "", 50, 0), // and stays dead
	},
		"10s gateway Kill()",
		"35s gateway Restart()",
		"50s gateway Kill()",
	)
}
