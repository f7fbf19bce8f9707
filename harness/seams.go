package harness

import (
	"time"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/sim/plant"
	"github.com/plantbed/plantbed/sim/plc"
)

// brokerTarget names the link from the gateway to the broker in a scenario.
const brokerTarget = "broker"

// seams hands the five seams of a run to the fault plan.
type seams struct{ r *run }

func (s seams) Link(target string) (faults.Link, bool) {
	if target == brokerTarget {
		return s.r.northLink, s.r.northLink != nil
	}
	if _, i, ok := s.r.world.plcOf(target); ok {
		return s.r.south[i].link, true
	}
	return nil, false
}

func (s seams) Knob(target string) (faults.Knob, bool) { return worldSeams{s.r.world}.Knob(target) }

func (s seams) Channel(target string) (faults.Channel, faults.Span, bool) {
	return worldSeams{s.r.world}.Channel(target)
}

func (s seams) Switch(target string) (faults.Switch, bool) {
	return worldSeams{s.r.world}.Switch(target)
}

func (s seams) Host(target string) (faults.Host, bool) {
	return lateHost(s), true
}

// channel fits a PLC's sensor channel to the seam: a dropout there is a cut
// cable.
type channel struct{ *plc.Channel }

func (c channel) Dropout(on bool) {
	if on {
		c.Channel.Dropout(1, 0)
	} else {
		c.Channel.Dropout(0, 0)
	}
}

// lateHost is the gateway's host, which comes up after the plan is made; a
// fault that strikes before has nothing to strike.
type lateHost struct{ r *run }

func (l lateHost) do(f func(host)) {
	if l.r.host != nil {
		f(l.r.host)
	}
}

func (l lateHost) Kill(at faults.DiskPoint) error {
	return l.try(func(h host) error { return h.Kill(at) })
}
func (l lateHost) Stop()                    { l.do(func(h host) { h.Stop() }) }
func (l lateHost) Restart() error           { return l.try(func(h host) error { return h.Restart() }) }
func (l lateHost) Pause(on bool)            { l.do(func(h host) { h.Pause(on) }) }
func (l lateHost) DiskFull(after int64)     { l.do(func(h host) { h.DiskFull(after) }) }
func (l lateHost) DiskSlow(d time.Duration) { l.do(func(h host) { h.DiskSlow(d) }) }
func (l lateHost) DiskReadOnly(on bool)     { l.do(func(h host) { h.DiskReadOnly(on) }) }
func (l lateHost) ClearDisk()               { l.do(func(h host) { h.ClearDisk() }) }
func (l lateHost) PushConfig() error {
	return l.try(func(h host) error { return h.PushConfig() })
}
func (l lateHost) FlipBit(place float64) error {
	return l.try(func(h host) error { return h.FlipBit(place) })
}
func (l lateHost) Clock(offset time.Duration, drift float64) error {
	return l.try(func(h host) error { return h.Clock(offset, drift) })
}

func (l lateHost) try(f func(host) error) error {
	if l.r.host == nil {
		return nil
	}
	return f(l.r.host)
}

// Broker is the embedded one; a stranger's is not ours to break.
func (s seams) Broker(target string) (faults.Broker, bool) {
	return s.r.broker, s.r.broker != nil && target == brokerTarget
}

func (s seams) Machine(name string) (faults.Machine, bool) {
	return worldSeams{s.r.world}.Machine(name)
}

// machine is one that faults wait for.
type machine struct {
	p *plant.Plant
	m *plant.Machine
}

func (m machine) State() string { return plant.StateName(m.m.State()) }

func (m machine) OnState(f func(state string)) {
	m.p.OnEvent(func(e plant.Event) {
		if e.Kind == "state" && e.Machine == m.m.Name {
			f(plant.StateName(e.State))
		}
	})
}
