package faults

import (
	"slices"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
)

func checkGatewayBitFlip(c Config, ps *strict.Problems) {
	percent.check(ps, "place", c.Place, func(v float64) bool { return v >= 0 && v <= 1 }, "from 0 % to 100 %")
}

// Every window flips one bit, at its beginning; nothing flips it back.
func bindGatewayBitFlip(p Plant, target string) (apply, bool) {
	h, ok := p.Host(target)
	var done []int
	return func(_ time.Duration, open []active) error {
		if len(open) == 0 || slices.Contains(done, last(open).id()) {
			return nil
		}
		done = append(done, last(open).id())
		return h.FlipBit(percent.value(last(open).cfg.Place))
	}, ok
}
