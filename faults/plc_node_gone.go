package faults

import "strings"

// A tag is gone while a window that names it is open.
func bindPLCNodeGone(p Plant, target string) (apply, bool) {
	sw, ok := p.Switch(target)
	return settle("",
		func(open []active) string { // a list has no ==
			var all []string
			for _, a := range open {
				all = append(all, a.cfg.Tags...)
			}
			return strings.Join(all, "\n")
		},
		func(_, tags string) error {
			if tags == "" {
				return sw.Gone(nil)
			}
			return sw.Gone(strings.Split(tags, "\n"))
		}), ok
}

func goneEffect(c Config, _ string) Effect { return Effect{Gone: c.Tags} }
