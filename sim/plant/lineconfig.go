package plant

import (
	"fmt"
	"maps"
	"slices"

	"github.com/plantbed/plantbed/internal/strict"
)

func (c Config) machine(name string) (MachineConfig, kind, bool) {
	for _, m := range c.Machines {
		if m.Name == name {
			k, ok := findKind(m.Kind)
			return m, k, ok
		}
	}
	return MachineConfig{}, kind{}, false
}

// flowProblems are those of how lines hang together.
func (c Config) flowProblems(l LineConfig) strict.Problems {
	var ps strict.Problems
	if n := len(l.Travel); n > 0 && n != len(l.Buffers) {
		ps.Addf("travel", "has %d entries; there are %d ways between %d stations", n, len(l.Buffers), len(l.Stations))
	}
	for i, t := range l.Travel {
		if t < 0 || t > 0 && i < len(l.Buffers) && l.Buffers[i] < 1 {
			ps.Addf(fmt.Sprintf("travel[%d]", i), "%v is not possible; a way needs room for the units on it", t)
		}
	}
	for i, name := range l.Stations {
		m, _, _ := c.machine(name)
		if i > 0 && i-1 < len(l.Buffers) && m.Takes > max(1, l.Buffers[i-1]) {
			ps.Addf(fmt.Sprintf("buffers[%d]", i-1), "%d is too small: %s takes %d units at a time", l.Buffers[i-1], name, m.Takes)
		}
		if i < len(l.Buffers) && m.Gives > 1 && l.Buffers[i] < 1 {
			ps.Addf(fmt.Sprintf("buffers[%d]", i), "%s gives %d units at a time, which need room", name, m.Gives)
		}
	}
	ps = append(ps, c.skillProblems(l)...)
	ps = append(ps, c.sideProblems(l, "into", l.Into, l.IntoBuffer)...)
	return append(ps, c.sideProblems(l, "from", l.From, l.FromBuffer)...)
}

// reworkProblems: spoiled units go back, not forth, and within their line.
func (c Config) reworkProblems(m MachineConfig, machines []string) strict.Problems {
	var ps strict.Problems
	if m.Rework == nil || m.Rework.To == "" {
		return nil
	}
	if !slices.Contains(machines, m.Rework.To) {
		ps.AddName("rework.to", fmt.Sprintf("there is no machine %q", m.Rework.To), m.Rework.To, machines)
		return ps
	}
	for _, l := range c.Lines {
		if i, to := c.placeIn(l, m.Name), c.placeIn(l, m.Rework.To); to >= 0 && to <= i {
			return nil
		}
	}
	ps.Addf("rework.to", "%q does not stand before it in the line", m.Rework.To)
	return ps
}

// skillProblems: what nobody can repair would lie for ever.
func (c Config) skillProblems(l LineConfig) strict.Problems {
	var ps strict.Problems
	if len(l.Teams) == 0 {
		return nil
	}
	asked := map[string]bool{}
	ask := func(machine, skill string) {
		if skill == "" {
			skill = mechanical
		}
		if asked[skill] {
			return
		}
		asked[skill] = true
		for _, t := range l.Teams {
			if len(t.Skills) == 0 || slices.Contains(t.Skills, skill) {
				return
			}
		}
		ps.Addf("team", "nobody has the skill %q, which %s needs", skill, machine)
	}
	for _, name := range slices.Concat(c.standsIn(l), l.Utilities) {
		m, k, _ := c.machine(name)
		for _, comp := range k.Components {
			ask(name, comp.Skill)
		}
		for _, b := range m.Breakdowns {
			ask(name, b.Skill)
		}
		for _, o := range m.Maintenance {
			ask(name, o.Skill)
		}
	}
	return ps
}

func (c Config) sideProblems(l LineConfig, path, station string, room int) strict.Problems {
	var ps strict.Problems
	var others []string
	for _, o := range c.Lines {
		if o.Name != l.Name {
			others = append(others, o.Stations...)
		}
	}
	_, k, ok := c.machine(station)
	switch {
	case station == "" && room != 0:
		ps.Addf(path+"_buffer", "is of no use without %s", path)
	case station == "":
	case !ok || !slices.Contains(others, station):
		ps.AddName(path, fmt.Sprintf("no station %q stands in another line", station), station, others)
	case k.feeds:
		ps.Addf(path, "%q is a %s, which works no units", station, k.Name)
	case room < 1 || room > maxBuffer:
		ps.Addf(path+"_buffer", "%d is out of range; it goes from 1 to %d", room, maxBuffer)
	}
	if path == "from" && station != "" && len(l.Stations) > 0 {
		if _, k, _ := c.machine(l.Stations[0]); k.feeds {
			ps.Addf(path, "%q stands first in the line and takes no units", l.Stations[0])
		}
	}
	return ps
}

func (c Config) utilityProblems(l LineConfig, machines []string, placed map[string]string) strict.Problems {
	var ps strict.Problems
	for i, name := range l.Utilities {
		at := fmt.Sprintf("utilities[%d]", i)
		if !slices.Contains(machines, name) {
			ps.AddName(at, fmt.Sprintf("there is no machine %q", name), name, machines)
			continue
		}
		if other, ok := placed[name]; ok {
			ps.Addf(at, "machine %q belongs to line %q already", name, other)
			continue
		}
		placed[name] = l.Name
	}
	return ps
}

func (l LineConfig) hourProblems() strict.Problems {
	var ps strict.Problems
	if _, err := newCalendar(nil, l.Starts); err != nil {
		ps.Add("starts", err.Error())
	}
	hours := func(at string, hours []string) {
		for i, h := range hours {
			if _, err := newCalendar([]string{h}, ""); err != nil {
				ps.Add(fmt.Sprintf("%s[%d]", at, i), err.Error())
			}
		}
	}
	hours("hours", l.Hours)
	if len(l.Teams) > 0 && l.Crew > 1 {
		ps.Add("crew", "is of no use beside teams")
	}
	names := map[string]bool{}
	for i, t := range l.Teams {
		at := fmt.Sprintf("team[%d]", i)
		if t.Name == "" || names[t.Name] {
			ps.Addf(at+".name", "%q is no name of its own", t.Name)
		}
		names[t.Name] = true
		if t.Size < 0 || t.Size > maxCrew {
			ps.Addf(at+".size", "%d is out of range; it goes from 0 (the same as 1) to %d", t.Size, maxCrew)
		}
		if slices.Contains(t.Skills, "") {
			ps.Add(at+".skills", "\"\" is no skill")
		}
		hours(at+".hours", t.Hours)
	}
	return ps
}

func (c Config) productProblems(l LineConfig) strict.Problems {
	var ps strict.Problems
	for i, p := range l.Products {
		at := fmt.Sprintf("product[%d]", i)
		if p.Name == "" {
			ps.Add(at+".name", "is missing")
		}
		if slices.ContainsFunc(l.Products[:i], func(o ProductConfig) bool { return o.Name == p.Name }) {
			ps.Addf(at+".name", "%q is there twice", p.Name)
		}
		if p.Lot < 1 {
			ps.Addf(at+".lot", "%d is no lot; it is a number of units", p.Lot)
		}
		if p.ChangeOver < 0 {
			ps.Addf(at+".changeover", "%v is negative", p.ChangeOver)
		}
		for _, name := range slices.Sorted(maps.Keys(p.Recipe)) {
			m, k, ok := c.machine(name)
			if !ok || c.placeIn(l, name) < 0 {
				ps.AddName(at+".recipe."+name, fmt.Sprintf("no station %q stands in the line", name), name, c.standsIn(l))
				continue
			}
			_, wrong := m.with(k, p.Recipe[name])
			ps = append(ps, wrong.Under(at+".recipe."+name)...)
		}
	}
	return ps
}

// with is a machine's parameters under a recipe.
func (m MachineConfig) with(k kind, recipe map[string]string) (params, strict.Problems) {
	text := maps.Clone(m.Params)
	if text == nil {
		text = map[string]string{}
	}
	var ps strict.Problems
	for _, name := range slices.Sorted(maps.Keys(recipe)) {
		if !slices.Contains(k.recipe, name) {
			ps.Addf(name, "is no part of the recipe of a %s", k.Name)
			continue
		}
		text[name] = recipe[name]
	}
	p, wrong := resolve(k.params(), text)
	ps = append(ps, wrong...)
	if len(ps) == 0 && k.check != nil {
		ps = k.check(p)
	}
	return p, ps
}
