package faults

import "testing"

func TestLinkRules(t *testing.T) {
	runs(t, []Config{
		fault("link.frame", "l", 10, 20, func(c *Config) { c.Frame, c.Action, c.Delay = "response", "hold", sec(3) }),
		fault("link.cut", "l", 15, 5, func(c *Config) { c.After, c.Way = 100, ToClient }),
		fault("link.corrupt", "l", 18, 7, func(c *Config) { c.After = 7 }),
	},
		"10s l SetRules(hold response 1/1 after 0 3s)",
		"15s l SetRules(hold response 1/1 after 0 3s; cut  0/0 after 100 0s to_client)",
		"18s l SetRules(hold response 1/1 after 0 3s; cut  0/0 after 100 0s to_client; corrupt  0/0 after 7 0s)",
		"20s l SetRules(hold response 1/1 after 0 3s; corrupt  0/0 after 7 0s)",
		"25s l SetRules(hold response 1/1 after 0 3s)",
		"30s l SetRules()",
	)
}
