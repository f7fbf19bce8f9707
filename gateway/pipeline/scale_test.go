package pipeline

import (
	"testing"

	"github.com/plantbed/plantbed/sim/signal"
)

func TestScale(t *testing.T) {
	check(t, func() Stage { return NewScale(map[signal.ID]Linear{"a": {0.5, -40}, "c": {0, 7}}) },
		[]signal.Sample{s("a", 1, 100, signal.Bad), s("b", 1, 100, 0), s("c", 1, 100, 0)},
		[]signal.Sample{s("a", 1, 10, signal.Bad), s("b", 1, 100, 0), s("c", 1, 7, 0)})
}
