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

func TestGatewayLife(t *testing.T) {
	runs(t, []Config{
		fault("gateway.restart", "", 10, 10),
		fault("gateway.kill", "", 15, 15, func(c *Config) { c.On, c.Nth, c.Torn = "sync", 3, true }), // before it has come back
		fault("gateway.restart", "", 25, 2), // of the dead: nothing
	},
		"10s gateway Stop()",
		"15s gateway Kill(sync 3 true)",
		"30s gateway Restart()",
	)
}
