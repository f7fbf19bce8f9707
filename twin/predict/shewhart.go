package predict

import "math"

// shewhartLimit is in standard deviations; independent normal values cross it
// once in 370.
const shewhartLimit = 3

// Shewhart is the baseline: three sigma on any one channel.
type Shewhart struct {
	Use   []int     `json:"use"`
	Mean  []float64 `json:"mean"`
	Scale []float64 `json:"scale"`
}

// Baseline looks at the same channels as the model, with the same means.
func (m *Model) Baseline() Shewhart { return Shewhart{m.Use, m.Mean, m.Scale} }

// Step takes a row; of the Result it fills in Score, Over and Top.
func (s *Shewhart) Step(row []float64) Result {
	var r Result
	for k, j := range s.Use {
		if z := math.Abs(row[j]-s.Mean[k]) / s.Scale[k]; z > r.Score {
			r.Score, r.Top = z, j
		}
	}
	r.Over = r.Score > shewhartLimit
	return r
}
