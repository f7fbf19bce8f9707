package harness

import (
	"slices"
	"strings"
	"time"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/harness/record"
	"github.com/plantbed/plantbed/scenarios"
	"github.com/plantbed/plantbed/sim"
	"github.com/plantbed/plantbed/sim/plant"
	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/signal"
)

// World is a scenario's plant and PLCs on a kernel of their own, with no
// network: what the fast gear runs.
//
//	w, err := harness.NewWorld(sc, 7, time.Time{})
//	err = w.Schedule(plan, sc.Faults)
//	w.Plant().Start()
//	w.Kernel().Run(sc.Duration.D())
type World struct{ w *world }

// NewWorld builds the world of a scenario under a seed, which need not be the
// scenario's own. Start is the wall's instant of t = 0.
func NewWorld(sc *scenarios.Scenario, seed uint64, start time.Time) (*World, error) {
	w, err := newWorld(sc, seed, start)
	if err != nil {
		return nil, err
	}
	return &World{w}, nil
}

// Kernel, Plant and PLCs are the parts. PLCs scan once they are started, and
// may be sampled without that.
func (w *World) Kernel() *sim.Kernel { return w.w.kernel }
func (w *World) Plant() *plant.Plant { return w.w.plant }
func (w *World) PLCs() []*plc.PLC    { return w.w.plcs }

// Tags and Machines are as a record's Meta has them; tags stand in the order
// of PLCs, their tasks and the tasks' tags.
func (w *World) Tags() []record.Tag         { return w.w.tags }
func (w *World) Machines() []record.Machine { return w.w.machines }

// Schedule hands those windows of a plan to the kernel that concern machines,
// sensors and controllers; links and gateways there are none. cfgs are the
// faults that the plan was resolved from.
func (w *World) Schedule(plan []faults.Window, cfgs []faults.Config) error {
	var mine []faults.Window
	for _, win := range plan {
		if win.Class == faults.ClassProcess || win.Class == faults.ClassSensor {
			mine = append(mine, win)
		}
	}
	cfgs = slices.Clone(cfgs)
	for _, wait := range faults.Waiting(cfgs, 0) {
		if wait.Class != faults.ClassProcess && wait.Class != faults.ClassSensor {
			cfgs[wait.Index].While = ""
		}
	}
	return faults.Schedule(w.w.kernel, mine, cfgs, worldSeams{w.w}, nil)
}

// worldSeams are the seams that a world has by itself.
type worldSeams struct{ w *world }

func (s worldSeams) Knob(target string) (faults.Knob, bool) {
	machine, component, _ := strings.Cut(target, "/")
	m := s.w.plant.Machine(machine)
	if m == nil {
		return nil, false
	}
	return m.Knob(component)
}

func (s worldSeams) Channel(target string) (faults.Channel, faults.Span, bool) {
	i, ok := s.w.tagIndex[signal.ID(target)]
	if !ok {
		return nil, faults.Span{}, false
	}
	t := s.w.tags[i]
	p := s.w.plcs[s.w.tasks[t.Task].PLC]
	return channel{p.Channel(t.ID)}, faults.Span{Lo: t.Lo, Hi: t.Hi}, true
}

func (s worldSeams) Switch(target string) (faults.Switch, bool) {
	p, _, ok := s.w.plcOf(target)
	if !ok {
		return nil, false
	}
	return p.Switch(), true
}

func (worldSeams) Link(string) (faults.Link, bool) { return nil, false }
func (worldSeams) Host(string) (faults.Host, bool) { return nil, false }

func (worldSeams) Broker(string) (faults.Broker, bool) { return nil, false }

func (s worldSeams) Machine(name string) (faults.Machine, bool) {
	m := s.w.plant.Machine(name)
	return machine{s.w.plant, m}, m != nil
}
