package plant

import (
	"slices"
	"time"

	"github.com/plantbed/plantbed/sim"
)

// Line is stations one behind the other, with the crew that looks after them.
type Line struct {
	Name string
	// Stations are all machines that work units, in the order of the flow;
	// those that are parallel to one stand behind it.
	Stations []*Machine
	places   []place
	kernel   *sim.Kernel
	crew     *crew
	hours    *calendar
	minded   []*Machine // stations and utilities
	products []product
	slowest  int // the place whose ideal pace is the line's
	// accounted is until when the line's time stands under the reasons of who
	// was to blame for it: Machine.paced.
	accounted time.Duration
}

type product struct {
	ProductConfig
	change time.Duration
}

// join puts a line's stations one behind the other, buffers half full.
func (p *Plant) join(cfg LineConfig) {
	l := &Line{Name: cfg.Name, kernel: p.kernel, crew: newCrew(cfg)}
	l.hours, _ = newCalendar(cfg.Hours, cfg.Starts)
	for _, pc := range cfg.Products {
		l.products = append(l.products, product{pc, pc.ChangeOver.D()})
	}
	for i, name := range cfg.Stations {
		var here place
		for _, name := range p.cfg.parallel(name) {
			m := p.byName[name]
			m.crew, m.line = l.crew, l
			m.station.products = l.products
			here.machines = append(here.machines, m)
			m.station.started = here.machines[0].station.started
		}
		if i > 0 {
			var travel time.Duration
			if len(cfg.Travel) > 0 {
				travel = cfg.Travel[i-1].D()
			}
			connect(l.places[i-1], here, cfg.Buffers[i-1], travel)
		}
		l.Stations = append(l.Stations, here.machines...)
		l.places = append(l.places, here)
	}
	for _, mc := range p.cfg.Machines {
		if m := p.byName[mc.Name]; mc.Rework != nil && mc.Rework.To != "" && m.line == l {
			m.station.reworkTo = p.byName[mc.Rework.To].station
		}
	}
	l.minded = slices.Clone(l.Stations)
	for _, name := range cfg.Utilities {
		m := p.byName[name]
		m.crew = l.crew
		l.minded = append(l.minded, m)
	}
	l.rate()
	p.lines = append(p.lines, l)
}

// connect two places, by a buffer or a bowl.
func connect(before, here place, capacity int, travel time.Duration) {
	if feeder := before.machines[0]; feeder.def.feeds {
		here.machines[0].station.in = newBowl(capacity, feeder, here.machines[0].station)
		return
	}
	b := newBuffer(capacity, before.stations(), here.stations(), travel)
	for _, s := range before.stations() {
		s.out = b
	}
	for _, s := range here.stations() {
		s.in = b
	}
}

// tie joins a line to a station of another one.
func (p *Plant) tie(l *Line, cfg LineConfig) {
	if cfg.Into != "" {
		last, to := l.places[len(l.places)-1].stations(), p.byName[cfg.Into].station
		b := newBuffer(cfg.IntoBuffer, last, []*station{to}, 0)
		for _, s := range last {
			s.out = b
		}
		to.sides = append(to.sides, b)
	}
	if cfg.From != "" {
		from, first := p.byName[cfg.From].station, l.places[0].stations()
		b := newBuffer(cfg.FromBuffer, []*station{from}, first, 0)
		from.offs = append(from.offs, b)
		from.owed = append(from.owed, 0)
		for _, s := range first {
			s.in = b
		}
	}
}

func newCrew(cfg LineConfig) *crew {
	if len(cfg.Teams) == 0 {
		return oneTeam(cfg.Crew)
	}
	c := &crew{}
	for _, t := range cfg.Teams {
		hours, _ := newCalendar(t.Hours, cfg.Starts)
		c.teams = append(c.teams, &team{Name: t.Name, size: max(1, t.Size), skills: t.Skills, hours: hours, on: true})
	}
	return c
}

// rate finds the place whose ideal time per unit of the line is longest.
func (l *Line) rate() {
	units := 1.0
	for i := len(l.places) - 1; i >= 0; i-- {
		s := l.places[i].machines[0].station
		l.places[i].perUnit = units / float64(s.gives)
		units = l.places[i].perUnit * float64(s.takes)
	}
	longest := 0.0
	for i, p := range l.places {
		if t := p.perUnit * p.cycle(); t > longest {
			l.slowest, longest = i, t
		}
	}
}

// keepHours opens and closes the line.
func (l *Line) keepHours() {
	l.crew.keepHours(l.kernel)
	if l.hours == nil {
		return
	}
	var turn func()
	turn = func() {
		open, next := l.hours.at(l.kernel.Now())
		for _, m := range l.minded {
			m.shift(open)
		}
		if next > l.kernel.Now() {
			l.kernel.At(next, turn)
		}
	}
	turn()
}

// shift begins or ends a machine's hours. A unit in work is finished first.
func (m *Machine) shift(open bool) {
	now := m.kernel.Now()
	if m.line != nil {
		m.line.account(now)
	}
	if open != !m.ledger.closed {
		kind := "closed"
		if open {
			kind = "open"
		}
		m.emit(Event{At: now, Machine: m.Name, Kind: kind})
	}
	m.ledger.shift(now, open)
	m.station.closed = !open
	switch {
	case open && m.ledger.reason == noShift:
		m.restartFrom(2)
	case !open && m.working() && !m.station.working:
		m.station.endWait()
		m.station.resume.Stop()
		m.enter(Stopped, noShift)
	}
}

// account books the time since the last change of any station under who set
// the pace meanwhile: the slowest place itself, or, where it starved or was
// blocked, the nearest place that way which did neither.
func (l *Line) account(now time.Duration) {
	i, why := l.blame()
	l.places[i].account(now-l.accounted, why)
	l.accounted = now
}

func (l *Line) blame() (at int, why reason) {
	i := l.slowest
	for {
		why := l.places[i].why()
		switch {
		case why == starved && i > 0:
			i--
			if w := l.places[i].why(); w == blocked || w == producing {
				return i, producing
			}
		case why == blocked && i < len(l.places)-1:
			i++
			if w := l.places[i].why(); w == starved || w == producing {
				return i, producing
			}
		default:
			return i, why
		}
	}
}

// Loss is time that a machine or a line did not make good units in, and why.
type Loss struct {
	// Machine is the one to blame, of a line's losses.
	Machine string
	// Reason is a reason of the ledger, "speed" for time in which units were
	// made slower than ideally, "scrap" for the ideal time of spoiled units, or
	// "good" for the ideal time of good ones, which is no loss.
	Reason  string
	Seconds float64
}

// Losses of a machine attribute every second up to now: they add up to now.
func (m *Machine) Losses(now time.Duration) []Loss {
	var out []Loss
	for why := range reasons {
		if d := m.ledger.because(why, now); d > 0 && why != producing {
			out = append(out, Loss{m.Name, reasonNames[why], d.Seconds()})
		}
	}
	made := m.ledger.because(producing, now).Seconds()
	good, bad := m.IdealCycle*float64(m.good), m.IdealCycle*float64(m.total-m.good)
	if m.def.utility {
		good = made
	}
	return append(out, Loss{m.Name, "scrap", bad}, Loss{m.Name, "speed", made - good - bad}, Loss{m.Name, "good", good})
}

// Losses of a line attribute every second up to now to a machine and a reason.
// Speed is what the pace of a machine cost that did not stand still.
func (l *Line) Losses(now time.Duration) []Loss {
	l.account(now)
	var out []Loss
	pace := l.ideal()
	good := pace * float64(l.Good())
	scrap := 0.0
	for _, p := range l.places {
		for _, m := range p.machines {
			lost := pace * float64(m.total-m.good) / p.perUnit
			scrap += lost
			if lost > 0 {
				out = append(out, Loss{m.Name, "scrap", lost})
			}
			for why, d := range m.paced {
				if d > 0 && reason(why) != producing {
					out = append(out, Loss{m.Name, reasonNames[why], d.Seconds()})
				}
			}
		}
	}
	moving := 0.0
	for _, m := range l.Stations {
		moving += m.paced[producing].Seconds()
	}
	rest := moving - good - scrap
	for _, m := range l.Stations {
		if d := m.paced[producing].Seconds(); d > 0 {
			out = append(out, Loss{m.Name, "speed", rest * d / moving})
		}
	}
	return append(out, Loss{"", "good", good})
}

// Good is how many good units have left the line.
func (l *Line) Good() int {
	n := 0
	for _, m := range l.places[len(l.places)-1].machines {
		n += m.good * m.station.gives
	}
	return n
}

// ideal is the line's ideal time per unit at its end, in seconds.
func (l *Line) ideal() float64 { return l.places[l.slowest].perUnit * l.places[l.slowest].cycle() }

// OEE of a line: availability is that of its slowest place, quality counts
// what any station spoiled, and the product is the ideal time of all good
// units at its end over the planned time.
func (l *Line) OEE(now time.Duration) OEE {
	slow := l.places[l.slowest]
	n := float64(len(slow.machines))
	planned := now - seconds(slow.all(func(m *Machine) float64 { return m.ledger.because(noShift, now).Seconds() })/n)
	ran := seconds(slow.all(func(m *Machine) float64 { return m.ledger.in(Execute, now).Seconds() }) / n)
	good := float64(l.Good())
	total := good
	for _, p := range l.places {
		total += p.all(func(m *Machine) float64 { return float64(m.total - m.good) }) / p.perUnit
	}
	return effectiveness(planned, ran, l.ideal(), total, good)
}

// Energy is what a machine has taken from the mains, in kWh.
type Energy struct {
	TotalKWh float64
	// IdleKWh is the part of it in which it made nothing.
	IdleKWh float64
}

func (e *Energy) add(kWh float64, why reason) {
	e.TotalKWh += kWh
	if why != producing {
		e.IdleKWh += kWh
	}
}

// Energy up to now, which is the kernel's time, to the last whole second.
func (m *Machine) Energy(now time.Duration) Energy {
	m.advance(now.Truncate(grid))
	return m.energy
}
