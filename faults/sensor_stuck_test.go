package faults

import "testing"

func TestSensorStuck(t *testing.T) {
	runs(t, []Config{
		fault("sensor.stuck", "c", 10, 20),
		fault("sensor.bias", "c", 20, 5, func(c *Config) { c.Bias = "1 %" }), // another kind, the same sensor
	},
		"10s c Stuck(true)",
		"20s c SetBias(2)",
		"25s c SetBias(0)",
		"30s c Stuck(false)",
		"30s c Clear()",
	)
}
