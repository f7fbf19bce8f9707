package harness

import (
	"time"

	"github.com/plantbed/plantbed/faults"
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

func (l lateHost) Kill()                    { l.do(func(h host) { h.Kill() }) }
func (l lateHost) Restart()                 { l.do(func(h host) { h.Restart() }) }
func (l lateHost) Pause(on bool)            { l.do(func(h host) { h.Pause(on) }) }
func (l lateHost) DiskFull(after int64)     { l.do(func(h host) { h.DiskFull(after) }) }
func (l lateHost) DiskSlow(d time.Duration) { l.do(func(h host) { h.DiskSlow(d) }) }
func (l lateHost) ClearDisk()               { l.do(func(h host) { h.ClearDisk() }) }
