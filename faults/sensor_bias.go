package faults

import "github.com/plantbed/plantbed/internal/strict"

// Biases add up, among themselves and with drifts; see bindSensorOffset.
func checkSensorBias(c Config, ps *strict.Problems) {
	percent.check(ps, "bias", c.Bias, nonZero, "a bias")
}
