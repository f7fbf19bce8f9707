package sim

// Store holds things of one kind, such as parts in a buffer or jobs in a
// list: who puts waits for room, who gets waits for a thing. Both are served
// in the order of coming.
type Store[T any] struct {
	k        *Kernel
	capacity int
	things   line[T]
	putters  line[*storing[T]]
	getters  line[*storing[T]]
	free     []*storing[T]
	level    Monitor
}

// storing is one that waits to put or to get.
type storing[T any] struct {
	p     *Process
	thing T
	match func(T) bool // of a getter that is choosy; else nil
	then  func(T)      // of one that is no process
	call  func()       // hands the thing to then; made once, with the storing
}

// NewStore makes a store with room for that many things; 0 is no limit.
func NewStore[T any](k *Kernel, capacity int) *Store[T] {
	return &Store[T]{k: k, capacity: capacity, level: *NewMonitor(k, 0)}
}

// Level is the number of things in the store, over time.
func (s *Store[T]) Level() *Monitor { return &s.level }

// Len is the number of things in the store.
func (s *Store[T]) Len() int { return s.things.n }

// Put waits for room and puts v in. An error is an *Interrupt, and v is not in.
func (s *Store[T]) Put(p *Process, v T) error {
	if err := p.interrupted(); err != nil {
		return err
	}
	if s.putters.n == 0 && s.TryPut(v) {
		return nil
	}
	w := s.storing(p)
	w.thing = v
	s.putters.push(w)
	err := p.park(s)
	s.reuse(w)
	return err
}

// TryPut puts v in if there is room.
func (s *Store[T]) TryPut(v T) bool {
	if s.capacity > 0 && s.things.n == s.capacity {
		return false
	}
	s.things.push(v)
	s.level.Add(1)
	s.serve()
	return true
}

// Get waits for a thing, the oldest. An error is an *Interrupt.
func (s *Store[T]) Get(p *Process) (T, error) { return s.GetWhere(p, nil) }

// GetWhere waits for a thing that matches; others pass it by.
func (s *Store[T]) GetWhere(p *Process, match func(T) bool) (v T, err error) {
	if err := p.interrupted(); err != nil {
		return v, err
	}
	if v, ok := s.take(match); ok {
		s.serve()
		return v, nil
	}
	w := s.storing(p)
	w.match = match
	s.getters.push(w)
	err = p.park(s)
	v = w.thing
	s.reuse(w)
	return v, err
}

// TryGet takes the oldest thing, if there is one.
func (s *Store[T]) TryGet() (T, bool) {
	v, ok := s.take(nil)
	if ok {
		s.serve()
	}
	return v, ok
}

// GetThen has f called with a thing once there is one: Get in the event style.
func (s *Store[T]) GetThen(f func(T)) {
	w := s.storing(nil)
	w.then = f
	s.getters.push(w)
	s.serve()
}

// PutThen puts v in once there is room, and has f called with it then, at the
// earliest when the present event is over: Put in the event style.
func (s *Store[T]) PutThen(v T, f func(T)) {
	w := s.storing(nil)
	w.thing, w.then = v, f
	s.putters.push(w)
	s.serve()
}

// serve matches those that wait with what there is, until nothing moves.
func (s *Store[T]) serve() {
	for s.serveGetter() || s.servePutter() {
	}
}

func (s *Store[T]) serveGetter() bool {
	for i := 0; i < s.getters.n && s.things.n > 0; i++ {
		w := *s.getters.at(i)
		v, ok := s.take(w.match)
		if !ok {
			continue
		}
		s.getters.remove(i)
		w.thing = v
		s.served(w)
		return true
	}
	return false
}

func (s *Store[T]) servePutter() bool {
	if s.putters.n == 0 || s.things.n == s.capacity {
		return false
	}
	w := s.putters.remove(0)
	s.things.push(w.thing)
	s.level.Add(1)
	s.served(w)
	return true
}

// served has one go on that has got its thing, or got rid of it.
func (s *Store[T]) served(w *storing[T]) {
	if w.p != nil {
		w.p.ready()
	} else {
		s.k.After(0, w.call)
	}
}

func (s *Store[T]) take(match func(T) bool) (v T, ok bool) {
	for i := range s.things.n {
		if match == nil || match(*s.things.at(i)) {
			s.level.Add(-1)
			return s.things.remove(i), true
		}
	}
	return v, false
}

func (s *Store[T]) storing(p *Process) *storing[T] {
	if last := len(s.free) - 1; last >= 0 {
		w := s.free[last]
		s.free = s.free[:last]
		w.p = p
		return w
	}
	w := &storing[T]{p: p}
	w.call = func() {
		v, then := w.thing, w.then
		s.reuse(w)
		then(v)
	}
	return w
}

func (s *Store[T]) reuse(w *storing[T]) {
	*w = storing[T]{call: w.call}
	s.free = append(s.free, w)
}

func (s *Store[T]) forget(p *Process) {
	for _, l := range []*line[*storing[T]]{&s.putters, &s.getters} {
		for i := range l.n {
			if (*l.at(i)).p == p {
				l.remove(i)
				return
			}
		}
	}
}
