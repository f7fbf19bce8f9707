package faults

import "slices"

// rules are the kinds that do something to chosen bytes or frames.
var rules = map[string]func(Config) Rule{
	"link.frame":   ruleFrame,
	"link.cut":     func(c Config) Rule { return Rule{Do: "cut", After: int64(c.After)} },
	"link.corrupt": func(c Config) Rule { return Rule{Do: "corrupt", After: int64(c.After)} },
}

// bindLinkRules is for all of these: every window has its own rule, and where
// two want the same frame the one that opened first has it.
func bindLinkRules(p Plant, target string) (apply, bool) {
	l, ok := p.Link(target)
	return settleBy(nil, slices.Equal,
		func(open []active) (all []Rule) {
			for _, a := range open {
				r := rules[a.Kind](a.cfg)
				r.ID, r.Way = a.id(), a.cfg.Way
				all = append(all, r)
			}
			return all
		},
		func(_, now []Rule) error { return l.SetRules(now) }), ok
}
