package faults

import "testing"

func TestSensorDropout(t *testing.T) {
	runs(t, []Config{
		fault("sensor.dropout", "c", 10, 20),
		fault("sensor.dropout", "c", 15, 5),
	},
		"10s c Dropout(true)",
		"30s c Dropout(false)",
		"30s c Clear()",
	)
}
