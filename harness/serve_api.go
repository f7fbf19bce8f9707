package harness

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/harness/api"
	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/plant"
	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/signal"
)

// This file is serving as the API's Plant: each call is a moment on the
// kernel's goroutine, between two events of the world.

var _ api.Plant = (*serving)(nil)

// ask has f called there and gives its answer.
func ask[T any](ctx context.Context, v *serving, f func() (T, error)) (T, error) {
	type answer struct {
		v   T
		err error
	}
	var none T
	back := make(chan answer, 1)
	err := v.r.world.kernel.Do(ctx, func() {
		out, err := f()
		back <- answer{out, err}
	})
	if err != nil {
		return none, err
	}
	select {
	case a := <-back:
		return a.v, a.err
	case <-ctx.Done():
		return none, ctx.Err()
	case <-v.ended:
		return none, errors.New("the plant is being stopped")
	}
}

func (v *serving) Status(ctx context.Context) (api.Status, error) {
	return ask(ctx, v, func() (api.Status, error) {
		sc := v.r.sc
		return api.Status{Scenario: sc.Name, Summary: sc.Summary, Version: Version, Seed: sc.Seed, Start: v.r.start, AtS: v.now(),
			LagMaxS: v.lagMax.Seconds(), Endpoints: v.served.Endpoints, Broker: v.served.Broker, Injected: v.total}, nil
	})
}

func (v *serving) now() float64 { return v.r.world.kernel.Now().Seconds() }

func (v *serving) Machines(ctx context.Context) ([]api.Machine, error) {
	return ask(ctx, v, func() (all []api.Machine, err error) {
		for _, m := range v.r.world.plant.Machines() {
			out := api.Machine{Name: m.Name, Kind: m.Kind, State: m.State(), StateName: plant.StateName(m.State()), Good: m.Good(), Total: m.Total(),
				IdealCycle: m.IdealCycle, Components: []api.Component{}}
			for _, c := range m.Knobs() {
				damage, err := m.Damage(c)
				if err != nil {
					return nil, err
				}
				out.Components = append(out.Components, api.Component{Name: c, Damage: damage})
			}
			all = append(all, out)
		}
		return all, nil
	})
}

func (v *serving) PLCs(ctx context.Context) ([]api.PLC, error) {
	return ask(ctx, v, func() (all []api.PLC, err error) {
		for i, p := range v.r.world.plcs {
			c := p.Config()
			out := api.PLC{Name: p.Name(), Protocol: c.Protocol, URL: v.served.Endpoints[i].URL, Machines: c.Machines,
				Connections: v.plcs[i].conns.Load(), Bytes: v.plcs[i].bytes.Load()}
			if c.Protocol == "modbus" {
				unit := int(c.Unit)
				out.Unit = &unit
			}
			for _, t := range p.Tasks() {
				task := api.Task{Name: t.Name, PeriodS: t.Period.Seconds(), Tags: len(t.Tags)}
				if b := p.Latest(t.Index); b != nil {
					task.Scans = b.Seq
				}
				out.Tasks = append(out.Tasks, task)
			}
			all = append(all, out)
		}
		return all, nil
	})
}

// Tags never change, so nobody is asked.
func (v *serving) Tags(context.Context) ([]api.Tag, error) {
	var all []api.Tag
	for i, p := range v.r.world.plcs {
		at := v.registers(i)
		for _, task := range p.Tasks() {
			for k := range task.Tags {
				t := &task.Tags[k]
				out := api.Tag{ID: string(t.ID), PLC: p.Name(), Task: task.Name, Machine: machineOf(t.ID), Unit: string(t.Unit), Type: t.Type.String(),
					Scale: t.Scale, Writable: t.Write != nil, Modbus: at[t.ID]}
				if t.Hi > t.Lo {
					out.Lo, out.Hi = api.Number(t.Lo), api.Number(t.Hi)
				}
				if out.Modbus == nil {
					out.Node = "ns=2;s=" + string(t.ID)
				}
				all = append(all, out)
			}
		}
	}
	return all, nil
}

// registers is where the tags of a Modbus PLC stand, nil for another.
func (v *serving) registers(i int) map[signal.ID]*api.Modbus {
	m := v.r.south[i].registers
	if m == nil {
		return nil
	}
	at := map[signal.ID]*api.Modbus{}
	for _, r := range m.Registers {
		at[r.ID] = &api.Modbus{Register: int(r.Address), Words: r.Words(), Order: r.Order.String()}
	}
	for bit, i := range m.Bits {
		at[m.Registers[i].ID].Bit = &bit
	}
	return at
}

func (v *serving) FaultKinds(context.Context) ([]api.FaultKind, error) {
	var all []api.FaultKind
	targets := v.targets()
	for _, k := range faults.Kinds() {
		out := api.FaultKind{Kind: k.Name, Class: k.Class, Doc: k.Doc, Keys: []api.Key{}, Targets: []string{}}
		out.Targets = append(out.Targets, targets.Of(k.Seam)...)
		for _, key := range k.Keys {
			out.Keys = append(out.Keys, api.Key{Name: key.Name, Doc: key.Doc, Required: key.Required, Example: key.Example})
		}
		all = append(all, out)
	}
	return all, nil
}

func (v *serving) Faults(ctx context.Context) ([]api.Fault, error) {
	return ask(ctx, v, func() ([]api.Fault, error) { return v.active(), nil })
}

func (v *serving) active() []api.Fault {
	all := []api.Fault{}
	for _, w := range v.in.Active() {
		all = append(all, apiFault(w))
	}
	return all
}

func (v *serving) Inject(ctx context.Context, body []byte) (api.Fault, error) {
	c, ps := faults.DecodeJSON(body)
	if len(ps) == 0 {
		if c.At != 0 {
			ps.Add("at", "an injected fault starts now; leave this key out")
		}
		ps = append(ps, c.Validate(v.targets())...)
	}
	if len(ps) > 0 {
		return api.Fault{}, invalidFault(ps)
	}
	return ask(ctx, v, func() (api.Fault, error) {
		w, err := v.in.Inject(c)
		if err != nil {
			return api.Fault{}, &api.Refusal{Status: http.StatusConflict, Message: err.Error()}
		}
		return apiFault(w), nil
	})
}

func invalidFault(ps strict.Problems) *api.Refusal {
	r := &api.Refusal{Status: http.StatusUnprocessableEntity, Message: "the fault is not valid: " + ps[0].String()}
	for _, p := range ps {
		r.Problems = append(r.Problems, api.Problem{Path: p.Path, Message: p.Msg, Near: p.Near})
	}
	return r
}

func (v *serving) Clear(ctx context.Context, id int) (api.Fault, error) {
	return ask(ctx, v, func() (api.Fault, error) {
		w, ok := v.in.Clear(id)
		if !ok {
			return api.Fault{}, api.NotFound(fmt.Sprintf("no fault %d is active", id))
		}
		return apiFault(w), nil
	})
}

func (v *serving) ClearAll(ctx context.Context) ([]api.Fault, error) {
	return ask(ctx, v, func() ([]api.Fault, error) {
		all := v.active()
		for _, f := range all {
			v.in.Clear(f.ID)
		}
		return all, nil
	})
}

func apiFault(w faults.Window) api.Fault {
	f := api.Fault{ID: w.Index, Kind: w.Kind, Target: w.Target, Class: w.Class, FromS: w.From.Seconds(), Note: w.Note}
	if !w.Open {
		f.ToS = api.Number(w.To.Seconds())
	}
	return f
}

func (v *serving) Truth(ctx context.Context, of api.Filter) (api.Truth, error) {
	return ask(ctx, v, func() (api.Truth, error) {
		now := v.r.world.kernel.Now()
		out := api.Truth{AtS: now.Seconds(), Values: []api.Value{}}
		for _, p := range v.r.world.plcs {
			for _, task := range p.Tasks() {
				b := p.Latest(task.Index)
				for i := range task.Tags {
					t := &task.Tags[i]
					if of.Picks(p.Name(), machineOf(t.ID), string(t.ID)) {
						out.Values = append(out.Values, api.Value{Tag: string(t.ID), PLC: p.Name(), Unit: string(t.Unit), True: api.Number(t.Read(now)), Scanned: scanned(b, i)})
					}
				}
			}
		}
		return out, nil
	})
}

func scanned(b *plc.Block, i int) *api.Scanned {
	if b == nil {
		return nil
	}
	return &api.Scanned{Value: api.Number(b.Values[i]), Quality: b.Quality[i].String(), Seq: b.Seq, AtS: b.At.Seconds(), Stamp: b.Stamp}
}

func (v *serving) Events(ctx context.Context, since uint64, most int) (api.Events, error) {
	return ask(ctx, v, func() (api.Events, error) { return v.log.behind(since, most), nil })
}

// eventLog keeps the latest events, numbered from 1.
type eventLog struct {
	last uint64
	ring []api.Event
}

// keptEvents is how many are kept.
const keptEvents = 10_000

func (l *eventLog) add(e api.Event) {
	l.last++
	e.Seq = l.last
	if len(l.ring) < keptEvents {
		l.ring = append(l.ring, e)
		return
	}
	l.ring[(l.last-1)%keptEvents] = e
}

// behind gives those after since, the oldest first.
func (l *eventLog) behind(since uint64, most int) api.Events {
	oldest := l.last - uint64(len(l.ring)) // is kept no more
	out := api.Events{Events: []api.Event{}}
	if since < oldest {
		out.Missed, since = oldest-since, oldest
	}
	since = min(since, l.last)
	end := min(l.last, since+uint64(most))
	for n := since; n < end; n++ {
		out.Events = append(out.Events, l.ring[n%keptEvents])
	}
	out.Next = end
	return out
}
