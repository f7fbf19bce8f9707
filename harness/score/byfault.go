package score

import (
	"strings"

	"github.com/plantbed/plantbed/harness/record"
)

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
				f.add(&t.row[i], reach[t.plc])
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

func (f *FaultCount) add(r *row, path []span) {
	if r.due == owed {
		f.Owed++
	}
	switch fateOf(r, path) {
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
