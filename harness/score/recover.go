package score

import "github.com/plantbed/plantbed/harness/record"

// recovery is one outage on the path of one PLC.
type recovery struct {
	plc  int
	end  int64
	took int64 // never where no fresh sample came
}

// recoveries finds, for each outage on each PLC's path, when the first sample
// that was scanned after its end reached the twin. An outage that lasts to
// the end of the run has none; one whose recovery the next cuts short, within
// the time that is given for it, says nothing.
func recoveries(m record.Meta, o outages, tracks []*track, until, given int64) []recovery {
	var out []recovery
	for plc := range o.path {
		path := o.waits(m, plc)
		for i, s := range path {
			if s.to >= until {
				continue
			}
			took := firstFresh(tracks, plc, s.to)
			if i+1 < len(path) {
				next := path[i+1].from - s.to
				if next < given && (took == never || took > next) {
					continue
				}
			}
			out = append(out, recovery{plc, s.to, took})
		}
	}
	return out
}

func firstFresh(tracks []*track, plc int, end int64) int64 {
	best := never
	for _, t := range tracks {
		if t.plc != plc {
			continue
		}
		for i := t.lastAt(end) + 1; i < len(t.row) && (best == never || t.row[i].at < end+best); i++ {
			if a := t.row[i].twin; a != never && (best == never || a-end < best) {
				best = a - end
			}
		}
	}
	return best
}

// recoverMax is the longest, and of how many. One that never came back counts
// with the time until the run's end, for it took that long at least; less than
// a correct client is given says nothing of it.
func recoverMax(rs []recovery, until, given int64) (worst int64, n int) {
	for _, r := range rs {
		took := r.took
		if took == never {
			if took = until - r.end; took < given {
				continue
			}
		}
		worst, n = max(worst, took), n+1
	}
	return worst, n
}
