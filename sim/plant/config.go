package plant

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plantbed/plantbed/internal/strict"
)

// Config is the part of a scenario that describes the factory floor.
type Config struct {
	Machines []MachineConfig `toml:"machine"`
	Lines    []LineConfig    `toml:"line"`
}

// MachineConfig is one machine. Params are written with their units.
type MachineConfig struct {
	Name string `toml:"name"`
	Kind string `toml:"kind"`
	// Serial tells units of one name apart: efficiency, friction, healthy
	// vibration and the like scatter by some percent from unit to unit. The
	// same name and serial are the same unit under every seed.
	Serial uint64            `toml:"serial"`
	Params map[string]string `toml:"params"`

	// Cycle is how cycle times scatter; the default is a narrow triangle with
	// a mean of 1.023 of the ideal time.
	Cycle *Times `toml:"cycle,omitempty"`
	// Takes and Gives are units that a cycle takes from the station before,
	// and gives to the one behind: a packer takes 6 and gives 1. 0 means 1.
	Takes int `toml:"takes,omitempty"`
	Gives int `toml:"gives,omitempty"`
	// ParallelTo names a station beside which this machine does the same work:
	// both take from the place before, and give to the one behind.
	ParallelTo string `toml:"parallel_to,omitempty"`
	// Rework sends part of what is spoiled round again.
	Rework      *ReworkConfig       `toml:"rework,omitempty"`
	Breakdowns  []BreakdownConfig   `toml:"breakdown,omitempty"`
	Lives       []LifeConfig        `toml:"life,omitempty"`
	Maintenance []MaintenanceConfig `toml:"maintenance,omitempty"`
}

// ReworkConfig says that a share of spoiled units is worked again, here or by
// an earlier station of the line.
type ReworkConfig struct {
	Share float64 `toml:"share"`
	To    string  `toml:"to"` // "" is the same machine
}

// LineConfig joins machines to a line. A machine that is in none works for
// itself, from an endless supply to an endless demand.
type LineConfig struct {
	Name     string   `toml:"name"`
	Stations []string `toml:"stations"` // machines in the order of the flow
	Buffers  []int    `toml:"buffers"`  // capacity in units between each two of them
	Crew     int      `toml:"crew"`     // repairs that can go on at a time; 0 means 1

	// Travel is how long a unit takes from each station to the next.
	Travel []strict.Duration `toml:"travel,omitempty"`
	// Into names a station of another line that puts this line's units
	// together with its own, one of these per cycle, from a buffer of
	// IntoBuffer: assembly. From names one that gives off a unit for this line
	// with each of its own, into a buffer of FromBuffer: disassembly.
	Into       string `toml:"into,omitempty"`
	IntoBuffer int    `toml:"into_buffer,omitempty"`
	From       string `toml:"from,omitempty"`
	FromBuffer int    `toml:"from_buffer,omitempty"`
	// Utilities are machines beside the flow that the line's crew looks after.
	Utilities []string        `toml:"utilities,omitempty"`
	Products  []ProductConfig `toml:"product,omitempty"`
	// Teams take the place of Crew.
	Teams []TeamConfig `toml:"team,omitempty"`
	// Hours are when the line works, such as "mon-fri 06:00-22:00"; none means
	// always. Starts is where in the week the run begins, "mon 06:00".
	Hours  []string `toml:"hours,omitempty"`
	Starts string   `toml:"starts,omitempty"`
}

// ProductConfig is one of several that a line makes in turn, lot by lot.
type ProductConfig struct {
	Name string `toml:"name"`
	Lot  int    `toml:"lot"` // units, as the first station counts them
	// ChangeOver is how long each station takes to change to it.
	ChangeOver strict.Duration `toml:"changeover"`
	// Recipe is set on machines when they have changed, by machine.
	Recipe map[string]map[string]string `toml:"recipe,omitempty"`
}

// TeamConfig is so many people with the same skills and hours.
type TeamConfig struct {
	Name   string   `toml:"name"`
	Size   int      `toml:"size"`             // 0 means 1
	Skills []string `toml:"skills,omitempty"` // none means all
	Hours  []string `toml:"hours,omitempty"`  // none means always
}

const maxBuffer, maxCrew = 100_000, 100

// Validate reports all that is wrong. Paths are relative to the root of the
// configuration: "machine[1].kind", "line[0].stations[2]".
func (c Config) Validate() strict.Problems {
	var problems strict.Problems
	names := make([]string, len(c.Machines))
	for i, m := range c.Machines {
		at := fmt.Sprintf("machine[%d]", i)
		problems = append(problems, nameProblems(m.Name, names[:i]).Under(at+".name")...)
		names[i] = m.Name
		problems = append(problems, m.validate().Under(at)...)
	}
	for i, m := range c.Machines {
		problems = append(problems, c.reworkProblems(m, names).Under(fmt.Sprintf("machine[%d]", i))...)
	}
	lineNames := make([]string, len(c.Lines))
	placed := map[string]string{} // machine to its line
	for i, l := range c.Lines {
		at := fmt.Sprintf("line[%d]", i)
		problems = append(problems, nameProblems(l.Name, lineNames[:i]).Under(at+".name")...)
		lineNames[i] = l.Name
		problems = append(problems, c.lineProblems(l, names, placed).Under(at)...)
	}
	for i, m := range c.Machines {
		problems = append(problems, c.parallelProblems(m, placed).Under(fmt.Sprintf("machine[%d].parallel_to", i))...)
	}
	return problems
}

func (m MachineConfig) validate() strict.Problems {
	var problems strict.Problems
	k, ok := findKind(m.Kind)
	switch {
	case m.Kind == "":
		problems.Addf("kind", "is missing; known kinds are %s", strings.Join(kindNames(), ", "))
	case !ok:
		problems.AddName("kind", fmt.Sprintf("unknown machine kind %q; known are %s", m.Kind, strings.Join(kindNames(), ", ")), m.Kind, kindNames())
	default:
		p, wrong := resolve(k.params(), m.Params)
		if len(wrong) == 0 && k.check != nil {
			wrong = k.check(p)
		}
		problems = append(problems, wrong.Under("params")...)
		problems = append(problems, m.workProblems(k)...)
	}
	return problems
}

// maxPerCycle bounds Takes and Gives.
const maxPerCycle = 10_000

// workProblems are those of how it works, fails and is maintained.
func (m MachineConfig) workProblems(k kind) strict.Problems {
	var problems strict.Problems
	if m.Cycle != nil {
		problems = append(problems, m.Cycle.validate().Under("cycle")...)
	}
	if (k.feeds || k.utility) && (m.Cycle != nil || m.Takes != 0 || m.Gives != 0 || m.Rework != nil || m.ParallelTo != "") {
		problems.Addf("kind", "a %s works no units: it has no cycle, takes, gives, parallel_to or rework", k.Name)
	}
	for path, n := range map[string]int{"takes": m.Takes, "gives": m.Gives} {
		if n < 0 || n > maxPerCycle {
			problems.Addf(path, "%d is out of range; it goes from 0 (the same as 1) to %d", n, maxPerCycle)
		}
	}
	if m.Rework != nil && !(m.Rework.Share >= 0 && m.Rework.Share <= 1) {
		problems.Addf("rework.share", "%v is not a share from 0 to 1", m.Rework.Share)
	}
	for i, b := range m.Breakdowns {
		problems = append(problems, b.validate().Under(fmt.Sprintf("breakdown[%d]", i))...)
		if slices.ContainsFunc(m.Breakdowns[:i], func(o BreakdownConfig) bool { return o.Name == b.Name && b.Name != "" }) {
			problems.Addf(fmt.Sprintf("breakdown[%d].name", i), "%q is there twice", b.Name)
		}
	}
	for i, l := range m.Lives {
		problems = append(problems, l.validate(k).Under(fmt.Sprintf("life[%d]", i))...)
		for _, other := range m.Lives[:i] {
			if other.Component == l.Component {
				problems.Addf(fmt.Sprintf("life[%d].component", i), "%q has a life already", l.Component)
			}
		}
	}
	for i, c := range m.Maintenance {
		problems = append(problems, c.validate(k).Under(fmt.Sprintf("maintenance[%d]", i))...)
	}
	problems.Sort()
	return problems
}

// nameProblems: a name is part of sample IDs, topics and node ids.
func nameProblems(name string, taken []string) strict.Problems {
	var problems strict.Problems
	switch {
	case name == "":
		problems.Add("", "is missing")
	case len(name) > 64:
		problems.Addf("", "%q is longer than 64 letters", name)
	case strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "":
		problems.Addf("", "%q may hold small letters, digits, - and _ only", name)
	case slices.Contains(taken, name):
		problems.Addf("", "%q is there twice", name)
	}
	return problems
}

func (c Config) lineProblems(l LineConfig, machines []string, placed map[string]string) strict.Problems {
	var problems strict.Problems
	if len(l.Stations) == 0 {
		problems.Add("stations", "is missing; name the machines in the order of the flow")
	}
	feeder := false
	for i, name := range l.Stations {
		at := fmt.Sprintf("stations[%d]", i)
		j := slices.Index(machines, name)
		if j < 0 {
			problems.AddName(at, fmt.Sprintf("there is no machine %q", name), name, machines)
			continue
		}
		if other, ok := placed[name]; ok {
			problems.Addf(at, "machine %q stands in line %q already", name, other)
			continue
		}
		placed[name] = l.Name
		k, _ := findKind(c.Machines[j].Kind)
		if k.utility {
			problems.Addf(at, "machine %q is a %s, which works no units and stands in no line", name, k.Name)
		}
		if k.feeds && i > 0 {
			problems.Addf(at, "machine %q is a %s, which feeds a line and must stand first in it", name, k.Name)
		}
		feeder = feeder || k.feeds && i == 0
	}
	problems = append(problems, bufferProblems(l, feeder)...)
	problems = append(problems, c.flowProblems(l)...)
	problems = append(problems, c.utilityProblems(l, machines, placed)...)
	problems = append(problems, l.hourProblems()...)
	problems = append(problems, c.productProblems(l)...)
	if l.Crew < 0 || l.Crew > maxCrew {
		problems.Addf("crew", "%d is out of range; it goes from 0 (the same as 1) to %d", l.Crew, maxCrew)
	}
	return problems
}

func bufferProblems(l LineConfig, feeder bool) strict.Problems {
	var problems strict.Problems
	if want := max(0, len(l.Stations)-1); len(l.Buffers) != want {
		problems.Addf("buffers", "has %d entries; %d stations have %d buffers between them", len(l.Buffers), len(l.Stations), want)
	}
	for i, n := range l.Buffers {
		low := 0
		if feeder && i == 0 {
			low = 1 // the bowl holds at least the portion that is taken next
		}
		if n < low || n > maxBuffer {
			problems.Addf(fmt.Sprintf("buffers[%d]", i), "%d is out of range; it goes from %d to %d", n, low, maxBuffer)
		}
	}
	return problems
}
