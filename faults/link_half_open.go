package faults

import (
	"slices"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
)

// goneEnds are the ends that can be gone; the first is the default.
var goneEnds = []string{"server", "client"}

func checkLinkHalfOpen(c Config, ps *strict.Problems) { checkOneOf(ps, "end", "end", c.End, goneEnds) }

// Each window that opens takes the ends of the connections that there are then;
// when the last has closed, those that are left find out.
func bindLinkHalfOpen(p Plant, target string) (apply, bool) {
	var struck []int
	l, ok := p.Link(target)
	return func(_ time.Duration, open []active) error {
		if len(open) == 0 {
			struck = nil
			l.Mend()
			return nil
		}
		if a := last(open); !slices.Contains(struck, a.id()) {
			struck = append(struck, a.id())
			l.HalfOpen(a.cfg.End == "server")
		}
		return nil
	}, ok
}
