package sim

import "math/bits"

// item is one entry of a queue: an instant and a key that orders the events
// of one instant by the sequence in which they were scheduled. It holds no
// pointer, so the collector never looks at a queue, and four of them fill one
// cache line.
type item struct {
	at  uint64 // ns since the start of the run
	key uint64 // sequence << slotBits | slot
}

// A slot below aProcess is one of the kernel's slots, and the event calls its
// function; above, the event wakes the process of that number.
const (
	slotBits = 28
	maxSlots = 1 << (slotBits - 1)
	aProcess = maxSlots
	nothing  = 1<<slotBits - 1 // the slot of no event
)

func (it item) slot() uint32 { return uint32(it.key & (1<<slotBits - 1)) }

// never is after every event; it fills the places that no event holds.
var never = item{^uint64(0), ^uint64(0)}

// before is 1 if a comes before b, else 0: a comparison of 128-bit numbers by
// subtraction, since a branch on two random instants is mispredicted half of
// the time, and that costs more than the comparison.
func before(a, b *item) uint64 {
	_, borrow := bits.Sub64(a.key, b.key, 0)
	_, borrow = bits.Sub64(a.at, b.at, borrow)
	return borrow
}

// family is the four children of a node.
type family [4]item

// nobody is a family without members. Its instants differ, and so does the
// first from never's, since equal instants are the slow case of replace.
var nobody = family{{^uint64(0), ^uint64(0)}, {^uint64(1), ^uint64(0)}, {^uint64(2), ^uint64(0)}, {^uint64(3), ^uint64(0)}}

// least is the member with the earliest item.
//
//go:noinline
func (f *family) least() uint64 {
	c := 0
	for i := 1; i < 4; i++ {
		if before(&f[i], &f[c]) != 0 {
			c = i
		}
	}
	return uint64(c)
}

// queue is a four-ary heap in which the four children of a node are one
// element of an array:
//
//	root ── family 0: nodes 1..4 ── families 1..4: nodes 5..20 ── ...
//
// Family i holds the children of node i; node n > 0 is member (n-1)%4 of
// family (n-1)/4. Unused members are never.
type queue struct {
	n        uint
	root     item
	families []family
}

func (q *queue) push(it item) {
	n := q.n
	q.n++
	if n == 0 {
		q.root = it
		return
	}
	if (n-1)/4 == uint(len(q.families)) {
		q.families = append(q.families, nobody)
	}
	// The free place moves up until its parent is no later than it.
	hole := &q.families[(n-1)/4][(n-1)%4]
	for n > 0 {
		n = (n - 1) / 4
		parent := &q.root
		if n > 0 {
			parent = &q.families[(n-1)/4][(n-1)%4]
		}
		if before(&it, parent) == 0 {
			break
		}
		hole.at, hole.key = parent.at, parent.key
		hole = parent
	}
	*hole = it
}

// replace puts it in the place of the first item: the earliest of a family
// moves up until it has found its place. It is the inner loop of the kernel:
// the instants alone are compared, without a branch, and the keys only where
// two instants are equal.
func (q *queue) replace(it item) { q.sift(&q.root, 0, it) }

// sift is replace from the place of node n down.
func (q *queue) sift(hole *item, n uint, it item) {
	families := q.families
	for n < uint(len(families)) {
		f := &families[n]
		at0, at1, at2, at3 := f[0].at, f[1].at, f[2].at, f[3].at
		_, b01 := bits.Sub64(at1, at0, 0)
		_, b23 := bits.Sub64(at3, at2, 0)
		m01, m23 := min(at0, at1), min(at2, at3)
		_, b := bits.Sub64(m23, m01, 0)
		m := min(m01, m23)
		c := (b01 ^ (b01^(2+b23))&-b) & 3
		if at0 == at1 || at2 == at3 || m01 == m23 {
			c = f.least() & 3
		}
		if m >= it.at && (m > it.at || f[c].key > it.key) {
			break
		}
		*hole = item{m, f[c].key}
		hole = &f[c]
		n = 4*n + 1 + uint(c)
	}
	*hole = it
}

// first is the earliest member of the first family, and which one it is.
func (q *queue) first() (it item, c uint64) {
	f := &q.families[0]
	at0, at1, at2, at3 := f[0].at, f[1].at, f[2].at, f[3].at
	_, b01 := bits.Sub64(at1, at0, 0)
	_, b23 := bits.Sub64(at3, at2, 0)
	m01, m23 := min(at0, at1), min(at2, at3)
	_, b := bits.Sub64(m23, m01, 0)
	c = (b01 ^ (b01^(2+b23))&-b) & 3
	if at0 == at1 || at2 == at3 || m01 == m23 {
		c = f.least() & 3
	}
	return f[c], c
}

// place is replace for a queue of one or two, where there is no tournament.
func (q *queue) place(it item) {
	if q.n == 2 {
		if f := &q.families[0][0]; before(f, &it) != 0 {
			q.root.at, q.root.key = f.at, f.key
			f.at, f.key = it.at, it.key
			return
		}
	}
	q.root.at, q.root.key = it.at, it.key
}

// pop takes the first item away.
func (q *queue) pop() {
	q.n--
	n := q.n
	if n == 0 {
		q.root = never
		return
	}
	last := &q.families[(n-1)/4][(n-1)%4]
	it := item{last.at, last.key}
	*last = nobody[(n-1)%4]
	q.replace(it)
}

// second is the instant of the earliest item but the first.
func (q *queue) second() uint64 {
	if len(q.families) == 0 {
		return never.at
	}
	f := &q.families[0]
	return min(f[0].at, f[1].at, f[2].at, f[3].at)
}

// items are all items, in no order but that the first is first.
func (q *queue) items() []item {
	if q.n == 0 {
		return nil
	}
	all := append(make([]item, 0, int(q.n)), q.root)
	for i := range q.families {
		for _, it := range q.families[i] {
			if len(all) < int(q.n) {
				all = append(all, it)
			}
		}
	}
	return all
}

func (q *queue) clear() { *q = queue{root: never, families: q.families[:0]} }
