package faults

import "testing"

func TestGatewayConfigPush(t *testing.T) {
	runs(t, []Config{
		fault("gateway.config_push", "", 10, 0, func(c *Config) { c.Every, c.Times = sec(10), 2 }),
	},
		"10s gateway PushConfig()",
		"20s gateway PushConfig()",
	)
}
