package broker

import (
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mochi-mqtt/server/v2/listeners"
)

const (
	// connectWithin is how long a connection may stay silent before CONNECT.
	connectWithin = 5003917 * time.Microsecond
	// farewell is how long Close lets clients read their DISCONNECT.
	farewell = 253 * time.Millisecond
)

// door is the listener that the library serves. The library's own leaves two
// holes: a connection that never says CONNECT keeps its Close waiting for ever,
// and a panic on a malformed packet would end the process. Here every
// connection is known, is closed, and falls alone.
type door struct {
	addr   string
	log    *slog.Logger
	wg     sync.WaitGroup // the accept loop and every connection
	panics atomic.Int64

	mu    sync.Mutex
	ln    net.Listener
	shut  chan struct{} // closed when the door opens again; nil while it is open
	ended bool
	conns map[net.Conn]struct{}
}

var _ listeners.Listener = (*door)(nil)

func newDoor(ln net.Listener, log *slog.Logger) *door {
	return &door{addr: ln.Addr().String(), ln: ln, log: log, conns: map[net.Conn]struct{}{}}
}

func (d *door) ID() string              { return "door" }
func (d *door) Protocol() string        { return "tcp" }
func (d *door) Address() string         { return d.addr }
func (d *door) Init(*slog.Logger) error { return nil }

// Serve accepts until Close.
func (d *door) Serve(establish listeners.EstablishFn) {
	if !d.enter(nil) {
		return
	}
	defer d.leave(nil)
	for {
		ln, shut := d.listener()
		if shut != nil {
			<-shut
			if d.isEnded() {
				return
			}
			continue
		}
		c, err := ln.Accept()
		if err != nil {
			if d.isEnded() {
				return
			}
			if _, shut := d.listener(); shut != nil {
				continue
			}
			// Out of file handles, or the peer is gone already: not the end.
			time.Sleep(10 * time.Millisecond)
			continue
		}
		if !d.enter(c) {
			continue
		}
		go d.serve(c, establish)
	}
}

func (d *door) serve(c net.Conn, establish listeners.EstablishFn) {
	defer d.leave(c)
	defer func() {
		if p := recover(); p != nil {
			d.panics.Add(1)
			d.log.Error("connection closed: handling its packet panicked", "remote", c.RemoteAddr().String(), "panic", fmt.Sprint(p))
		}
	}()
	// Replaced by the keep-alive once the client is connected.
	_ = c.SetReadDeadline(time.Now().Add(connectWithin))
	if err := establish(d.ID(), c); err != nil {
		d.log.Debug("client gone", "remote", c.RemoteAddr().String(), "cause", err)
	}
}

// enter notes a goroutine and its connection; false once the door is shut.
func (d *door) enter(c net.Conn) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended || c != nil && d.shut != nil {
		return d.turnAway(c)
	}
	d.wg.Add(1)
	if c != nil {
		d.conns[c] = struct{}{}
	}
	return true
}

func (d *door) leave(c net.Conn) {
	d.mu.Lock()
	if c != nil {
		delete(d.conns, c)
	}
	d.mu.Unlock()
	if c != nil {
		c.Close()
	}
	d.wg.Done()
}

func (d *door) isEnded() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ended
}

// Close shuts the door, says goodbye and waits until everybody has left.
func (d *door) Close(goodbye listeners.CloseFn) {
	d.mu.Lock()
	d.ended = true
	d.ln.Close()
	if d.shut != nil {
		close(d.shut)
		d.shut = nil
	}
	d.mu.Unlock()
	// A peer that does not read must not hold up the goodbye to the others.
	hurry := time.AfterFunc(farewell, d.closeConns)
	goodbye(d.ID())
	hurry.Stop()
	d.closeConns()
	d.wg.Wait()
}

func (d *door) closeConns() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.conns {
		c.Close()
	}
}

// turnAway needs d.mu; it is for whoever comes as the door is being shut.
func (d *door) turnAway(c net.Conn) bool {
	if c != nil {
		reset(c)
	}
	return false
}

func (d *door) listener() (net.Listener, chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ln, d.shut
}

// lock has nobody come in and throws everybody out, as the end of a process does.
func (d *door) lock() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended || d.shut != nil {
		return
	}
	d.shut = make(chan struct{})
	d.ln.Close()
	for c := range d.conns {
		reset(c)
	}
}

// unlock opens the door again, at the same address.
func (d *door) unlock() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended || d.shut == nil {
		return nil
	}
	ln, err := net.Listen("tcp", d.addr)
	if err != nil {
		return fmt.Errorf("broker: cannot listen on %s again: %w", d.addr, err)
	}
	d.ln = ln
	close(d.shut)
	d.shut = nil
	return nil
}

func reset(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		t.SetLinger(0)
	}
	c.Close()
}
