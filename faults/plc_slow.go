package faults

import (
	"time"

	"github.com/plantbed/plantbed/internal/strict"
)

func checkPLCSlow(c Config, ps *strict.Problems) { notNegative(ps, "delay", c.Delay) }

// The window that opened last decides. Each window delays once of its own, also
// where another one decides meanwhile.
func bindPLCSlow(p Plant, target string) (apply, bool) {
	type late struct {
		delay time.Duration
		once  int // id of the window, from 1; 0 for every answer
	}
	sw, ok := p.Switch(target)
	had := map[int]bool{}
	return settle(late{},
		func(open []active) late {
			l := last(open)
			if l.cfg.Once {
				return late{l.cfg.Delay.D(), l.id() + 1}
			}
			return late{l.cfg.Delay.D(), 0}
		},
		plain(func(l late) {
			if had[l.once] {
				l = late{}
			}
			if l.once > 0 {
				had[l.once] = true
			}
			sw.Slow(l.delay, l.once > 0)
		})), ok
}

func slowEffect(c Config, _ string) Effect { return Effect{Late: c.Delay.D(), Once: c.Once} }
