package score

import (
	"slices"
	"time"

	"github.com/plantbed/plantbed/harness/record"
)

// judgePolls counts what a poller with period P missed: between consecutive
// applied scan instants a < b that is max(0, round((b-a)/P) - 1) polls, less
// the periods in which no client could poll, and likewise at both ends of the
// run. Applied rows are owed; for the missed ones, rows of the gap are taken
// as the lost samples: first those that the server did send, which tells
// where they were lost, then any others. While the device stands nothing is
// missed.
func judgePolls(m record.Meta, o outages, t *track) {
	p := m.PLCs[t.plc]
	period := int64(pollPeriod(p, m.Tasks[t.tag.Task]))
	away := o.absences(t.plc, m.Contract.Recover)
	for _, k := range o.kill {
		// What was delivered within that time of a kill may be gone.
		away = append(away, span{k.from - int64(o.durableWithin(m.Contract, k)) - period, k.from})
	}
	for _, d := range o.device[t.plc].dies {
		away = append(away, span{d.from - period, d.from}) // a poll under way dies with it
	}
	for _, g := range o.device[t.plc].gone {
		if g.meetsTask(m, t) {
			away = append(away, g.span)
		}
	}
	away = merge(away, 0)
	d := o.device[t.plc]
	spare := spared{refuses: d.refuses, jerky: d.jerky, either: merge(slices.Concat(d.refuses, d.jerky), 0)}

	begin, prev := o.startup, -1
	for i := range t.row {
		if t.row[i].twin == never {
			continue
		}
		t.row[i].due = owed
		a := begin
		if prev >= 0 {
			a = t.row[prev].at
		} else {
			// The first poll of a run is due one period after the start-up time.
			a -= period
		}
		t.judgeGap(prev, i, a, t.row[i].at, period, away, spare)
		prev = i
	}
	if n := len(t.row); n > 0 {
		a := begin - period
		if prev >= 0 {
			a = t.row[prev].at
		}
		t.judgeGap(prev, n, a, t.row[n-1].at+int64(m.Tasks[t.tag.Task].Period), period, away, spare)
	}
}

func pollPeriod(p record.PLC, task record.Task) time.Duration {
	if p.Protocol != "modbus" {
		return p.Sampling
	}
	if task.Name == "fast" && p.FastPoll > 0 {
		return p.FastPoll
	}
	return p.Poll
}

// spared are the times in which a poll may fail with nothing out of order.
type spared struct{ refuses, jerky, either []span }

// heldUp is how long a message is under way that something holds up; the
// shortest retransmission of TCP is longer.
const heldUp = int64(50e6)

// surely tells that a row was there for a poller to have: the device sent it,
// and nothing held it up until the poller may have gone.
func (s spared) surely(r *row) bool {
	late := r.wired == never || r.wired-r.sent >= heldUp
	return r.sent != never && !(late && meetsAny(s.jerky, r.sent-int64(time.Second), r.sent+1))
}

// judgeGap judges the rows strictly between lo and hi, scanned in (a, b).
func (t *track) judgeGap(lo, hi int, a, b, period int64, away []span, spare spared) {
	polls := max(0, (b-a-t.stood(lo, hi)+period/2)/period-1)
	if polls == 0 {
		return
	}
	out := within(away, a, b)
	excused := min(polls, (out+period-1)/period)
	missed := polls - excused
	// A poll that came a little late met the next scan already, and the one after
	// it met that again: the phase has moved, and nothing that was sent is missing.
	if hi < len(t.row) && t.row[hi].sends > 1 {
		missed = max(missed-1, min(missed, t.sentBetween(lo, hi)))
	}
	// Where polls may fail, only what a poller surely had is missing.
	if out := within(spare.either, a, b); out > 0 {
		n := min(max(0, missed-t.surelyBetween(lo, hi, spare)), (out+period-1)/period)
		t.pick(lo, hi, int(n), func(r *row) bool { return !spare.surely(r) && meetsAny(spare.either, r.at, r.at+1) }, unobtainable)
		missed -= n
	}
	t.pick(lo, hi, int(missed), func(r *row) bool { return r.sent != never && !meetsAny(away, r.at, r.at+1) }, owed)
	t.pick(lo, hi, int(excused), func(r *row) bool { return meetsAny(away, r.at, r.at+1) }, unobtainable)
}

// stood is how long the device scanned nothing between two rows, so that polls
// found the scan again that they had.
func (t *track) stood(lo, hi int) (sum int64) {
	for i := max(lo, 0); i < min(hi, len(t.row)-1); i++ {
		if gap := t.row[i+1].at - t.row[i].at; gap >= 2*t.scan {
			sum += gap - t.scan
		}
	}
	return sum
}

// sentBetween counts the rows between lo and hi that the device did send.
func (t *track) sentBetween(lo, hi int) (n int64) {
	for i := lo + 1; i < hi; i++ {
		n += int64(b2i(t.row[i].sent != never))
	}
	return n
}

func (t *track) surelyBetween(lo, hi int, spare spared) (n int64) {
	for i := lo + 1; i < hi; i++ {
		n += int64(b2i(spare.surely(&t.row[i])))
	}
	return n
}

// pick marks n rows between lo and hi that are not yet due: those that fit
// first, then any.
func (t *track) pick(lo, hi, n int, fits func(*row) bool, as due) {
	for _, any := range []bool{false, true} {
		for i := lo + 1; i < hi && n > 0; i++ {
			r := &t.row[i]
			if r.due != notDue || !any && !fits(r) {
				continue
			}
			r.due = as
			if as == unobtainable {
				r.cause = notKept
			}
			n--
		}
	}
}
