package score

import (
	"slices"
	"time"

	"github.com/plantbed/plantbed/harness/record"
)

// device is what the planned faults leave of one PLC, besides the times in
// which nothing passes.
type device struct {
	// dies are the times that begin with the end of every session.
	dies []span
	// locked are the times in which a client that is away cannot come back.
	locked []span
	// refuses are the times in which a poll may be answered with an error,
	// shaky those in which an error may end a session at any time.
	refuses, shaky []span
	// jerky are the times in which a poll's answer may be held up on its way.
	jerky []span
	// brittle are the times in which nothing is sent a second time.
	brittle []span
	// garbled are the times in which the wire changes bytes.
	garbled []span
	// late are the times in which answers come later.
	late []lateness
	gone []goneTags
}

type lateness struct {
	span
	by int64
}

type goneTags struct {
	span  // with the time that a client is given to have them again
	until int64
	tags  []string
}

// take books a fault of the device, and returns the times in which nothing
// passes because of it.
func (d *device) take(w record.Window, p record.PLC, c record.Contract) (cut []span) {
	s, e := span{int64(w.From), int64(w.To)}, w.Effect
	if e.Cut {
		cut = append(cut, s)
	}
	if e.Forgets {
		d.dies = append(d.dies, s)
	}
	if e.Moved {
		for _, at := range []int64{s.from, s.to} {
			end := span{at, at + 1}
			cut, d.dies = append(cut, end), append(d.dies, end)
		}
	}
	if e.Locks {
		d.locked = append(d.locked, s)
	}
	if e.Refuses && p.Protocol == "modbus" {
		d.refuses = append(d.refuses, s)
	} else if e.Refuses {
		d.shaky = append(d.shaky, s)
	}
	if e.Jerky && p.Protocol == "modbus" {
		d.jerky = append(d.jerky, s)
	}
	if e.Brittle {
		d.brittle = append(d.brittle, s)
	}
	if e.Garbles {
		d.garbled = append(d.garbled, s)
	}
	if len(e.Gone) > 0 {
		d.gone = append(d.gone, goneTags{span{s.from, s.to + int64(c.Recover)}, s.to, e.Gone})
	}
	return append(cut, d.slow(s, e, p, c)...)
}

// slow books answers that come late. A client that waits has them all; where
// they come later than it may wait, or than the next poll, it has none.
func (d *device) slow(s span, e record.Effect, p record.PLC, c record.Contract) (cut []span) {
	if e.Late == 0 {
		return nil
	}
	patience := c.Recover
	if p.Protocol == "modbus" {
		patience = p.Poll
		if p.FastPoll > 0 {
			patience = min(patience, p.FastPoll)
		}
	}
	switch {
	case e.Once:
		return []span{{s.from, min(s.to, s.from+int64(e.Late))}}
	case e.Late >= patience:
		return []span{s}
	}
	d.late = append(d.late, lateness{span{s.from, s.to + int64(e.Late)}, int64(e.Late)})
	return nil
}

// slowest is the most by which answers come late within [from, to).
func (d *device) slowest(from, to int64) time.Duration {
	var by int64
	for _, l := range d.late {
		if l.meets(from, to) {
			by = max(by, l.by)
		}
	}
	return time.Duration(by)
}

// delay is how much later than else a row scanned at that instant may come.
func (d *device) delay(at int64) time.Duration {
	var by int64
	for _, l := range d.late {
		if l.from <= at && at < l.to {
			by = max(by, l.by)
		}
	}
	return time.Duration(by)
}

// keepOut prolongs every absence whose end meets a lock: until then nobody
// can come back.
func (d *device) keepOut(link, host []span, recover int64) []span {
	out := link
	for _, l := range d.locked {
		for _, s := range append(append([]span(nil), out...), host...) {
			if l.meets(s.to, s.to+recover) {
				out = merge(append(out, span{max(s.to, l.from), l.to}), 0)
			}
		}
	}
	return out
}

// meetsTask tells whether one of the tags that are gone is in a tag's task: a
// Modbus device refuses a request whole that meets one it does not know.
func (g goneTags) meetsTask(m record.Meta, t *track) bool {
	return slices.ContainsFunc(m.Tasks[t.tag.Task].Tags, func(i int) bool { return slices.Contains(g.tags, string(m.Tags[i].ID)) })
}

// excuseGone covers a tag that the device does not know for a while.
func excuseGone(t *track, d device) {
	for _, g := range d.gone {
		if !slices.Contains(g.tags, string(t.tag.ID)) {
			continue
		}
		for i := t.lastAt(g.from-1) + 1; i < len(t.row) && t.row[i].at < g.to; i++ {
			excuse(&t.row[i], notKnown)
		}
	}
}

// tick is what OPC UA rounds its time stamps down to, in nanoseconds.
const tick = 100

// empty tells that a sample is the device's own word and stands for no scan:
// that it does not know the tag, or what its registers hold between a restart
// and the first scan, with a scan counter of 0.
func (d *device) empty(tag string, s record.SeenSample, came, recover int64) bool {
	return s.Quality.IsBad() && slices.ContainsFunc(d.gone, func(g goneTags) bool {
		// What waited on the way comes later than it was said.
		return (g.meets(came, came+1) || g.meets(s.Source, s.Source+tick)) && slices.Contains(g.tags, tag)
	}) ||
		s.Seq == 0 && s.Value == 0 && slices.ContainsFunc(d.dies, func(x span) bool { return x.to <= s.Source && s.Source < x.to+recover })
}

// excuseBrittle covers what was under way when a connection broke while the
// device kept nothing of what it had sent: what was sent in that time, and what
// was sent before it to a client that could not yet be back to ask for it.
// Bytes that an interruption held up arrive at a connection that its client may
// have given up meanwhile.
func excuseBrittle(t *track, o outages, recover time.Duration) {
	for _, b := range o.device[t.plc].brittle {
		for i := range t.row {
			r := &t.row[i]
			if r.sent == never || r.sent >= b.to ||
				r.wired != never && !meetsAny(o.link[t.plc], r.sent, r.wired) && !meetsAny(o.host, r.sent, r.wired) {
				continue
			}
			if b.from <= r.sent || o.underWay(t.plc, r, b.from, recover) {
				excuse(r, notKept)
			}
		}
	}
}

// underWay tells that a row was sent and had not arrived at an instant at which
// its client was away and had been since.
func (o outages) underWay(plc int, r *row, at int64, recover time.Duration) bool {
	if r.wired != never && r.wired <= at {
		return false
	}
	for _, s := range o.absences(plc, recover) {
		if s.from-slowestLink <= r.sent && s.from <= at && at < s.to {
			return true
		}
	}
	return false
}
