package dataset

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/harness"
	"github.com/plantbed/plantbed/scenarios"
	"github.com/plantbed/plantbed/sim/plant"
	"github.com/plantbed/plantbed/sim/signal"
)

// Event is something that truly happened in a run.
type Event struct {
	AtS     float64 `json:"at_s"`
	Machine string  `json:"machine,omitempty"`
	// Kind is that of a plant's event (state, onset, detectable, failure,
	// repair), "change" of something that is no fault, or "sensor" and
	// "sensor-end" for the window in which an instrument lies.
	Kind      string `json:"kind"`
	Component string `json:"component,omitempty"`
	Mode      string `json:"mode,omitempty"`
	State     int    `json:"state,omitempty"`
	Detail    string `json:"detail,omitempty"`
}

// Result is one run as it was simulated. Its table belongs to the simulator
// and is overwritten by the next run.
type Result struct {
	Run    Run
	Table  *Table
	Events []Event
	Bursts []Burst
	// Wearing and Lying are the faults as they came about.
	Wearing []wearing
	Lying   []faults.Window
}

// simulator makes runs, one after the other, in one table.
type simulator struct {
	p       *plan
	splits  []int
	kinds   []plant.Kind
	lay     *layout
	table   *Table
	values  []float64 // of one PLC
	quality []signal.Quality
}

func newSimulator(p *plan) (*simulator, error) {
	s := &simulator{p: p, splits: p.splitsOfUnits(), kinds: plant.Kinds()}
	w, err := harness.NewWorld(s.scenario(Run{}), 0, time.Time{})
	if err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	s.lay = newLayout(p.sc, w.Tags(), w.Machines())
	s.table = newTable(len(s.lay.columns), p.rows())
	return s, nil
}

// scenario is that of the data set as one run has it: every tag in the slow
// task, machines and instruments of the run's unit.
func (s *simulator) scenario(r Run) *scenarios.Scenario {
	if s.p.asItWas {
		return s.p.sc
	}
	sc := *s.p.sc
	sc.Machines = slices.Clone(sc.Machines)
	for i := range sc.Machines {
		sc.Machines[i].Serial = r.Serial
	}
	sc.PLCs = slices.Clone(sc.PLCs)
	for i := range sc.PLCs {
		sc.PLCs[i].FastScan, sc.PLCs[i].FastTags = 0, nil
		sc.PLCs[i].InstallSeed = r.Serial
	}
	sc.Faults = r.Faults
	return &sc
}

// component of the kind's table; empty for none.
func (s *simulator) component(machine, name string) plant.Component {
	for _, m := range s.p.sc.Machines {
		for _, k := range s.kinds {
			if m.Name != machine || m.Kind != k.Name {
				continue
			}
			if i := slices.IndexFunc(k.Components, func(c plant.Component) bool { return c.Name == name }); i >= 0 {
				return k.Components[i]
			}
		}
	}
	return plant.Component{}
}

// look at the context so often.
const rowsBetweenLooks = 512

// run is the main loop of a run: build → schedule → row by row.
func (s *simulator) run(ctx context.Context, index int) (*Result, error) {
	r := s.p.draw(index, s.splits)
	fail := func(err error) (*Result, error) { return nil, fmt.Errorf("dataset: run %d: %w", index, err) }
	sc := s.scenario(r)
	w, err := harness.NewWorld(sc, r.Seed, time.Time{})
	if err != nil {
		return fail(err)
	}
	windows, ps := faults.Resolve(r.Faults, sc.Duration.D(), r.Seed)
	if len(ps) > 0 {
		return fail(ps.Err())
	}
	if err := w.Schedule(windows, r.Faults); err != nil {
		return fail(err)
	}
	t := newTruth(s, r, w, windows)
	w.Plant().OnEvent(t.event)
	for _, c := range r.Changes {
		w.Kernel().At(c.At, func() { t.change(c) })
	}
	w.Plant().Start()
	every := s.p.ds.Every.D()
	for row := range s.table.begin(s.p.rows()) {
		now := time.Duration(row+1) * every
		w.Kernel().Run(now)
		s.sample(w, row, float64(index), now.Seconds())
		t.label(row, now)
		t.bursts(row, now)
		if row%rowsBetweenLooks == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
	}
	t.fillRUL()
	return &Result{Run: r, Table: s.table, Events: t.ordered(), Bursts: t.recorded, Wearing: t.wearing, Lying: t.lying}, nil
}

// begin readies the table for n rows and gives their number.
func (t *Table) begin(n int) int {
	t.Rows = n
	return n
}

// sample reads every instrument into a row. What is bad is not there.
func (s *simulator) sample(w *harness.World, row int, run, tS float64) {
	s.table.Values[0][row], s.table.Values[1][row] = run, tS
	at := s.lay.sensors
	for k, p := range w.PLCs() {
		n := len(p.Tasks()[0].Tags)
		if cap(s.quality) < n {
			s.quality = make([]signal.Quality, n)
			s.values = make([]float64, n)
		}
		values, quality := s.values[:n], s.quality[:n]
		p.Sample(0, values, quality)
		w.Sampled(k, values, quality)
		for i, v := range values {
			if quality[i].IsBad() {
				v = null
			}
			s.table.Values[at+i][row] = v
		}
		at += n
	}
}

// truth follows what is true of a run and writes it into the label columns.
type truth struct {
	s        *simulator
	run      Run
	w        *harness.World
	windows  []faults.Window
	events   []Event
	wearing  []wearing
	lying    []faults.Window
	recorded []Burst
	cameras  []camera
}

// wearing is one component on its way to failure.
type wearing struct {
	machine, component, mode string
	onset, failure           time.Duration
	// When it showed, was repaired after the failure, or was seen to before;
	// 0 for what did not happen.
	detectable, repaired, maintained time.Duration
	// known says that the law of what remains is: the life was drawn, or the
	// component lives by itself.
	known, itself bool
	law           bridge
	// active from the onset to the repair, when it is over.
	active, failed, over bool
	// knotRow is where quantiles were computed last; -1 before the first.
	knotRow int
}

func newTruth(s *simulator, r Run, w *harness.World, windows []faults.Window) *truth {
	t := &truth{s: s, run: r, w: w, windows: windows}
	for _, win := range windows {
		machine, rest, _ := strings.Cut(win.Target, "/")
		switch win.Class {
		case faults.ClassProcess:
			t.wearing = append(t.wearing, wearing{machine: machine, component: rest, onset: win.From, failure: win.To,
				known: win.Index >= r.Drawn, law: bridgeOf(s.component(machine, rest).Law)})
		case faults.ClassSensor:
			t.lying = append(t.lying, win)
			t.add(Event{AtS: win.From.Seconds(), Machine: machine, Kind: "sensor", Component: win.Target, Mode: win.Kind, Detail: win.Note})
			t.add(Event{AtS: win.To.Seconds(), Machine: machine, Kind: "sensor-end", Component: win.Target, Mode: win.Kind})
		}
	}
	t.cameras = newCameras(s, r, w)
	t.clear()
	return t
}

// clear empties the label columns.
func (t *truth) clear() {
	for i, c := range t.s.lay.columns {
		t.s.table.Blank[i] = false
		if c.Role == "label" {
			t.s.table.Blank[i] = true
			col := t.s.table.Values[i]
			for row := range col {
				col[row] = null
			}
		}
	}
}

func (t *truth) add(e Event) { t.events = append(t.events, e) }

func (t *truth) event(e plant.Event) {
	t.add(Event{AtS: e.At.Seconds(), Machine: e.Machine, Kind: e.Kind, Component: e.Component, Mode: e.Mode, State: e.State})
	if e.Component == "" || e.Mode == breakdown {
		return
	}
	w := t.living(e)
	switch {
	case w == nil: // maintained, and nothing was wrong with it
	case e.Kind == "onset":
		w.active, w.mode, w.knotRow = true, e.Mode, -1
	case e.Kind == "detectable":
		w.detectable = e.At
	case e.Kind == "failure":
		w.failed, w.failure, w.mode = true, e.At, e.Mode
		w.active = true // what fails at once has no onset
	case e.Kind == "repair":
		w.active, w.over, w.repaired = false, true, e.At
	case e.Kind == "maintenance":
		w.active, w.over, w.maintained = false, true, e.At
	}
}

// breakdown is the mode of trouble that no damage announces: nobody's life.
const breakdown = "breakdown"

// living finds the life that an event belongs to. One that nobody planned is
// the component's own, and begins with its onset, or fails without.
func (t *truth) living(e plant.Event) *wearing {
	for i := range t.wearing {
		w := &t.wearing[i]
		if w.machine == e.Machine && w.component == e.Component && !w.over {
			if e.Kind == "maintenance" && !w.active {
				return nil // planned wear that has not begun
			}
			return w
		}
	}
	if e.Kind != "onset" && e.Kind != "failure" {
		return nil
	}
	t.wearing = append(t.wearing, wearing{machine: e.Machine, component: e.Component, onset: e.At, known: true, itself: true,
		law: bridgeOf(t.s.component(e.Machine, e.Component).Law), knotRow: -1})
	return &t.wearing[len(t.wearing)-1]
}

func (t *truth) change(c Change) {
	if err := c.apply(t.w.Plant()); err != nil {
		return // it did not happen, and no event says that it did
	}
	detail := fmt.Sprintf("%s %.4g", c.What, c.Value)
	if c.What == lookAlike {
		detail = "like " + c.Component + ": " + c.Look.Doc
	}
	t.add(Event{AtS: c.At.Seconds(), Machine: c.Machine, Kind: "change", Detail: detail})
}

// ordered are the events by time.
func (t *truth) ordered() []Event {
	slices.SortStableFunc(t.events, func(a, b Event) int { return cmp.Compare(a.AtS, b.AtS) })
	return t.events
}

// put writes a label.
func (t *truth) put(machine string, label, row int, v float64) {
	i := t.s.lay.labels[machine] + label
	t.s.table.Values[i][row] = v
	t.s.table.Blank[i] = false
}

// label writes what is true now.
func (t *truth) label(row int, now time.Duration) {
	for i := range t.wearing {
		w := &t.wearing[i]
		if !w.active {
			continue
		}
		damage, err := t.w.Plant().Machine(w.machine).Damage(w.component)
		if err != nil {
			continue
		}
		base := t.s.lay.labels[w.machine]
		if worse := t.s.table.Values[base+labDamage][row]; worse >= damage {
			continue // another component of this machine is worse off
		}
		cols := t.s.lay.columns[base:]
		t.put(w.machine, labMode, row, cols[labMode].word(w.mode))
		t.put(w.machine, labComponent, row, cols[labComponent].word(w.component))
		t.put(w.machine, labDamage, row, damage)
		t.quantiles(w, row, now, damage)
	}
	for _, l := range t.lying {
		if now > l.From && now <= l.To {
			machine, _, _ := strings.Cut(l.Target, "/")
			cols := t.s.lay.columns[t.s.lay.labels[machine]:]
			t.put(machine, labSensorTag, row, cols[labSensorTag].word(l.Target))
			t.put(machine, labSensorFault, row, cols[labSensorFault].word(l.Kind))
		}
	}
}

// knot is how many rows lie between two of which quantiles are computed; in
// between they are joined by straight lines.
const knot = 30

func (t *truth) quantiles(w *wearing, row int, now time.Duration, damage float64) {
	if !w.known {
		return
	}
	base := labQ05
	if w.failed {
		for i := range quantileLevels {
			t.put(w.machine, base+i, row, 0)
		}
		return
	}
	if w.knotRow >= 0 && row-w.knotRow < knot {
		return // filled in when the next knot is reached
	}
	lo, hi := t.s.p.lifeBounds()
	q := w.law.remaining(damage, (now - w.onset).Seconds(), lo, hi)
	if w.itself {
		q = t.itself(w)
	}
	for i, v := range q {
		t.put(w.machine, base+i, row, v)
	}
	if w.knotRow >= 0 {
		t.join(w.machine, w.knotRow, row)
	}
	w.knotRow = row
}

// itself are the quantiles of a component that lives by itself, by its own law
// and exposure.
func (t *truth) itself(w *wearing) (q [3]float64) {
	r, err := t.w.Plant().Machine(w.machine).Remaining(w.component)
	if err != nil {
		return q
	}
	for i, p := range quantileLevels {
		q[i] = null // it does not age now
		if d, ok := r.Quantile(p); ok {
			q[i] = d.Seconds()
		}
	}
	return q
}

// join fills the rows between two knots.
func (t *truth) join(machine string, from, to int) {
	for i := range quantileLevels {
		col := t.s.table.Values[t.s.lay.labels[machine]+labQ05+i]
		a, b := col[from], col[to]
		for row := from + 1; row < to; row++ {
			col[row] = a + (b-a)*float64(row-from)/float64(to-from)
		}
	}
}

// fillRUL writes the time to the failure, which is known once the run is over,
// and ends the quantiles of who was still wearing.
func (t *truth) fillRUL() {
	every := t.s.p.ds.Every.D()
	for i := range t.wearing {
		w := &t.wearing[i]
		if w.failure == 0 { // it lives by itself, and outlived the run
			continue
		}
		repaired := time.Duration(1<<63 - 1)
		if end := max(w.repaired, w.maintained); end > 0 {
			repaired = end
		}
		col := t.s.table.Values[t.s.lay.labels[w.machine]+labRUL]
		for row := range t.s.table.Rows {
			now := time.Duration(row+1) * every
			left := max(0, (w.failure - now).Seconds())
			if now < repaired && (isNull(col[row]) || left < col[row]) {
				t.put(w.machine, labRUL, row, left)
			}
		}
		t.tail(w)
	}
}

// tail carries the quantiles on from the last knot, a second less each second.
func (t *truth) tail(w *wearing) {
	if !w.known || w.knotRow < 0 {
		return
	}
	every := t.s.p.ds.Every.D().Seconds()
	base := t.s.lay.labels[w.machine]
	damage := t.s.table.Values[base+labDamage]
	for i := range quantileLevels {
		col := t.s.table.Values[base+labQ05+i]
		for row := w.knotRow + 1; row < t.s.table.Rows && isNull(col[row]) && !isNull(damage[row]); row++ {
			col[row] = max(0, col[row-1]-every)
		}
	}
}
