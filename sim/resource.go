package sim

import (
	"fmt"
	"time"
)

// Resource is a number of equal units, such as clerks, docks or wrenches,
// that processes and functions hold for a while. Who waits is served by
// priority, and within a priority in the order of coming.
type Resource struct {
	k        *Kernel
	capacity int
	users    []*request
	queue    line[*request]
	free     []*request
	inUse    Monitor
	waiting  Monitor
}

// Terms are how a unit is asked for.
type Terms struct {
	Priority int    // lower is served first; 0 unless said otherwise
	Preempt  bool   // take the unit of the user with the highest Priority, if that is above this one
	Lost     func() // called if the unit is preempted; for a Claim, as a process is interrupted
}

// Preempted is the cause of the Interrupt that a process gets which has lost
// its unit to a more urgent one. It need not release it.
type Preempted struct {
	Resource *Resource
	Priority int           // of the one that took it
	Since    time.Duration // when the unit had been granted
}

func (p *Preempted) String() string {
	return fmt.Sprintf("preempted by priority %d; had been granted at %v", p.Priority, p.Since)
}

// request is a wish for a unit, or a unit in use.
type request struct {
	of      *Resource
	gen     uint64
	terms   Terms
	p       *Process // who asks; or
	f       func()   // what to call
	call    Timer    // of f
	user    int      // index among the users, or -1 while it waits
	granted time.Duration
}

// NewResource makes a resource with that many units, at least one.
func NewResource(k *Kernel, capacity int) *Resource {
	if capacity < 1 {
		panic("sim: a resource needs a capacity of at least one")
	}
	return &Resource{k: k, capacity: capacity, inUse: *NewMonitor(k, 0), waiting: *NewMonitor(k, 0)}
}

// Capacity is the number of units.
func (r *Resource) Capacity() int { return r.capacity }

// InUse is the number of units held, over time.
func (r *Resource) InUse() *Monitor { return &r.inUse }

// Waiting is the number of those that wait, over time.
func (r *Resource) Waiting() *Monitor { return &r.waiting }

// Acquire waits for a unit. An error is an *Interrupt, and there is no unit.
func (r *Resource) Acquire(p *Process) error { return r.AcquireWith(p, Terms{}) }

// AcquireWith is Acquire on terms.
func (r *Resource) AcquireWith(p *Process, t Terms) error {
	if err := p.interrupted(); err != nil {
		return err
	}
	q := r.ask(t, p, nil)
	if r.admit(q) {
		return nil
	}
	return p.park(r)
}

// Release gives back the unit that p got last. It reports false where p holds
// none, as after a preemption.
func (r *Resource) Release(p *Process) bool {
	for i := len(p.held) - 1; i >= 0; i-- {
		if p.held[i].of == r {
			r.release(p.held[i])
			return true
		}
	}
	return false
}

// Claim is a unit, or a place in the queue for one, in the event style.
type Claim struct {
	q   *request
	gen uint64
}

// Claim asks for a unit; f is called when it is granted, at the earliest when
// the present event is over.
func (r *Resource) Claim(t Terms, f func()) Claim {
	q := r.ask(t, nil, f)
	c := Claim{q, q.gen}
	if r.admit(q) {
		q.call = r.k.After(0, f)
	}
	return c
}

// Release gives the unit back, or leaves the queue. It reports false where
// that has happened, or the unit was preempted.
func (c Claim) Release() bool {
	if c.q == nil || c.q.gen != c.gen {
		return false
	}
	c.q.of.release(c.q)
	return true
}

func (r *Resource) ask(t Terms, p *Process, f func()) *request {
	var q *request
	if last := len(r.free) - 1; last >= 0 {
		q, r.free = r.free[last], r.free[:last]
	} else {
		q = &request{of: r}
	}
	q.terms, q.p, q.f, q.user = t, p, f, -1
	return q
}

// admit grants a unit at once, or puts q in the queue.
func (r *Resource) admit(q *request) bool {
	if len(r.users) == r.capacity && q.terms.Preempt {
		r.preempt(q)
	}
	if len(r.users) < r.capacity {
		r.grant(q)
		return true
	}
	i := r.queue.n
	for i > 0 && (*r.queue.at(i - 1)).terms.Priority > q.terms.Priority {
		i--
	}
	r.queue.insert(i, q)
	r.waiting.Add(1)
	return false
}

func (r *Resource) grant(q *request) {
	q.user, q.granted = len(r.users), r.k.now
	r.users = append(r.users, q)
	r.inUse.Add(1)
	if q.p != nil {
		q.p.held = append(q.p.held, q)
	}
}

// preempt takes a unit from the least urgent user, the latest of them, if it
// is less urgent than q.
func (r *Resource) preempt(q *request) {
	least := r.users[0]
	for _, u := range r.users {
		if u.terms.Priority > least.terms.Priority ||
			u.terms.Priority == least.terms.Priority && u.granted > least.granted {
			least = u
		}
	}
	if least.terms.Priority <= q.terms.Priority {
		return
	}
	p, lost := least.p, least.terms.Lost
	cause := &Preempted{r, q.terms.Priority, least.granted}
	r.leave(least)
	if p != nil {
		p.interrupt(cause)
	} else if lost != nil {
		r.k.After(0, lost)
	}
}

// release ends a use, or a wait, and serves the queue.
func (r *Resource) release(q *request) {
	if q.user < 0 {
		r.unqueue(q)
		return
	}
	r.leave(q)
	for r.queue.n > 0 && len(r.users) < r.capacity {
		q := r.queue.remove(0)
		r.waiting.Add(-1)
		r.grant(q)
		if q.p != nil {
			q.p.ready()
		} else {
			q.call = r.k.After(0, q.f)
		}
	}
}

// leave takes q from the users.
func (r *Resource) leave(q *request) {
	last := len(r.users) - 1
	r.users[q.user] = r.users[last]
	r.users[q.user].user = q.user
	r.users = r.users[:last]
	r.inUse.Add(-1)
	if q.p != nil {
		for i, h := range q.p.held {
			if h == q {
				q.p.held = append(q.p.held[:i], q.p.held[i+1:]...)
				break
			}
		}
	}
	r.reuse(q)
}

func (r *Resource) unqueue(q *request) {
	for i := range r.queue.n {
		if *r.queue.at(i) == q {
			r.queue.remove(i)
			r.waiting.Add(-1)
			r.reuse(q)
			return
		}
	}
}

func (r *Resource) reuse(q *request) {
	q.gen++
	q.call.Stop() // granted at this very instant, and given up
	q.p, q.f, q.terms = nil, nil, Terms{}
	r.free = append(r.free, q)
}

// forget takes p out of the queue.
func (r *Resource) forget(p *Process) {
	for i := range r.queue.n {
		if q := *r.queue.at(i); q.p == p {
			r.unqueue(q)
			return
		}
	}
}
