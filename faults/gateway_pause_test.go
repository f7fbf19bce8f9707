package faults

import "testing"

func TestGatewayPause(t *testing.T) {
	runs(t, []Config{
		fault("gateway.pause", "", 10, 20),
	},
		"10s gateway Pause(true)",
		"30s gateway Pause(false)",
	)
}
