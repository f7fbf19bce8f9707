package sim

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// coroutine is what a process runs on: a goroutine that runs only while its
// caller stands still. A switch costs more than all else that the kernel does
// for a wait, so that a process which waits does not switch back to Run only
// to have Run switch to the next one. It calls that one itself:
//
//	Run ── next ──> A ── next ──> B ── next ──> C
//
// A, having called B, is linked: where A's turn comes, C yields to B, and B
// to A. So a wake-up costs between no switch (its own is the next event) and
// two. Run alone calls functions; it gets the control back when the next
// event is one, or at the end, when all yield.
type coroutine struct {
	next   func() (struct{}, bool)
	stop   func()
	yield  func(struct{}) bool
	linked bool // has called another, and waits for it to yield
}

// pass gives way to the rest of the world, and returns when p is woken.
func (p *Process) pass() {
	for {
		q := p.k.nextProcess()
		if q == p {
			p.k.begin(p)
			return
		}
		if q == nil || q.linked {
			if !p.yield(struct{}{}) {
				panic(errClosed)
			}
			return
		}
		p.k.begin(q)
		p.linked = true
		q.next()
		p.linked = false
	}
}

// nextProcess is whom the next event wakes; nil where it calls a function,
// and at the end of Run.
func (k *Kernel) nextProcess() *Process {
	if k.current != nothing {
		k.drop()
	}
	for k.queue.root.at < k.limit {
		n := k.queue.root.slot()
		if n < aProcess {
			return nil
		}
		if p := k.procs[n-aProcess]; p.pending == k.queue.root.key {
			return p
		}
		k.stopped--
		k.queue.pop()
	}
	return nil
}

// begin starts the event that wakes p, which is the first in the queue.
func (k *Kernel) begin(p *Process) {
	k.now = time.Duration(k.queue.root.at)
	k.current = p.number
	p.pending = 0
}

// wake is Run's part: it wakes the process of the first event.
func (k *Kernel) wake() {
	if p := k.nextProcess(); p != nil {
		k.begin(p)
		p.next()
	}
	if k.current != nothing {
		k.drop()
	}
	if p := k.panic; p != nil {
		k.panic = nil
		panic(p)
	}
}

// run is the coroutine: body after body.
func (p *Process) run(yield func(struct{}) bool) {
	p.yield = yield
	defer p.recover()
	for {
		p.body(p)
		p.finish()
		p.pass()
	}
}

// errClosed unwinds the body of a process whose kernel is closed.
var errClosed = errors.New("sim: the kernel is closed")

// Panic is what comes out of Run when the body of a process panics.
type Panic struct {
	Value any
	Stack []byte // of the process
}

func (p *Panic) Error() string {
	return fmt.Sprintf("panic in a process: %v\n\n%s", p.Value, p.Stack)
}

// Unwrap is the value, if it is an error.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// recover keeps a panic from the process that called this one, which has no
// part in it, and has Run throw it.
func (p *Process) recover() {
	if e := recover(); e != nil && e != any(errClosed) {
		p.k.panic = &Panic{e, debug.Stack()}
		p.k.limit = 0
	}
}

// Close ends all processes: a wait under way does not return, and the
// deferred functions of the body run. It also drops all pending events. It
// must not be called from within an event.
func (k *Kernel) Close() {
	if k.running {
		panic("sim: Close was called from within an event")
	}
	for _, p := range k.procs {
		p.stop()
	}
	k.procs, k.idle = nil, nil
	k.queue.clear()
	k.visible.clear()
	k.free, k.stopped = k.free[:0], 0
	for n := range k.slots {
		k.slots[n].f = nil
		k.slots[n].gen++ // for the Timers that are still about
		k.free = append(k.free, uint32(n))
	}
}
