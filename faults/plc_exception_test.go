package faults

import "testing"

func TestPLCException(t *testing.T) {
	runs(t, []Config{
		fault("plc.exception", "s", 10, 20),
		fault("plc.exception", "s", 20, 20, func(c *Config) {
			c.Code, c.On, c.Scope, c.Chance = "bad_address", "read", "item", "5 %"
		}),
	},
		`10s s Refuse("busy", "", 1, false)`,
		`20s s Refuse("bad_address", "read", 0.05, true)`,
		`40s s Refuse("", "", 0, false)`,
		"40s s Clear()",
	)
}
