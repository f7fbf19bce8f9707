package modbus

import (
	"sync"
	"time"
)

// outbox holds the answers of a connection that leave later than they are
// ready, each by its own delay and all in their order. It has a goroutine only
// while there is something in it.
type outbox struct {
	mu    sync.Mutex
	queue []parcel
	// idle is closed when the queue has run empty; nil where it is.
	idle chan struct{}
}

// parcel is an answer with the samples in it.
type parcel struct {
	due   time.Time
	out   []byte
	items []Ref
}

// mostLate is how many answers wait before no further request is read.
const mostLate = 64

// send writes an answer now, or has it wait for its time and for those before
// it. The buffers of the connection are free again when it returns.
func (c *conn) send(late time.Duration) error {
	c.box.mu.Lock()
	waiting := c.box.idle != nil
	if late <= 0 && !waiting {
		c.box.mu.Unlock()
		return c.write(c.out, c.items)
	}
	p := parcel{time.Now().Add(late), append([]byte(nil), c.out...), append([]Ref(nil), c.items...)}
	c.box.queue = append(c.box.queue, p)
	full := len(c.box.queue) >= mostLate
	if !waiting {
		c.box.idle = make(chan struct{})
		go c.deliver(c.box.idle)
	}
	idle := c.box.idle
	c.box.mu.Unlock()
	if full {
		<-idle
	}
	return nil
}

// deliver empties the outbox. After a write that fails the rest goes nowhere.
func (c *conn) deliver(idle chan struct{}) {
	defer close(idle)
	var failed error
	for {
		c.box.mu.Lock()
		if len(c.box.queue) == 0 {
			c.box.idle = nil
			c.box.mu.Unlock()
			return
		}
		p := c.box.queue[0]
		c.box.queue = c.box.queue[1:]
		c.box.mu.Unlock()
		if failed == nil && c.pause(time.Until(p.due)) {
			failed = c.write(p.out, p.items)
		}
	}
}

// pause is false where the connection ended first.
func (c *conn) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-c.gone:
		return false
	}
}

// drain waits until the outbox is empty.
func (c *conn) drain() {
	c.box.mu.Lock()
	idle := c.box.idle
	c.box.mu.Unlock()
	if idle != nil {
		<-idle
	}
}
