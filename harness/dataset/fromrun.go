package dataset

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/harness"
	"github.com/plantbed/plantbed/harness/record"
	"github.com/plantbed/plantbed/scenarios"
)

// FromRun writes the data of a run as its stack delivered them, with gaps, late
// and wrong values and all, and the truth beside them:
//
//	delivered   a row for every sample that reached the twin, in the order of arrival
//	truth       a row for every value that a PLC latched, and when it arrived
//	data-00000  the wide table of other data sets: what was known at each second
//
// The run's record says what arrived. Latent damage is not in it: the plant is
// run again under the same seed, and the labels are left out where its events
// are not those of the record.
func FromRun(ctx context.Context, dir string, opts Options) (Summary, error) {
	d, err := loadDelivery(dir, opts)
	if err != nil {
		return Summary{}, err
	}
	if err := d.p.openEmpty(); err != nil {
		return Summary{}, err
	}
	if err := d.replay(ctx); err != nil {
		return Summary{}, err
	}
	d.match()
	d.grid()
	return d.write()
}

// delivery is a run's record on its way into a data set.
type delivery struct {
	dir   string
	p     *plan
	log   *record.Log
	sim   *simulator
	world *harness.World
	res   *Result
	same  bool // the plant was made again
	scans []scanned
	seen  []arrival
}

func loadDelivery(dir string, opts Options) (*delivery, error) {
	log, err := record.Load(filepath.Join(dir, "record"))
	if err != nil {
		return nil, fmt.Errorf("dataset: %w", err)
	}
	if opts.Format == "cmapss" {
		return nil, errors.New("dataset: the layout of C-MAPSS has no place for gaps and late values; write parquet or csv")
	}
	sc, ps := scenarios.Load(filepath.Join(dir, "scenario.toml"), nil)
	if len(ps) > 0 {
		return nil, fmt.Errorf("dataset: the run's scenario: %w", ps.Err())
	}
	opts.Runs, opts.Seed = 1, log.Meta.Seed
	p, err := newPlan(sc, opts)
	if err != nil {
		return nil, err
	}
	p.asItWas = true
	p.ds.BurstEvery = 0 // a stack delivers no waveforms
	sim, err := newSimulator(p)
	if err != nil {
		return nil, err
	}
	if n := len(sim.lay.columns) - sim.lay.sensors - labCount*len(sim.lay.labels); n != len(log.Meta.Tags) {
		return nil, fmt.Errorf("dataset: the run's scenario has %d tags and its record %d", n, len(log.Meta.Tags))
	}
	return &delivery{dir: dir, p: p, log: log, sim: sim}, nil
}

// openEmpty makes the directory, which must hold nothing yet.
func (p *plan) openEmpty() error {
	if err := os.MkdirAll(p.opts.Dir, 0o755); err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	entries, err := os.ReadDir(p.opts.Dir)
	if err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	if len(entries) > 0 {
		return fmt.Errorf("dataset: %s is not empty; name another directory, or remove it", p.opts.Dir)
	}
	return nil
}

// replay runs the plant again, for the labels.
func (d *delivery) replay(ctx context.Context) error {
	sc := d.p.sc
	r := Run{Seed: d.log.Meta.Seed, Faults: sc.Faults, Drawn: len(sc.Faults), Split: "test"}
	w, err := harness.NewWorld(sc, r.Seed, d.log.Meta.Start)
	if err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	windows, ps := faults.Resolve(sc.Faults, sc.Duration.D(), r.Seed)
	if len(ps) > 0 {
		return fmt.Errorf("dataset: %w", ps.Err())
	}
	if err := w.Schedule(windows, sc.Faults); err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	t := newTruth(d.sim, r, w, windows)
	w.Plant().OnEvent(t.event)
	w.Plant().Start()
	if w.Attended() {
		d.attend(w)
	}
	every := d.p.ds.Every.D()
	rows := min(d.p.rows(), d.reached(every))
	for row := range d.sim.table.begin(rows) {
		now := time.Duration(row+1) * every
		w.Kernel().Run(now)
		t.label(row, now)
		d.sim.table.Values[0][row], d.sim.table.Values[1][row] = 0, now.Seconds()
		if row%rowsBetweenLooks == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	t.fillRUL()
	d.world = w
	d.res = &Result{Run: r, Table: d.sim.table, Events: t.ordered(), Wearing: t.wearing, Lying: t.lying}
	if d.same = d.sameEvents(t.events); !d.same {
		d.forget()
	}
	return nil
}

// attend has maintenance see what it saw: the same scans, and the twin's
// alarms at their instants.
func (d *delivery) attend(w *harness.World) {
	for _, p := range w.PLCs() {
		p.Start()
	}
	for _, a := range d.log.Alarms {
		w.Kernel().At(a.At, func() { w.Plant().Alarm(a.Machine, a.Detector, a.Class) })
	}
}

// reached is how many rows the run got to.
func (d *delivery) reached(every time.Duration) int {
	if d.log.End == nil {
		return 1 << 30
	}
	return int(d.log.End.Reached / every)
}

// sameEvents tells that the plant lived through the same once more.
func (d *delivery) sameEvents(again []Event) bool {
	type key struct {
		at                             int64
		machine, kind, component, mode string
		state                          int
	}
	had := map[key]int{}
	last := d.sim.table.Values[1][max(0, d.sim.table.Rows-1)]
	for _, e := range d.log.Events {
		if e.At.Seconds() <= last {
			had[key{int64(e.At), e.Machine, e.Kind, e.Component, e.Mode, e.State}]++
		}
	}
	for _, e := range again {
		if e.Kind == "sensor" || e.Kind == "sensor-end" {
			continue
		}
		k := key{int64(time.Duration(e.AtS*1e9 + 0.5)), e.Machine, e.Kind, e.Component, e.Mode, e.State}
		if had[k]--; had[k] < 0 {
			return false
		}
	}
	for _, n := range had {
		if n != 0 {
			return false
		}
	}
	return true
}

// forget takes the labels out that come from the plant.
func (d *delivery) forget() {
	for i, c := range d.sim.lay.columns {
		if c.Role == "label" {
			d.sim.table.Blank[i] = true
		}
	}
	d.res.Events = nil
	for _, e := range d.log.Events {
		d.res.Events = append(d.res.Events, Event{AtS: e.At.Seconds(), Machine: e.Machine, Kind: e.Kind, Component: e.Component, Mode: e.Mode, State: e.State})
	}
}

// write makes the files.
func (d *delivery) write() (Summary, error) {
	m := manifest{Schema: Schema, Version: d.p.opts.Version, Scenario: d.p.sc.Name, Summary: d.p.sc.Summary, Format: d.p.opts.Format,
		Seed: d.p.opts.Seed, Runs: 1, Units: 1, EveryS: d.p.ds.Every.D().Seconds(), DurS: d.p.sc.Duration.D().Seconds(),
		Columns: d.sim.lay.columns, Rows: int64(d.sim.table.Rows), Values: int64(len(d.seen)),
		Splits: splits{By: "unit", Train: []int{}, Validation: []int{}, Test: []int{0}}, Totals: totals{ByMode: map[string]int{}, AlikeBy: map[string]int{}}, Checks: []Check{}}
	var side sidecar
	side.add(d.res, d.sim.lay, "", 0)
	m.Totals.add(side.Runs[0], len(d.sim.lay.labels), m.DurS)
	for _, make := range []func() (File, error){d.writeWide, d.writeDelivered, d.writeTruth, d.writeEvents} {
		f, err := make()
		if err != nil {
			return Summary{}, err
		}
		m.Files = append(m.Files, f)
	}
	side.Runs[0].File = m.Files[0].Name
	f, err := d.p.small(cardFile, d.card(&m))
	if err != nil {
		return Summary{}, err
	}
	m.Files = append(m.Files, f)
	text, err := json.MarshalIndent(struct {
		manifest
		RunList []runEntry `json:"runs"`
		From    string     `json:"from"`
		Same    bool       `json:"damage_known"`
	}{m, side.Runs, filepath.Base(filepath.Clean(d.dir)), d.same}, "", "  ")
	if err != nil {
		return Summary{}, err
	}
	if _, err := d.p.small(manifestFile, append(text, '\n')); err != nil {
		return Summary{}, err
	}
	sum := Summary{Dir: d.p.opts.Dir, Runs: 1, Files: len(m.Files) + 1, Values: m.Values}
	for _, f := range m.Files {
		sum.Bytes += f.Bytes
	}
	return sum, nil
}

func (d *delivery) writeWide() (File, error) {
	s, err := newSink(d.p, d.sim.lay, 0)
	if err != nil {
		return File{}, err
	}
	if err := s.write(d.res); err != nil {
		return File{}, errors.Join(err, s.abandon())
	}
	files, err := s.close()
	if err != nil {
		return File{}, errors.Join(err, s.abandon())
	}
	return files[0], nil
}

func (d *delivery) writeEvents() (File, error) {
	e, err := newEventSink(d.p)
	if err != nil {
		return File{}, err
	}
	if err := e.write(0, d.res.Events); err != nil {
		return File{}, errors.Join(err, e.file.abandon())
	}
	return e.close()
}
