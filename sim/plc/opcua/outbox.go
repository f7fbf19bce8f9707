package opcua

import (
	"time"

	"github.com/gopcua/opcua/ua"
)

// outgoing is one message for the wire, in as many chunks as it needs.
type outgoing struct {
	b    []byte
	refs []Ref     // the samples in it
	due  time.Time // when it may leave; the zero time is at once
}

// outbox is the sending half of a connection. A message is put into it in the
// order of its sequence number; whoever finds nobody writing writes, until it
// is empty. So nobody waits for a slow client but the one who writes.
type outbox struct {
	queue   []outgoing
	waiting int // bytes in queue
	writing bool
	dead    bool
	sent    int64 // bytes written
	until   time.Time
	free    []byte // one buffer to use again
}

// body is an empty message with room for its header, to append a body to.
func (c *conn) body() []byte {
	c.wmu.Lock()
	b := c.out.free
	c.out.free = nil
	c.wmu.Unlock()
	if b == nil {
		b = make([]byte, 0, 4096)
	}
	return append(b[:0], make([]byte, bodyStart)...)
}

// send puts a message whose body starts at bodyStart into the outbox. It never
// blocks; flush writes.
func (c *conn) send(request uint32, b []byte, refs []Ref) {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if c.out.dead {
		return
	}
	framed, err := c.ch.frames(b, request, c.chunkSize)
	if err != nil {
		c.s.log.Warn("cannot secure a message", "conn", c.number, "err", err)
		c.kill()
		return
	}
	c.put(outgoing{b: framed, refs: refs, due: c.s.lateness()})
}

// put appends to the queue; the mutex is held.
func (c *conn) put(m outgoing) {
	if c.out.dead {
		return
	}
	if c.out.waiting+len(m.b) > c.s.cfg.Limits.Outbox {
		c.s.log.Warn("a client does not read", "conn", c.number, "bytes", c.out.waiting)
		c.kill()
		return
	}
	c.out.queue = append(c.out.queue, m)
	c.out.waiting += len(m.b)
}

// flush writes what waits, unless somebody else is at it.
func (c *conn) flush() {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if c.out.writing {
		return
	}
	c.out.writing = true
	for len(c.out.queue) > 0 && !c.out.dead {
		m := c.out.queue[0]
		if wait := m.wait(); wait > 0 {
			c.wmu.Unlock()
			c.pause(wait)
			c.wmu.Lock()
			continue
		}
		if c.out.queue = c.out.queue[1:]; len(c.out.queue) == 0 {
			c.out.queue = nil
		}
		c.out.waiting -= len(m.b)
		c.out.sent += int64(len(m.b))
		end := c.out.sent
		c.wmu.Unlock()
		err := c.write(m, end)
		c.wmu.Lock()
		if err != nil {
			c.kill()
		} else if cap(m.b) <= bufferSize {
			c.out.free = m.b
		}
	}
	c.out.writing = false
}

// write hands one message to the kernel in one call.
func (c *conn) write(m outgoing, end int64) error {
	limit, now := c.s.cfg.Limits.Write.D(), time.Now()
	if c.out.until.Sub(now) < limit/2 { // seldom, because a deadline costs a timer
		c.out.until = now.Add(limit)
		if err := c.nc.SetWriteDeadline(c.out.until); err != nil {
			return err
		}
	}
	if c.s.tap != nil && len(m.refs) > 0 {
		c.s.tap(c.number, end, now, m.refs)
	}
	_, err := c.nc.Write(m.b)
	return err
}

// kill ends a connection; the mutex is held. The reading goroutine sees it and
// cleans up.
func (c *conn) kill() {
	if !c.out.dead {
		c.out.dead = true
		c.nc.Close()
		close(c.gone)
	}
}

// end is kill for who does not hold the mutex.
func (c *conn) end() {
	c.wmu.Lock()
	c.kill()
	c.wmu.Unlock()
}

// wait is how long a message must stay in the outbox yet.
func (m *outgoing) wait() time.Duration {
	if m.due.IsZero() {
		return 0
	}
	return time.Until(m.due)
}

// pause lets time pass, but not for a connection that has ended.
func (c *conn) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.gone:
	}
}

// fail tells the client why and ends the connection.
func (c *conn) fail(status ua.StatusCode) {
	b := append(make([]byte, 0, 24), typeError...)
	b = append(b, flagFinal, 0, 0, 0, 0)
	b = appendString(appendU32(b, uint32(status)), "")
	putSize(b, len(b))
	c.wmu.Lock()
	c.put(outgoing{b: b})
	c.wmu.Unlock()
	c.flush()
}
