package plant

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
)

// maxParallel machines do the same work in a line.
const maxParallel = 32

// parallel are the names of the machines that do the work of a station, itself
// first.
func (c Config) parallel(station string) []string {
	out := []string{station}
	for _, m := range c.Machines {
		if m.ParallelTo == station && m.Name != station {
			out = append(out, m.Name)
		}
	}
	return out
}

// standsIn are the names of all machines that work units in a line.
func (c Config) standsIn(l LineConfig) []string {
	var out []string
	for _, name := range l.Stations {
		out = append(out, c.parallel(name)...)
	}
	return out
}

// placeIn is where a machine stands in a line, -1 for nowhere.
func (c Config) placeIn(l LineConfig, machine string) int {
	return slices.IndexFunc(l.Stations, func(s string) bool { return slices.Contains(c.parallel(s), machine) })
}

func (c Config) parallelProblems(m MachineConfig, placed map[string]string) strict.Problems {
	var ps strict.Problems
	to := m.ParallelTo
	if to == "" {
		return nil
	}
	station, k, known := c.machine(to)
	var line LineConfig
	at := -1
	for _, l := range c.Lines {
		if i := slices.Index(l.Stations, to); i >= 0 {
			line, at = l, i
		}
	}
	atBowl := false
	if at > 0 {
		_, before, _ := c.machine(line.Stations[at-1])
		atBowl = before.feeds
	}
	switch {
	case at < 0 || !known || to == m.Name:
		ps.AddName("", fmt.Sprintf("no station %q stands in a line", to), to, slices.Sorted(maps.Keys(placed)))
	case placed[m.Name] != "":
		ps.Addf("", "machine %q stands in line %q already", m.Name, placed[m.Name])
	case k.feeds || atBowl:
		ps.Addf("", "%q feeds or is fed by the bowl of a feeder, which serves one machine", to)
	case len(c.parallel(to)) > maxParallel:
		ps.Addf("", "%d machines do the work of %q; %d are the most", len(c.parallel(to)), to, maxParallel)
	case max(1, m.Takes) != max(1, station.Takes) || max(1, m.Gives) != max(1, station.Gives):
		ps.Addf("", "%q does not take and give as many units as %q", m.Name, to)
	}
	for _, l := range c.Lines {
		if at >= 0 && (l.Into == to || l.From == to) {
			ps.Addf("", "line %q runs into %q or from it, which one machine does alone", l.Name, to)
		}
	}
	return ps
}

// place is what stands between two buffers of a line: a machine, or several
// that do the same work.
type place struct {
	machines []*Machine
	perUnit  float64 // cycles for one unit at the line's end
}

func (p place) stations() []*station {
	out := make([]*station, len(p.machines))
	for i, m := range p.machines {
		out[i] = m.station
	}
	return out
}

// cycle is the ideal time between two units.
func (p place) cycle() float64 {
	if len(p.machines) == 1 {
		return p.machines[0].IdealCycle
	}
	pace := 0.0
	for _, m := range p.machines {
		pace += 1 / m.IdealCycle
	}
	return 1 / pace
}

// why is what a place does: it produces if any of its machines does, and
// waits if those wait that could work.
func (p place) why() reason {
	for _, why := range [...]reason{producing, starved, blocked} {
		for _, m := range p.machines {
			if m.ledger.why() == why {
				return why
			}
		}
	}
	return p.machines[0].ledger.why()
}

// account books a time under each machine's own reason, by its share of the
// pace: of two machines of which one is down, half of it is repair. Who waits
// while the place works is part of the pace.
func (p place) account(d time.Duration, why reason) {
	if len(p.machines) == 1 {
		p.machines[0].paced[why] += d
		return
	}
	rest, cycle := d, p.cycle()
	for i, m := range p.machines {
		its := time.Duration(float64(d) * cycle / m.IdealCycle)
		if i == len(p.machines)-1 {
			its = rest
		}
		rest -= its
		own := m.ledger.why()
		if own == starved || own == blocked {
			own = why
		}
		m.paced[own] += its
	}
}

// all is a figure of its machines, added up.
func (p place) all(of func(*Machine) float64) (sum float64) {
	for _, m := range p.machines {
		sum += of(m)
	}
	return sum
}
