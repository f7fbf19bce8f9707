package wire

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// Rule is something that happens to chosen bytes or frames of a direction.
type Rule struct {
	// ID tells rules apart: one that stays keeps its counts.
	ID  int
	Dir Direction
	// Do is one of the actions below.
	Do string
	// After is for Cut and Corrupt by bytes: so many pass on each connection
	// from the time the rule is set.
	After int64
	// Frame is the frame that is chosen; "" is by bytes.
	Frame string
	// Nth of these is the first it happens to, from 1; Count is to how many.
	Nth, Count int
	// Hold is how long a frame is held back.
	Hold time.Duration
}

// What a rule does.
const (
	// Hold has a frame, and all behind it, wait.
	Hold = "hold"
	// Drop has a frame vanish.
	Drop = "drop"
	// Repeat sends a frame twice.
	Repeat = "repeat"
	// Reorder sends a frame behind the one that follows it.
	Reorder = "reorder"
	// Cut resets the connection; the frame, or what follows the bytes, is gone.
	Cut = "cut"
	// Corrupt changes one bit of one byte. What the server sent there counts as
	// not delivered.
	Corrupt = "corrupt"
)

// Actions are what can happen to a frame.
func Actions() []string { return []string{Hold, Drop, Repeat, Reorder, Cut} }

// ruleSet is immutable, but for the counts of its rules.
type ruleSet struct {
	rules  []*liveRule
	frames [2]bool // by Direction: there are rules about frames
}

type liveRule struct {
	Rule
	mu   sync.Mutex
	seen int // frames that it chooses from
}

// SetRules takes the place of all rules that were set before; none ends them.
func (w *Wire) SetRules(rules []Rule) error {
	set := &ruleSet{}
	old := w.rules.Load()
	for _, r := range rules {
		if r.Frame != "" && !slices.ContainsFunc(FramesOf(w.cfg.Frames), func(f FrameWay) bool { return f.Name == r.Frame }) {
			return fmt.Errorf("wire %s: there is no frame %q in protocol %q", w.cfg.Name, r.Frame, w.cfg.Frames)
		}
		live := &liveRule{Rule: r}
		if old != nil {
			if i := slices.IndexFunc(old.rules, func(o *liveRule) bool { return o.Rule == r }); i >= 0 {
				live = old.rules[i]
			}
		}
		set.rules = append(set.rules, live)
		set.frames[r.Dir] = set.frames[r.Dir] || r.Frame != ""
	}
	if len(rules) == 0 {
		set = nil
	}
	w.rules.Store(set)
	return nil
}

// choose counts the frame that has just begun, and finds what happens to it.
func (set *ruleSet) choose(s *splitter) (*liveRule, bool) {
	for _, r := range set.rules {
		if r.Frame == "" || r.Dir != s.dir || !s.is(r.Frame) {
			continue
		}
		r.mu.Lock()
		r.seen++
		hit := r.seen >= r.Nth && r.seen-r.Nth < r.Count
		r.mu.Unlock()
		if hit {
			return r, true
		}
	}
	return nil, false
}
