package score_test

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/plantbed/plantbed/harness/record"
	"github.com/plantbed/plantbed/harness/score"
	"github.com/plantbed/plantbed/sim/signal"
)

// troubled is a pipe with a bit of everything: loss at every stage, samples
// that are held up, an outage on one link, one north and a kill.
func troubled() (*pipe, record.Meta) {
	m := meta()
	m.Plan = []record.Window{
		{Kind: "link.down", Target: "ua", Class: "communication", From: 30 * time.Second, To: 40 * time.Second, Effect: record.Effect{Cut: true}},
		{Kind: "link.down", Target: "broker", Class: "communication", From: 60 * time.Second, To: 70 * time.Second, Effect: record.Effect{Cut: true}},
		{Kind: "gateway.kill", Target: "gateway", Class: "gateway", From: 90 * time.Second, To: 93 * time.Second},
		{Kind: "sensor.drift", Target: "b/x", Class: "sensor", From: 10 * time.Second, To: 50 * time.Second},
	}
	r := rand.New(rand.NewPCG(5, 6))
	p := &pipe{keep: func(string, int, uint64) bool { return r.IntN(60) > 0 }}
	p.hold = func(int, uint64) time.Duration {
		if r.IntN(50) == 0 {
			return time.Duration(r.IntN(9000)) * time.Millisecond
		}
		return 0
	}
	return p, m
}

func storyOf(p *pipe, m record.Meta) score.Result {
	p.run(m)
	return score.Score(&p.log)
}

// The story says nothing that the card contradicts: buckets, walks, tags and
// windows add up to the same figures.
func TestStoryAddsUp(t *testing.T) {
	r := storyOf(troubled())
	c, s := r.Card, r.Story
	same := func(what string, got int, metric string) {
		t.Helper()
		if want := int(val(t, c, metric)); got != want || want == 0 {
			t.Errorf("%s is %d, %s is %d", what, got, metric, want)
		}
	}
	var b score.Bucket
	for _, x := range s.Buckets {
		b.Owed += x.Owed
		b.Delivered += x.Delivered
		b.Lost += x.Lost
		b.Unobtainable += x.Unobtainable
		b.Late += x.Late
		b.Backfilled += x.Backfilled
		for k := range b.LostAt {
			b.LostAt[k] += x.LostAt[k]
		}
	}
	w := s.Walk
	for _, x := range []struct {
		buckets, walk int
		metric        string
	}{{b.Owed, w.Owed, "samples.owed"}, {b.Delivered, w.Reached(3), "samples.delivered"}, {b.Lost, w.Owed - w.Reached(3), "loss.count"},
		{b.Late, w.Late, "late.count"}, {b.Backfilled, w.Backfilled, "backfill.count"},
		{b.LostAt[0], w.Lost[0], "loss.plc"}, {b.LostAt[1], w.Lost[1], "loss.link"}, {b.LostAt[2], w.Lost[2], "loss.edge"}, {b.LostAt[3], w.Lost[3], "loss.north"}} {
		same("the sum of buckets", x.buckets, x.metric)
		same("the walk", x.walk, x.metric)
	}
	unobtainable := 0
	for cause, n := range w.Unobtainable {
		unobtainable += n
		if s.Unobtainable[cause] != n {
			t.Errorf("%s: %d and %d", cause, n, s.Unobtainable[cause])
		}
	}
	same("the walk's unobtainable", unobtainable, "samples.unobtainable")
	if w.Latched != w.Unchanged+w.Owed+unobtainable {
		t.Errorf("%d latched are not %d unchanged, %d owed and %d unobtainable", w.Latched, w.Unchanged, w.Owed, unobtainable)
	}
	if applied := w.InTime + w.Late + w.Backfilled; applied != w.Reached(3)+w.Gifts {
		t.Errorf("%d applied are not %d owed and %d gifts", applied, w.Reached(3), w.Gifts)
	}
	for i, tc := range c.ByTag {
		w := s.TagWalks[i]
		if w.Owed != tc.Owed || w.Reached(3) != tc.Delivered || w.Late != tc.Late || w.Backfilled != tc.Backfilled || s.Tags[i].Tag != tc.Tag {
			t.Errorf("%s: %+v and %+v", tc.Tag, tc, w)
		}
		for k, stage := range score.StageNames {
			if w.Lost[k] != tc.Lost[stage] {
				t.Errorf("%s: %d lost at %s, the card says %d", tc.Tag, w.Lost[k], stage, tc.Lost[stage])
			}
		}
		var x score.Trouble
		for _, y := range s.Tags[i].Troubles {
			x.Lost += y.Lost
			x.Late += y.Late
		}
		if x.Lost != w.Owed-w.Reached(3) || x.Late != w.Late {
			t.Errorf("%s: troubles add up to %+v", tc.Tag, x)
		}
	}
	for i, f := range c.ByFault {
		w := s.FaultWalks[i]
		if w.Owed != f.Owed || w.Owed-w.Reached(3) != f.Lost || w.Late != f.Late || w.Backfilled != f.Backfilled {
			t.Errorf("%s: %+v and %+v", f.Kind, f, w)
		}
	}
}

// The same record tells the same story.
func TestStoryIsRepeatable(t *testing.T) {
	p, m := troubled()
	p.run(m)
	// NaN and infinities are equal to themselves here: none is NaN.
	if a, b := score.Score(&p.log), score.Score(&p.log); !reflect.DeepEqual(a.Story, b.Story) {
		t.Error("two stories of one record")
	}
}

// Latency by stage adds up to the latency, and its stages are the pipe's:
// 10 ms to the send, 2 ms on the wire, 88 ms to the broker, 1 ms to the twin.
func TestStages(t *testing.T) {
	r := storyOf(new(pipe), meta())
	want := [4]float64{10, 2, 88, 1}
	for k, s := range r.Story.Stages {
		if s.Stage != score.StageNames[k] || math.Abs(s.P50MS-want[k]) > 0.1 || math.Abs(s.MaxMS-want[k]) > 0.1 || s.N != int(val(t, r.Card, "samples.owed"))+int(val(t, r.Card, "samples.unobtainable")) {
			t.Errorf("%+v, want %v", s, want[k])
		}
	}
	if len(r.Story.Stages) != 4 {
		t.Fatalf("%d stages", len(r.Story.Stages))
	}
	for k, b := range r.Story.Buckets {
		for j, ms := range b.StageMS {
			if b.Owed > 0 && math.Abs(ms-want[j]) > 0.01 {
				t.Errorf("bucket %d, %s: %v ms", k, score.StageNames[j], ms)
			}
		}
	}
}

// A tag's trace holds exactly what was scanned and what was shown in each
// step, the value from before included, against a replay instant by instant.
func TestTracesAgainstReplay(t *testing.T) {
	p, m := troubled()
	storyOf(p, m)
	p.log.Seen = asHistory(p.log.Seen)
	r := score.Score(&p.log)
	step := r.Story.TagStepS
	for i, s := range r.Story.Tags {
		type point struct {
			at int64
			v  float64
		}
		var truth, shown []point
		for _, scan := range p.log.Scans {
			if k := slices.Index(m.Tasks[scan.Task].Tags, i); k >= 0 {
				truth = append(truth, point{scan.At, scan.Values[k]})
			}
		}
		seen := slices.Clone(p.log.Seen)
		slices.SortStableFunc(seen, func(a, b record.Seen) int { return int(a.At - b.At) })
		for _, b := range seen {
			for _, x := range b.Samples {
				if b.Tap == record.AtTwin && x.Tag == i && !b.History {
					shown = append(shown, point{b.At, x.Value})
				}
			}
		}
		for who, rs := range map[string][]score.Range{"truth": s.Truth, "twin": s.Twin} {
			ps := truth
			if who == "twin" {
				ps = shown
			}
			for k, got := range rs {
				want := score.Range{Min: math.Inf(1), Max: math.Inf(-1)}
				add := func(v float64) { want.Min, want.Max = min(want.Min, v), max(want.Max, v) }
				from, to := int64(float64(k)*step*1e9), int64(float64(k+1)*step*1e9)
				held := -1
				for j, x := range ps {
					if x.at < from {
						held = j
					} else if x.at < to || k == len(rs)-1 {
						add(x.v)
					}
				}
				// What was there before counts for the twin, which goes on showing
				// it, and where nothing new came.
				if held >= 0 && (who == "twin" || want.None()) {
					if who == "truth" {
						want = rs[k-1]
					} else {
						add(ps[held].v)
					}
				}
				if got != want {
					t.Fatalf("%s of %s, step %d: %+v, want %+v", who, s.Tag, k, got, want)
				}
			}
		}
	}
}

// asHistory is what a twin sees that keeps every third batch as history.
func asHistory(seen []record.Seen) []record.Seen {
	out := slices.Clone(seen)
	for i := range out {
		out[i].History = out[i].Tap == record.AtTwin && i%3 == 0
	}
	return out
}

// A twin that is given all and shows none of it is not the truth's mirror.
func TestHistoryIsNotShown(t *testing.T) {
	p := &pipe{}
	good := storyOf(p, meta()).Card
	for i := range p.log.Seen {
		b := &p.log.Seen[i]
		b.History = b.Tap == record.AtTwin && b.At > int64(length/2)
	}
	c := score.Score(&p.log).Card
	if val(t, c, "loss.count") != 0 || val(t, c, "twin.divergence") < 2*val(t, good, "twin.divergence") {
		t.Errorf("lost %v, divergence %v, of a good one %v", val(t, c, "loss.count"), val(t, c, "twin.divergence"), val(t, good, "twin.divergence"))
	}
}

// The twin's own marks make it stale; Good while the path is out is
// false-fresh. The spans are exact.
func TestStaleAndFalseFresh(t *testing.T) {
	m := meta()
	m.Plan = []record.Window{{Kind: "link.down", Target: "mb", Class: "communication", From: 50 * time.Second, To: 60 * time.Second, Effect: record.Effect{Cut: true}}}
	p := &pipe{keep: func(stage string, tag int, seq uint64) bool {
		return stage != "link" || tag < 3 || seq < 50 || seq > 60
	}}
	p.run(m)
	p.log.Marks = []record.Mark{{Tag: 3, At: 54e9, Quality: signal.UncertainNoCommunicationLastUsable}}
	s := score.Score(&p.log).Story
	fresh := p.log.Seen
	back := int64(0)
	for _, b := range fresh {
		if b.Tap == record.AtTwin && b.Samples[0].Tag == 3 && b.At > 54e9 {
			back = b.At
			break
		}
	}
	if got, want := s.Tags[3].Stale, []score.TimeSpan{{FromS: 54, ToS: float64(back) / 1e9}}; !reflect.DeepEqual(got, want) {
		t.Errorf("stale %v, want %v", got, want)
	}
	if got, want := s.Tags[3].FalseFresh, []score.TimeSpan{{FromS: 50, ToS: 54}}; !reflect.DeepEqual(got, want) {
		t.Errorf("false-fresh %v, want %v", got, want)
	}
	if got := s.Tags[4].FalseFresh; len(got) != 1 || got[0] != (score.TimeSpan{FromS: 50, ToS: 60}) || len(s.Tags[4].Stale) != 0 {
		t.Errorf("the tag without a mark: %v, stale %v", got, s.Tags[4].Stale)
	}
	if got := s.Tags[0]; len(got.Stale)+len(got.FalseFresh) > 0 {
		t.Errorf("the other PLC's tag: %v, %v", got.Stale, got.FalseFresh)
	}
}

// Loss at a stage marks the part that is to blame, at its time, and no other.
func TestWorstMomentIsAtThePart(t *testing.T) {
	for stage, name := range map[string]string{"plc": "ua", "link": "link to ua", "edge": "gateway", "north": "twin"} {
		p := &pipe{keep: func(at string, tag int, seq uint64) bool { return at != stage || tag != 2 || seq < 500 || seq > 520 }}
		s := storyOf(p, meta()).Story
		for _, part := range s.Parts {
			if (part.Level == score.Bad) != (part.Name == name) {
				t.Errorf("lost at %s: %s is of level %d: %+v", stage, part.Name, part.Level, part.Moments)
			}
			if part.Name != name {
				continue
			}
			if m := part.Moments[0]; m.What != score.MomentLost || m.N != 21 || m.AtS < 48 || m.AtS > 53 {
				t.Errorf("lost at %s: %+v", stage, m)
			}
		}
	}
}

// Parts are in the order of a sample's way, each machine at the PLC that
// scans it, and planned faults are told where they struck.
func TestParts(t *testing.T) {
	p, m := troubled()
	p.keep, p.hold = nil, nil
	r := storyOf(p, m)
	var names []string
	for _, part := range r.Story.Parts {
		names = append(names, part.Kind+" "+part.Name+" "+part.On)
	}
	want := []string{"machine a ua", "machine b mb", "plc ua ", "link link to ua ua", "plc mb ", "link link to mb mb", "gateway gateway ", "link link to the broker broker", "broker broker ", "twin twin "}
	if !slices.Equal(names, want) {
		t.Errorf("%q", names)
	}
	for _, part := range r.Story.Parts {
		struck := map[string]float64{"b": 10, "link to ua": 30, "gateway": 90, "link to the broker": 60}
		at, ok := struck[part.Name]
		if ok != (part.Level == score.Struck) || ok && part.Moments[0].AtS != at {
			t.Errorf("%s: level %d, %+v", part.Name, part.Level, part.Moments)
		}
	}
	if r.Story.Replay != "plantbed run scenario.toml" {
		t.Errorf("again: %s", r.Story.Replay)
	}
}

// An unmet expectation about the twin marks the twin.
func TestUnmetExpectationMarksItsPart(t *testing.T) {
	m := meta()
	m.Expect = append(m.Expect, record.Expect{Metric: "twin.divergence", Max: new(float64)})
	r := storyOf(&pipe{hold: func(int, uint64) time.Duration { return 2 * time.Second }}, m)
	twin := r.Story.Parts[len(r.Story.Parts)-1]
	if r.Card.Verdict != score.Fail || twin.Level != score.Bad || twin.Moments[0].What != score.MomentMissed || twin.Moments[0].Of != "twin.divergence" {
		t.Errorf("%s: %+v", r.Card.Verdict, twin)
	}
	// The divergence over time is the metric's: its mean over buckets of equal
	// length and equally many tags.
	sum, n := 0.0, 0.0
	for _, b := range r.Story.Buckets {
		if b.Divergence >= 0 {
			sum += b.Divergence
			n++
		}
	}
	if want := val(t, r.Card, "twin.divergence"); math.Abs(sum/n-want) > 0.02*want {
		t.Errorf("the buckets' mean is %v, the metric %v", sum/n, want)
	}
}

// producing is a machine that works three seconds of four.
func producing(events ...record.Event) score.Result {
	m := meta()
	m.Bottleneck = "a"
	m.Machines[0].StateTag, m.Machines[0].TotalTag, m.Machines[0].GoodTag, m.Machines[0].IdealCycle = 0, 1, 2, 1
	p := &pipe{}
	p.log.Meta = m
	p.log.Events = events
	for i := range int(length / time.Second) {
		at := int64(i)*1e9 + 5e6
		state := 6.0
		if i%4 == 0 {
			state = 11
		}
		s := record.Scan{Task: 0, Seq: uint64(i + 1), Counter: uint32(i + 1), At: at, Stamp: at, Values: []float64{state, float64(i / 2)}, Quality: make([]signal.Quality, 2)}
		p.log.Add(s)
		p.carry(m, s)
		g := record.Scan{Task: 1, Seq: uint64(i + 1), Counter: uint32(i + 1), At: at + 1, Stamp: at + 1, Values: []float64{float64(i / 3)}, Quality: make([]signal.Quality, 1)}
		p.log.Add(g)
		p.carry(m, g)
	}
	p.log.End = &record.End{Reached: length}
	return score.Score(&p.log)
}

// OEE is taken apart into the card's own figure.
func TestOEEComesApart(t *testing.T) {
	r := producing()
	if len(r.Story.OEE) != 2 {
		t.Fatalf("%+v", r.Story.OEE)
	}
	for _, o := range r.Story.OEE {
		if want := val(t, r.Card, "oee."+o.Of); o.Value != want || math.Abs(o.Availability*o.Performance*o.Quality-want) > 1e-12 {
			t.Errorf("%+v, the card says %v", o, want)
		}
	}
	if o := r.Story.OEE[0]; math.Abs(o.Availability-0.75) > 0.01 || math.Abs(o.Quality-2.0/3) > 0.02 {
		t.Errorf("%+v", o)
	}
}

// What a full buffer drops is one note per bucket and reason, with their sum.
func TestDropsAreSummed(t *testing.T) {
	p := &pipe{}
	p.run(meta())
	for i := range 1000 {
		p.log.Add(record.Note{At: time.Duration(i) * 5 * time.Millisecond, Kind: "drop", N: 2, Text: "full"})
	}
	s := score.Score(&p.log).Story
	if len(s.Notes) != 5 || s.Notes[0].What != "the gateway dropped 400 samples: full" {
		t.Errorf("%d notes: %+v", len(s.Notes), s.Notes[:min(3, len(s.Notes))])
	}
}

// What the detectors made of each machine is told bucket by bucket, in units of
// the limit; rows that name nobody tell nothing.
func TestStoryTellsScores(t *testing.T) {
	p, m := troubled()
	m.Machines, m.Detectors = []record.Machine{{Name: "a", StateTag: -1, GoodTag: -1, TotalTag: -1}, {Name: "b", StateTag: -1, GoodTag: -1, TotalTag: -1}}, []string{"pca", "other"}
	m.Lines = []record.Line{{Name: "l", Stations: []string{"a", "b"}, Buffers: []int{24}, Into: "c", IntoBuffer: 5}, {Name: "k", Stations: []string{"d"}, From: "a", FromBuffer: 3}, {Name: "none"}}
	for i := range 10 {
		p.log.Add(record.Score{Machine: 1, At: int64(i) * 10e9, Value: float64(i), Limit: 2})
	}
	p.log.Add(record.Score{Machine: 0, Detector: 1, At: 7e9, Value: 3, Limit: 4})
	for _, bad := range []record.Score{{Machine: 7, Limit: 1}, {Machine: -1, Limit: 1}, {Detector: 9, Limit: 1}, {Value: 1}, {Limit: math.NaN()}} {
		p.log.Add(bad)
	}
	s := storyOf(p, m).Story
	if len(s.Scores) != 2 || s.Scores[0].Machine != "b" || s.Scores[0].Detector != "pca" || s.Scores[1].Machine != "a" || s.Scores[1].Detector != "other" {
		t.Fatalf("%+v", s.Scores)
	}
	for i, v := range s.Scores[0].Max {
		want, from, to := -1.0, float64(i)*s.BucketS, float64(i+1)*s.BucketS
		for k := range 10 {
			if at := float64(k) * 10; at >= from && at < to {
				want = float64(k) / 2
			}
		}
		if v != want {
			t.Errorf("from %g s on it is %g, want %g", from, v, want)
		}
	}
	want := []score.Flow{{"l", "a", "b", 24}, {"l", "b", "c", 5}, {"k", "a", "d", 3}}
	if !reflect.DeepEqual(s.Flows, want) {
		t.Errorf("flows %v, want %v", s.Flows, want)
	}
}
