package faults

import (
	"errors"
	"fmt"
	"slices"

	"github.com/plantbed/plantbed/sim"
)

// Schedule has the kernel turn the plant's seams at the edges of the plan's
// windows. Every seam is looked up before the first event, and one that is
// missing is an error. note may be nil; it is told of each edge once the seam
// is turned, with Window.Err set where the seam refused.
//
// Windows on one target compose: a link is up again when the last window of
// link.down on it has closed, delays add up, and so on, as each kind's file
// says. A fault that lasts while a machine is in a state has its windows made
// as that happens; note is told of them, and nothing else knows them before.
func Schedule(k *sim.Kernel, plan []Window, cfgs []Config, plant Plant, note func(w Window, started bool)) error {
	s := &schedule{kernel: k, plant: plant, note: note, spots: map[spot]*state{}, busy: map[spot]int{}}
	var errs []error
	for _, w := range plan {
		if err := s.add(w, cfgs); err != nil {
			errs = append(errs, fmt.Errorf("fault[%d]: %w", w.Index, err))
		}
	}
	for i, c := range cfgs {
		if c.While != "" {
			if err := s.wait(i, c); err != nil {
				errs = append(errs, fmt.Errorf("fault[%d]: %w", i, err))
			}
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	for _, e := range s.events {
		e()
	}
	return nil
}

type schedule struct {
	kernel *sim.Kernel
	plant  Plant
	note   func(Window, bool)
	spots  map[spot]*state
	// busy counts the open windows on a seam, of whatever kind.
	busy   map[spot]int
	events []func()
}

// spot is what windows meet on: a target, and a group of kinds or a seam.
type spot struct{ what, target string }

// state is a spot with its open windows.
type state struct {
	apply apply
	open  []active
}

// add prepares the two events of a window.
func (s *schedule) add(w Window, cfgs []Config) error {
	if w.Index < 0 || w.Index >= len(cfgs) {
		return fmt.Errorf("there are only %d faults", len(cfgs))
	}
	k, ok := lookup(w.Kind)
	if !ok {
		return fmt.Errorf("there is no fault kind %q", w.Kind)
	}
	c := cfgs[w.Index].WithDefaults()
	if c.Kind != w.Kind {
		return fmt.Errorf("is of kind %s, and not %s as in the plan", c.Kind, w.Kind)
	}
	if err := c.check(k).Err(); err != nil {
		return err
	}
	st, err := s.state(k, w.Target)
	if err != nil {
		return err
	}
	s.events = append(s.events, func() {
		s.kernel.AtVisible(w.From, func() { s.start(st, k, active{w, c}) })
		if !w.Open {
			s.kernel.AtVisible(w.To, func() { s.end(st, k, w) })
		}
	})
	return nil
}

// state finds where windows of a kind meet on a target.
func (s *schedule) state(k *kind, target string) (*state, error) {
	at := spot{k.composes(), target}
	st := s.spots[at]
	if st == nil {
		turn, ok := k.bind(s.plant, target)
		if !ok {
			return nil, fmt.Errorf("%s: the plant has no %s %q", k.Name, k.Seam, target)
		}
		st = &state{apply: turn}
		s.spots[at] = st
	}
	return st, nil
}

func (s *schedule) start(st *state, k *kind, a active) {
	st.open = append(st.open, a)
	s.busy[spot{string(k.Seam), a.Target}]++
	s.tell(a.Window, true, st.apply(s.kernel.Now(), st.open))
}

func (s *schedule) end(st *state, k *kind, w Window) {
	st.open = slices.DeleteFunc(st.open, func(a active) bool { return a.id() == w.id() })
	err := st.apply(s.kernel.Now(), st.open)
	seam := spot{string(k.Seam), w.Target}
	if s.busy[seam]--; s.busy[seam] == 0 {
		s.clear(k.Seam, w.Target)
	}
	s.tell(w, false, err)
}

// clear leaves a seam with no open window exactly as it was before the first.
func (s *schedule) clear(seam Seam, target string) {
	switch seam {
	case SeamChannel:
		if ch, _, ok := s.plant.Channel(target); ok {
			ch.Clear()
		}
	case SeamSwitch:
		if sw, ok := s.plant.Switch(target); ok {
			sw.Clear()
		}
	}
}

func (s *schedule) tell(w Window, started bool, err error) {
	if s.note == nil {
		return
	}
	if err != nil {
		w.Err = err.Error()
	}
	s.note(w, started)
}
