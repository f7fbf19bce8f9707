package plant

import (
	"fmt"
	"slices"
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
	// or Below a value for as long as For, looked at every Look (a minute);
	// what is looked at is what the instrument says, where there is one. With
	// an Alarm it is done when that is told (see Plant.Alarm): the name of a
	// detector or of a signal, of a Class if one is given.
	// Exactly one of the four.
	Every  strict.Duration `toml:"every,omitzero"`
	After  strict.Duration `toml:"after,omitzero"`
	Signal string          `toml:"signal,omitempty"`
	Above  *float64        `toml:"above,omitempty"`
	Below  *float64        `toml:"below,omitempty"`
	For    strict.Duration `toml:"for,omitzero"`
	Look   strict.Duration `toml:"look,omitzero"`
	Alarm  string          `toml:"alarm,omitempty"`
	Class  string          `toml:"class,omitempty"`
	// Rest is how long after the work nobody minds the signal or the alarm: the
	// machine settles first.
	Rest strict.Duration `toml:"rest,omitzero"`

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
	for _, is := range []bool{c.Every != 0, c.After != 0, c.Signal != "", c.Alarm != ""} {
		if is {
			policies++
		}
	}
	switch {
	case policies != 1:
		ps.Add("", "needs exactly one of every, after, signal and alarm")
	case c.Every < 0:
		ps.Addf("every", "%v is negative", c.Every)
	case c.After < 0:
		ps.Addf("after", "%v is negative", c.After)
	}
	if c.Signal != "" {
		names := k.signalNames()
		if !slices.Contains(names, c.Signal) {
			ps.AddName("signal", fmt.Sprintf("a %s has no signal %q", k.Name, c.Signal), c.Signal, names)
		}
		if (c.Above == nil) == (c.Below == nil) {
			ps.Add("signal", "needs either above or below")
		}
	}
	for path, given := range map[string]bool{"above": c.Above != nil, "below": c.Below != nil, "for": c.For != 0, "look": c.Look != 0} {
		if given && c.Signal == "" {
			ps.Addf(path, "is of no use without signal")
		}
	}
	if c.Class != "" && c.Alarm == "" {
		ps.Add("class", "is of no use without alarm")
	}
	if c.Rest != 0 && c.Signal == "" && c.Alarm == "" {
		ps.Add("rest", "is of no use without signal or alarm")
	}
	if c.Work <= 0 {
		ps.Addf("work", "%v is no time for it", c.Work)
	}
	for path, d := range map[string]strict.Duration{"for": c.For, "look": c.Look, "rest": c.Rest} {
		if d < 0 {
			ps.Addf(path, "%v is negative", d)
		}
	}
	if !(c.Kijima >= 0 && c.Kijima <= 1) {
		ps.Addf("kijima", "%v is not from 0, as good as new, to 1, as bad as old", c.Kijima)
	}
	ps.Sort()
	return ps
}

// Alarm tells the plant that an alarm of a machine came up: of a detector, by
// its name and what it takes for the cause ("" is no diagnosis), or of a
// controller, by the name of the signal. What maintenance waits for it is
// ordered; Alarm says how much that is. It belongs to the kernel's goroutine.
func (p *Plant) Alarm(machine, name, class string) (ordered int) {
	m := p.byName[machine]
	if m == nil {
		return 0
	}
	now := p.kernel.Now()
	for _, o := range m.orders {
		if o.Alarm == name && name != "" && (o.Class == "" || o.Class == class) && !o.called && now >= o.rested {
			o.request()
			ordered++
		}
	}
	return ordered
}

// Measure gives maintenance an eye for what instruments say: read has the
// value of a machine's signal as it was last measured, or none. Without, the
// true value is looked at. Call it before Start.
func (p *Plant) Measure(read func(machine, signal string) (v float64, ok bool)) { p.measure = read }

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
	rested time.Duration // until when nobody minds signal and alarm
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
			o.read = o.eye(s)
		}
	}
	if o.Look == 0 {
		o.Look = strict.Duration(time.Minute)
	}
	return o
}

// eye looks at a signal through its instrument, or with none at the truth.
func (o *order) eye(s Signal) func(time.Duration) float64 {
	return func(now time.Duration) float64 {
		if measure := o.m.plant.measure; measure != nil {
			if v, ok := measure(o.m.Name, s.Name); ok {
				return v
			}
		}
		return s.Read(now)
	}
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

// look is a look at a signal, while the machine runs.
func (o *order) look() {
	now := o.m.kernel.Now()
	o.timer = o.m.kernel.After(o.Look.D(), o.look)
	if o.m.ledger.state != Execute || now < o.rested {
		o.beyond = -1
		return
	}
	v := o.read(now)
	if v != v { // the instrument says nothing, and nobody can tell
		return
	}
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
		w.maintain(o.Kijima)
		m.emit(w.event("maintenance"))
	}
	m.crew.done(o.team)
	o.called, o.rested = false, m.kernel.Now()+o.Rest.D()
	o.start()
	switch {
	case m.broken > 0:
	case len(m.due) > 0:
		m.serve()
	default:
		m.restartFrom(2)
	}
}
