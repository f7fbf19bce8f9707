package score

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plantbed/plantbed/harness/record"
)

// buckets is how many steps a run's plots have.
const buckets = 240

// touches tells whether a fault concerns a tag: a link's or a PLC's fault the
// tags of that PLC, a machine's or a sensor's fault the machine's tags, all
// others everything.
func touches(m record.Meta, w record.Window, t *track) bool {
	switch kind, _, _ := strings.Cut(w.Kind, "."); kind {
	case "link", "plc":
		return w.Target == "broker" || w.Target == m.PLCs[t.plc].Name
	case "sensor", "asset":
		machine, _, _ := strings.Cut(w.Target, "/")
		return t.tag.Machine == machine
	}
	return true
}

// byFault counts, for each fault window, the fate of the rows that were
// scanned in it.
func byFault(m record.Meta, o outages, tracks []*track, recs []recovery, ocs []occurrence, d detection, until int64) []FaultCount {
	reach := away(o, int64(m.Contract.Recover))
	out := make([]FaultCount, len(m.Plan))
	for k, w := range m.Plan {
		f := FaultCount{Kind: w.Kind, Target: w.Target, Class: w.Class, FromS: w.From.Seconds(), ToS: min(w.To.Seconds(), seconds(until))}
		for _, t := range tracks {
			if !touches(m, w, t) {
				continue
			}
			for i := t.lastAt(int64(w.From)-1) + 1; i < len(t.row) && t.row[i].at < int64(w.To); i++ {
				f.add(&t.row[i], int64(m.Contract.Deadline), reach[t.plc])
			}
		}
		if w.Class == "communication" || w.Class == "gateway" {
			f.RecoverS = recoveredAfter(recs, int64(w.To))
		}
		for i, oc := range ocs {
			if oc.window == k && i < len(d.first) && d.first[i] != never {
				s := seconds(d.first[i] - oc.from)
				f.DelayS = &s
			}
		}
		out[k] = f
	}
	return out
}

func (f *FaultCount) add(r *row, deadline int64, path []span) {
	if r.due == owed {
		f.Owed++
	}
	switch fateOf(r, deadline, path) {
	case fateLost:
		f.Lost++
	case fateUnobtainable:
		f.Unobtainable++
	case fateLate:
		f.Late++
	case fateBackfilled:
		f.Backfilled++
	}
}

// recoveredAfter is the longest recovery of an outage that ends with the window.
func recoveredAfter(recs []recovery, end int64) *float64 {
	var worst *float64
	for _, r := range recs {
		if r.end == end && r.took != never {
			if s := seconds(r.took); worst == nil || s > *worst {
				worst = &s
			}
		}
	}
	return worst
}

// tell lays the run out over time for the page.
func tell(l *record.Log, o outages, tracks []*track, c Card, ocs []occurrence, until int64) Story {
	width := max(1, until/buckets)
	s := Story{Summary: l.Meta.Summary, BucketS: seconds(width), Faults: c.ByFault,
		Replay: fmt.Sprintf("plantbed run %s --gear %s --seed %d", l.Meta.Scenario, l.Meta.Gear, l.Meta.Seed)}
	s.Buckets = fillBuckets(l, o, tracks, width)
	for _, a := range l.Alarms {
		al := alarm{int64(a.At), a.Machine, a.Class}
		s.Alarms = append(s.Alarms, AlarmMark{AtS: a.At.Seconds(), Machine: a.Machine, Detector: a.Detector, Class: a.Class, Tag: a.Tag,
			Score: a.Score, Limit: a.Limit, True: inside(ocs, al, func(x occurrence) int64 { return x.to })})
	}
	for _, e := range l.Events {
		if e.Kind != "state" {
			s.Events = append(s.Events, EventMark{e.At.Seconds(), strings.TrimSpace(e.Machine + "/" + e.Component + ": " + e.Kind)})
		}
	}
	for _, n := range l.Notes {
		if n.Kind != "depth" {
			s.Notes = append(s.Notes, EventMark{n.At.Seconds(), strings.TrimSpace(n.Kind + " " + n.Text)})
		}
	}
	return s
}

func fillBuckets(l *record.Log, o outages, tracks []*track, width int64) []Bucket {
	m := l.Meta
	reach := away(o, int64(m.Contract.Recover))
	bs := make([]Bucket, buckets)
	live := make([][]int64, buckets)
	for i := range bs {
		bs[i] = Bucket{P50MS: -1, P99MS: -1, Buffer: -1}
	}
	for _, t := range tracks {
		for i := range t.row {
			r := &t.row[i]
			k := min(int(r.at/width), buckets-1)
			b := &bs[k]
			if r.due == owed {
				b.Owed++
				if r.twin != never {
					b.Delivered++
				}
			}
			switch fateOf(r, int64(m.Contract.Deadline), reach[t.plc]) {
			case fateLost:
				b.Lost++
			case fateUnobtainable:
				b.Unobtainable++
			case fateLate:
				b.Late++
			case fateBackfilled:
				b.Backfilled++
			case fateLive:
				live[k] = append(live[k], r.twin-r.at)
			}
		}
	}
	for k, ls := range live {
		if n := len(ls); n > 0 {
			slices.Sort(ls)
			bs[k].P50MS, bs[k].P99MS = float64(ls[n/2])/1e6, float64(ls[min(n-1, n*99/100)])/1e6
		}
	}
	for _, n := range l.Notes {
		if n.Kind == "depth" {
			k := min(int(int64(n.At)/width), buckets-1)
			bs[k].Buffer = max(bs[k].Buffer, n.N)
		}
	}
	return bs
}
