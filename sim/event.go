package sim

import (
	"slices"
	"time"
)

// Event is something that happens once, at a time not known beforehand, and
// that any number of processes and functions may wait for.
type Event struct {
	k         *Kernel
	triggered bool
	err       error
	listeners []listener
}

// listener is a process, a function, or an event made of several.
type listener struct {
	p *Process
	f func()
	c *condition
}

// Event makes an event that has not happened yet.
func (k *Kernel) Event() *Event { return &Event{k: k} }

// Timeout makes an event that happens d from now.
func (k *Kernel) Timeout(d time.Duration) *Event {
	e := k.Event()
	k.After(d, e.Trigger)
	return e
}

// Triggered says whether it has happened.
func (e *Event) Triggered() bool { return e.triggered }

// Err is what Fail was given.
func (e *Event) Err() error { return e.err }

// Trigger lets it happen, now; those that wait go on when the present event
// of the kernel is over, in the order in which they came. It happens once.
func (e *Event) Trigger() { e.Fail(nil) }

// Fail is Trigger with an error, which Wait returns.
func (e *Event) Fail(err error) {
	if e.triggered {
		return
	}
	listeners := e.listeners
	e.triggered, e.err, e.listeners = true, err, nil
	for _, l := range listeners {
		switch {
		case l.p != nil:
			l.p.ready()
		case l.c != nil:
			l.c.happened(err)
		default:
			e.k.After(0, l.f)
		}
	}
}

// Then has f called once the event has happened.
func (e *Event) Then(f func()) {
	if e.triggered {
		e.k.After(0, f)
		return
	}
	e.listeners = append(e.listeners, listener{f: f})
}

func (e *Event) forget(p *Process) {
	e.drop(func(l listener) bool { return l.p == p })
}

func (e *Event) drop(is func(listener) bool) {
	for i, l := range e.listeners {
		if is(l) {
			e.listeners = slices.Delete(e.listeners, i, i+1)
			return
		}
	}
}

// condition is an event that happens after so many of its parts.
type condition struct {
	Event
	parts   []*Event
	missing int
}

// AnyOf makes an event that happens when the first of the given ones does.
// Ask each with Triggered which one it was. Of none, it happens at once.
func (k *Kernel) AnyOf(events ...*Event) *Event { return k.condition(min(1, len(events)), events) }

// AllOf makes an event that happens when the last of the given ones has, or
// at the first that fails.
func (k *Kernel) AllOf(events ...*Event) *Event { return k.condition(len(events), events) }

func (k *Kernel) condition(missing int, events []*Event) *Event {
	c := &condition{Event: Event{k: k}, parts: slices.Clone(events), missing: missing}
	if missing == 0 {
		c.Trigger()
	}
	for _, e := range events {
		if c.triggered {
			break
		}
		if e.triggered {
			c.happened(e.err)
		} else {
			e.listeners = append(e.listeners, listener{c: c})
		}
	}
	return &c.Event
}

func (c *condition) happened(err error) {
	if c.triggered {
		return
	}
	c.missing--
	if c.missing > 0 && err == nil {
		return
	}
	c.Fail(err)
	for _, e := range c.parts { // an event that lives long does not collect spent conditions
		e.drop(func(l listener) bool { return l.c == c })
	}
	c.parts = nil
}
