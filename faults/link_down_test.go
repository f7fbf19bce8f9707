package faults

import "testing"

func TestLinkDown(t *testing.T) {
	runs(t, []Config{
		fault("link.down", "l", 10, 10),
		fault("link.down", "l", 15, 15, func(c *Config) { c.Mode = "blackhole" }),
		fault("link.down", "l2", 17, 1),
		fault("link.down", "l", 40, 0, func(c *Config) { c.Mode = "fin" }), // to the end
	},
		"10s l Down(rst)",
		"15s l Down(blackhole)",
		"17s l2 Down(rst)",
		"18s l2 Up()",
		"30s l Up()",
		"40s l Down(fin)",
	)
}
