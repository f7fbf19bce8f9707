package score_test

import (
	"testing"

	"github.com/plantbed/plantbed/harness/record"
)

// setBack is a clock that is 20 s behind from 50 s to 80 s: of many stamps there
// are two rows, of some values too.
func setBack(at int64) int64 {
	if 50e9 <= at && at < 80e9 {
		at -= 20e9
	}
	return at
}

// A device whose clock was set back by a multiple of its scan gives the same
// times again, and each sample is still its own row: a clean run shows zeros,
// and what is lost, repeated, spoilt or held is counted exactly.
func TestStampsThatComeAgain(t *testing.T) {
	every := func(n *int) func(tag int, seq uint64) bool {
		return func(tag int, seq uint64) bool {
			if tag != 1 || seq < 20 || seq > 90 || seq%7 != 0 {
				return false
			}
			*n++
			return true
		}
	}
	for _, c := range []struct {
		name, metric string
		plant        func(p *pipe, n *int)
	}{
		{"clean", "loss.count", func(*pipe, *int) {}},
		{"lost in the gateway", "loss.edge", func(p *pipe, n *int) {
			hit := every(n)
			p.keep = func(stage string, tag int, seq uint64) bool { return stage != "edge" || !hit(tag, seq) }
		}},
		{"lost behind the broker", "loss.north", func(p *pipe, n *int) {
			hit := every(n)
			p.keep = func(stage string, tag int, seq uint64) bool { return stage != "north" || !hit(tag, seq) }
		}},
		{"repeated with its key", "dup.marked", func(p *pipe, n *int) {
			hit := every(n)
			p.copies = func(tag int, seq uint64) (int, bool) { return times(hit(tag, seq)), true }
		}},
		{"repeated without a key", "dup.unmarked", func(p *pipe, n *int) {
			hit := every(n)
			p.copies = func(tag int, seq uint64) (int, bool) { return times(hit(tag, seq)), false }
		}},
		{"spoilt", "corrupt.count", func(p *pipe, n *int) {
			p.change = func(tag int, s *record.SeenSample) {
				if tag == 1 && 25e9 < s.Source && s.Source < 90e9 && int(s.Source/1e9)%7 == 0 {
					s.Value += 1000
					*n++
				}
			}
		}},
	} {
		n := 0
		p := &pipe{clock: setBack}
		c.plant(p, &n)
		card := p.run(meta())
		if n == 0 && c.name != "clean" {
			t.Fatalf("%s: nothing planted", c.name)
		}
		for _, name := range []string{"loss.edge", "loss.north", "loss.plc", "loss.link", "dup.marked", "dup.unmarked", "dup.applied", "order.violations", "corrupt.count", "orphan.count", "late.count"} {
			want := 0.
			if name == c.metric {
				want = float64(n)
			}
			if got := val(t, card, name); got != want {
				t.Errorf("%s: %s = %v, want %v", c.name, name, got, want)
			}
		}
	}
}

// The same where no value ever changes, so that nobody can tell the rows of one
// stamp apart: so many as were sent must come.
func TestStampsAndValuesThatComeAgain(t *testing.T) {
	for _, planted := range []bool{false, true} {
		m, lost := meta(), 0
		m.PLCs[0].Trigger = "status-value-timestamp"
		p := &pipe{clock: setBack, flat: true}
		p.keep = func(stage string, tag int, seq uint64) bool {
			if !planted || stage != "edge" || tag != 1 || seq < 20 || seq > 90 || seq%7 != 0 {
				return true
			}
			lost++
			return false
		}
		card := p.run(m)
		for name, want := range map[string]int{"loss.edge": lost, "loss.count": lost, "dup.unmarked": 0, "dup.applied": 0, "order.violations": 0, "corrupt.count": 0, "late.count": 0} {
			if got := val(t, card, name); got != float64(want) {
				t.Errorf("planted %v: %s = %v, want %d", planted, name, got, want)
			}
		}
	}
}

func times(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
