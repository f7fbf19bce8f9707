package faults

import "github.com/plantbed/plantbed/internal/strict"

// Drifts add up, among themselves and with biases; see bindSensorOffset.
func checkSensorDrift(c Config, ps *strict.Problems) {
	percentRate.check(ps, "rate", c.Rate, nonZero, "a drift")
}
