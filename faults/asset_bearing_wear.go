package faults

import (
	"time"

	"github.com/plantbed/plantbed/internal/strict"
)

func checkBearingWear(c Config, ps *strict.Problems) {
	notNegative(ps, "life", c.Life)
}

// The knob gets the whole plan at the onset. Nothing is undone at the end: a
// failed bearing is repaired by the plant's own crew. Resolve sees to it that a
// component has one life at a time.
func bindBearingWear(p Plant, target string) (apply, bool) {
	knob, ok := p.Knob(target)
	return func(_ time.Duration, open []active) error {
		if len(open) == 0 {
			return nil
		}
		w := last(open)
		return knob.Wear(w.From, w.To)
	}, ok
}
