package score_test

import (
	"slices"
	"testing"
	"time"

	"github.com/plantbed/plantbed/harness/record"
	"github.com/plantbed/plantbed/harness/score"
	"github.com/plantbed/plantbed/sim/signal"
)

// What a broker that has lost its sessions takes before the twin is back is not
// the stack's loss; the same loss at another time is.
func TestABrokerWithoutSessions(t *testing.T) {
	lost := func(effect record.Effect) float64 {
		m := meta()
		m.Plan = []record.Window{{Kind: "broker.restart", Target: "broker", Class: "communication", From: 40 * time.Second, To: 41 * time.Second, Effect: effect}}
		p := &pipe{keep: func(stage string, tag int, seq uint64) bool { return stage != "north" || tag != 0 || seq != 41 }}
		return val(t, p.run(m), "loss.count")
	}
	if n := lost(record.Effect{Deaf: true}); n != 0 {
		t.Errorf("%v lost, though nobody listened", n)
	}
	if n := lost(record.Effect{}); n != 1 {
		t.Errorf("%v lost of a broker that keeps its sessions, want 1", n)
	}
}

// A broker that loses its sessions while it is gone listens to nobody until it is
// back, and its clients are.
func TestABrokerLosesItsSessionsWhileItIsGone(t *testing.T) {
	for seq, want := range map[uint64]float64{44: 0, 49: 1} {
		m := meta()
		for _, w := range []record.Window{{Kind: "broker.stop", From: 38 * time.Second, To: 43 * time.Second},
			{Kind: "broker.restart", From: 40 * time.Second, To: 40 * time.Second, Effect: record.Effect{Deaf: true}}} {
			w.Target, w.Class = "broker", "communication"
			m.Plan = append(m.Plan, w)
		}
		if got := val(t, losing("north")(seq).run(m), "loss.count"); got != want {
			t.Errorf("sample %d: %v lost, want %v", seq, got, want)
		}
	}
}

// A value that a wire has spoilt is not the stack's; one that is wrong beside it is.
func TestASpoiltWire(t *testing.T) {
	wrong := func(target string, at int64) float64 {
		m := meta()
		m.Plan = []record.Window{{Kind: "link.corrupt", Target: target, Class: "communication", From: 40 * time.Second, To: 42 * time.Second, Effect: record.Effect{Cut: true, Garbles: true}}}
		p := &pipe{change: func(tag int, s *record.SeenSample) {
			if tag == 0 && s.Source/1e9 == at {
				s.Value++
			}
		}}
		return val(t, p.run(m), "corrupt.count")
	}
	for _, target := range []string{"ua", "broker"} {
		if n := wrong(target, 41); n != 0 {
			t.Errorf("%s: %v corrupt, though the wire spoilt them", target, n)
		}
		if n := wrong(target, 60); n != 1 {
			t.Errorf("%s: %v corrupt long after, want 1", target, n)
		}
	}
}

// A sample that a wire to its device spoils may come as nobody's. What the wire
// delivered as it was is owed.
func TestASampleThatAWireSpoils(t *testing.T) {
	for _, c := range []struct {
		stage   string
		seq     uint64
		garbles bool
		want    float64
	}{{"link", 41, true, 0}, {"link", 60, true, 1}, {"link", 41, false, 1}, {"edge", 41, true, 1}} {
		m := meta()
		m.Plan = []record.Window{{Kind: "link.corrupt", Target: "ua", Class: "communication", From: 39 * time.Second, To: 43 * time.Second, Effect: record.Effect{Garbles: c.garbles}}}
		if got := val(t, losing(c.stage)(c.seq).run(m), "loss.count"); got != c.want {
			t.Errorf("%+v: %v lost", c, got)
		}
	}
}

// What reached the broker over a wire that changes bytes may be dropped behind
// it, and may be what nobody ever scanned; and so may what waited for that way.
// The same at another time, or with the wire in order, is the stack's doing.
func TestASpoiltWireToTheBroker(t *testing.T) {
	for _, c := range []struct {
		name, metric string
		garbles      bool
		at           uint64 // s, of the sample that is lost or nobody's
		want         float64
		p            func(at uint64) *pipe
	}{
		{"dropped behind the broker", "loss.north", true, 41, 0, losing("north")},
		{"dropped long after", "loss.north", true, 60, 1, losing("north")},
		{"dropped behind a wire in order", "loss.north", false, 41, 1, losing("north")},
		{"it waited", "loss.edge", true, 25, 0, losing("edge")},
		{"it did not wait", "loss.edge", true, 12, 1, losing("edge")},
		{"it waited for a wire in order", "loss.edge", false, 25, 1, losing("edge")},
		{"nobody's", "orphan.count", true, 41, 0, stray},
		{"nobody's long after", "orphan.count", true, 60, 1, stray},
		{"nobody's behind a wire in order", "orphan.count", false, 41, 1, stray},
	} {
		m := meta()
		m.Plan = []record.Window{{Kind: "broker.quota", Target: "broker", Class: "communication", From: 20 * time.Second, To: 39 * time.Second},
			{Kind: "link.corrupt", Target: "broker", Class: "communication", From: 40 * time.Second, To: 42 * time.Second, Effect: record.Effect{Garbles: c.garbles}}}
		if got := val(t, c.p(c.at).run(m), c.metric); got != c.want {
			t.Errorf("%s: %s = %v, want %v", c.name, c.metric, got, c.want)
		}
	}
}

// losing is a stack that loses one sample of tag 0 at a stage.
func losing(at string) func(seq uint64) *pipe {
	return func(seq uint64) *pipe {
		return &pipe{keep: func(stage string, tag int, n uint64) bool { return stage != at || tag != 0 || n != seq }}
	}
}

// stray is a stack that makes one sample up.
func stray(seq uint64) *pipe {
	p := &pipe{}
	for _, tap := range []record.Tap{record.AtBroker, record.AtTwin} {
		p.log.Add(record.Seen{Tap: tap, At: int64(seq) * 1e9, Samples: []record.SeenSample{{Tag: 0, Source: int64(seq)*1e9 - 3e8, Value: -1}}})
	}
	return p
}

// Polls of a device that stands find the scan that they had. Only what is
// scanned after it can be missed, and is excused where nobody could poll.
func TestPollsOfADeviceThatStands(t *testing.T) {
	for _, c := range []struct {
		name         string
		loses, pause bool
		want         float64
	}{
		{"nothing is lost", false, false, 0},
		{"the first scan after it is lost", true, false, 1},
		{"and the gateway stood", true, true, 0},
	} {
		m := meta()
		if c.pause {
			m.Plan = []record.Window{{Kind: "gateway.pause", Target: "gateway", Class: "gateway", From: 69900 * time.Millisecond, To: 70500 * time.Millisecond, Effect: record.Effect{Cut: true}}}
		}
		p := &pipe{stands: [2]int64{30e9, 70e9}}
		p.keep = func(stage string, tag int, seq uint64) bool { return !c.loses || tag != 3 || seq != 31 }
		if got := val(t, p.run(m), "loss.count"); got != c.want {
			t.Errorf("%s: %v lost, want %v", c.name, got, c.want)
		}
	}
}

// Messages that a wire to the broker exchanges are in another order by no fault
// of the stack; at another time, or with the wire in order, they are by its own.
func TestAWireThatSwaps(t *testing.T) {
	for _, c := range []struct {
		seq   uint64
		swaps bool
		want  float64
	}{{41, true, 0}, {60, true, 1}, {41, false, 1}} {
		m := meta()
		m.Plan = []record.Window{{Kind: "link.frame", Target: "broker", Class: "communication", From: 40 * time.Second, To: 43 * time.Second, Effect: record.Effect{Swaps: c.swaps}}}
		p := &pipe{hold: func(tag int, seq uint64) time.Duration {
			if tag == 0 && seq == c.seq {
				return 1100 * time.Millisecond
			}
			return 0
		}}
		p.run(m)
		slices.SortStableFunc(p.log.Seen, func(a, b record.Seen) int { return int(a.At - b.At) })
		if got := val(t, score.Score(&p.log).Card, "order.violations"); got != c.want {
			t.Errorf("%+v: %v out of order", c, got)
		}
	}
}

// Where polls come as often as scans and a little before them, one that is held
// up a little meets the next scan, and so does the one after it.
func TestPollsWhosePhaseMoves(t *testing.T) {
	for _, c := range []struct {
		stage string
		twice bool
		want  float64
	}{{"plc", true, 0}, {"plc", false, 1}, {"edge", true, 1}, {"link", true, 1}} {
		p := &pipe{keep: func(stage string, tag int, seq uint64) bool { return stage != c.stage || tag != 3 || seq != 50 }}
		p.twice = func(tag int, seq uint64) bool { return c.twice && tag == 3 && seq == 51 }
		if got := val(t, p.run(meta()), "loss.count"); got != c.want {
			t.Errorf("%+v: %v lost", c, got)
		}
	}
}

// A poller whose answer is held up may have gone when it comes, and one that
// waits asks later. An answer that nothing held up it has.
func TestPollsOnALossyLink(t *testing.T) {
	const at = 50
	for _, c := range []struct {
		name  string
		jerky bool
		stage string
		held  time.Duration
		want  float64
	}{
		{"held up and given up", true, "edge", 300 * time.Millisecond, 0},
		{"never asked for", true, "plc", 0, 0},
		{"on its way when the client went", true, "link", 0, 0},
		{"not held up", true, "edge", 0, 1},
		{"held up by nothing that was planned", false, "edge", 300 * time.Millisecond, 1},
	} {
		m := meta()
		m.Plan = []record.Window{{Kind: "link.loss", Target: "mb", Class: "communication", From: 40 * time.Second, To: 60 * time.Second, Effect: record.Effect{Jerky: c.jerky}}}
		p := &pipe{keep: func(stage string, tag int, seq uint64) bool { return stage != c.stage || tag != 3 || seq != at }}
		p.wire = func(tag int, seq uint64) time.Duration {
			if tag == 3 && seq == at {
				return c.held
			}
			return 0
		}
		if got := val(t, p.run(m), "loss.count"); got != c.want {
			t.Errorf("%s: %v lost, want %v", c.name, got, c.want)
		}
	}
}

// While a block is refused whole because of a tag that is not known, nobody is
// back from an outage; and a tag that is not known is not the truth.
func TestNobodyIsBackBeforeTheTagIs(t *testing.T) {
	for _, plc := range []string{"ua", "mb"} {
		tags, known := []int{0}, func(tag int) bool { return tag != 0 }
		if plc == "mb" {
			tags, known = []int{3}, func(tag int) bool { return tag < 3 }
		}
		for _, planned := range []bool{true, false} {
			m := meta()
			m.Plan = []record.Window{{Kind: "link.down", Target: plc, Class: "communication", From: 40 * time.Second, To: 41 * time.Second, Effect: record.Effect{Cut: true}}}
			if planned {
				m.Plan = append(m.Plan, record.Window{Kind: "plc.node_gone", Target: plc, Class: "communication", From: 35 * time.Second, To: 70 * time.Second, Effect: record.Effect{Gone: []string{string(m.Tags[tags[0]].ID)}}})
			}
			p := &pipe{keep: func(stage string, tag int, seq uint64) bool {
				return stage != "plc" || known(tag) || seq < 35 || seq > 70
			}}
			c := p.run(m)
			if back := val(t, c, "recover.max_s"); (back < 5) != (planned || plc == "ua") {
				t.Errorf("%s, planned %v: back after %v s", plc, planned, back)
			}
			if agrees := val(t, c, "twin.converge_s"); (agrees < 10) != planned {
				t.Errorf("%s, planned %v: agrees after %v s", plc, planned, agrees)
			}
		}
	}
}

// A fault that waited for the plant counts from when it struck.
func TestAFaultThatWaited(t *testing.T) {
	m := meta()
	m.Waiting = []record.Window{{Kind: "link.down", Target: "ua", Class: "communication", To: length, Note: "while a is Execute", Effect: record.Effect{Cut: true}}}
	p := &pipe{keep: func(stage string, tag int, seq uint64) bool {
		return stage != "plc" || tag > 1 || seq < 50 || seq > 100
	}}
	p.log.Add(record.Note{At: 48 * time.Second, Kind: "fault begins", Text: "link.down ua"})
	p.log.Add(record.Note{At: 101 * time.Second, Kind: "fault ends", Text: "link.down ua"})
	c := p.run(m)
	// The queue of twenty would have held the last of them.
	if lost, not := val(t, c, "loss.count"), val(t, c, "samples.unobtainable"); lost != 0 && lost > 40 || not < 60 {
		t.Errorf("%v lost, %v unobtainable", lost, not)
	}
	if len(c.ByFault) != 1 || c.ByFault[0].FromS != 48 || c.ByFault[0].ToS != 101 {
		t.Errorf("by fault: %+v", c.ByFault)
	}
}

// Seconds outside of the line's hours were not planned, and availability does
// not suffer from them.
func TestHoursOffAreNotPlanned(t *testing.T) {
	planned := func(events ...record.Event) float64 {
		r := producing(events...)
		for _, o := range r.Story.OEE {
			if o.Of == "truth" {
				return o.PlannedS
			}
		}
		t.Fatal("no OEE")
		return 0
	}
	all := planned()
	if got := planned(record.Event{At: 60 * time.Second, Machine: "a", Kind: "closed"}, record.Event{At: 80 * time.Second, Machine: "a", Kind: "open"}); got != all-20 {
		t.Errorf("%v s planned, want %v less 20", got, all)
	}
	if got := planned(record.Event{At: 60 * time.Second, Machine: "b", Kind: "closed"}); got != all {
		t.Errorf("%v s planned though another machine was off, want %v", got, all)
	}
}

// A stack that never comes back fails what bounds its return; it is not that
// there was nothing to measure.
func TestOneThatNeverComesBack(t *testing.T) {
	m := meta()
	m.Plan = []record.Window{{Kind: "link.down", Target: "ua", Class: "communication", From: 40 * time.Second, To: 50 * time.Second, Effect: record.Effect{Cut: true}}}
	three := 3.0
	m.Expect = []record.Expect{{Metric: "recover.max_s", Max: &three}, {Metric: "twin.converge_s", Max: &three}}
	for _, e := range gone(m).Expectations {
		if e.Verdict != score.Fail || *e.Got < 60 {
			t.Errorf("%s: %s, got %v", e.Metric, e.Verdict, *e.Got)
		}
	}
	// One that had no time to come back is not judged.
	m.Plan[0].To = length - time.Second
	m.Expect = m.Expect[:1]
	if c := gone(m); c.Verdict != score.Unknown {
		t.Errorf("%s: %v", c.Verdict, c.Why)
	}
}

// gone is a run whose OPC UA source is silent from the fortieth second on.
func gone(m record.Meta) score.Card {
	p := &pipe{keep: func(stage string, tag int, seq uint64) bool {
		return stage != "edge" || tag > 2 || tag < 2 && seq < 40 || tag == 2 && seq < 400
	}}
	return p.run(m)
}

// A gateway may pass on a device's word that it does not know a tag under the
// time of the tag's last sample. That is no second copy of the sample; a copy
// of it is, and so is such a word that no device has spoken.
func TestAWordAboutATagIsNoSample(t *testing.T) {
	for _, c := range []struct {
		name    string
		planned bool
		quality signal.Quality
		want    float64
	}{{"the device's word", true, signal.Bad, 0}, {"a copy", true, signal.Good, 1}, {"a word of nobody's", false, signal.Bad, 1}} {
		m := meta()
		if c.planned {
			m.Plan = []record.Window{{Kind: "plc.node_gone", Target: "ua", Class: "communication", From: 49 * time.Second, To: 60 * time.Second, Effect: record.Effect{Gone: []string{string(m.Tags[0].ID)}}}}
		}
		p := &pipe{}
		storyOf(p, m)
		i := slices.IndexFunc(p.log.Seen, func(b record.Seen) bool {
			return b.Tap == record.AtBroker && b.At > int64(50*time.Second) && b.Samples[0].Tag == 0
		})
		word := p.log.Seen[i]
		word.Stream, word.First, word.Samples = "", 0, slices.Clone(word.Samples[:1])
		word.Samples[0].Quality = c.quality
		p.log.Seen = slices.Insert(p.log.Seen, i+1, word)
		if got := val(t, score.Score(&p.log).Card, "dup.unmarked"); got != c.want {
			t.Errorf("%s: %v copies, want %v", c.name, got, c.want)
		}
	}
}
