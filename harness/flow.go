package harness

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/scenarios"
	"github.com/plantbed/plantbed/sim"
	"github.com/plantbed/plantbed/sim/plant"
	"github.com/plantbed/plantbed/sim/stats"
)

// FlowOptions say how the flow of a plant is looked at.
type FlowOptions struct {
	Runs   int
	WarmUp time.Duration // before anything counts
	For    time.Duration // that counts
	Seed   uint64
}

// Flow is what lines and machines of a plant make in a run, and where their
// time goes.
type Flow struct{ Lines, Machines []Made }

// Made is what one of them made.
type Made struct {
	Name         string
	UnitsPerHour float64 // good ones
	// OEE is the ideal time of all good units over the planned time.
	OEE float64
	// KWhPerHour is what it draws on average; of a line all its machines.
	KWhPerHour float64
	// Lost has, in seconds of planned time, what was lost to what; "good"
	// among it.
	Lost []plant.Loss
}

// RunFlow looks at so many runs in the fast gear, on all cores. Run i has the
// same seed whatever the scenario, so that two designs are compared on common
// random numbers. The faults of machines happen as the scenario has them.
func RunFlow(ctx context.Context, sc *scenarios.Scenario, o FlowOptions) ([]Flow, error) {
	flows, errs := make([]Flow, o.Runs), make([]error, o.Runs)
	stats.Replicate(o.Runs, func(rep int) float64 {
		if errs[rep] = context.Cause(ctx); errs[rep] == nil {
			flows[rep], errs[rep] = flow(ctx, sc, sim.Rand(o.Seed, "flow/run/"+strconv.Itoa(rep)).Uint64(), o)
		}
		return 0
	})
	for rep, err := range errs {
		if err != nil {
			return nil, fmt.Errorf("flow: run %d: %w", rep, err)
		}
	}
	return flows, nil
}

// flow is one run: warm up, look, go on, look again.
func flow(ctx context.Context, sc *scenarios.Scenario, seed uint64, o FlowOptions) (Flow, error) {
	w, err := NewWorld(sc, seed, time.Time{})
	if err != nil {
		return Flow{}, err
	}
	defer w.Kernel().Close()
	plan, ps := faults.Resolve(sc.Faults, o.WarmUp+o.For, seed)
	if len(ps) > 0 {
		return Flow{}, ps.Err()
	}
	if err := w.Schedule(plan, sc.Faults); err != nil {
		return Flow{}, err
	}
	w.Plant().Start()
	if w.Attended() {
		for _, p := range w.PLCs() {
			p.Start()
		}
	}
	w.Kernel().Run(o.WarmUp)
	before := glance(w.Plant(), o.WarmUp)
	for at := o.WarmUp; at < o.WarmUp+o.For; { // an hour at a time, to end when it is told to
		at = min(at+time.Hour, o.WarmUp+o.For)
		w.Kernel().Run(at)
		if err := context.Cause(ctx); err != nil {
			return Flow{}, err
		}
	}
	after := glance(w.Plant(), o.WarmUp+o.For)
	return Flow{Lines: since(before.Lines, after.Lines, o.For), Machines: since(before.Machines, after.Machines, o.For)}, nil
}

// glance is all up to now; units and energy are totals.
func glance(p *plant.Plant, now time.Duration) (f Flow) {
	energy := map[string]float64{}
	for _, m := range p.Machines() {
		energy[m.Name] = m.Energy(now).TotalKWh
		f.Machines = append(f.Machines, Made{Name: m.Name, UnitsPerHour: float64(m.Good()), KWhPerHour: energy[m.Name], Lost: m.Losses(now)})
	}
	for _, l := range p.Lines() {
		made := Made{Name: l.Name, UnitsPerHour: float64(l.Good()), Lost: l.Losses(now)}
		for _, m := range l.Stations {
			made.KWhPerHour += energy[m.Name]
		}
		f.Lines = append(f.Lines, made)
	}
	return f
}

// since is what came between two glances.
func since(before, after []Made, d time.Duration) []Made {
	out := make([]Made, len(after))
	for i, a := range after {
		b := before[i]
		m := Made{Name: a.Name, UnitsPerHour: (a.UnitsPerHour - b.UnitsPerHour) / d.Hours(), KWhPerHour: (a.KWhPerHour - b.KWhPerHour) / d.Hours()}
		planned, good := d.Seconds(), 0.0
		for _, l := range a.Lost {
			for _, was := range b.Lost {
				if was.Machine == l.Machine && was.Reason == l.Reason {
					l.Seconds -= was.Seconds
				}
			}
			switch l.Reason {
			case "no shift":
				planned -= l.Seconds
				continue
			case "good":
				good = l.Seconds
			}
			m.Lost = append(m.Lost, l)
		}
		slices.SortStableFunc(m.Lost, func(a, b plant.Loss) int { return cmp.Compare(b.Seconds, a.Seconds) })
		if planned > 0 {
			m.OEE = good / planned
		}
		out[i] = m
	}
	return out
}
