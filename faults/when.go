package faults

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plantbed/plantbed/internal/strict"
)

// When says when a fault happens, beyond at and for. What is random is drawn
// from the run's seed, and is in the resolved plan.
//
//	at, for                                  once
//	every = "10m"                            again and again, start to start
//	every = "10m", gaps = "poisson"          at random, 10 minutes apart on average
//	every = "2h", gaps = "weibull", shape = 3    more regular than that (below 1: in clusters)
//	with = "cut", at = "5s"                  5 s after each beginning of the fault named "cut"
//	follows = "cut", at = "5s"               5 s after each end of it
//	while = "filler is Execute"              whenever the machine is in that state
type When struct {
	// Name is what with and follows of others refer to.
	Name string `toml:"name,omitempty"`
	// With and Follows have At count from another fault's beginnings or ends.
	With    string `toml:"with,omitempty"`
	Follows string `toml:"follows,omitempty"`
	// Every is the time from one start to the next, or its mean; Gaps is how
	// it is distributed, and Shape that of a Weibull distribution.
	Every strict.Duration `toml:"every,omitzero"`
	Gaps  string          `toml:"gaps,omitempty"`
	Shape float64         `toml:"shape,omitzero"`
	// Times is how often at most, Until the end of all starts.
	Times int             `toml:"times,omitzero"`
	Until strict.Duration `toml:"until,omitzero"`
	// While is "MACHINE is STATE"; the plant decides in the run.
	While string `toml:"while,omitempty"`
}

var whenKeys = []string{"name", "with", "follows", "every", "gaps", "shape", "times", "until", "while"}

// WhenKeys are the keys of When, for people.
var WhenKeys = []Key{
	{"name", "what with and follows of other faults call it", false, `"uplink-cut"`},
	{"with", "at counts from each beginning of the fault of that name", false, `"uplink-cut"`},
	{"follows", "at counts from each end of the fault of that name", false, `"uplink-cut"`},
	{"every", "it happens again, so long after its last start", false, `"10m"`},
	{"gaps", "how the time between is distributed, with every as its mean: fixed (default), poisson or weibull", false, `"poisson"`},
	{"shape", "of a Weibull distribution: above 1 more regular than chance, below 1 in clusters", false, `2.5`},
	{"times", "how often at most", false, `5`},
	{"until", "no start after this", false, `"1h30m"`},
	{"while", "it lasts while a machine is in a state, and at most for so long", false, `"filler is Execute"`},
}

// gaps are how the time between starts is distributed; the first is the default.
var gaps = []string{"fixed", "poisson", "weibull"}

func (w When) withDefaults() When {
	if w.Every > 0 {
		fill(&w.Gaps, gaps[0])
	}
	return w
}

// scheduled tells that it is more than at and for.
func (w When) scheduled() bool {
	w.Name = ""
	return w != When{}
}

// waits splits While into machine and state.
func (w When) waits() (machine, state string, ok bool) {
	machine, state, ok = strings.Cut(w.While, " is ")
	return strings.TrimSpace(machine), strings.TrimSpace(state), ok && machine != "" && state != ""
}

func (w When) check(c Config, k *kind, ps *strict.Problems) {
	checkOneOf(ps, "gaps", "distribution", w.Gaps, gaps)
	notNegative(ps, "every", w.Every)
	notNegative(ps, "until", w.Until)
	switch {
	case w.Gaps == "weibull" && !(w.Shape > 0):
		ps.Add("shape", "is missing: a Weibull distribution needs its shape, such as 2.5")
	case w.Gaps != "weibull" && w.Shape != 0:
		ps.Add("shape", "is that of a Weibull distribution; write gaps = \"weibull\"")
	case w.Shape != 0 && !(w.Shape >= 0.1 && w.Shape <= 100):
		ps.Addf("shape", "%v is not from 0.1 to 100", w.Shape)
	}
	if w.Every == 0 {
		for _, key := range []struct {
			name string
			set  bool
		}{{"gaps", w.Gaps != ""}, {"times", w.Times != 0}, {"until", w.Until != 0 && w.While == ""}} {
			if key.set {
				ps.Addf(key.name, "goes with every, which is missing")
			}
		}
	}
	if w.Times < 0 {
		ps.Addf("times", "%d is negative", w.Times)
	}
	if w.Until > 0 && w.Until <= c.At && w.With == "" && w.Follows == "" {
		ps.Addf("until", "%v is not after at, which is %v", w.Until, c.At)
	}
	if w.With != "" && w.Follows != "" {
		ps.Add("follows", "and with exclude each other")
	}
	if w.While == "" {
		return
	}
	if _, _, ok := w.waits(); !ok {
		ps.Addf("while", "%q is not a machine's state, such as \"filler is Execute\"", w.While)
	}
	if k.instant || !k.knows("for") {
		ps.Addf("while", "%s has no end, and so does not last while something is", c.Kind)
	}
	if w.Every != 0 || w.With != "" || w.Follows != "" {
		ps.Add("while", "goes with at, for and until alone")
	}
}

// checkWhile reports a machine or state that there is not.
func (n Names) checkWhile(c Config, ps *strict.Problems) {
	machine, state, ok := c.waits()
	if !ok {
		return
	}
	if n.Machines != nil && !slices.Contains(n.Machines, machine) {
		ps.AddName("while", fmt.Sprintf("there is no machine %q", machine), machine, n.Machines)
	}
	if n.States != nil && !slices.Contains(n.States, state) {
		ps.AddName("while", fmt.Sprintf("no machine has a state %q; there are %s", state, strings.Join(n.States, ", ")), state, n.States)
	}
}
