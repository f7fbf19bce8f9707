package hunt

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/scenarios"
	"github.com/plantbed/plantbed/sim"
)

// Space is every way in which a scenario can be broken.
type Space struct {
	options []option
	names   faults.Names
	// from and to bound the phase in which faults happen.
	from, to time.Duration
	length   time.Duration // of a run
}

// option is a kind of fault and what of the scenario it can strike.
type option struct {
	*drawer
	targets []string
	weight  int
}

const (
	// settled is when a run has started up.
	settled = 20 * time.Second
	// leastQuiet is the shortest time in which to recover.
	leastQuiet = time.Minute
	// longestFault and shortestFault bound how long one lasts.
	longestFault, shortestFault = 150 * time.Second, 500 * time.Millisecond
)

// NewSpace finds what of a scenario can be broken; kinds narrows it down to
// names such as "link.down" or areas such as "link". What matches no kind at
// all, or none that the scenario has a target for, is an error.
func NewSpace(sc *scenarios.Scenario, kinds []string) (*Space, error) {
	s := &Space{names: sc.Targets(), from: settled, to: sc.Duration.D() * 2 / 3, length: sc.Duration.D()}
	if s.length-s.to < leastQuiet {
		return nil, fmt.Errorf("duration: a third of %s is too short a time to recover in; %s is the least for a hunt", sc.Duration, 3*leastQuiet)
	}
	used := make([]bool, len(kinds))
	for _, k := range faults.Kinds() {
		wanted := len(kinds) == 0
		for i, pattern := range kinds {
			if matches(pattern, k.Name) {
				used[i], wanted = true, true
			}
		}
		if !wanted {
			continue
		}
		if o := s.option(k, sc); len(o.targets) > 0 {
			s.options = append(s.options, o)
		}
	}
	for i, pattern := range kinds {
		if !used[i] {
			return nil, fmt.Errorf("there is no fault kind %q (plantbed list faults)", pattern)
		}
	}
	if len(s.options) == 0 {
		return nil, fmt.Errorf("no fault of these kinds can strike %s", sc.Name)
	}
	return s, nil
}

func matches(pattern, kind string) bool {
	area := strings.TrimSuffix(strings.TrimSuffix(pattern, "*"), ".")
	return kind == pattern || strings.HasPrefix(kind, area+".")
}

// option tries every target of a kind, and keeps those that it can strike.
func (s *Space) option(k faults.Kind, sc *scenarios.Scenario) option {
	o := option{drawer: newDrawer(k, s.names), weight: 4}
	if k.Seam == faults.SeamChannel || k.Seam == faults.SeamKnob {
		o.weight = 1 // they change what is true; what carries it is seldom moved
	}
	for _, target := range s.names.Of(k.Seam) {
		r := sim.Rand(1, "hunt/try/"+k.Name+"/"+target)
		for range 20 {
			if f := o.draw(r, target, s.from, time.Second); s.valid([]Fault{f}, s.length, sc.Seed) {
				o.targets = append(o.targets, target)
				break
			}
		}
	}
	return o
}

// valid tells that a scenario of that length with these faults would run.
func (s *Space) valid(fs []Fault, length time.Duration, seed uint64) bool {
	cfgs, err := configs(fs)
	if err != nil {
		return false
	}
	for _, c := range cfgs {
		if len(c.Validate(s.names)) > 0 {
			return false
		}
	}
	_, ps := faults.Resolve(cfgs, length, seed)
	return len(ps) == 0
}

func configs(fs []Fault) ([]faults.Config, error) {
	var out []faults.Config
	for i, f := range fs {
		c, err := f.Config()
		if err != nil {
			return nil, fmt.Errorf("fault[%d]: %w", i, err)
		}
		out = append(out, c)
	}
	return out, nil
}

// draw makes a fault of the kind; it need not be a valid one.
func (o option) draw(r *rand.Rand, target string, at, lasts time.Duration) Fault {
	f := Fault{Kind: o.kind.Name, Target: target, At: at}
	for _, key := range o.kind.Keys {
		switch {
		case key.Name == "for":
			f.For = lasts
		case key.Required || r.IntN(3) == 0:
			if v := o.value(r, key, target); v != "" {
				f = f.with(key.Name, v)
			}
		}
	}
	return f
}

// Kinds names the kinds that can strike the scenario.
func (s *Space) Kinds() []string {
	var out []string
	for _, o := range s.options {
		out = append(out, o.kind.Name)
	}
	return out
}

// key finds a key of a kind, for its shrinking.
func (s *Space) key(kind, name string) (*drawer, faults.Key, bool) {
	for _, o := range s.options {
		if o.kind.Name != kind {
			continue
		}
		if i := slices.IndexFunc(o.kind.Keys, func(k faults.Key) bool { return k.Name == name }); i >= 0 {
			return o.drawer, o.kind.Keys[i], true
		}
	}
	return nil, faults.Key{}, false
}
