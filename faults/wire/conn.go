package wire

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// conn is a client's connection and, from its first bytes on, the one to the
// server. It is live, then perhaps mute (bytes vanish, nobody is told), then dead.
type conn struct {
	w      *Wire
	n      int
	client *net.TCPConn
	lanes  [2]lane // by Direction
	muted  atomic.Bool
	// holed says that bytes of one direction vanished, halved that one end is
	// gone and the other does not know.
	holed, halved atomic.Bool
	// gone is done when bytes no longer pass: mute or dead.
	gone context.Context
	stop context.CancelFunc

	mu      sync.Mutex
	server  *net.TCPConn // nil until dialled
	refused *time.Timer  // nil unless it is about to be reset
	dead    bool
	open    int // directions that have not ended
}

func newConn(w *Wire, n int, client *net.TCPConn) *conn {
	c := &conn{w: w, n: n, client: client, open: 1}
	c.gone, c.stop = context.WithCancel(context.Background())
	for d := range c.lanes {
		c.lanes[d].init(c, Direction(d))
	}
	c.lanes[ToServer].src = client
	c.lanes[ToClient].dst = client
	return c
}

// dialTimeout bounds the connect to the server behind the wire.
const dialTimeout = 5*time.Second + 13_717*time.Nanosecond

// dial reaches the server and starts the way back. It reports false where
// nothing can be forwarded.
func (c *conn) dial() bool {
	d := net.Dialer{Timeout: dialTimeout, KeepAlive: -1}
	c.w.peers.begin()
	s, err := d.DialContext(c.gone, "tcp", c.w.cfg.Upstream)
	if err != nil {
		c.w.peers.end(nil, c.n)
		if !c.muted.Load() {
			c.w.log.Info("the server cannot be reached", "conn", c.n, "err", err)
			c.reset()
		}
		return false
	}
	c.w.peers.end(s.LocalAddr(), c.n)
	server := s.(*net.TCPConn)
	if !c.attach(server) {
		abort(server)
		return false
	}
	c.w.log.Debug("connected", "conn", c.n)
	c.w.wg.Add(1)
	go c.lanes[ToClient].pump()
	return true
}

// attach makes the server's socket part of the connection, unless a fault was quicker.
func (c *conn) attach(server *net.TCPConn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.muted.Load() {
		return false
	}
	c.server = server
	c.open++
	c.lanes[ToServer].dst = server
	c.lanes[ToClient].src = server
	return true
}

// refuse resets a connection that nothing has been read from, a little later.
func (c *conn) refuse() {
	c.w.log.Debug("refused", "conn", c.n)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.dead {
		c.muted.Store(true)
		c.refused = time.AfterFunc(refusePause, c.reset)
	}
}

// reset tears both sides down at once; what was on its way is gone.
func (c *conn) reset() {
	if server, ok := c.die(); ok {
		abort(c.client)
		abort(server)
	}
}

// finish is told once by each direction that has ended in good order.
func (c *conn) finish() {
	c.mu.Lock()
	c.open--
	last := c.open == 0
	c.mu.Unlock()
	if !last {
		return
	}
	if server, ok := c.die(); ok {
		c.client.Close()
		if server != nil {
			server.Close()
		}
	}
}

// die marks the connection dead; the first caller closes the sockets.
func (c *conn) die() (server *net.TCPConn, first bool) {
	c.mu.Lock()
	if c.dead {
		c.mu.Unlock()
		return nil, false
	}
	c.dead = true
	c.muted.Store(true)
	if c.refused != nil {
		c.refused.Stop()
	}
	server = c.server
	c.mu.Unlock()
	c.release()
	c.w.forget(c)
	c.w.log.Debug("ended", "conn", c.n)
	return server, true
}

// mute lets everything vanish from now on, with a FIN to both sides or without.
func (c *conn) mute(fin bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead {
		return
	}
	c.muted.Store(true)
	for _, s := range []*net.TCPConn{c.client, c.server} {
		if s == nil {
			continue
		}
		s.SetWriteDeadline(time.Unix(1, 0)) // ends a write that is under way
		if fin {
			s.CloseWrite()
		}
	}
	c.release()
}

// halve lets one end go without the other's being told.
func (c *conn) halve(serverGone bool) {
	c.mute(false)
	c.mu.Lock()
	gone := c.client
	if serverGone {
		gone = c.server
	}
	if !c.dead && gone != nil {
		c.halved.Store(true)
		abort(gone)
	}
	c.mu.Unlock()
}

// release wakes whoever waits to forward bytes that no longer pass.
func (c *conn) release() {
	c.stop()
	for d := range c.lanes {
		c.lanes[d].release()
	}
}

// abort closes with a reset instead of the usual farewell.
func abort(s *net.TCPConn) {
	if s != nil {
		s.SetLinger(0)
		s.Close()
	}
}
