package faults

import "testing"

func TestSensorGain(t *testing.T) {
	runs(t, []Config{
		fault("sensor.gain", "c", 10, 20, func(c *Config) { c.Gain = "-50 %" }),
		fault("sensor.gain", "c", 20, 20, func(c *Config) { c.Gain = "20 %" }),
	},
		"10s c SetGain(0.5)",
		"20s c SetGain(0.6)",
		"30s c SetGain(1.2)",
		"40s c SetGain(1)",
		"40s c Clear()",
	)
}
