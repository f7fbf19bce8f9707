package plant

import (
	"fmt"
	"strconv"
	"time"

	"github.com/plantbed/plantbed/sim"
	"github.com/plantbed/plantbed/sim/physics"
)

// Knob wears a component out.
type Knob interface {
	// Wear plans damage that starts at onset and reaches 1 at failure, both
	// since the start of the run and not in the past. There the machine
	// breaks down, whatever it was doing, and is repaired by its line's crew.
	Wear(onset, failure time.Duration) error
	// Set holds the damage at a level from 0 to 1 from now on; 1 is a failure.
	Set(level float64) error
	// Clear makes the component as new, unless a crew is at it already.
	Clear()
}

// wear is the damage of one component, and the only Knob.
type wear struct {
	Component
	m      *Machine
	index  int
	path   *physics.Path // planned damage, or nil
	level  float64       // damage without a path
	failed bool
	plans  int
	timers [3]sim.Timer
	life   *life // that it lives by itself, or nil

	showsAt float64 // see shows
}

func (w *wear) damage(tS float64) float64 {
	switch {
	case w.failed:
		return 1
	case w.path != nil:
		return w.path.At(tS)
	case w.life != nil && w.level == 0:
		return w.life.unit.At(w.life.tauAt(tS))
	}
	return w.level
}

func (w *wear) event(kind string) Event {
	return Event{At: w.m.kernel.Now(), Machine: w.m.Name, Kind: kind, Component: w.Name, Mode: w.Mode}
}

func (w *wear) errorf(format string, args ...any) error {
	return fmt.Errorf("%s/%s: %s", w.m.Name, w.Name, fmt.Sprintf(format, args...))
}

func (w *wear) Wear(onset, failure time.Duration) error {
	k := w.m.kernel
	now := k.Now()
	switch {
	case onset < now:
		return w.errorf("the onset at %v has passed, it is %v", onset, now)
	case failure <= onset:
		return w.errorf("the failure at %v is not after the onset at %v", failure, onset)
	case w.failed:
		return w.errorf("is broken down and not repaired yet")
	case w.damage(now.Seconds()) > 0:
		return w.errorf("is worn already; clear it first")
	}
	w.replace(func() {
		// Numbered, so that a second life of the component is another one.
		rng := k.Rand("plant/" + w.m.Name + "/" + w.Name + "/damage/" + strconv.Itoa(w.plans))
		w.plans++
		w.path = w.Law.Course(onset.Seconds(), failure.Seconds(), rng)
	})
	w.timers[0] = k.At(onset, func() { w.m.emit(w.event("onset")) })
	w.announce(w.path.At, onset, failure)
	w.timers[2] = k.At(failure, w.fail)
	return nil
}

func (w *wear) Set(level float64) error {
	switch {
	case !(level >= 0 && level <= 1): // so that NaN is refused
		return w.errorf("damage %v is not from 0 to 1", level)
	case w.failed:
		return w.errorf("is broken down and not repaired yet")
	case level == 0:
		w.Clear()
		return nil
	}
	before := w.damage(w.m.kernel.Now().Seconds())
	w.replace(func() { w.path, w.level = nil, level })
	if before == 0 {
		w.m.emit(w.event("onset"))
	}
	if level == 1 {
		w.fail()
		return nil
	}
	if now := w.m.kernel.Now(); before < level {
		w.announce(func(float64) float64 { return level }, now, now+4*time.Hour)
	}
	return nil
}

func (w *wear) Clear() {
	if w.failed {
		return
	}
	worn := w.damage(w.m.kernel.Now().Seconds()) > 0
	w.renew()
	if worn {
		w.m.emit(w.event("repair"))
	}
}

// replace changes the damage to come; what was is brought up to now first.
func (w *wear) replace(change func()) {
	w.m.watch()
	w.m.touch(w.m.kernel.Now())
	for _, t := range w.timers {
		t.Stop()
	}
	change()
}

func (w *wear) fail() {
	w.replace(func() { w.failed = true })
	w.m.emit(w.event("failure"))
	w.m.breakDown(w)
}

// announce plans the "detectable" event of a course of damage.
func (w *wear) announce(damage func(tS float64) float64, from, to time.Duration) {
	if tS, ok := w.m.detectableS(w.index, damage, from.Seconds(), to.Seconds()); ok {
		w.timers[1] = w.m.kernel.At(seconds(tS), func() { w.m.emit(w.event("detectable")) })
	}
}

func (w *wear) renew() { w.restore(w.kijima()) }

// restore is what a repair does: what the knob did is gone, and of the age
// that the part has lived by itself a share of kijima stays.
func (w *wear) restore(kijima float64) {
	w.replace(func() {
		if w.life != nil {
			w.life.restore(kijima)
		}
		w.path, w.level, w.failed = nil, 0, false
	})
	if w.life != nil {
		w.life.arm()
	}
}

// maintain is planned work: what wears is mended; what is only planned to wear
// out later still will, since nobody sees it yet.
func (w *wear) maintain(kijima float64) {
	if w.path == nil || w.m.kernel.Now().Seconds() >= w.path.OnsetS {
		w.restore(kijima)
		return
	}
	if w.life != nil {
		w.life.restore(kijima)
	}
}

func (w *wear) skill() string             { return w.Skill }
func (w *wear) repairTime() time.Duration { return w.m.repairTime }
