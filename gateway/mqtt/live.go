package mqtt

import (
	"slices"
	"sync"

	"github.com/plantbed/plantbed/internal/payload"
	"github.com/plantbed/plantbed/sim/signal"
)

// live lets what is durable now go ahead of what waited for the broker, where
// Config.BackfillShare is less than 1:
//
//	buffer ──durable now──► queue ──────────────┐ first, but for the share
//	   └────oldest on──► TryNext ──► not taken ─┴──► window ──► broker
//
// It opens with a connection that finds a backlog and closes when there is none
// left. A number that went ahead is taken: it is left out when the oldest-on way
// comes to it. What the queue cannot hold is not lost but waits its turn there.
type live struct {
	mu    sync.Mutex
	open  bool
	split uint64 // numbers behind it are live
	queue []run
	held  int // samples in queue

	// The rest is the publisher's own.
	taken  ranges // sent ahead on this connection, or acknowledged
	acked  ranges
	credit float64 // samples that the backlog may send while live ones wait
	barred bool    // the broker refused one that was sent ahead: all in order until the backlog is gone
}

// run is a row of samples with consecutive numbers.
type run struct {
	first   uint64
	samples []signal.Sample
}

// maxLive bounds the samples in queue.
const maxLive = 1 << 15

// Durable tells the publisher what the buffer has just made durable; samples are
// copied. Any goroutine.
func (p *Publisher) Durable(first uint64, samples []signal.Sample) {
	l := p.live
	if l == nil {
		return
	}
	l.mu.Lock()
	if l.open && first > l.split {
		l.queue = append(l.queue, run{first, slices.Clone(samples)})
		l.held += len(samples)
		for l.held > maxLive {
			l.held -= len(l.queue[0].samples)
			l.queue = slices.Delete(l.queue, 0, 1)
		}
	}
	l.mu.Unlock()
	poke(p.status.kick)
}

// begin is for a connection: behind split is what comes from now on.
func (l *live) begin(split uint64, backlog bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !backlog {
		l.barred, l.acked = false, nil
	}
	l.open, l.split, l.queue, l.held, l.credit = backlog && !l.barred, split, nil, 0, 0
	l.taken = slices.Clone(l.acked)
}

// next takes up to most live samples out of the queue.
func (l *live) next(most int) (r run, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.queue) > 0 {
		r = l.queue[0]
		n := min(most, len(r.samples))
		rest := run{r.first + uint64(n), r.samples[n:]}
		if r.samples = r.samples[:n]; len(rest.samples) > 0 {
			l.queue[0] = rest
		} else {
			l.queue = slices.Delete(l.queue, 0, 1)
		}
		l.held -= n
		free := l.taken.free(r.first, r.first+uint64(n))
		if len(free) == 0 {
			continue // went with the backlog
		}
		lo, hi := free[0][0], free[0][1] // there is never more than one hole
		r = run{lo, r.samples[lo-r.first : hi-r.first]}
		l.taken.add(lo, hi)
		return r, true
	}
	return run{}, false
}

// waiting tells whether live samples wait.
func (l *live) waiting() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open && len(l.queue) > 0
}

// close ends it when the backlog is gone; what is in the queue comes in order.
func (l *live) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open, l.queue, l.held, l.barred = false, nil, 0, false
}

// sendLive sends live samples, unless it is the backlog's turn.
func (p *Publisher) sendLive() bool {
	l := p.live
	if l == nil || !l.waiting() || l.credit >= float64(p.cfg.Batch) {
		return false
	}
	r, ok := l.next(p.cfg.Batch)
	if !ok {
		return false
	}
	share := p.cfg.BackfillShare
	l.credit += float64(len(r.samples)) * share / (1 - share)
	p.rest = append(p.rest, part{Batch: payload.Batch{Gateway: p.opt.Gateway, Stream: p.opt.Store.Stream(), First: r.first, Samples: r.samples}, live: true})
	return true
}

// leaveOut makes parts of what of a batch was not sent ahead. What is left out
// is acknowledged in its turn.
func (p *Publisher) leaveOut(b payload.Batch, upto uint64) {
	l := p.live
	if l.waiting() {
		l.credit -= float64(len(b.Samples))
	}
	free := l.taken.free(b.First, upto+1)
	for i, f := range free {
		m := b
		m.First, m.Samples = f[0], b.Samples[f[0]-b.First:f[1]-b.First]
		done := uint64(0)
		if i == len(free)-1 && f[1] == upto+1 {
			done = upto
		}
		l.taken.add(f[0], f[1]) // it may be in the queue too
		p.rest = append(p.rest, part{Batch: m, upto: done})
	}
	if n := len(free); n == 0 || free[n-1][1] != upto+1 {
		p.rest = append(p.rest, part{upto: upto})
	}
	l.taken.forget(b.First)
	l.acked.forget(b.First)
}

// ranges are numbers, as sorted pairs [from, to) that do not touch.
type ranges [][2]uint64

func (r *ranges) add(from, to uint64) {
	i, _ := slices.BinarySearchFunc(*r, from, func(x [2]uint64, from uint64) int {
		if x[1] < from {
			return -1
		}
		return 1
	})
	k := i
	for k < len(*r) && (*r)[k][0] <= to {
		from, to = min(from, (*r)[k][0]), max(to, (*r)[k][1])
		k++
	}
	*r = slices.Replace(*r, i, k, [2]uint64{from, to})
}

// free are the parts of [from, to) that are not in r.
func (r ranges) free(from, to uint64) (out [][2]uint64) {
	for _, x := range r {
		if x[1] <= from || x[0] >= to {
			continue
		}
		if x[0] > from {
			out = append(out, [2]uint64{from, x[0]})
		}
		from = x[1]
	}
	if from < to {
		out = append(out, [2]uint64{from, to})
	}
	return out
}

// forget leaves out what lies before a number.
func (r *ranges) forget(before uint64) {
	*r = slices.DeleteFunc(*r, func(x [2]uint64) bool { return x[1] <= before })
}
