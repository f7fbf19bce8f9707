package faults

import "testing"

func TestSensorSpike(t *testing.T) {
	runs(t, []Config{
		fault("sensor.spike", "c", 10, 20, func(c *Config) { c.Chance, c.Amplitude = "50 %", "10 %" }),
		fault("sensor.spike", "c", 20, 20, func(c *Config) { c.Chance, c.Amplitude = "50 %", "5 %" }),
	},
		"10s c Spike(0.5, 20)",
		"20s c Spike(0.75, 20)",
		"30s c Spike(0.5, 10)",
		"40s c Spike(0, 0)",
		"40s c Clear()",
	)
}
