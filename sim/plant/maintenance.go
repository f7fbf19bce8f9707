package plant

import (
	"fmt"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim"
)

// MaintenanceConfig is work on components before they fail. Without any, a
// machine runs to failure.
type MaintenanceConfig struct {
	Components []string `toml:"components"`
	// Every is preventive: after so much time by the calendar. After is so
	// much time of running. With a Signal it is done when that has been Above
	// or Below a value for as long as For, looked at every Look (a minute).
	// Exactly one of the three.
	Every  strict.Duration `toml:"every,omitzero"`
	After  strict.Duration `toml:"after,omitzero"`
	Signal string          `toml:"signal,omitempty"`
	Above  *float64        `toml:"above,omitempty"`
	Below  *float64        `toml:"below,omitempty"`
	For    strict.Duration `toml:"for,omitzero"`
	Look   strict.Duration `toml:"look,omitzero"`

	Work strict.Duration `toml:"work"`
	// Kijima is the share of a component's age that it leaves.
	Kijima float64 `toml:"kijima"`
	Skill  string  `toml:"skill,omitempty"`
}

func (c MaintenanceConfig) validate(k kind) strict.Problems {
	var ps strict.Problems
	if len(c.Components) == 0 {
		ps.Add("components", "is missing; name what is maintained")
	}
	for i, name := range c.Components {
		ps = append(ps, componentProblems(fmt.Sprintf("components[%d]", i), name, k)...)
	}
	policies := 0
	for _, is := range []bool{c.Every != 0, c.After != 0, c.Signal != ""} {
		if is {
			policies++
		}
	}
	if policies != 1 || c.Every < 0 || c.After < 0 {
		ps.Add("", "needs exactly one of every, after and signal")
	}
	if c.Signal != "" {
		var names []string
		for _, s := range k.signals() {
			names = append(names, s.Name)
		}
		if !contains(names, c.Signal) {
			ps.AddName("signal", fmt.Sprintf("a %s has no signal %q", k.Name, c.Signal), c.Signal, names)
		}
		if (c.Above == nil) == (c.Below == nil) {
			ps.Add("signal", "needs either above or below")
		}
	}
	if c.Work <= 0 {
		ps.Addf("work", "%v is no time for it", c.Work)
	}
	if c.For < 0 || c.Look < 0 {
		ps.Add("for", "cannot be negative, and look neither")
	}
	if !(c.Kijima >= 0 && c.Kijima <= 1) {
		ps.Addf("kijima", "%v is not from 0, as good as new, to 1, as bad as old", c.Kijima)
	}
	return ps
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

// order is planned work. When it is due the crew is called, while the machine
// goes on; when somebody has come, it stops behind the unit in work.
//
//	due ──► crew called ──► crew there ──► unit ends ──► Stopped ──► restart
type order struct {
	MaintenanceConfig
	m      *Machine
	wears  []*wear
	called bool
	team   *team
	leftS  float64 // of running time
	since  time.Duration
	timer  sim.Timer
	read   func(time.Duration) float64
	beyond time.Duration // since when the signal has been, or -1
}

func newOrder(m *Machine, c MaintenanceConfig) *order {
	o := &order{MaintenanceConfig: c, m: m, beyond: -1}
	for _, name := range c.Components {
		for _, w := range m.wears {
			if w.Name == name {
				o.wears = append(o.wears, w)
			}
		}
	}
	for _, s := range m.signals {
		if s.Name == c.Signal && c.Signal != "" {
			o.read = s.Read
		}
	}
	if o.Look == 0 {
		o.Look = strict.Duration(time.Minute)
	}
	return o
}

// start begins to wait for the next time.
func (o *order) start() {
	k := o.m.kernel
	switch {
	case o.Every > 0:
		o.timer = k.After(o.Every.D(), o.request)
	case o.After > 0:
		o.leftS = o.After.D().Seconds()
		o.stateChanged()
	case o.read != nil:
		o.beyond = -1
		o.timer = k.After(o.Look.D(), o.look)
	}
}

// stateChanged counts running time, for work that goes by it.
func (o *order) stateChanged() {
	if o.After == 0 || o.called {
		return
	}
	now := o.m.kernel.Now()
	running := o.m.in.driving()
	if o.since > 0 || o.timer != (sim.Timer{}) {
		if running { // it runs still: the timer stands
			return
		}
		if o.timer.Stop() {
			o.leftS -= (now - o.since).Seconds()
		}
		o.timer, o.since = sim.Timer{}, 0
		return
	}
	if running {
		o.since = now
		o.timer = o.m.kernel.After(seconds(max(0, o.leftS)), o.request)
	}
}

// look is a look at the true value of a signal, while the machine runs.
func (o *order) look() {
	now := o.m.kernel.Now()
	o.timer = o.m.kernel.After(o.Look.D(), o.look)
	if o.m.ledger.state != Execute {
		return
	}
	v := o.read(now)
	if (o.Above == nil || v <= *o.Above) && (o.Below == nil || v >= *o.Below) {
		o.beyond = -1
		return
	}
	if o.beyond < 0 {
		o.beyond = now
	}
	if now-o.beyond >= o.For.D() {
		o.timer.Stop()
		o.request()
	}
}

// request calls the crew.
func (o *order) request() {
	o.timer, o.since = sim.Timer{}, 0
	if o.called {
		return
	}
	o.called = true
	o.m.crew.call(o.Skill, func(t *team) {
		if o.m.broken > 0 { // it lies still for something worse: another time
			o.called = false
			o.m.crew.done(t)
			o.start()
			return
		}
		o.team = t
		o.m.due = append(o.m.due, o)
		if o.m.station.free() {
			o.m.serve()
		}
	})
}

// Maintain has a component seen to as soon as somebody comes, for work long:
// what an alarm does that people trust.
func (m *Machine) Maintain(component string, work time.Duration, kijima float64) error {
	for _, w := range m.wears {
		if w.Name == component {
			o := &order{m: m, wears: []*wear{w}, MaintenanceConfig: MaintenanceConfig{Work: strict.Duration(work), Kijima: kijima, Skill: w.Skill}}
			o.request()
			return nil
		}
	}
	return fmt.Errorf("machine %q has no component %q", m.Name, component)
}

// serve stops the machine for what is due.
func (m *Machine) serve() {
	o := m.due[0]
	m.due = m.due[1:]
	m.station.endWait()
	m.restartAt.Stop()
	m.enter(Stopped, maintenance)
	m.kernel.After(o.Work.D(), func() { m.served(o) })
}

func (m *Machine) served(o *order) {
	for _, w := range o.wears {
		if w.failed {
			continue // a repair of its own
		}
		w.restore(o.Kijima)
		m.emit(w.event("maintenance"))
	}
	m.crew.done(o.team)
	o.called = false
	o.start()
	switch {
	case m.broken > 0:
	case len(m.due) > 0:
		m.serve()
	default:
		m.restartFrom(2)
	}
}
