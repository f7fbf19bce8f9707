package opcua

// queue holds the values of a monitored item between two notifications. Its
// ring grows as it fills, up to size.
type queue struct {
	size        int
	discardLast bool // drop the newest value of a full queue, not the oldest
	ring        []entry
	head, n     int
	dropped     uint64 // by overflow, in all
}

func (q *queue) at(i int) *entry {
	if i += q.head; i >= len(q.ring) {
		i -= len(q.ring)
	}
	return &q.ring[i]
}

// push adds a value. A full queue drops its oldest value and marks the one
// behind it, or puts the new value in place of the newest and marks that; a
// queue of one is a plain buffer and marks nothing (Part 4, 5.13.1.5).
func (q *queue) push(e *entry) {
	if q.n < q.size {
		q.grow()
		q.n++
		*q.at(q.n - 1) = *e
		return
	}
	q.dropped++
	switch {
	case q.size == 1:
		*q.at(0) = *e
	case q.discardLast:
		last := q.at(q.n - 1)
		*last = *e
		last.status = last.status.WithOverflow()
	default:
		q.pop()
		q.n++
		*q.at(q.n - 1) = *e
		first := q.at(0)
		first.status = first.status.WithOverflow()
	}
}

// pop drops the oldest value.
func (q *queue) pop() {
	if q.head++; q.head == len(q.ring) {
		q.head = 0
	}
	q.n--
}

func (q *queue) grow() {
	if q.n < len(q.ring) {
		return
	}
	q.move(min(max(4, 2*len(q.ring)), q.size))
}

// move puts what is queued into a ring of another length.
func (q *queue) move(length int) {
	ring := make([]entry, length)
	for i := range q.n {
		ring[i] = *q.at(i)
	}
	q.ring, q.head = ring, 0
}

// resize changes size and discard policy; what no longer fits is dropped by
// the new policy, and marked as an overflow is.
func (q *queue) resize(size int, discardLast bool) {
	q.discardLast = discardLast
	old := *q
	*q = queue{size: size, discardLast: discardLast, dropped: q.dropped}
	for i := range old.n {
		q.push(old.at(i))
	}
}

func (q *queue) clear() { q.head, q.n = 0, 0 }
