package sim

import (
	"fmt"
	"iter"
	"time"
)

// Process is an activity of the simulated world that takes time: the body of
// Kernel.Go, as that body sees itself. Its methods are for the body alone,
// and valid until it returns; from outside a process is known by its Handle.
//
// Every method that waits returns nil, or an *Interrupt if another activity
// cut the wait short. What the process holds of any Resource when its body
// returns goes back of itself.
type Process struct {
	k          *Kernel
	number     uint32 // slot of its events: aProcess + index in k.procs
	gen        uint64 // of the body; the coroutine runs one after the other
	body       func(*Process)
	pending    uint64       // key of the event that wakes it, or 0
	on         waiting      // what it waits for; nil once that has come
	cut        bool         // the wait was interrupted
	interrupts []*Interrupt // not yet delivered
	amount     float64      // wanted of a Container
	held       []*request   // granted units of resources
	done       *Event
	coroutine
}

// waiting is what a process can wait for; forget takes it out of the line.
type waiting interface{ forget(p *Process) }

// Interrupt is the error of a wait that was cut short.
type Interrupt struct {
	Cause any // what Handle.Interrupt was given; *Preempted from a Resource
}

func (i *Interrupt) Error() string { return fmt.Sprintf("interrupted: %v", i.Cause) }

// Go starts a process now: its body begins when the present event is over.
// The coroutine of a body that has returned is used again, so that a process
// per customer costs no goroutine per customer.
func (k *Kernel) Go(body func(*Process)) Handle {
	var p *Process
	if last := len(k.idle) - 1; last >= 0 {
		p, k.idle = k.idle[last], k.idle[:last]
	} else {
		p = k.newProcess()
	}
	p.body = body
	k.scheduleWake(uint64(k.now), p)
	return Handle{p, p.gen}
}

func (k *Kernel) newProcess() *Process {
	if len(k.procs) == maxSlots-1 {
		panic("sim: more than 134 million processes")
	}
	p := &Process{k: k, number: aProcess + uint32(len(k.procs))}
	p.next, p.stop = iter.Pull(p.run)
	k.procs = append(k.procs, p)
	return p
}

func (p *Process) finish() {
	for len(p.held) > 0 {
		r := p.held[len(p.held)-1]
		r.of.release(r)
	}
	if p.done != nil {
		p.done.Trigger()
		p.done = nil
	}
	p.gen++
	p.body = nil
	p.interrupts = p.interrupts[:0]
	p.k.idle = append(p.k.idle, p)
}

// Kernel is the kernel that the process lives in.
func (p *Process) Kernel() *Kernel { return p.k }

// Now is the time since the start of the run.
func (p *Process) Now() time.Duration { return p.k.now }

// Handle is how others know this process.
func (p *Process) Handle() Handle { return Handle{p, p.gen} }

// Sleep lets d pass.
func (p *Process) Sleep(d time.Duration) error {
	if err := p.interrupted(); err != nil {
		return err
	}
	k := p.k
	at := uint64(k.now) + uint64(max(d, 0))
	// Where nothing else happens until then, time may pass right here.
	if at < min(k.limit, k.soonest()) {
		k.now = time.Duration(at)
		return nil
	}
	k.scheduleWake(at, p)
	return p.park(sleeping{})
}

// sleeping is what a process waits for in Sleep: its own wake-up.
type sleeping struct{}

func (sleeping) forget(p *Process) {
	p.pending = 0
	p.k.takenBack()
}

// Wait waits until the event has been triggered, and returns the error that
// it was given, if any.
func (p *Process) Wait(e *Event) error {
	if err := p.interrupted(); err != nil {
		return err
	}
	if !e.triggered {
		e.listeners = append(e.listeners, listener{p: p})
		if err := p.park(e); err != nil {
			return err
		}
	}
	return e.err
}

// park gives way to the rest of the world until somebody wakes p.
func (p *Process) park(on waiting) error {
	p.on = on
	p.pass()
	p.on = nil
	if !p.cut {
		return nil
	}
	p.cut = false
	return p.interrupted()
}

// interrupted takes the first interrupt that waits to be delivered.
func (p *Process) interrupted() error {
	if len(p.interrupts) == 0 {
		return nil
	}
	i := p.interrupts[0]
	p.interrupts = p.interrupts[:copy(p.interrupts, p.interrupts[1:])]
	return i
}

// ready has p go on when the present event is over: it has got what it
// waited for.
func (p *Process) ready() {
	p.on = nil
	p.k.scheduleWake(uint64(p.k.now), p)
}

func (p *Process) interrupt(cause any) {
	p.interrupts = append(p.interrupts, &Interrupt{cause})
	if p.on != nil {
		p.on.forget(p)
		p.cut = true
		p.ready()
	}
}

// Handle is a process as others see it: they can interrupt it, and wait for
// its end. It stays valid when the process has ended.
type Handle struct {
	p   *Process
	gen uint64
}

// Alive says whether the body has not returned yet.
func (h Handle) Alive() bool { return h.p != nil && h.p.gen == h.gen }

// Interrupt cuts short what the process waits for: that returns an *Interrupt
// with the cause. If it has been granted at this very instant, the grant
// stands and its next wait is cut short. It reports false where the process
// has ended.
func (h Handle) Interrupt(cause any) bool {
	if !h.Alive() {
		return false
	}
	h.p.interrupt(cause)
	return true
}

// Done is triggered when the body returns.
func (h Handle) Done() *Event {
	if h.p == nil {
		return &Event{triggered: true}
	}
	if !h.Alive() {
		return &Event{k: h.p.k, triggered: true}
	}
	if h.p.done == nil {
		h.p.done = h.p.k.Event()
	}
	return h.p.done
}
