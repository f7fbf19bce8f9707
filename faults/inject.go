package faults

import (
	"fmt"
	"slices"

	"github.com/plantbed/plantbed/sim"
)

// Injector breaks a plant at any instant, where no plan was made before:
//
//	in := faults.NewInjector(kernel, plant, note)
//	w, err := in.Inject(faults.Config{Kind: "link.down", Target: "plc-fill", For: strict.Duration(time.Minute)})
//	in.Clear(w.Index)
//
// Windows on one target compose as those of Schedule do, among themselves: a
// plant takes one or the other. They are numbered from 1. All of it belongs to
// the kernel's goroutine.
type Injector struct {
	s    *schedule
	next int
	open []*injected
}

// injected is a window that is open, and the event that will close it.
type injected struct {
	w     Window
	kind  *kind
	state *state
	end   sim.Timer
}

// NewInjector has note, which may be nil, told of the edges as Schedule does.
func NewInjector(k *sim.Kernel, plant Plant, note func(w Window, started bool)) *Injector {
	return &Injector{next: 1, s: &schedule{kernel: k, plant: plant, note: note, spots: map[spot]*state{}, busy: map[spot]int{}}}
}

// Inject starts a fault now, whatever its At says; one without an end lasts
// until Clear, and its To is 0. What a seam refuses does not stay.
func (in *Injector) Inject(c Config) (Window, error) {
	k, ok := lookup(c.Kind)
	if !ok {
		return Window{}, fmt.Errorf("there is no fault kind %q", c.Kind)
	}
	c = c.WithDefaults()
	if c.scheduled() {
		return Window{}, fmt.Errorf("%s: a fault that is injected begins now, and has no schedule", c.Kind)
	}
	c.At = 0
	if err := c.check(k).Err(); err != nil {
		return Window{}, err
	}
	st, err := in.s.state(k, c.Target)
	if err != nil {
		return Window{}, err
	}
	now := in.s.kernel.Now()
	w := Window{Index: in.next, Kind: c.Kind, Target: c.Target, Class: k.Class, From: now, Note: c.note()}
	if lasts := c.For + c.Life; lasts > 0 {
		w.To = now + lasts.D()
	}
	if k.instant {
		w.To = now + shiftMax
	}
	w.Open = w.To <= now // endless, or past the end of all durations
	if w.Open {
		w.To = 0
	}
	if err := in.start(st, k, active{w, c}); err != nil {
		return Window{}, fmt.Errorf("%s on %s: %w", c.Kind, c.Target, err)
	}
	in.next++
	f := &injected{w: w, kind: k, state: st}
	in.open = append(in.open, f)
	if !w.Open {
		f.end = in.s.kernel.AtVisible(w.To, func() { in.close(f) })
	}
	in.s.tell(w, true, nil)
	return w, nil
}

// start is the schedule's, undone where the seam refuses.
func (in *Injector) start(st *state, k *kind, a active) error {
	s := in.s
	st.open = append(st.open, a)
	err := st.apply(s.kernel.Now(), st.open)
	if err != nil {
		st.open = st.open[:len(st.open)-1]
		if k.Seam != SeamKnob { // a component keeps its damage
			_ = st.apply(s.kernel.Now(), st.open)
		}
		return err
	}
	s.busy[spot{string(k.Seam), a.Target}]++
	return nil
}

func (in *Injector) close(f *injected) {
	in.open = slices.DeleteFunc(in.open, func(o *injected) bool { return o == f })
	in.s.end(f.state, f.kind, f.w)
}

// Clear ends a fault that is open; false where there is none of that index. A
// component that wears out is as new again, unless it has failed already.
func (in *Injector) Clear(index int) (Window, bool) {
	i := slices.IndexFunc(in.open, func(f *injected) bool { return f.w.Index == index })
	if i < 0 {
		return Window{}, false
	}
	f := in.open[i]
	f.end.Stop()
	if f.kind.Seam == SeamKnob {
		if knob, ok := in.s.plant.Knob(f.w.Target); ok {
			knob.Clear()
		}
	}
	in.close(f)
	return f.w, true
}

// Active lists the faults that are open, in the order in which they began.
func (in *Injector) Active() []Window {
	out := make([]Window, len(in.open))
	for i, f := range in.open {
		out[i] = f.w
	}
	return out
}

// Of lists the names that a kind of that seam may have as its target.
func (n Names) Of(s Seam) []string { return n.of(s) }
