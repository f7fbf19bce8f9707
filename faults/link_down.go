package faults

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plantbed/plantbed/internal/strict"
)

// linkModes are what Link.Down takes; the first is the default.
var linkModes = []string{"rst", "fin", "blackhole", "refuse"}

func checkLinkDown(c Config, ps *strict.Problems) {
	if c.Mode != "" && !slices.Contains(linkModes, c.Mode) {
		ps.AddName("mode", fmt.Sprintf("there is no mode %q; there are %s", c.Mode, strings.Join(linkModes, ", ")), c.Mode, linkModes)
	}
}

// A link is up when the last window has closed; until then the window that
// opened last says how it is down.
func bindLinkDown(p Plant, target string) (apply, bool) {
	l, ok := p.Link(target)
	return settle("",
		func(open []active) string { return last(open).cfg.Mode },
		func(_, mode string) error {
			if mode == "" {
				l.Up()
				return nil
			}
			return l.Down(mode)
		}), ok
}
