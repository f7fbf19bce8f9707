package score_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/plantbed/plantbed/harness/record"
	"github.com/plantbed/plantbed/harness/score"
	"github.com/plantbed/plantbed/sim/signal"
)

// pipe is a made-up stack that carries every sample without a fault, with
// hooks at which a test breaks one thing. It shows nothing of how the score
// works: it only writes down what taps would have seen.
type pipe struct {
	log record.Log
	// keep says whether a sample gets past a stage.
	keep func(stage string, tag int, seq uint64) bool
	// clock is what the devices show as the time; nil is the time itself.
	clock func(at int64) int64
	// stands is when no device scans, from and to.
	stands [2]int64
	// flat says that no value ever changes.
	flat bool
	// change alters a sample on its way through the gateway.
	change func(tag int, s *record.SeenSample)
	// twice says that a poll finds the sample again.
	twice func(tag int, seq uint64) bool
	// wire delays a sample on the link.
	wire func(tag int, seq uint64) time.Duration
	// hold delays a sample in the gateway.
	hold func(tag int, seq uint64) time.Duration
	// copies sends a sample again, with or without its dedup key.
	copies func(tag int, seq uint64) (n int, keyed bool)
	key    uint64
	offset [2]int64
}

const length = 120 * time.Second

// meta is two PLCs: an OPC UA server with two tags at 1 s and one at 100 ms,
// and a Modbus device with two tags at 1 s.
func meta() record.Meta {
	one := 1.0
	return record.Meta{Scenario: "made-up", Seed: 1, Gear: "virtual", Duration: length,
		Contract: record.Contract{Deadline: 5 * time.Second, Recover: 3 * time.Second, DurableWithin: time.Second, Deliver: record.Promise{Kind: "raw"}},
		PLCs: []record.PLC{
			{Name: "ua", Protocol: "opcua", Sampling: 100 * time.Millisecond, Publishing: time.Second, Queue: 20, Lifetime: time.Minute, Trigger: "status-value"},
			{Name: "mb", Protocol: "modbus", Poll: time.Second}},
		Tasks: []record.Task{{Name: "scan", PLC: 0, Period: time.Second, Tags: []int{0, 1}}, {Name: "fast", PLC: 0, Period: 100 * time.Millisecond, Tags: []int{2}},
			{Name: "scan", PLC: 1, Period: time.Second, Tags: []int{3, 4}}},
		Tags: []record.Tag{{ID: "a/x", Machine: "a", Task: 0, Lo: 0, Hi: 100, Scale: 1}, {ID: "a/y", Machine: "a", Task: 0, Lo: 0, Hi: 100, Scale: 1},
			{ID: "a/fast", Machine: "a", Task: 1, Lo: 0, Hi: 100, Scale: 1}, {ID: "b/x", Machine: "b", Task: 2, Lo: 0, Hi: 100, Scale: 0.1}, {ID: "b/y", Machine: "b", Task: 2, Lo: 0, Hi: 100, Scale: 0.1}},
		Machines: []record.Machine{{Name: "a", StateTag: -1, GoodTag: -1, TotalTag: -1}, {Name: "b", StateTag: -1, GoodTag: -1, TotalTag: -1}},
		Expect:   []record.Expect{{Metric: "samples.owed", Min: &one}, {Metric: "loss.count", Max: new(float64)}},
	}
}

func (p *pipe) run(m record.Meta) score.Card {
	p.log.Meta = m
	r := rand.New(rand.NewPCG(1, 2))
	for k, task := range m.Tasks {
		seq := uint64(0)
		for at := int64(70e6) + int64(k)*1234567; at < int64(length); at += int64(task.Period) {
			if p.stands[0] <= at && at < p.stands[1] {
				continue
			}
			seq++
			s := record.Scan{Task: k, Seq: seq, Counter: uint32(seq), At: at, Stamp: at}
			if p.clock != nil {
				s.Stamp = p.clock(at)
			}
			for range task.Tags {
				v := r.Float64() * 100
				if p.flat {
					v = 7
				}
				s.Values = append(s.Values, v)
				s.Quality = append(s.Quality, signal.Good)
			}
			p.log.Add(s)
			p.carry(m, s)
		}
	}
	p.log.End = &record.End{Reached: length}
	return score.Score(&p.log).Card
}

func (p *pipe) carry(m record.Meta, s record.Scan) {
	task := m.Tasks[s.Task]
	for i, tag := range task.Tags {
		ok := func(stage string) bool { return p.keep == nil || p.keep(stage, tag, s.Seq) }
		if !ok("plc") {
			continue
		}
		p.offset[task.PLC] += 100
		p.log.Add(record.Send{PLC: task.PLC, Conn: 1, Offset: p.offset[task.PLC], At: s.At + 10e6, Items: []record.Ref{{Tag: tag, Seq: s.Seq}}})
		if p.twice != nil && p.twice(tag, s.Seq) {
			p.log.Add(record.Send{PLC: task.PLC, Conn: 2, Offset: p.offset[task.PLC], At: s.At + 990e6, Items: []record.Ref{{Tag: tag, Seq: s.Seq}}})
		}
		if !ok("link") {
			continue
		}
		wired := s.At + 12e6
		if p.wire != nil {
			wired += int64(p.wire(tag, s.Seq))
		}
		p.log.Add(record.Deliver{PLC: task.PLC, Conn: 1, From: p.offset[task.PLC] - 100, To: p.offset[task.PLC], At: wired})
		if !ok("edge") {
			continue
		}
		x := record.SeenSample{Tag: tag, Seq: s.Seq, Source: s.Stamp, Value: s.Values[i]}
		if m.PLCs[task.PLC].Protocol == "opcua" {
			x.Seq = 0
		}
		if p.change != nil {
			p.change(tag, &x)
		}
		at := s.At + 100e6
		if p.hold != nil {
			at += int64(p.hold(tag, s.Seq))
		}
		p.key++
		b := record.Seen{Tap: record.AtBroker, At: at, Stream: "s", First: p.key, Samples: []record.SeenSample{x}}
		p.log.Add(b)
		if p.copies != nil {
			if n, keyed := p.copies(tag, s.Seq); n > 0 {
				c := b
				if !keyed {
					c.Stream, c.First = "", 0
				}
				for range n {
					p.log.Add(c)
				}
			}
		}
		if ok("north") {
			b.Tap, b.At = record.AtTwin, at+1e6
			p.log.Add(b)
		}
	}
}

func val(t *testing.T, c score.Card, name string) float64 {
	t.Helper()
	m, ok := c.Metrics[name]
	if !ok {
		t.Fatalf("no metric %s", name)
	}
	if m.Value == nil {
		t.Fatalf("%s has no value", name)
	}
	return *m.Value
}

func tagOf(c score.Card, id string) score.TagCount {
	for _, t := range c.ByTag {
		if t.Tag == id {
			return t
		}
	}
	return score.TagCount{}
}

func TestCleanRunShowsZeroOfEverything(t *testing.T) {
	c := new(pipe).run(meta())
	for _, name := range []string{"loss.count", "dup.marked", "dup.unmarked", "dup.applied", "order.violations", "corrupt.count", "orphan.count", "late.count", "backfill.count"} {
		if v := val(t, c, name); v != 0 {
			t.Errorf("%s = %v", name, v)
		}
	}
	if c.Verdict != score.Pass {
		t.Errorf("%s: %v", c.Verdict, c.Why)
	}
	if got := val(t, c, "samples.owed"); got < 1600 {
		t.Errorf("owed %v", got)
	}
	if c.Identity != "source-time" {
		t.Errorf("identity %s", c.Identity)
	}
}

// Losing samples at each stage, of a subscribed and of a polled tag, is found
// at that stage with the exact count.
func TestLossIsFoundAtItsStage(t *testing.T) {
	for _, stage := range []string{"plc", "link", "edge", "north"} {
		for tag, id := range map[int]string{1: "a/y", 2: "a/fast", 3: "b/x"} {
			lost := 0
			p := &pipe{}
			p.keep = func(at string, k int, seq uint64) bool {
				if at != stage || k != tag || seq < 40 || seq%7 != 0 {
					return true
				}
				lost++
				return false
			}
			c := p.run(meta())
			if got := val(t, c, "loss."+stage); got != float64(lost) || lost == 0 {
				t.Errorf("%s of %s: found %v, lost %d", stage, id, got, lost)
			}
			if got := tagOf(c, id).Lost[stage]; got != lost {
				t.Errorf("%s: by tag %d, lost %d", id, got, lost)
			}
			if val(t, c, "loss.count") != float64(lost) || c.Verdict != score.Fail {
				t.Errorf("%s of %s: loss.count %v, verdict %s", stage, id, val(t, c, "loss.count"), c.Verdict)
			}
		}
	}
}

func TestDuplicates(t *testing.T) {
	for _, keyed := range []bool{true, false} {
		n := 0
		p := &pipe{copies: func(tag int, seq uint64) (int, bool) {
			if tag == 0 && seq%10 == 0 {
				n += 2
				return 2, keyed
			}
			return 0, false
		}}
		c := p.run(meta())
		name := map[bool]string{true: "dup.marked", false: "dup.unmarked"}[keyed]
		if got := val(t, c, name); got != float64(n) {
			t.Errorf("%s = %v, planted %d", name, got, n)
		}
	}
}

func TestCorruptionByKind(t *testing.T) {
	for kind, change := range map[string]func(*record.SeenSample){
		"value":       func(s *record.SeenSample) { s.Value += 1000 },
		"quality":     func(s *record.SeenSample) { s.Quality = signal.Uncertain },
		"source_time": func(s *record.SeenSample) { s.Source += 77e6 },
	} {
		n := 0
		p := &pipe{change: func(tag int, s *record.SeenSample) {
			if tag == 1 && s.Source > 50e9 && n < 9 {
				n++
				change(s)
			}
		}}
		c := p.run(meta())
		if got := tagOf(c, "a/y").Corrupt[kind]; got != 9 || val(t, c, "corrupt.count") != 9 {
			t.Errorf("%s: %v of 9, %v", kind, got, tagOf(c, "a/y"))
		}
		if val(t, c, "loss.count") != 0 || val(t, c, "orphan.count") != 0 {
			t.Errorf("%s: loss %v, orphans %v", kind, val(t, c, "loss.count"), val(t, c, "orphan.count"))
		}
	}
}

func TestForgottenScaleIsAUnit(t *testing.T) {
	p := &pipe{change: func(tag int, s *record.SeenSample) {
		if tag == 4 {
			s.Value /= 0.1
		}
	}}
	c := p.run(meta())
	tc := tagOf(c, "b/y")
	if tc.Corrupt["unit"] < 110 || tc.Where["corrupt"] != "edge" {
		t.Errorf("%+v", tc)
	}
}

func TestHeldSamplesAreLate(t *testing.T) {
	n := 0
	p := &pipe{hold: func(tag int, seq uint64) time.Duration {
		if tag == 1 && seq >= 40 && seq < 70 {
			n++
			return time.Duration(100-seq) * time.Second
		}
		return 0
	}}
	c := p.run(meta())
	if got := tagOf(c, "a/y"); got.Late != n || got.Where["late"] != "edge" {
		t.Errorf("late %d of %d, %+v", got.Late, n, got)
	}
}

// A link outage: the server's queue keeps 20 reports of each item. The 1 s
// tags lose nothing that is owed; of the 100 ms tag, what the queue must drop
// is unobtainable; whatever a quick client gets of it is no loss and no error.
func TestQueueOverflowIsUnobtainable(t *testing.T) {
	m := meta()
	m.Plan = []record.Window{{Kind: "link.down", Target: "ua", Class: "communication", From: 40 * time.Second, To: 50 * time.Second, Effect: record.Effect{Cut: true}}}
	down := func(at int64) bool { return at >= 40e9 && at < 50e9 }
	p := &pipe{}
	p.keep = func(stage string, tag int, seq uint64) bool {
		at := int64(seq) * 100e6
		return !(stage == "plc" && tag == 2 && down(at-100e6) && at < 49e9) // a client back at once finds the last 20 or so
	}
	p.hold = func(tag int, seq uint64) time.Duration {
		at := int64(70e6) + int64(seq-1)*1e9
		if tag < 2 && down(at) {
			return time.Duration(51e9 - at)
		}
		return 0
	}
	c := p.run(m)
	if got := val(t, c, "loss.count"); got != 0 {
		t.Errorf("loss %v: %+v", got, c.ByTag)
	}
	// From 39 s (what was not published at the cut shares the queue) to 53 s
	// (recover) the item makes 140 reports, of which the last 20 are kept.
	if got := tagOf(c, "a/fast").Unobtainable - 30; got != 120 { // 30 of the start-up time
		t.Errorf("unobtainable %d, want 120", got)
	}
	if got := val(t, c, "late.count"); got != 0 {
		t.Errorf("late %v", got)
	}
	if got := val(t, c, "backfill.count"); got < 8 {
		t.Errorf("backfilled %v", got)
	}
}

// The same outage at the poller: the periods without a link are not owed, and
// one poll more than these is.
func TestPollsDuringAnOutage(t *testing.T) {
	for extra := uint64(0); extra < 3; extra++ {
		m := meta()
		m.Plan = []record.Window{{Kind: "link.down", Target: "mb", Class: "communication", From: 40 * time.Second, To: 50 * time.Second, Effect: record.Effect{Cut: true}}}
		p := &pipe{keep: func(stage string, tag int, seq uint64) bool {
			return stage != "plc" || tag < 3 || seq < 41 || seq >= 54+extra
		}}
		c := p.run(m)
		if got := val(t, c, "loss.count"); got != float64(2*extra) {
			t.Errorf("%d polls too late: loss %v", extra, got)
		}
	}
}

func TestNothingDeliveredIsUnknown(t *testing.T) {
	p := &pipe{keep: func(stage string, _ int, _ uint64) bool { return stage != "plc" }}
	c := p.run(meta())
	if c.Verdict != score.Unknown || !strings.Contains(strings.Join(c.Why, "\n"), "nothing was delivered") {
		t.Errorf("%s %v", c.Verdict, c.Why)
	}
}

func TestBypassAndLateKernelAreUnknown(t *testing.T) {
	for _, end := range []record.End{{Reached: length, Bypass: []string{"ua: 127.0.0.1:1"}}, {Reached: length, LagMax: time.Second, LagTolerance: time.Millisecond}} {
		p := new(pipe)
		p.run(meta())
		p.log.End = &end
		if c := score.Score(&p.log).Card; c.Verdict != score.Unknown {
			t.Errorf("%+v: %s", end, c.Verdict)
		}
	}
}

func TestDigest(t *testing.T) {
	a, b := new(pipe).run(meta()), new(pipe).run(meta())
	if a.Digest != b.Digest {
		t.Error("the same run, two digests")
	}
	for what, p := range map[string]*pipe{
		"value":   {change: func(tag int, s *record.SeenSample) { s.Value += map[bool]float64{true: 1}[s.Source > 119e9] }},
		"latency": {hold: func(tag int, seq uint64) time.Duration { return time.Duration(seq / 119) }},
		"loss":    {keep: func(stage string, tag int, seq uint64) bool { return stage != "north" || tag != 3 || seq != 77 }},
	} {
		if p.run(meta()).Digest == a.Digest {
			t.Errorf("another %s, the same digest", what)
		}
	}
}
