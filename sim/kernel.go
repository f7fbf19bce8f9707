// Package sim is the discrete-event kernel: events in the order of (time,
// sequence), named random streams, and a clock that either runs as fast as it
// goes or paces itself by the wall.
//
//	k := sim.New(42)
//	k.After(3*time.Second, func() { fmt.Println("bottle at", k.Now()) })
//	k.Run(time.Hour)                 // fast gear: no clock but its own
//	k.Pace(ctx, time.Now(), time.Hour, nil) // network gears: sleeps between visible events
//
// Every callback runs on the one goroutine that called Run or Pace; models
// need no locks. Only Do may be called from elsewhere.
package sim

import "time"

// Kernel holds the pending events and the time of the simulated world.
type Kernel struct {
	seed    uint64
	now     time.Duration
	seq     uint64
	queue   queue
	visible queue
	free    []*event
	inbox   chan func()
}

// New makes a kernel at time 0. The seed is the root of all random streams.
func New(seed uint64) *Kernel {
	return &Kernel{seed: seed, inbox: make(chan func(), 64)}
}

// Now is the time since the start of the run.
func (k *Kernel) Now() time.Duration { return k.now }

// Seed is what New was given.
func (k *Kernel) Seed() uint64 { return k.seed }

// Timer is a handle on a scheduled event.
type Timer struct {
	e   *event
	gen uint64
}

// Stop takes the event back; it reports false where it has happened already.
func (t Timer) Stop() bool {
	if t.e == nil || t.e.gen != t.gen || t.e.f == nil {
		return false
	}
	t.e.f = nil
	return true
}

// At schedules an inner event: one that nothing outside the simulated world
// can see at once. Events of one instant happen in the order in which they
// were scheduled; an instant in the past is now.
func (k *Kernel) At(t time.Duration, f func()) Timer {
	return k.schedule(t, f, false)
}

// After schedules an inner event d from now.
func (k *Kernel) After(d time.Duration, f func()) Timer {
	return k.schedule(k.now+d, f, false)
}

// AtVisible schedules an event that the outside can see, such as a PLC's scan
// or a fault on a link: Pace wakes for it, and for nothing else.
func (k *Kernel) AtVisible(t time.Duration, f func()) Timer {
	return k.schedule(t, f, true)
}

func (k *Kernel) schedule(t time.Duration, f func(), visible bool) Timer {
	if t < k.now {
		t = k.now
	}
	var e *event
	if n := len(k.free); n > 0 {
		e, k.free = k.free[n-1], k.free[:n-1]
	} else {
		e = new(event)
	}
	k.seq++
	e.f = f
	it := item{at: t, seq: k.seq, e: e, gen: e.gen}
	k.queue.push(it)
	if visible {
		k.visible.push(it)
	}
	return Timer{e, e.gen}
}

// Run works through all events up to and including until, and leaves the
// clock there. This is the main loop of the simulated world:
//
//	take the earliest event → set the clock to it → do it
func (k *Kernel) Run(until time.Duration) {
	for len(k.queue) > 0 && k.queue[0].at <= until {
		it := k.queue.pop()
		f := it.e.f
		it.e.f = nil
		it.e.gen++
		k.free = append(k.free, it.e)
		if f == nil {
			continue // stopped
		}
		k.now = it.at
		f()
	}
	if k.now < until {
		k.now = until
	}
}

// nextVisible is the instant of the earliest visible event.
func (k *Kernel) nextVisible() (time.Duration, bool) {
	for len(k.visible) > 0 {
		it := k.visible[0]
		if it.e.gen == it.gen && it.e.f != nil {
			return it.at, true
		}
		k.visible.pop()
	}
	return 0, false
}
