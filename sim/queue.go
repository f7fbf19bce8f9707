package sim

import "time"

// event is the part of a scheduled callback that a Timer may hold on to; it
// is reused, and gen tells one use from the next.
type event struct {
	f   func()
	gen uint64
}

type item struct {
	at  time.Duration
	seq uint64
	e   *event
	gen uint64
}

func (a item) before(b item) bool {
	return a.at < b.at || a.at == b.at && a.seq < b.seq
}

// queue is a four-ary heap: fewer levels than a binary one, and the four
// children of a node stand side by side in memory.
type queue []item

func (q *queue) push(it item) {
	h := append(*q, it)
	i := len(h) - 1
	for i > 0 {
		parent := (i - 1) / 4
		if !it.before(h[parent]) {
			break
		}
		h[i] = h[parent]
		i = parent
	}
	h[i] = it
	*q = h
}

func (q *queue) pop() item {
	h := *q
	top := h[0]
	n := len(h) - 1
	last := h[n]
	h[n] = item{}
	h = h[:n]
	*q = h
	if n > 0 {
		h.sink(last)
	}
	return top
}

// sink puts it where the root was and lets it down to its place.
func (q queue) sink(it item) {
	i, n := 0, len(q)
	for {
		first := 4*i + 1
		if first >= n {
			break
		}
		least := first
		for c := first + 1; c < min(first+4, n); c++ {
			if q[c].before(q[least]) {
				least = c
			}
		}
		if !q[least].before(it) {
			break
		}
		q[i] = q[least]
		i = least
	}
	q[i] = it
}
