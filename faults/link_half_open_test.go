package faults

import "testing"

func TestLinkHalfOpen(t *testing.T) {
	runs(t, []Config{
		fault("link.half_open", "l", 10, 20),
		fault("link.half_open", "l", 15, 5, func(c *Config) { c.End = "client" }),
	},
		"10s l HalfOpen(true)",
		"15s l HalfOpen(false)",
		"30s l Mend()",
	)
}
