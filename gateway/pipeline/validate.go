package pipeline

import (
	"math"

	"github.com/plantbed/plantbed/sim/signal"
)

// Validate makes every value a number: NaN and Inf become 0 with
// BadOutOfRange, or with the quality they have if that is bad already. A
// sample without an ID goes nowhere and is dropped.
type Validate struct{}

// NewValidate has no state.
func NewValidate() Validate { return Validate{} }

// Name is "validate".
func (Validate) Name() string { return "validate" }

// Process is Stage.Process.
func (Validate) Process(in []signal.Sample) []signal.Sample {
	out := in[:0]
	for _, s := range in {
		if s.ID == "" {
			continue
		}
		if math.IsNaN(s.Value) || math.IsInf(s.Value, 0) {
			s.Value = 0
			if !s.Quality.IsBad() {
				s.Quality = signal.BadOutOfRange
			}
		}
		out = append(out, s)
	}
	return out
}
