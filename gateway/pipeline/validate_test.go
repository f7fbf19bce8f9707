package pipeline

import (
	"math"
	"testing"

	"github.com/plantbed/plantbed/sim/signal"
)

func TestValidate(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	check(t, func() Stage { return NewValidate() },
		[]signal.Sample{s("a", 1, nan, signal.Good), s("a", 2, inf, signal.Uncertain), s("a", 3, -inf, signal.BadSensorFailure),
			s("", 4, 1, 0), s("a", 5, -math.MaxFloat64, signal.Good), s("a", 6, 1, signal.Bad)},
		[]signal.Sample{s("a", 1, 0, signal.BadOutOfRange), s("a", 2, 0, signal.BadOutOfRange), s("a", 3, 0, signal.BadSensorFailure),
			s("a", 5, -math.MaxFloat64, signal.Good), s("a", 6, 1, signal.Bad)})
}
