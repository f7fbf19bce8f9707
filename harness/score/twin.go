package score

import (
	"cmp"
	"math"
	"slices"

	"github.com/plantbed/plantbed/harness/record"
	"github.com/plantbed/plantbed/sim/signal"
)

// second is the grid on which the twin is held against the truth.
const second = int64(1e9)

// view is what the twin showed of one tag and what was true, second by second.
type view struct {
	t *track
	// arrivals are the rows that the twin showed, in the order in which it did.
	arrivals []int
	marks    []record.Mark
	nextRow  int
	nextMark int
	shown    int // the row that it shows; -1 before the first
	quality  signal.Quality
	truth    int
}

func views(tracks []*track, marks []record.Mark) []*view {
	out := make([]*view, len(tracks))
	for i, t := range tracks {
		v := &view{t: t, shown: -1, truth: -1, quality: signal.BadWaitingForInitialData}
		for j := range t.row {
			if t.row[j].twin != never && !t.row[j].history {
				v.arrivals = append(v.arrivals, j)
			}
		}
		slices.SortStableFunc(v.arrivals, func(a, b int) int { return cmp.Compare(t.row[a].twin, t.row[b].twin) })
		out[i] = v
	}
	for _, m := range marks {
		if m.Tag >= 0 && m.Tag < len(out) {
			out[m.Tag].marks = append(out[m.Tag].marks, m)
		}
	}
	return out
}

// advance moves the view to instant g.
func (v *view) advance(g int64) {
	rows := v.t.row
	for {
		row, mark := v.nextRow < len(v.arrivals) && rows[v.arrivals[v.nextRow]].twin <= g, v.nextMark < len(v.marks) && v.marks[v.nextMark].At <= g
		switch {
		case row && (!mark || rows[v.arrivals[v.nextRow]].twin <= v.marks[v.nextMark].At):
			v.shown = v.arrivals[v.nextRow]
			v.quality = rows[v.shown].quality
			v.nextRow++
		case mark:
			v.quality = v.marks[v.nextMark].Quality
			v.nextMark++
		default:
			for v.truth+1 < len(rows) && rows[v.truth+1].at <= g {
				v.truth++
			}
			return
		}
	}
}

// apart is |shown - true| as a share of the span, at most 1.
func (v *view) apart() float64 {
	lo, hi := v.t.tag.Lo, v.t.tag.Hi
	if hi <= lo {
		hi = lo + 1
	}
	return min(1, math.Abs(v.t.row[v.shown].shown-v.t.row[v.truth].value)/(hi-lo))
}

// current tells that the twin shows the truth, or a value not older than lag.
func (v *view) current(lag int64) bool {
	if v.shown < 0 {
		return v.truth < 0
	}
	s, t := &v.t.row[v.shown], &v.t.row[v.truth]
	return s.at >= t.at-lag || s.shown == t.value
}

// fidelity is the twin against the truth.
type fidelity struct {
	divergence               float64
	n                        int
	stateWrong, stale, false float64
	machines                 int
	converge                 float64
	converged                bool
	hasOutage                bool
	oeeTruth, oeeTwin        *float64
}

func watchTwin(l *record.Log, m record.Meta, o outages, tracks []*track, until int64) fidelity {
	var f fidelity
	vs := views(tracks, l.Marks)
	truth, twin := newOEE(m, l.Events), newOEE(m, l.Events)
	lastOutage := o.lastBefore(until)
	f.hasOutage = lastOutage >= 0
	sum := 0.0
	for g := o.startup; g <= until; g += second {
		good := make([]bool, len(m.PLCs))
		marked := make([]bool, len(m.PLCs))
		all := true
		for _, v := range vs {
			v.advance(g)
			if v.truth < 0 {
				continue
			}
			if v.shown >= 0 {
				sum += v.apart()
				f.n++
			}
			good[v.t.plc] = good[v.t.plc] || v.quality.IsGood()
			marked[v.t.plc] = marked[v.t.plc] || v.quality.Code() == signal.UncertainNoCommunicationLastUsable
			all = all && v.current(int64(m.Contract.Deadline))
		}
		for i, p := range o.path {
			if meetsAny(p, g, g+1) && good[i] {
				f.false++
			}
			if marked[i] {
				f.stale++
			}
		}
		if g >= lastOutage && f.hasOutage && all && !f.converged {
			f.converged, f.converge = true, float64(g-lastOutage)/1e9
		}
		f.watchStates(m, vs)
		truth.tick(g, vs, func(v *view) (float64, bool) { return truthValue(v) })
		twin.tick(g, vs, func(v *view) (float64, bool) { return shownValue(v) })
	}
	// One that never agrees again took at least until the end.
	if f.hasOutage && !f.converged && until-lastOutage >= int64(m.Contract.Recover+m.Contract.Deadline) {
		f.converged, f.converge = true, float64(until-lastOutage)/1e9
	}
	if f.n > 0 {
		f.divergence = sum / float64(f.n)
	}
	f.oeeTruth, f.oeeTwin = truth.value(), twin.value()
	return f
}

func truthValue(v *view) (float64, bool) {
	if v.truth < 0 {
		return 0, false
	}
	return v.t.row[v.truth].value, true
}

func shownValue(v *view) (float64, bool) {
	if v.shown < 0 {
		return 0, false
	}
	return v.t.row[v.shown].shown, true
}

func (f *fidelity) watchStates(m record.Meta, vs []*view) {
	f.machines = 0
	for _, mc := range m.Machines {
		if mc.StateTag < 0 {
			continue
		}
		f.machines++
		v := vs[mc.StateTag]
		if v.truth >= 0 && (v.shown < 0 || v.t.row[v.shown].shown != v.t.row[v.truth].value) {
			f.stateWrong++
		}
	}
}
