package faults

import (
	"fmt"
	"slices"

	"github.com/plantbed/plantbed/internal/strict"
)

// restartIDs are what a server that comes up may do with its ids; the first is
// the default.
var restartIDs = []string{"new", "same"}

func checkPLCRestart(c Config, ps *strict.Problems) {
	if c.IDs != "" && !slices.Contains(restartIDs, c.IDs) {
		ps.AddName("ids", fmt.Sprintf("%q is neither \"new\" nor \"same\"", c.IDs), c.IDs, restartIDs)
	}
}

// A controller is down while any window is open; the one that opened last says
// what it does with its ids.
func bindPLCRestart(p Plant, target string) (apply, bool) {
	type state struct{ down, same bool }
	sw, ok := p.Switch(target)
	return settle(state{},
		func(open []active) state { return state{true, last(open).cfg.IDs == "same"} },
		func(was, now state) error {
			sw.Restart(now.down, now.same || !now.down && was.same)
			return nil
		}), ok
}

func restartEffect(Config, string) Effect { return Effect{Cut: true, Forgets: true} }
