package wire

import "time"

// segment is a chunk on its way over a shaped link.
type segment struct {
	buf      []byte // from the pool; nil for an end
	b        []byte // the part of buf that is still to be written
	from, to int64
	at       time.Time // when it was read
	until    time.Time // it is held back to then, and all behind it; zero is not at all
	end, fin bool
}

const (
	// queueMax is how many bytes wait in one direction before its sender is
	// held up, in the order of a socket's buffer.
	queueMax = 256 << 10
	// packet is the least that is sent in one go under limited bandwidth, the
	// payload of an Ethernet frame.
	packet = 1460
)

// enqueue copies b to the end of the queue; it waits while that is full.
func (l *lane) enqueue(b []byte, from, to int64, until time.Time) {
	buf := l.c.w.pool.get(len(b))
	s := segment{buf: buf, b: buf[:copy(buf, b)], from: from, to: to, at: time.Now(), until: until}
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.held >= queueMax && !l.c.muted.Load() {
		l.room.Wait()
	}
	if l.c.muted.Load() {
		l.c.w.pool.put(buf)
		return
	}
	l.push(s)
}

func (l *lane) enqueueEnd(fin bool) {
	l.mu.Lock()
	if !l.c.muted.Load() {
		l.push(segment{at: time.Now(), end: true, fin: fin})
		l.mu.Unlock()
		return
	}
	l.mu.Unlock()
	l.c.finish()
}

// push needs l.mu. It starts a writer where there is none.
func (l *lane) push(s segment) {
	l.queue = append(l.queue, s)
	l.held += len(s.b)
	if !l.busy.Load() {
		l.busy.Store(true)
		l.c.w.wg.Add(1)
		go l.drain()
	}
}

// drain is the writer's main loop; it ends with the queue.
func (l *lane) drain() {
	defer l.c.w.wg.Done()
	for {
		s, ok := l.next()
		if !ok {
			return
		}
		if !l.deliver(s) {
			l.drop(s)
			return
		}
		if s.end {
			l.drop(segment{})
			l.conclude(s.fin)
			return
		}
		l.done(s)
	}
}

// next takes the head of the queue. False means that there is none and that
// the pump may write by itself again.
func (l *lane) next() (segment, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) == 0 {
		l.busy.Store(false)
		return segment{}, false
	}
	s := l.queue[l.head]
	l.queue[l.head] = segment{}
	l.head++
	if l.head > len(l.queue)/2 { // no more to move than has gone
		l.queue = l.queue[:copy(l.queue, l.queue[l.head:])]
		l.head = 0
	}
	return s, true
}

// done makes room for as many bytes as s had.
func (l *lane) done(s segment) {
	l.mu.Lock()
	l.held -= len(s.b)
	l.room.Signal()
	l.mu.Unlock()
	l.c.w.pool.put(s.buf)
}

// drop gives up s and all that is queued behind it.
func (l *lane) drop(s segment) {
	l.mu.Lock()
	ended := s.end
	l.c.w.pool.put(s.buf)
	for _, q := range l.queue[l.head:] {
		l.c.w.pool.put(q.buf)
		ended = ended || q.end
	}
	l.queue, l.head, l.held = nil, 0, 0
	l.busy.Store(false)
	l.mu.Unlock()
	if ended {
		l.c.finish()
	}
}

// release wakes a pump that waits for room.
func (l *lane) release() {
	l.mu.Lock()
	l.room.Broadcast()
	l.mu.Unlock()
}

// deliver writes s when its time has come; false means that bytes no longer pass.
func (l *lane) deliver(s segment) bool {
	if !l.await(func(sh *path) time.Time { return l.due(s, sh) }) {
		return false
	}
	for len(s.b) > 0 {
		n, ok := l.pass(len(s.b))
		if !ok {
			return false
		}
		from := s.from
		s.from += int64(n)
		if n == len(s.b) || s.from > s.to {
			s.from = s.to
		}
		if l.deaf() {
			l.c.holed.Store(true)
		} else {
			l.write(s.b[:n], from, s.from)
		}
		s.b = s.b[n:]
	}
	return !l.c.muted.Load()
}

// due is when s may arrive: after its delays, at a retransmission that is not
// lost, and not while it is held.
func (l *lane) due(s segment, p *path) time.Time {
	at := s.at
	if len(p.Delays) > 0 {
		at = at.Add(l.delay(s.from, p) + l.phase)
	}
	for _, b := range p.bursts {
		at = b.through(at, l.phase)
	}
	if at.Before(s.until) {
		return s.until
	}
	return at
}

// pass waits until some of n bytes have gone through the pipe, and says how many.
func (l *lane) pass(n int) (int, bool) {
	sent := n
	ok := l.await(func(p *path) time.Time {
		sent = n
		if p.Slice > 0 {
			sent = min(sent, p.Slice)
		}
		if p.Rate == 0 {
			return l.gapAfter(p)
		}
		sent = min(sent, max(packet, int(min(p.Rate/50, chunkMax)))) // 20 ms at a time
		at := l.c.w.reserve(l.dir, sent, p.Rate)
		if gap := l.gapAfter(p); at.Before(gap) {
			return gap
		}
		return at
	})
	if ok {
		l.wrote = time.Now()
	}
	return sent, ok
}

// gapAfter is when the next slice may go.
func (l *lane) gapAfter(p *path) time.Time {
	if p.Slice == 0 || p.Gap == 0 || l.wrote.IsZero() {
		return time.Time{}
	}
	return l.wrote.Add(p.Gap + l.phase)
}

// await sleeps until the instant that due computes for the present shape, and
// asks again when the shape changes. False means that bytes no longer pass.
func (l *lane) await(due func(*path) time.Time) bool {
	for {
		if l.c.muted.Load() {
			return false
		}
		sh := l.c.w.shape.Load()
		p := &sh.dirs[l.dir]
		var tick <-chan time.Time
		if !p.stalled {
			d := time.Until(due(p))
			if d <= 0 {
				return true
			}
			tick = l.alarm(d)
		}
		select {
		case <-tick:
			return !l.c.muted.Load()
		case <-sh.changed:
		case <-l.c.gone.Done():
		}
		if l.timer != nil {
			l.timer.Stop()
		}
	}
}

// alarm resets the lane's timer; only its writer uses it.
func (l *lane) alarm(d time.Duration) <-chan time.Time {
	if l.timer == nil {
		l.timer = time.NewTimer(d)
	} else {
		l.timer.Reset(d)
	}
	return l.timer.C
}
