package faults

import "testing"

func TestSensorDrift(t *testing.T) {
	runs(t, []Config{
		fault("sensor.drift", "c", 10, 0, func(c *Config) { c.Rate = "36 %/h" }), // of 200: 0.02 a second
		fault("sensor.drift", "c", 30, 20, func(c *Config) { c.Rate = "-0.01 %/s" }),
	},
		"10s c Drift(10s, 0.02)",
		"30s c SetBias(0.4)", // what the first has gained
		"30s c Drift(30s, 0)",
		"50s c SetBias(0)",
		"50s c Drift(10s, 0.02)",
	)
}
