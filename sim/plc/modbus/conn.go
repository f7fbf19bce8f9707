package modbus

import (
	"bufio"
	"io"
	"net"
	"runtime"
	"sync"
	"time"
)

// conn is one client. Whatever it sends or leaves out, it costs no other.
type conn struct {
	net.Conn
	s      *Server
	id     int
	r      *bufio.Reader
	w      io.Writer
	in     [maxFrame]byte
	room   [maxPDU]byte
	out    []byte
	req    frame
	items  []Ref
	offset int64 // bytes written so far
	box    outbox
	gone   chan struct{} // closed when it ends
	once   sync.Once
	// limited tells that a read deadline is set for the rest of a frame.
	limited bool
}

func newConn(s *Server, raw net.Conn, id int) *conn {
	rw := streamOf(raw)
	return &conn{Conn: raw, s: s, id: id, r: bufio.NewReaderSize(rw, 4*maxFrame), w: rw, gone: make(chan struct{}), out: make([]byte, 0, maxFrame)}
}

// serve answers request after request, in their order, until the client goes
// or sends what is no frame:
//
//	wait → frame → answer → (late) → tap → write
func (c *conn) serve() error {
	for {
		if err := c.wait(); err != nil {
			return err
		}
		var err error
		if c.req, err = readFrame(c.r, &c.in); err != nil {
			return err
		}
		c.req.pdu.room = c.room[:]
		if !c.answer() {
			continue
		}
		c.out = c.req.append(c.out[:0])
		if err := c.send(c.s.trouble.lateness()); err != nil {
			return err
		}
	}
}

// write sends an answer. It is called by one goroutine at a time.
func (c *conn) write(out []byte, items []Ref) error {
	c.offset += int64(len(out))
	if len(items) > 0 && c.s.opt.Tap != nil {
		c.s.opt.Tap(c.id, c.offset, time.Now(), items)
	}
	_, err := c.w.Write(out)
	return err
}

// end closes the connection; what is not sent yet is not sent any more.
func (c *conn) end() {
	c.once.Do(func() { close(c.gone) })
	c.Close()
}

// Unit ids besides its own by which a device is meant that is addressed by its
// IP address (Modbus on TCP/IP, 4.4.1.2); clients send them that were told none.
const itself, anybody = 255, 0

// answer turns the request into its response; false means silence.
func (c *conn) answer() bool {
	c.items = c.items[:0]
	if u := c.req.unit; u == c.s.cfg.Unit || u == itself || u == anybody {
		if exc := c.s.trouble.refuses(c.req.pdu.function); exc != none {
			c.req.pdu.SetException(&exc)
			return true
		}
		c.items = c.s.bank.answer(&c.req.pdu, &c.s.cfg.Identity, c.items)
		return true
	}
	if c.s.cfg.WrongUnit == "silence" {
		return false
	}
	exc := targetNoAnswer
	c.req.pdu.SetException(&exc)
	return true
}

// wait returns when a frame has begun, and limits the time that the rest of it
// may take; where it is all there, as nearly always, no clock is touched.
func (c *conn) wait() error {
	if idle := c.s.cfg.Idle.D(); idle > 0 || c.limited {
		var until time.Time // never
		if idle > 0 {
			until = time.Now().Add(idle)
		}
		if err := c.SetReadDeadline(until); err != nil {
			return err
		}
		c.limited = false
	}
	if c.r.Buffered() == 0 && c.s.open.Load() > 1 {
		// While the others are answered the next request comes, more often than
		// not, and nobody sleeps: a fifth of an answer's cost with eight clients.
		runtime.Gosched()
	}
	if _, err := c.r.Peek(1); err != nil || whole(c.r) {
		return err
	}
	c.limited = true
	return c.SetReadDeadline(time.Now().Add(c.s.cfg.Frame.D()))
}
