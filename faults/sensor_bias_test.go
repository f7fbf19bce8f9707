package faults

import "testing"

func TestSensorBias(t *testing.T) {
	runs(t, []Config{
		fault("sensor.bias", "c", 10, 20, func(c *Config) { c.Bias = "-5 %" }), // of 200
		fault("sensor.bias", "c", 20, 20, func(c *Config) { c.Bias = "2%" }),
	},
		"10s c SetBias(-10)",
		"20s c SetBias(-6)",
		"30s c SetBias(4)",
		"40s c SetBias(0)",
		"40s c Clear()",
	)
}
