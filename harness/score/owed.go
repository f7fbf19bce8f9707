package score

import (
	"math"
	"slices"
	"time"

	"github.com/plantbed/plantbed/harness/record"
)

// judge decides for every row of a subscribed tag whether it is owed, from
// the contract, the device model and the fault plan; polled tags are judged
// by judgePolls, because which scan a poll meets is the poller's choice.
//
// The device model of an OPC UA server: while its client is away, session and
// subscription live on for Lifetime, every monitored item keeps the latest
// Queue reports, and messages that were sent but not acknowledged are kept
// for Republish.
func judge(m record.Meta, o outages, tracks []*track) {
	for _, t := range tracks {
		p := m.PLCs[t.plc]
		for i := range t.row {
			r := &t.row[i]
			// What is scanned shortly before a disk becomes slow is stored after it.
			r.deadline = int64(m.Contract.Deadline + o.device[t.plc].delay(r.at) + o.stored(r.at, r.at+int64(m.Contract.Deadline)))
		}
		if polled(m, t) {
			continue
		}
		markReports(t, p.Trigger, m.Contract.Deliver)
		excuseStartup(t, o.startup)
		excuseShallow(t, p, m.Tasks[t.tag.Task].Period)
		excuseLink(t, p, o, m.Contract)
		excuseEnds(t, p, o, m.Contract)
		excuseBrittle(t, o, m.Contract.Recover)
		excuseGone(t, o.device[t.plc])
	}
}

// polled tells whether a tag's samples are a choice of the reader: Modbus, or
// an OPC UA item that is sampled less often than it is scanned.
func polled(m record.Meta, t *track) bool {
	p := m.PLCs[t.plc]
	return p.Protocol == "modbus" || p.Sampling > m.Tasks[t.tag.Task].Period
}

// markReports finds the rows that a monitored item reports under its trigger,
// and of these the ones that the declared transform lets through.
func markReports(t *track, trigger string, deliver record.Promise) {
	var last row
	var lastOut float64
	for i := range t.row {
		r := &t.row[i]
		report := i == 0 || r.quality != last.quality || trigger == "status-value-timestamp" ||
			trigger != "status" && r.value != last.value
		last = *r
		if !report {
			continue
		}
		if deliver.Kind == "deadband" && i > 0 && r.quality == t.row[i-1].quality && math.Abs(r.value-lastOut) <= deliver.Deadband {
			continue
		}
		lastOut = r.value
		r.due = owed
	}
}

func excuse(r *row, c cause) {
	if r.due == owed {
		r.due, r.cause = unobtainable, c
	}
}

func excuseStartup(t *track, recover int64) {
	for i := range t.row {
		if t.row[i].at >= recover {
			return
		}
		excuse(&t.row[i], atStartup)
	}
}

// excuseShallow covers a queue that is too short for what comes between two
// publishes, with nothing broken: of each publish's reports the server keeps
// the latest Queue. Only what was not sent, and had that many newer ones
// before the next publish, gave way by agreement.
func excuseShallow(t *track, p record.PLC, period time.Duration) {
	if p.Queue <= 0 || int(p.Publishing/max(period, p.Sampling, 1)) <= p.Queue {
		return
	}
	for i := range t.row {
		r := &t.row[i]
		if r.due != owed || r.sent != never {
			continue
		}
		newer := 0
		for j := i + 1; j < len(t.row) && t.row[j].at <= r.at+int64(p.Publishing) && newer < p.Queue; j++ {
			if t.row[j].due != notDue {
				newer++
			}
		}
		if newer == p.Queue {
			excuse(r, queueOverflow)
		}
	}
}

// excuseLink applies the device's queue: a client that is back only at the
// end of the time it is given finds the latest Queue reports of that moment;
// what the queue had to drop before, nobody could have had. What had not been
// published when the link went down shares the queue with what came after.
func excuseLink(t *track, p record.PLC, o outages, c record.Contract) {
	for _, s := range o.absences(t.plc, c.Recover) {
		if s.from < 0 || !meetsAny(o.link[t.plc], s.from, s.to) && !meetsAny(o.host, s.from, s.to) && !meetsAny(o.device[t.plc].shaky, s.from, s.to) {
			continue
		}
		first := s.from - int64(p.Publishing)
		room := p.Queue
		if time.Duration(s.to-s.from) > p.Lifetime {
			room = 0 // the subscription is gone, and its queues with it
		}
		for i := t.lastAt(s.to - 1); i >= 0 && t.row[i].at >= first; i-- {
			r := &t.row[i]
			if r.due != owed {
				continue
			}
			if room > 0 {
				room--
				continue
			}
			if p.Queue > 0 {
				excuse(r, queueOverflow)
			} else {
				excuse(r, notKept)
			}
		}
	}
}

// slowestLink is how long a message may be under way on a link with latency.
const slowestLink = int64(10e9)

// excuseEnds covers the scheduled ends of sessions: a gateway that is killed, a
// device that restarts. What the server still held is gone with the session.
// Of what came before, that is owed which the wire had delivered, to a gateway
// that is killed for longer than DurableWithin; what was scanned too late to be
// published, delivered and stored in time is excused unless the record shows
// that it was delivered early enough.
func excuseEnds(t *track, p record.PLC, o outages, c record.Contract) {
	for _, k := range o.kill {
		excuseEnd(t, p, o, c, o.untilBack(t.plc, k, c.Recover), o.durableWithin(c, k), inDowntime)
	}
	for _, k := range o.device[t.plc].dies {
		excuseEnd(t, p, o, c, o.untilBack(t.plc, k, c.Recover), 0, deviceRestart)
	}
}

func excuseEnd(t *track, p record.PLC, o outages, c record.Contract, k span, durable time.Duration, why cause) {
	from := k.from
	// An outage of the link, or a pause, that leads into the kill leaves its
	// backlog in the session that dies.
	for _, s := range slices.Concat(o.link[t.plc], o.host) {
		if s.from <= k.from && k.from < s.to+o.back(t.plc, s.to, c.Recover) {
			from = min(from, s.from)
		}
	}
	safe := k.from - int64(durable)
	// While the gateway stood, or could not store, nothing became safe.
	for _, s := range o.host {
		if s.from < k.from && k.from <= s.to {
			safe = min(safe, s.from)
		}
	}
	first := from - int64(p.Publishing+durable)
	for i := t.lastAt(k.to + o.back(t.plc, k.to, c.Recover) - 1); i >= 0 && t.row[i].at >= first-slowestLink; i-- {
		r := &t.row[i]
		if r.wired != never && r.wired <= safe {
			continue
		}
		// An older row is excused only if it was under way on a slow link.
		if r.at >= first || r.sent != never && r.sent <= k.from {
			excuse(r, why)
		}
	}
}
