package sim

// line is a queue in a ring: first come, first served, unless one is let in
// further ahead or leaves from the middle.
type line[T any] struct {
	ring []T // a power of two
	head int
	n    int
}

func (l *line[T]) at(i int) *T { return &l.ring[(l.head+i)&(len(l.ring)-1)] }

// insert puts v before the i-th; i = n is the end.
func (l *line[T]) insert(i int, v T) {
	if l.n == len(l.ring) {
		wider := make([]T, max(8, 2*l.n))
		for j := range l.n {
			wider[j] = *l.at(j)
		}
		l.ring, l.head = wider, 0
	}
	l.n++
	for j := l.n - 1; j > i; j-- {
		*l.at(j) = *l.at(j - 1)
	}
	*l.at(i) = v
}

func (l *line[T]) push(v T) { l.insert(l.n, v) }

// remove takes out the i-th.
func (l *line[T]) remove(i int) T {
	v := *l.at(i)
	var zero T
	if i == 0 {
		*l.at(0) = zero
		l.head++
		l.n--
		return v
	}
	for j := i; j < l.n-1; j++ {
		*l.at(j) = *l.at(j + 1)
	}
	*l.at(l.n - 1) = zero
	l.n--
	return v
}
