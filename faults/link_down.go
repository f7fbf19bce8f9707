package faults

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plantbed/plantbed/internal/strict"
)

// linkModes are what Link.Down takes; the first is the default.
var linkModes = []string{"rst", "fin", "blackhole", "refuse"}

// ways are those of a link.
var ways = []string{ToServer, ToClient}

func checkLinkDown(c Config, ps *strict.Problems) {
	checkOneOf(ps, "mode", "mode", c.Mode, linkModes)
	checkOneOf(ps, "way", "way", c.Way, ways)
	if c.Way != "" && c.Mode != "blackhole" {
		ps.Add("way", "one direction alone can only be a black hole; write mode = \"blackhole\"")
	}
}

// checkOneOf complains of a value that is none of the valid ones; empty is left out.
func checkOneOf(ps *strict.Problems, key, noun, value string, valid []string) {
	if value != "" && !slices.Contains(valid, value) {
		ps.AddName(key, fmt.Sprintf("there is no %s %q; there are %s", noun, value, strings.Join(valid, ", ")), value, valid)
	}
}

// A link is up when the last window has closed; until then the window that
// opened last says how it is down.
func bindLinkDown(p Plant, target string) (apply, bool) {
	type down struct{ mode, way string }
	l, ok := p.Link(target)
	return settle(down{},
		func(open []active) down { return down{last(open).cfg.Mode, last(open).cfg.Way} },
		func(_, d down) error {
			if d.mode == "" {
				l.Up()
				return nil
			}
			return l.Down(d.mode, d.way)
		}), ok
}

// downEffect: a link that only refuses leaves the connections alone that there are.
func downEffect(c Config, _ string) Effect {
	if c.Mode == "refuse" {
		return Effect{Locks: true}
	}
	return Effect{Cut: true}
}
