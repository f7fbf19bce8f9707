package faults

import "testing"

func TestGatewayBitFlip(t *testing.T) {
	runs(t, []Config{
		fault("gateway.bit_flip", "", 10, 0, func(c *Config) { c.Every, c.Times = sec(10), 2 }),
		fault("gateway.bit_flip", "", 15, 0, func(c *Config) { c.Place = "90 %" }),
	},
		"10s gateway FlipBit(0.5)",
		"15s gateway FlipBit(0.9)",
		"20s gateway FlipBit(0.5)",
	)
}
