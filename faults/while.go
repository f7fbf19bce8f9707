package faults

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/plantbed/plantbed/sim"
)

// waiter opens a window whenever a machine enters a state, and closes it when
// the machine leaves it, or when the fault has lasted as long as it may.
type waiter struct {
	s     *schedule
	i     int
	c     Config
	kind  *kind
	state *state
	rng   *rand.Rand
	in    bool // the machine is in the state
	nth   int
	open  *Window
	edge  sim.Timer // the next edge
}

// wait prepares a waiter.
func (s *schedule) wait(i int, c Config) error {
	c = c.WithDefaults()
	k, ok := lookup(c.Kind)
	if !ok {
		return fmt.Errorf("there is no fault kind %q", c.Kind)
	}
	if err := c.check(k).Err(); err != nil {
		return err
	}
	st, err := s.state(k, c.Target)
	if err != nil {
		return err
	}
	name, want, _ := c.waits()
	m, ok := s.plant.Machine(name)
	if !ok {
		return fmt.Errorf("the plant has no machine %q", name)
	}
	w := &waiter{s: s, i: i, c: c, kind: k, state: st, rng: sim.Rand(s.kernel.Seed(), fmt.Sprintf("fault/while/%s/%s/%d", c.Kind, c.Target, i))}
	s.events = append(s.events, func() {
		m.OnState(func(state string) { w.turn(state == want) })
		s.kernel.At(c.At.D(), func() { w.turn(m.State() == want) })
	})
	return nil
}

// turn is told whether the machine is in the state.
func (w *waiter) turn(in bool) {
	now := w.s.kernel.Now()
	if now < w.c.At.D() || in == w.in {
		return
	}
	w.in = in
	w.edge.Stop()
	switch {
	case in && w.open != nil: // back before the end came
		if w.c.For > 0 {
			w.after(max(0, w.open.From+w.c.For.D()-now), w.end)
		}
	case in && (w.c.Until == 0 || now < w.c.Until.D()):
		w.after(shift(w.rng), w.begin)
	case !in && w.open != nil:
		w.after(shift(w.rng), w.end)
	}
}

// after sets the next edge, at no whole microsecond, as no machine's events are.
func (w *waiter) after(d time.Duration, f func()) {
	at := w.s.kernel.Now() + d
	if at%time.Microsecond == 0 {
		at++
	}
	w.edge = w.s.kernel.AtVisible(at, f)
}

func (w *waiter) begin() {
	k := w.s.kernel
	w.open = &Window{Index: w.i, Nth: w.nth, Kind: w.c.Kind, Target: w.c.Target, Class: w.kind.Class, From: k.Now(), Open: true, Note: w.c.note()}
	w.nth++
	w.s.start(w.state, w.kind, active{*w.open, w.c})
	if w.c.For > 0 {
		w.after(w.c.For.D(), w.end)
	}
}

func (w *waiter) end() {
	if w.open == nil {
		return
	}
	done := *w.open
	w.open = nil
	done.To, done.Open = w.s.kernel.Now(), false
	w.s.end(w.state, w.kind, done)
}
