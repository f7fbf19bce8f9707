package harness

import (
	"fmt"
	"path"
	"slices"
	"time"

	"github.com/plantbed/plantbed/harness/record"
	"github.com/plantbed/plantbed/scenarios"
	"github.com/plantbed/plantbed/sim"
	"github.com/plantbed/plantbed/sim/plant"
	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/signal"
)

// world is the simulated part of a run: the plant and the PLCs in front of
// it, on one kernel. It has no network.
type world struct {
	kernel *sim.Kernel
	plant  *plant.Plant
	plcs   []*plc.PLC
	// firstTask is where the tasks of each PLC begin in tasks.
	firstTask []int
	tasks     []record.Task
	tags      []record.Tag
	tagIndex  map[signal.ID]int
	machines  []record.Machine
	// onWrite is told of each value that reaches a device.
	onWrite func(id signal.ID, v float64)
	upkeep  *upkeep // or nil: nobody maintains by what is measured
}

// newWorld builds the plant of a scenario under a seed, which need not be the
// scenario's own: limits are calibrated on another one.
func newWorld(sc *scenarios.Scenario, seed uint64, start time.Time) (*world, error) {
	w := &world{kernel: sim.New(seed), tagIndex: map[signal.ID]int{}}
	var err error
	if w.plant, err = plant.Build(w.kernel, plant.Config{Machines: sc.Machines, Lines: sc.Lines}); err != nil {
		return nil, err
	}
	for i, cfg := range sc.PLCs {
		if err := w.addPLC(i, cfg, start); err != nil {
			return nil, err
		}
	}
	w.tend(sc)
	for _, m := range w.plant.Machines() {
		w.machines = append(w.machines, record.Machine{Name: m.Name, Kind: m.Kind, IdealCycle: m.IdealCycle,
			StateTag: w.tagOf(m, m.StateSignal()), GoodTag: w.tagOf(m, m.GoodSignal()), TotalTag: w.tagOf(m, m.TotalSignal())})
	}
	return w, nil
}

// tagOf is the index of a machine's signal, -1 where no PLC serves it.
func (w *world) tagOf(m *plant.Machine, name string) int {
	if i, ok := w.tagIndex[signal.ID(path.Join(m.Name, name))]; ok && name != "" {
		return i
	}
	return -1
}

func (w *world) addPLC(index int, cfg plc.Config, start time.Time) error {
	var tags []plc.Tag
	for _, name := range cfg.Machines {
		m := w.plant.Machine(name)
		if m == nil {
			return fmt.Errorf("PLC %s: there is no machine %q", cfg.Name, name)
		}
		for _, s := range m.Signals() {
			t, err := tagFor(m.Name, s)
			if err != nil {
				return fmt.Errorf("PLC %s: %w", cfg.Name, err)
			}
			t.AmbientC = w.plant.AmbientC
			tags = append(tags, t)
		}
		if slices.Contains(cfg.Setpoints, name) {
			tags = append(tags, w.setpoint(m))
		}
	}
	p, err := plc.New(w.kernel, cfg, start, tags)
	if err != nil {
		return err
	}
	w.plcs = append(w.plcs, p)
	w.firstTask = append(w.firstTask, len(w.tasks))
	for _, t := range p.Tasks() {
		task := record.Task{Name: t.Name, PLC: index, Period: t.Period}
		for _, tag := range t.Tags {
			w.tagIndex[tag.ID] = len(w.tags)
			task.Tags = append(task.Tags, len(w.tags))
			w.tags = append(w.tags, record.Tag{ID: tag.ID, Machine: machineOf(tag.ID), Task: len(w.tasks), Unit: tag.Unit, Lo: tag.Lo, Hi: tag.Hi, Scale: tag.Scale})
		}
		w.tasks = append(w.tasks, task)
	}
	return nil
}

// setpoint is the tag that takes a machine's load.
func (w *world) setpoint(m *plant.Machine) plc.Tag {
	id := signal.ID(plc.Setpoint(m.Name))
	return plc.Tag{ID: id, Unit: "1", Lo: plant.LeastLoad, Hi: plant.MostLoad, Type: plc.Float64, Scale: 1,
		Read: func(time.Duration) float64 { return m.Load() },
		Write: func(v float64) error {
			if w.onWrite != nil {
				w.onWrite(id, v)
			}
			return m.SetLoad(v)
		}}
}

func tagFor(machine string, s plant.Signal) (plc.Tag, error) {
	typ, err := plc.ParseType(s.Type)
	if err != nil {
		return plc.Tag{}, fmt.Errorf("%s/%s: %w", machine, s.Name, err)
	}
	t := plc.Tag{ID: signal.ID(machine + "/" + s.Name), Unit: s.Unit, Lo: s.Lo, Hi: s.Hi, Type: typ, Scale: 1, Noise: s.Noise, Flicker: s.Flicker, LagS: s.LagS, Read: s.Read}
	if typ.IsInteger() && s.Resolution > 0 {
		t.Scale = s.Resolution
	}
	return t, nil
}

// machineOf is the first element of a signal's ID.
func machineOf(id signal.ID) string {
	for i := range id {
		if id[i] == '/' {
			return string(id[:i])
		}
	}
	return string(id)
}

// start sets the plant going and the PLCs scanning.
func (w *world) start() {
	w.plant.Start()
	for _, p := range w.plcs {
		p.Start()
	}
}

// plcOf finds a PLC and its index by name.
func (w *world) plcOf(name string) (*plc.PLC, int, bool) {
	for i, p := range w.plcs {
		if p.Name() == name {
			return p, i, true
		}
	}
	return nil, 0, false
}
