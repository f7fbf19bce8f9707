package score

import (
	"math"

	"github.com/plantbed/plantbed/harness/record"
	"github.com/plantbed/plantbed/sim/signal"
)

func noRanges(n int) []Range {
	out := make([]Range, n)
	for i := range out {
		out[i] = Range{math.Inf(1), math.Inf(-1)}
	}
	return out
}

func (r *Range) add(v float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return
	}
	r.Min, r.Max = min(r.Min, v), max(r.Max, v)
}

// hold fills steps without a value with the range before them: a tag has its
// last value until there is another.
func hold(rs []Range) {
	for i := 1; i < len(rs); i++ {
		if rs[i].None() {
			rs[i] = rs[i-1]
		}
	}
}

// watch holds the twin against the truth, second by second, as watchTwin does,
// and keeps where and when it was off.
func (t *teller) watch() {
	vs := views(t.tracks, t.l.Marks)
	truth, twin := newOEE(t.m, t.l.Events), newOEE(t.m, t.l.Events)
	sums := make([]float64, len(vs))
	counts := make([]int, len(vs))
	perBucket := make([]int, len(t.s.Buckets))
	for g := int64(t.m.Contract.Startup()); g <= t.until; g += second {
		k := t.bucket(g)
		b := &t.s.Buckets[k]
		for i, v := range vs {
			v.advance(g)
			if v.truth < 0 || v.shown < 0 {
				continue
			}
			off := v.apart()
			sums[i] += off
			counts[i]++
			if s := &t.s.Tags[i]; off > s.WorstBy {
				s.WorstBy, s.WorstS = off, seconds(g)
			}
			if off > b.ApartBy {
				b.ApartBy, b.Apart = off, i
			}
			if perBucket[k]++; b.Divergence < 0 {
				b.Divergence = 0
			}
			b.Divergence += off
		}
		t.fresh(vs, g, b)
		truth.tick(g, vs, truthValue)
		twin.tick(g, vs, shownValue)
	}
	for k, n := range perBucket {
		if n > 0 {
			t.s.Buckets[k].Divergence /= float64(n)
		}
	}
	for i, v := range vs {
		if counts[i] > 0 {
			t.s.Tags[i].Divergence = sums[i] / float64(counts[i])
		}
		t.shown(v, &t.s.Tags[i])
	}
	t.oee("truth", truth)
	t.oee("twin", twin)
}

// fresh counts the PLCs of which the twin shows Good while they cannot be
// reached, and those that it marks as out of reach.
func (t *teller) fresh(vs []*view, g int64, b *Bucket) {
	good, marked := make([]bool, len(t.m.PLCs)), make([]bool, len(t.m.PLCs))
	for _, v := range vs {
		if v.truth >= 0 {
			good[v.t.plc] = good[v.t.plc] || v.quality.IsGood()
			marked[v.t.plc] = marked[v.t.plc] || v.quality.Code() == signal.UncertainNoCommunicationLastUsable
		}
	}
	for i, p := range t.o.path {
		if good[i] && meetsAny(p, g, g+1) {
			b.FalseFreshS++
		}
		if marked[i] {
			b.StaleS++
		}
	}
}

// shown traces what the twin showed of a tag, and in which quality: every
// arrival, and every mark between them.
func (t *teller) shown(v *view, s *TagStory) {
	s.Twin = noRanges(t.steps)
	last, marks := -1, v.marks
	quality, since := signal.BadWaitingForInitialData, int64(0)
	become := func(q signal.Quality, at int64) {
		if q.Code() != quality.Code() {
			t.spell(s, v.t.plc, quality, since, at)
			quality, since = q, at
		}
	}
	for _, i := range v.arrivals {
		r := &v.t.row[i]
		marks = markUntil(marks, r.twin-1, become)
		k := t.stepOf(r.twin)
		if last >= 0 && s.Twin[k].None() {
			s.Twin[k].add(v.t.row[last].shown) // until the new one comes
			for j := k - 1; j > 0 && s.Twin[j].None(); j-- {
				s.Twin[j] = Range{v.t.row[last].shown, v.t.row[last].shown}
			}
		}
		s.Twin[k].add(r.shown)
		last = i
		become(r.quality, r.twin)
	}
	markUntil(marks, t.until, become)
	t.spell(s, v.t.plc, quality, since, t.until)
	if last >= 0 {
		end := v.t.row[last].shown
		for j := len(s.Twin) - 1; j > 0 && s.Twin[j].None(); j-- {
			s.Twin[j] = Range{end, end}
		}
	}
}

// markUntil takes the marks up to an instant and returns the others.
func markUntil(marks []record.Mark, at int64, become func(signal.Quality, int64)) []record.Mark {
	for len(marks) > 0 && marks[0].At <= at {
		become(marks[0].Quality, marks[0].At)
		marks = marks[1:]
	}
	return marks
}

// spell books a time of one quality: stale where the twin says so, false-fresh
// where it shows Good and the path was out.
func (t *teller) spell(s *TagStory, plc int, q signal.Quality, from, to int64) {
	switch {
	case q.Code() == signal.UncertainNoCommunicationLastUsable:
		s.Stale = appendSpan(s.Stale, &s.StaleS, from, to)
	case q.IsGood():
		for _, p := range t.o.path[plc] {
			if a, b := max(p.from, from), min(p.to, to); a < b {
				s.FalseFresh = appendSpan(s.FalseFresh, &s.FalseS, a, b)
			}
		}
	}
}

func appendSpan(in []TimeSpan, sum *float64, from, to int64) []TimeSpan {
	*sum += seconds(to - from)
	if to <= from || len(in) == maxSpans {
		return in
	}
	return append(in, TimeSpan{seconds(from), seconds(to)})
}

// oee takes the figure apart.
func (t *teller) oee(of string, o *oee) {
	v := o.value()
	if v == nil {
		return
	}
	units, good := o.total-o.total0, o.good-o.good0
	t.s.OEE = append(t.s.OEE, OEE{Of: of, Machine: o.m.Name, PlannedS: o.planned, RanS: o.ran, Units: units, Good: good, IdealCycleS: o.m.IdealCycle,
		Availability: o.ran / o.planned, Performance: o.m.IdealCycle * units / o.ran, Quality: good / units, Value: *v})
}
