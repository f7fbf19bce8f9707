package faults

import "testing"

func TestLinkBandwidth(t *testing.T) {
	runs(t, []Config{
		fault("link.bandwidth", "l", 10, 30, func(c *Config) { c.Rate = "64 KiB/s" }),
		fault("link.bandwidth", "l", 15, 5, func(c *Config) { c.Rate = "8 kbit/s" }),
		fault("link.bandwidth", "l", 25, 5, func(c *Config) { c.Rate = "1 MB/s" }), // wider: changes nothing
	},
		"10s l SetShape(65536 B/s)",
		"15s l SetShape(1000 B/s)",
		"20s l SetShape(65536 B/s)",
		"40s l SetShape()",
	)
}
