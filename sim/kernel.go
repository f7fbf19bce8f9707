// Package sim is the discrete-event kernel: events in the order of (time,
// sequence), named random streams, and a clock that either runs as fast as it
// goes or paces itself by the wall.
//
//	k := sim.New(42)
//	k.After(3*time.Second, func() { fmt.Println("bottle at", k.Now()) })
//	k.Run(time.Hour)                 // fast gear: no clock but its own
//	k.Pace(ctx, time.Now(), time.Hour, nil) // network gears: sleeps between visible events
//
// That is the event style: what happens next is a function that is called
// then. In the process style, what happens is told from the point of view of
// the one it happens to:
//
//	clerk := sim.NewResource(k, 1)
//	k.Go(func(p *sim.Process) {
//		clerk.Acquire(p)        // waits for its turn
//		p.Sleep(3 * time.Minute)
//		clerk.Release(p)
//	})
//
// A Process waits with Sleep, or with Wait for an Event, which may be the
// first of several (Kernel.AnyOf) or the last (Kernel.AllOf); another may
// interrupt it. Processes share a Resource (units of something, with
// priorities and preemption), a Store (things) and a Container (an amount).
// A Monitor gives means over time. Package sim/stats makes intervals of them.
//
// All of it, callbacks and processes, runs on the one goroutine that called
// Run or Pace, one after the other; models need no locks. Only Do may be
// called from elsewhere. A process is a coroutine, and its goroutine is there
// until it ends; Close ends the ones that have not.
package sim

import (
	"slices"
	"time"
)

// Kernel holds the pending events and the time of the simulated world.
type Kernel struct {
	seed    uint64
	now     time.Duration
	order   uint64 // the last event's sequence << slotBits
	queue   queue
	current uint32 // slot of the event that is happening, which is still first in the queue; or nothing
	slots   []slot
	free    []uint32 // slots of no event
	stopped int      // events in the queue that were taken back
	visible queue
	running bool
	limit   uint64 // the present Run ends before this instant; 0 is at once
	halted  bool
	inbox   chan func()

	idle  []*Process // coroutines that wait for a body
	procs []*Process // all coroutines
	panic *Panic     // of a process, on its way out of Run
	ahead uint64     // see replaceAhead
}

// slot is the part of a scheduled callback that a Timer may refer to; it is
// reused, and gen tells one use from the next.
type slot struct {
	f   func() // nil: taken back
	gen uint64
}

// New makes a kernel at time 0. The seed is the root of all random streams.
// A kernel with processes wants a Close at the end; one without needs none.
func New(seed uint64) *Kernel {
	return &Kernel{
		seed:    seed,
		current: nothing,
		queue:   queue{root: never},
		visible: queue{root: never},
		inbox:   make(chan func(), 64),
	}
}

// Now is the time since the start of the run.
func (k *Kernel) Now() time.Duration { return k.now }

// Seed is what New was given.
func (k *Kernel) Seed() uint64 { return k.seed }

// Timer is a handle on a scheduled event. The zero Timer is of no event.
type Timer struct {
	k    *Kernel
	gen  uint64
	slot uint32
}

// Stop takes the event back; it reports false where it has happened already.
func (t Timer) Stop() bool {
	if t.k == nil {
		return false
	}
	s := &t.k.slots[t.slot]
	if s.gen != t.gen || s.f == nil {
		return false
	}
	s.f = nil
	t.k.takenBack()
	return true
}

// At schedules an inner event: one that nothing outside the simulated world
// can see at once. Events of one instant happen in the order in which they
// were scheduled; an instant in the past is now.
func (k *Kernel) At(t time.Duration, f func()) Timer {
	return k.schedule(uint64(max(t, k.now)), f)
}

// After schedules an inner event d from now.
func (k *Kernel) After(d time.Duration, f func()) Timer {
	return k.schedule(uint64(k.now)+uint64(max(d, 0)), f)
}

// AtVisible schedules an event that the outside can see, such as a PLC's scan
// or a fault on a link: Pace wakes for it, and for nothing else.
func (k *Kernel) AtVisible(t time.Duration, f func()) Timer {
	at := uint64(max(t, k.now))
	timer := k.schedule(at, f)
	k.visible.push(item{at, timer.gen<<slotBits | uint64(timer.slot)})
	return timer
}

// schedule takes an instant that is not before now. One beyond 2^63, from an
// endless wait, does not come.
func (k *Kernel) schedule(at uint64, f func()) Timer {
	k.order += 1 << slotBits
	if k.order == 0 {
		k.renumber()
	}
	n := k.current
	if n >= aProcess {
		return k.insert(at, f)
	}
	// What happens now schedules its successor, most often: that takes over
	// its slot and its place in the queue.
	k.current = nothing
	s := &k.slots[n]
	s.f = f
	timer := Timer{k, s.gen, n}
	it := item{at, k.order | uint64(n)}
	if q := &k.queue; q.n > 2 {
		k.replace(it)
	} else {
		q.place(it)
	}
	return timer
}

// many events do not fit the cache.
const many = 1 << 14

// replace is the queue's, small or large; kept out of schedule, which two
// pending events alone must not pay for it.
//
//go:noinline
func (k *Kernel) replace(it item) {
	if k.queue.n > many {
		k.replaceAhead(it)
	} else {
		k.queue.replace(it)
	}
}

// replaceAhead is queue.replace that looks at the slot of the event to come
// while the rest of the queue is put in order: both are far away in memory,
// and so the processor waits for them at the same time.
func (k *Kernel) replaceAhead(it item) {
	q := &k.queue
	next, c := q.first()
	if before(&it, &next) != 0 {
		q.root = it
		return
	}
	q.root = next
	if n := next.slot(); n < uint32(len(k.slots)) {
		k.ahead = k.slots[n].gen
	}
	q.sift(&q.families[0][c], 1+uint(c), it)
}

// insert is kept out of schedule, where it would cost the common case a fifth
// of its time in registers saved and restored; and grow out of insert.
//
//go:noinline
func (k *Kernel) insert(at uint64, f func()) Timer {
	if len(k.free) == 0 {
		k.grow()
	}
	last := len(k.free) - 1
	n := k.free[last]
	k.free = k.free[:last]
	s := &k.slots[n]
	s.f = f
	timer := Timer{k, s.gen, n}
	k.enqueue(item{at, k.order | uint64(n)})
	return timer
}

// enqueue puts it in the place of the event that is happening, if that still
// has one.
func (k *Kernel) enqueue(it item) {
	if k.current == nothing {
		k.queue.push(it)
		return
	}
	k.release()
	k.queue.replace(it)
}

// scheduleWake schedules the wake-up of p, of which there is one at most.
func (k *Kernel) scheduleWake(at uint64, p *Process) {
	k.order += 1 << slotBits
	if k.order == 0 {
		k.renumber()
	}
	p.pending = k.order | uint64(p.number)
	k.enqueue(item{at, p.pending})
}

//go:noinline
func (k *Kernel) grow() {
	if len(k.slots) == maxSlots {
		panic("sim: more than 134 million events are pending")
	}
	k.free = append(k.free, uint32(len(k.slots)))
	k.slots = append(k.slots, slot{})
}

// Run works through all events up to and including until, and leaves the
// clock there. This is the main loop of the simulated world:
//
//	take the earliest event → set the clock to it → do it
//
// A panic in an event comes out of Run, which may then be called again.
func (k *Kernel) Run(until time.Duration) {
	if k.running {
		panic("sim: Run was called from within an event")
	}
	k.running, k.halted, k.limit = true, false, uint64(max(until, -1)+1)
	defer k.settle()
	for k.queue.root.at < k.limit {
		n := k.queue.root.slot()
		if n >= aProcess {
			k.wake()
			continue
		}
		s := &k.slots[n]
		s.gen++
		k.current = n
		if f := s.f; f != nil {
			k.now = time.Duration(k.queue.root.at)
			f()
		} else {
			k.stopped--
		}
		if k.current != nothing {
			k.drop()
		}
	}
	if !k.halted {
		k.now = max(k.now, until)
	}
}

// Halt ends the Run or Pace under way once the present event is over; the
// clock stays there.
func (k *Kernel) Halt() { k.halted, k.limit = true, 0 }

// drop takes the event that has happened out of the queue.
func (k *Kernel) drop() {
	k.release()
	k.queue.pop()
}

// release frees the slot of the event that is happening.
func (k *Kernel) release() {
	if n := k.current; n < aProcess {
		k.slots[n].f = nil
		k.free = append(k.free, n)
	}
	k.current = nothing
}

// settle leaves Run, be it by a panic.
func (k *Kernel) settle() {
	k.running, k.limit = false, 0
	if k.current != nothing {
		k.drop()
	}
}

// soonest is the instant of the earliest event but the one that is happening.
func (k *Kernel) soonest() uint64 {
	if k.current == nothing {
		return k.queue.root.at
	}
	return k.queue.second()
}

// takenBack counts an event in the queue that will not happen.
func (k *Kernel) takenBack() {
	k.stopped++
	if k.stopped > 64 && k.stopped > int(k.queue.n)/2 {
		k.sweep()
	}
}

// sweep takes the stopped events out of the queue, so that far time-outs
// which are nearly always taken back do not fill it.
func (k *Kernel) sweep() {
	items := k.queue.items()
	k.queue.clear()
	for i, it := range items {
		happening := i == 0 && k.current != nothing
		if happening || k.valid(it) {
			k.queue.push(it)
		} else if n := it.slot(); n < aProcess {
			k.slots[n].gen++
			k.free = append(k.free, n)
		}
	}
	k.stopped = 0
}

// valid says that an event in the queue was not taken back.
func (k *Kernel) valid(it item) bool {
	if n := it.slot(); n < aProcess {
		return k.slots[n].f != nil
	} else {
		return k.procs[n-aProcess].pending == it.key
	}
}

// renumber gives the events in the queue the lowest sequence numbers, in
// their order, once the numbers are used up: after 69 thousand million events.
func (k *Kernel) renumber() {
	items := k.queue.items()
	slices.SortFunc(items, func(a, b item) int { return int(before(&b, &a)) - int(before(&a, &b)) })
	k.queue.clear()
	for _, it := range items {
		k.order += 1 << slotBits
		key := k.order | uint64(it.slot())
		if n := it.slot(); n >= aProcess && k.valid(it) {
			k.procs[n-aProcess].pending = key
		}
		k.queue.push(item{it.at, key})
	}
	k.order += 1 << slotBits
}

// nextVisible is the instant of the earliest visible event.
func (k *Kernel) nextVisible() (time.Duration, bool) {
	for k.visible.n > 0 {
		it := k.visible.root
		s := &k.slots[it.slot()]
		if s.f != nil && s.gen<<slotBits>>slotBits == it.key>>slotBits {
			return time.Duration(it.at), true
		}
		k.visible.pop()
	}
	return 0, false
}
