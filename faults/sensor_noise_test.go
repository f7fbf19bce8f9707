package faults

import "testing"

func TestSensorNoise(t *testing.T) {
	runs(t, []Config{
		fault("sensor.noise", "c", 10, 20, func(c *Config) { c.Factor = 5 }),
		fault("sensor.noise", "c", 20, 20, func(c *Config) { c.Factor = 5 }),
	},
		"10s c SetNoise(5)",
		"20s c SetNoise(7)", // 1 + 24 + 24 = 49
		"30s c SetNoise(5)",
		"40s c SetNoise(1)",
		"40s c Clear()",
	)
}
