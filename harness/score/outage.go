package score

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/plantbed/plantbed/harness/record"
)

// span is [from, to) in nanoseconds since the start of the run.
type span struct{ from, to int64 }

func (s span) meets(from, to int64) bool { return s.from < to && from < s.to }

// outages are the scheduled interruptions of the path of each PLC, taken from
// the resolved fault plan alone.
type outages struct {
	// link are the times in which the PLC's own link carries nothing.
	link [][]span
	// host are the times in which the gateway is down, kill those that begin
	// with its death.
	host, kill []span
	// storing are the times in which the gateway's disk takes longer.
	storing []lateness
	// north are the times in which the gateway cannot reach the broker.
	north []span
	// path is all of these, merged, per PLC.
	path [][]span
	// deaf are the times in which what the broker takes reaches nobody, garbled
	// those in which the wire to it changes bytes.
	deaf, garbled []span
	// swapped are the times in which the wire to it changes their order.
	swapped []span
	// startup is when a correct client is connected to every device.
	startup int64
	// device is what else the faults leave of each PLC.
	device []device
}

func findOutages(m record.Meta) outages {
	var shut device // of the broker, what is left of it
	var down []span // when it is gone
	o := outages{startup: int64(m.Contract.Startup()), link: make([][]span, len(m.PLCs)), path: make([][]span, len(m.PLCs)), device: make([]device, len(m.PLCs))}
	for _, w := range m.Plan {
		s := span{int64(w.From), int64(w.To)}
		switch {
		case w.Target == "broker" && (w.Effect.Cut || strings.HasPrefix(w.Kind, "broker.")):
			o.north = append(o.north, s)
		case w.Kind == "gateway.kill" || w.Kind == "gateway.restart":
			s.to += int64(m.Contract.Boot)
			o.kill = append(o.kill, s)
			o.host = append(o.host, s)
		case w.Class == "gateway" && w.Effect.Cut:
			o.host = append(o.host, s)
		case w.Class == "gateway" && w.Effect.Late > 0:
			o.storing = append(o.storing, lateness{span{s.from, s.to + int64(w.Effect.Late)}, int64(w.Effect.Late)})
		}
		if w.Kind == "broker.stop" || w.Kind == "broker.restart" {
			down = append(down, s)
		}
		if w.Target == "broker" && w.Effect.Locks {
			shut.locked = append(shut.locked, s)
		}
		if w.Effect.Deaf {
			o.deaf = append(o.deaf, s)
		}
		if w.Effect.Swaps && w.Target == "broker" {
			o.swapped = append(o.swapped, span{s.from, s.to + int64(handOver)})
		}
		if w.Effect.Garbles && w.Target == "broker" {
			o.garbled = append(o.garbled, s)
		}
		for i, p := range m.PLCs {
			if p.Name == w.Target {
				cut := o.device[i].take(w, p, m.Contract)
				o.link[i] = append(o.link[i], cut...)
			}
		}
	}
	o.host, o.kill, o.north = merge(o.host, 0), merge(o.kill, 0), shut.keepOut(merge(o.north, 0), o.host, int64(m.Contract.Recover))
	for i := range o.deaf {
		o.deaf[i].to = outlast(o.deaf[i], merge(down, 0)) + int64(m.Contract.Recover)
	}
	for i := range m.PLCs {
		o.link[i] = o.device[i].keepOut(merge(o.link[i], 0), o.host, int64(m.Contract.Recover))
		o.path[i] = merge(slices.Concat(o.link[i], o.host, o.north), 0)
	}
	return o
}

// outlast is when an interruption ends that others may prolong.
func outlast(s span, others []span) int64 {
	end := s.to
	for _, x := range others {
		if x.from <= end && end <= x.to {
			end = x.to
		}
	}
	return end
}

// waits is the outages of a PLC's path, with the times in which a tag that it
// does not know keeps it from giving any: who reads registers as blocks is
// refused them whole.
func (o outages) waits(m record.Meta, plc int) []span {
	all := o.path[plc]
	for _, g := range o.device[plc].gone {
		if m.PLCs[plc].Protocol == "modbus" {
			all = append(slices.Clip(all), span{g.from, g.until})
		}
	}
	return merge(all, 0)
}

// lastBefore is when the last outage ends before an instant, or the last time in
// which a tag is not known, which cannot agree with the truth then; -1 if none.
func (o outages) lastBefore(until int64) int64 {
	end, gone := int64(-1), int64(-1)
	for i, p := range o.path {
		for _, s := range p {
			if s.to < until {
				end = max(end, s.to)
			}
		}
		for _, g := range o.device[i].gone {
			if g.until < until {
				gone = max(gone, g.until)
			}
		}
	}
	if end < 0 {
		return -1 // nothing to converge after
	}
	return max(end, gone)
}

// spoilt tells that a message to the broker was under way, at the latest, while
// the wire changed bytes: one that was scanned in [from, to) or waited since then
// for the way north.
func (o outages) spoilt(from, to int64) bool {
	for _, g := range o.garbled {
		if g.meets(from, to) {
			return true
		}
		for _, s := range slices.Concat(o.north, o.host) {
			// What has waited is sent in no more time than it waited.
			if s.meets(from, to) && s.from <= g.to && g.from <= s.to+(s.to-s.from) {
				return true
			}
		}
	}
	return false
}

// merge joins spans that overlap or stand less than gap apart.
func merge(in []span, gap int64) []span {
	s := slices.Clone(in)
	slices.SortFunc(s, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	out := s[:0]
	for _, x := range s {
		if n := len(out); n > 0 && x.from <= out[n-1].to+gap {
			out[n-1].to = max(out[n-1].to, x.to)
		} else {
			out = append(out, x)
		}
	}
	return out
}

// absences are the times in which no correct client is connected to a PLC:
// the start of the run, its link's outages and the gateway's, each with the
// time that a client is given to be back.
func (o outages) absences(plc int, recover time.Duration) []span {
	all := []span{{-1 << 62, o.startup}}
	for _, s := range slices.Concat(o.link[plc], o.host, o.device[plc].shaky) {
		all = append(all, span{s.from, s.to + o.back(plc, s.to, recover)})
	}
	return merge(all, 0)
}

// roundTrips is how many answers a client waits for, one after the other, until
// its subscription stands: connection, channel, session, the old subscription,
// namespaces, the new subscription, its items, the first publish response.
const roundTrips = 10

// back is how long a client is given to be back, where answers come late too.
func (o outages) back(plc int, at int64, recover time.Duration) int64 {
	return int64(recover) + roundTrips*int64(o.device[plc].slowest(at, at+int64(recover)))
}

// untilBack is the end of all sessions with a device, up to the moment from
// which a client can have a new one: an interruption that meets the time which
// it is given to come back puts that off.
func (o outages) untilBack(plc int, died span, recover time.Duration) span {
	for _, s := range merge(slices.Concat(o.link[plc], o.host, o.device[plc].shaky), 0) {
		if s.from <= died.to+o.back(plc, died.to, recover) && died.to <= s.to {
			died.to = s.to
		}
	}
	return died
}

// stored is how much later than else that is stored which was scanned, or
// arrived, within [from, to).
func (o outages) stored(from, to int64) time.Duration {
	var by int64
	for _, l := range o.storing {
		if l.meets(from, to) {
			by = max(by, l.by)
		}
	}
	return time.Duration(by)
}

// durableWithin is how long before a kill that must have arrived which is to
// survive it.
func (o outages) durableWithin(c record.Contract, kill span) time.Duration {
	return c.DurableWithin + o.stored(kill.from, kill.from+1)
}

// within is the total time that spans and [from, to) share.
func within(spans []span, from, to int64) int64 {
	var sum int64
	for _, s := range spans {
		if s.meets(from, to) {
			sum += min(s.to, to) - max(s.from, from)
		}
	}
	return sum
}

func meetsAny(spans []span, from, to int64) bool {
	for _, s := range spans {
		if s.meets(from, to) {
			return true
		}
	}
	return false
}
