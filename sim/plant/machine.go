package plant

import (
	"fmt"
	"math"
	"time"

	"github.com/plantbed/plantbed/sim"
)

// Signal is one quantity of one machine.
type Signal struct {
	SignalSpec
	// Read is the true value at now, in engineering units: no sensor, no
	// noise but the process's own. It looks and changes nothing. Call it on
	// the kernel's goroutine with the kernel's time.
	Read func(now time.Duration) float64
}

// Machine is one asset. Its physics runs between events: inputs change only
// at events, and before each change the model is advanced up to it, in steps
// that end on whole seconds. A read works on a copy, from the last whole
// second or event up to now.
//
//	event ──1s──┼──1s──┼─ ... ─┼── event          committed state
//	                               └──► now        what a read sees
type Machine struct {
	Name       string
	Kind       string
	IdealCycle float64 // seconds per unit

	plant      *Plant
	kernel     *sim.Kernel
	surround   *surroundings
	emit       func(Event)
	def        kind
	signals    []Signal
	model      model
	in         inputs
	advanced   time.Duration // the model's state is that of this instant
	y          []float64     // what the model measured last
	measured   time.Duration // when that was; -1 for not valid any more
	wears      []*wear
	station    *station
	feed       *bowl // what it feeds, if its kind does
	ledger     ledger
	good       int
	total      int
	repairTime time.Duration
	restart    time.Duration
	broken     int // components that wait for a crew or are in its hands
	inWork     int // components in a crew's hands
	restartAt  sim.Timer
	crew       *crew
	chance     chance
	usual      map[string]string // parameters of the configuration
	setting    map[string]string // as they are set now
	warm       bool              // whether the morning has been worked through
	energy     Energy
	line       *Line
	paced      [reasons]time.Duration // of the line's time, that in which this machine set the pace, by reason
	breakdowns []*breakdown
	orders     []*order // maintenance that is planned
	due        []*order // that whose crew stands by
	watched    bool     // see watch
	log        []moment
}

// grid is the longest step of a model.
const grid = time.Second

func newMachine(plant *Plant, cfg MachineConfig) *Machine {
	k, s := plant.kernel, plant.around
	def, _ := findKind(cfg.Kind)
	p, _ := resolve(def.params(), cfg.Params)
	c := chance{k, "plant/" + cfg.Name, cfg.Serial}
	m := &Machine{
		Name: cfg.Name, Kind: cfg.Kind, IdealCycle: p["cycle"] / 1000,
		plant: plant, kernel: k, surround: s, emit: plant.emit, def: def,
		model:      def.build(p, c),
		y:          make([]float64, len(def.Signals)),
		measured:   -1,
		chance:     c,
		usual:      cfg.Params,
		setting:    cfg.Params,
		repairTime: seconds(p["repair_time"] * 60),
		restart:    seconds(p["restart"]),
	}
	m.ledger.state, m.ledger.reason = Execute, producing
	m.in = inputs{state: Execute, drawing: true}
	s.at(0, &m.in)
	for i, comp := range def.Components {
		m.wears = append(m.wears, &wear{m: m, index: i, Component: comp})
	}
	m.makeSignals(p)
	m.station = newStation(m, p, c)
	m.station.configure(cfg, c)
	m.ageing(cfg)
	return m
}

func seconds(s float64) time.Duration { return time.Duration(math.Round(s * 1e9)) }

func (m *Machine) makeSignals(p params) {
	specs := m.def.signals()
	if m.def.spans != nil {
		m.def.spans(p, specs[m.def.flow():])
	}
	m.signals = make([]Signal, len(specs))
	for i, spec := range specs {
		m.signals[i] = Signal{SignalSpec: spec, Read: m.reader(i)}
	}
}

func (m *Machine) reader(i int) func(time.Duration) float64 {
	if i < m.def.flow() {
		return m.flowReader(i)
	}
	i -= m.def.flow()
	return func(now time.Duration) float64 {
		if now != m.measured {
			m.look(now)
		}
		return m.y[i]
	}
}

func (m *Machine) flowReader(i int) func(time.Duration) float64 {
	switch i {
	case goodAt:
		return func(time.Duration) float64 { return float64(m.good) }
	case totalAt:
		return func(time.Duration) float64 { return float64(m.total) }
	}
	return func(time.Duration) float64 { return float64(m.ledger.state) }
}

// Signals in the order of the kind's table.
func (m *Machine) Signals() []Signal { return m.signals }

// StateSignal, GoodSignal and TotalSignal name the signals that carry the
// PackML state and the counters of good and of all units; "" for the counters
// of a utility, which has none.
func (m *Machine) StateSignal() string { return flowSpecs[stateAt].Name }
func (m *Machine) GoodSignal() string  { return m.counter(goodAt) }
func (m *Machine) TotalSignal() string { return m.counter(totalAt) }

func (m *Machine) counter(i int) string {
	if m.def.utility {
		return ""
	}
	return flowSpecs[i].Name
}

// State is the PackML state now.
func (m *Machine) State() int { return m.ledger.state }

// Starved and Blocked tell whether it waits now, for units or for room behind
// it. A machine that waits for less than 3 s says Execute all the while.
func (m *Machine) Starved() bool { return m.ledger.why() == starved }
func (m *Machine) Blocked() bool { return m.ledger.why() == blocked }

// Good and Total are the units so far.
func (m *Machine) Good() int  { return m.good }
func (m *Machine) Total() int { return m.total }

// OEE of the run up to now, which is the kernel's time.
func (m *Machine) OEE(now time.Duration) OEE {
	return effectiveness(now-m.ledger.because(noShift, now), m.ledger.in(Execute, now), m.IdealCycle, float64(m.total), float64(m.good))
}

// Ledger is where the time went up to now, the seconds by state and reason.
func (m *Machine) Ledger() []Spell { return m.ledger.spells(m.kernel.Now()) }

// look measures everything at now.
func (m *Machine) look(now time.Duration) {
	m.watch()
	m.advance(now.Truncate(grid))
	m.sense(now)
	m.in.bowl, m.in.queue = m.station.fullness(now)
	m.in.total = float64(m.total)
	m.model.measure(&m.in, max(0, now-m.advanced).Seconds(), m.y)
	m.measured = now
}

// touch brings the state up to now because an input is about to change.
func (m *Machine) touch(now time.Duration) {
	m.measured = -1
	if m.watched || len(m.log) >= mostLog {
		m.advance(now)
		return
	}
	m.log = append(m.log, moment{now, m.in.state, m.in.drawing, m.in.working, m.in.begunS, m.in.cycleS, m.in.extra, m.ledger.reason})
}

// moment is what drove a machine up to an instant.
type moment struct {
	until          time.Duration
	state          int
	drawing        bool
	working        bool
	begunS, cycleS float64
	extra          float64
	why            reason
}

// mostLog is how many moments are kept for a machine that nobody looks at.
const mostLog = 1 << 14

// watch has the physics of a machine run along with events from now on, since
// somebody has looked at it, or something other than the moments kept is about
// to change. Before, its moments are merely written down: a signal that nobody
// samples costs nothing.
func (m *Machine) watch() {
	if !m.watched {
		m.watched = true
		m.advance(m.advanced)
	}
}

// replay runs the physics through the moments that were written down.
func (m *Machine) replay() {
	log, now := m.log, m.moment()
	m.log = nil
	for _, past := range log {
		m.drive(past)
		m.run(past.until, past.why)
	}
	m.drive(now)
}

func (m *Machine) moment() moment {
	return moment{0, m.in.state, m.in.drawing, m.in.working, m.in.begunS, m.in.cycleS, m.in.extra, m.ledger.reason}
}

func (m *Machine) drive(d moment) {
	m.in.state, m.in.drawing, m.in.working, m.in.begunS, m.in.cycleS, m.in.extra = d.state, d.drawing, d.working, d.begunS, d.cycleS, d.extra
}

// morning is how long a machine has worked before the run starts.
const morning = time.Hour

// warmUp lets a new machine work through the hour before the start, from the
// steady state, so that its temperatures and levels are as on any other hour.
func (m *Machine) warmUp() {
	m.advanced = -morning
	m.sense(m.advanced)
	settle(m.model, m.in)
	perStep := 0.0
	if m.feed != nil {
		perStep = grid.Seconds() / max(m.IdealCycle, m.feed.down.m.IdealCycle)
	}
	for at := grid - morning; at <= 0; at += grid {
		m.run(at, producing)
		m.draw(perStep)
	}
	m.energy = Energy{}
}

// advance brings the state up to an instant.
func (m *Machine) advance(to time.Duration) {
	if len(m.log) > 0 {
		m.replay()
	}
	m.run(to, m.ledger.reason)
}

func (m *Machine) run(to time.Duration, why reason) {
	if !m.warm {
		m.warm = true
		m.warmUp()
	}
	for m.advanced < to {
		end := min(to, m.advanced.Truncate(grid)+grid)
		m.sense(m.advanced)
		dtS := (end - m.advanced).Seconds()
		m.energy.add(m.model.powerKW(&m.in)*dtS/3600, why)
		m.model.advance(&m.in, dtS)
		m.advanced = end
	}
}

// supply takes portions from a feeder.
func (m *Machine) supply(portions float64) {
	m.watch()
	m.touch(m.kernel.Now())
	m.draw(portions)
}

func (m *Machine) draw(portions float64) {
	if f, ok := m.model.(interface{ supply(portions float64) }); ok {
		f.supply(portions)
	}
}

// sense takes in what changes by itself.
func (m *Machine) sense(at time.Duration) {
	tS := at.Seconds()
	m.surround.at(tS, &m.in)
	for i, w := range m.wears {
		m.in.damage[i] = w.damage(tS)
	}
}

// enter puts the machine into a state for a reason.
func (m *Machine) enter(state int, why reason) {
	now := m.kernel.Now()
	if state == m.ledger.state && why == m.ledger.reason {
		return
	}
	if m.line != nil {
		m.line.account(now)
	}
	if state == m.ledger.state {
		m.ledger.book(now, state, why)
		return
	}
	if m.feed != nil {
		m.feed.update(now)
	}
	m.touch(now)
	m.ledger.book(now, state, why)
	m.in.state = state
	m.station.stateChanged(now)
	m.exposed()
	if m.feed != nil {
		m.feed.wakeLater(now)
	}
	m.emit(Event{At: now, Machine: m.Name, Kind: "state", State: state})
}

// working: it does its job, or would if its neighbours let it.
func (m *Machine) working() bool {
	return m.ledger.state == Execute || m.ledger.state == Suspended
}

// Knobs names the components that can be worn out.
func (m *Machine) Knobs() []string {
	names := make([]string, len(m.wears))
	for i, w := range m.wears {
		names[i] = w.Name
	}
	return names
}

// Knob is the handle on a component.
func (m *Machine) Knob(component string) (Knob, bool) {
	for _, w := range m.wears {
		if w.Name == component {
			return w, true
		}
	}
	return nil, false
}

// Damage is the latent damage of a component now, 0 new and 1 failed: truth
// that no signal shows.
func (m *Machine) Damage(component string) (float64, error) {
	for _, w := range m.wears {
		if w.Name == component {
			return w.damage(m.kernel.Now().Seconds()), nil
		}
	}
	return 0, fmt.Errorf("machine %q has no component %q", m.Name, component)
}

// pace tells the physics of a paced machine that a unit begins, or has ended.
func (m *Machine) pace(works bool, cycle time.Duration) {
	if !m.def.paced {
		return
	}
	now := m.kernel.Now()
	m.touch(now)
	m.in.working, m.in.begunS, m.in.cycleS = works, now.Seconds(), cycle.Seconds()
}
