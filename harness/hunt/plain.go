package hunt

import (
	"context"
	"slices"
	"strings"
)

// plain makes the faults of a plan that cannot be judged plainer, one after the
// other, until it can: what a mode of a fault waits for may never happen, such
// as the point of a disk's work at which a gateway is to be killed. Then it
// leaves out what cannot strike at all: a part of a machine that is broken down
// does not wear.
func (g *hunting) plain(ctx context.Context, p Plan, o Outcome) (Plan, Outcome, error) {
	first, why := p, o
	for _, simpler := range []func([]Fault, int) []Fault{g.space.withoutModes, withoutWear} {
		for k := len(p.Faults) - 1; k >= 0; k-- {
			fs := simpler(p.Faults, k)
			if o.Unknown == "" || fs == nil || !g.space.valid(fs, p.Duration, p.Seed) {
				continue
			}
			p.Faults = fs
			sc, err := p.scenario(g.Base)
			if err != nil {
				return p, o, err
			}
			r := <-g.pool.start(ctx, sc)
			if r.err != nil {
				return p, o, r.err
			}
			o = r.Outcome
		}
	}
	if o.Unknown != "" {
		return first, why, nil
	}
	return p, o, nil
}

// withoutModes is a plan in which fault k has no key that it can do without; nil
// if it has none.
func (s *Space) withoutModes(faults []Fault, k int) []Fault {
	f := s.plain(faults[k])
	if len(f.Keys) == len(faults[k].Keys) {
		return nil
	}
	fs := slices.Clone(faults)
	fs[k] = f
	return fs
}

// withoutWear is a plan without fault k, if that is of a machine.
func withoutWear(faults []Fault, k int) []Fault {
	if !strings.HasPrefix(faults[k].Kind, "asset.") {
		return nil
	}
	return slices.Delete(slices.Clone(faults), k, k+1)
}

// plain is a fault without the keys that it can do without.
func (s *Space) plain(f Fault) Fault {
	keys := f.Keys
	for _, k := range keys {
		if _, key, ok := s.key(f.Kind, k.Name); ok && !key.Required {
			f = f.with(k.Name, "")
		}
	}
	return f
}
