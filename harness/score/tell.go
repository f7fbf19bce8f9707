package score

import (
	"fmt"
	"slices"
	"strings"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/plantbed/plantbed/harness/record"
)

const (
	// maxBuckets is how many steps a run's plots have at most; a step is no
	// shorter than a second, which is how often the twin is looked at.
	maxBuckets = 720
	// tagRoom bounds the steps of all tags together, minSteps those of one from
	// below.
	tagRoom, minSteps = 2_000_000, 60
	// maxSpans bounds the stale and the false-fresh times that are kept per tag.
	maxSpans = 200
)

// teller lays the run out over time, part by part and tag by tag. It goes
// once through the rows, once through the seconds, and once through what the
// twin took.
type teller struct {
	l        *record.Log
	m        record.Meta
	o        outages
	tracks   []*track
	card     Card
	reach    [][]span
	until    int64
	width    int64 // of a bucket, ns
	step     int64 // of a tag's trace, ns
	steps    int
	live     [][]int64
	legs     [4]*hdrhistogram.Histogram
	byPLC    [][]plcBucket
	lateAt   [4][]int // late samples per bucket, by the stage that took longest
	stageN   []int    // live samples per bucket whose every tap is known
	atBroker []int    // samples at the broker per bucket, counted when first asked for
	s        Story
}

// plcBucket is what befell the samples of one PLC in one bucket.
type plcBucket struct {
	lost         [4]int
	unobtainable int
	n            int
	send, wire   int64 // ns, summed over n live samples
}

func tell(l *record.Log, o outages, tracks []*track, c Card, ocs []occurrence, until int64) Story {
	t := newTeller(l, o, tracks, c, until)
	for _, tr := range tracks {
		t.tag(tr)
	}
	t.finishBuckets()
	t.faultWalks()
	t.watch()
	t.marks(ocs)
	t.scores()
	t.flows()
	t.parts()
	return t.s
}

func newTeller(l *record.Log, o outages, tracks []*track, c Card, until int64) *teller {
	n := max(1, min(maxBuckets, until/second))
	steps := max(minSteps, min(n, tagRoom/int64(max(1, len(tracks)))))
	t := &teller{l: l, m: l.Meta, o: o, tracks: tracks, card: c, until: until,
		reach: away(o, int64(l.Meta.Contract.Recover)),
		width: max(1, (until+n-1)/n), step: max(1, (until+steps-1)/steps), steps: int(steps),
		live: make([][]int64, n), byPLC: make([][]plcBucket, len(l.Meta.PLCs)), stageN: make([]int, n)}
	for i := range t.byPLC {
		t.byPLC[i] = make([]plcBucket, n)
	}
	for k := range t.legs {
		t.legs[k] = hdrhistogram.New(1, int64(3600e6), 3) // microseconds up to an hour
		t.lateAt[k] = make([]int, n)
	}
	t.s = Story{Summary: l.Meta.Summary, Version: l.Meta.Version, DeadlineS: l.Meta.Contract.Deadline.Seconds(),
		BucketS: seconds(t.width), TagStepS: seconds(t.step), Faults: c.ByFault, Detectors: l.Meta.Detectors,
		Buckets: make([]Bucket, n), Walk: Walk{Unobtainable: map[string]int{}},
		Replay: "plantbed run scenario.toml"}
	for i := range t.s.Buckets {
		t.s.Buckets[i] = Bucket{P50MS: -1, P99MS: -1, Buffer: -1, Divergence: -1, ApartBy: -1, Apart: -1}
	}
	return t
}

// bucket is the index of the bucket that holds an instant.
func (t *teller) bucket(at int64) int {
	return max(0, min(int(at/t.width), len(t.s.Buckets)-1))
}

func (t *teller) stepOf(at int64) int { return max(0, min(int(at/t.step), t.steps-1)) }

// tag goes through the rows of one tag and files each under its bucket, its
// PLC, the walk and the tag's own trace.
func (t *teller) tag(tr *track) {
	w := Walk{Unobtainable: map[string]int{}}
	s := TagStory{Tag: string(tr.tag.ID), Machine: tr.tag.Machine, PLC: t.m.PLCs[tr.plc].Name, Unit: string(tr.tag.Unit),
		Lo: tr.tag.Lo, Hi: tr.tag.Hi, Truth: noRanges(t.steps), LatencyMS: make([]float64, t.steps)}
	for i := range s.LatencyMS {
		s.LatencyMS[i] = -1
	}
	for i := range tr.row {
		r := &tr.row[i]
		f := fateOf(r, t.reach[tr.plc])
		w.add(r, f)
		t.file(r, f, tr.plc)
		k := t.stepOf(r.at)
		s.Truth[k].add(r.value)
		switch f {
		case fateLive:
			s.LatencyMS[k] = max(s.LatencyMS[k], float64(r.twin-r.at)/1e6)
		case fateLost, fateLate, fateBackfilled, fateUnobtainable:
			s.trouble(k, f)
		}
	}
	hold(s.Truth)
	t.s.Tags = append(t.s.Tags, s)
	t.s.TagWalks = append(t.s.TagWalks, w)
	t.s.Walk.join(w)
}

// file books a row under its bucket.
func (t *teller) file(r *row, f fate, plc int) {
	k := t.bucket(r.at)
	b, p := &t.s.Buckets[k], &t.byPLC[plc][k]
	if r.due == owed {
		b.Owed++
		if r.twin != never {
			b.Delivered++
		}
	}
	switch f {
	case fateLost:
		stage := stageIndex(r.stage())
		b.Lost++
		b.LostAt[stage]++
		p.lost[stage]++
	case fateUnobtainable:
		b.Unobtainable++
		p.unobtainable++
	case fateLate:
		b.Late++
		t.lateAt[stageIndex(r.slowest())][k]++
	case fateBackfilled:
		b.Backfilled++
	case fateLive:
		t.live[k] = append(t.live[k], r.twin-r.at)
		if r.sent == never || r.wired == never || r.broker == never {
			return
		}
		t.stageN[k]++
		p.n++
		p.send += r.sent - r.at
		p.wire += r.wired - r.sent
		for j, leg := range [4]int64{r.sent - r.at, r.wired - r.sent, r.broker - r.wired, r.twin - r.broker} {
			b.StageMS[j] += float64(leg) / 1e6
			t.legs[j].RecordValue(max(0, min(leg/1000, int64(3600e6))))
		}
	}
}

func stageIndex(stage string) int { return max(0, slices.Index(StageNames[:], stage)) }

// finishBuckets turns sums into figures.
func (t *teller) finishBuckets() {
	for k := range t.s.Buckets {
		b := &t.s.Buckets[k]
		if ls := t.live[k]; len(ls) > 0 {
			n := len(ls)
			slices.Sort(ls)
			b.P50MS, b.P99MS = float64(ls[n/2])/1e6, float64(ls[min(n-1, n*99/100)])/1e6
		}
		for j := range b.StageMS {
			if n := t.stageN[k]; n > 0 {
				b.StageMS[j] /= float64(n)
			} else {
				b.StageMS[j] = -1
			}
		}
	}
	for j, h := range t.legs {
		if n := int(h.TotalCount()); n > 0 {
			ms := func(q float64) float64 { return float64(h.ValueAtQuantile(q)) / 1000 }
			t.s.Stages = append(t.s.Stages, StageTime{StageNames[j], n, ms(50), ms(95), ms(99), ms(100)})
		}
	}
	for _, n := range t.l.Notes {
		if n.Kind == "depth" {
			b := &t.s.Buckets[t.bucket(int64(n.At))]
			b.Buffer = max(b.Buffer, n.N)
		}
	}
}

// faultWalks counts the rows that were scanned inside each window.
func (t *teller) faultWalks() {
	for _, w := range t.m.Plan {
		walk := Walk{Unobtainable: map[string]int{}}
		for _, tr := range t.tracks {
			if !touches(t.m, w, tr) {
				continue
			}
			for i := tr.lastAt(int64(w.From)-1) + 1; i < len(tr.row) && tr.row[i].at < int64(w.To); i++ {
				walk.add(&tr.row[i], fateOf(&tr.row[i], t.reach[tr.plc]))
			}
		}
		t.s.FaultWalks = append(t.s.FaultWalks, walk)
	}
}

// add counts one row.
func (w *Walk) add(r *row, f fate) {
	w.Latched++
	switch r.due {
	case owed:
		w.Owed++
	case unobtainable:
		w.Unobtainable[r.cause.String()]++
	default:
		w.Unchanged++
	}
	switch f {
	case fateLost:
		w.Lost[stageIndex(r.stage())]++
	case fateLive:
		w.InTime++
	case fateBackfilled:
		w.Backfilled++
	case fateLate:
		w.Late++
	}
	if r.twin != never && r.due != owed {
		w.Gifts++
	}
}

func (w *Walk) join(o Walk) {
	w.Latched += o.Latched
	w.Unchanged += o.Unchanged
	w.Owed += o.Owed
	w.InTime += o.InTime
	w.Backfilled += o.Backfilled
	w.Late += o.Late
	w.Gifts += o.Gifts
	for k := range w.Lost {
		w.Lost[k] += o.Lost[k]
	}
	for cause, n := range o.Unobtainable {
		w.Unobtainable[cause] += n
	}
}

// trouble counts a row under its step; rows come in order of time.
func (s *TagStory) trouble(k int, f fate) {
	if n := len(s.Troubles); n == 0 || s.Troubles[n-1].Step != k {
		s.Troubles = append(s.Troubles, Trouble{Step: k})
	}
	x := &s.Troubles[len(s.Troubles)-1]
	switch f {
	case fateLost:
		x.Lost++
	case fateLate:
		x.Late++
	case fateUnobtainable:
		x.Unobtainable++
	case fateBackfilled:
		x.Backfilled++
	}
}

// marks are alarms and what happened, as they are shown.
func (t *teller) marks(ocs []occurrence) {
	for _, a := range t.l.Alarms {
		al := alarm{int64(a.At), a.Machine, a.Class}
		t.s.Alarms = append(t.s.Alarms, AlarmMark{AtS: a.At.Seconds(), Machine: a.Machine, Detector: a.Detector, Class: a.Class, Tag: a.Tag,
			Score: a.Score, Limit: a.Limit, True: inside(ocs, al, func(x occurrence) int64 { return x.to })})
	}
	for _, e := range t.l.Events {
		if e.Kind != "state" {
			t.s.Events = append(t.s.Events, EventMark{e.At.Seconds(), strings.TrimSpace(e.Machine + "/" + e.Component + ": " + e.Kind), e.Kind})
		}
	}
	t.notes()
}

// notes are what befell the hosts. What a buffer drops can be thousands of
// notes; of each bucket they are one.
func (t *teller) notes() {
	type key struct {
		bucket int
		why    string
	}
	drops := map[key]int{} // index into Notes
	sums := map[key]float64{}
	for _, n := range t.l.Notes {
		switch n.Kind {
		case "depth":
		case "drop":
			k := key{t.bucket(int64(n.At)), n.Text}
			sums[k] += n.N
			i, ok := drops[k]
			if !ok {
				i = len(t.s.Notes)
				drops[k] = i
				t.s.Notes = append(t.s.Notes, EventMark{AtS: n.At.Seconds(), Kind: n.Kind})
			}
			t.s.Notes[i].What = fmt.Sprintf("the gateway dropped %.0f samples: %s", sums[k], n.Text)
		default:
			t.s.Notes = append(t.s.Notes, EventMark{n.At.Seconds(), strings.TrimSpace(n.Kind + " " + n.Text), n.Kind})
		}
	}
}
