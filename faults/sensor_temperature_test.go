package faults

import "testing"

func TestSensorTemperature(t *testing.T) {
	runs(t, []Config{
		fault("sensor.temperature", "c", 10, 20, func(c *Config) { c.PerKelvin = "0.2 %" }),
		fault("sensor.temperature", "c", 20, 20, func(c *Config) { c.PerKelvin = "-0.1 %" }),
	},
		"10s c SetCross(0.4)",
		"20s c SetCross(0.2)",
		"30s c SetCross(-0.2)",
		"40s c SetCross(0)",
		"40s c Clear()",
	)
}
