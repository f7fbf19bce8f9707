package score_test

import (
	"testing"
	"time"

	"github.com/plantbed/plantbed/harness/record"
	"github.com/plantbed/plantbed/harness/score"
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
