package modbus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/plantbed/plantbed/sim/plc"
)

// Server is a device on the network.
type Server struct {
	cfg  Config
	opt  Options
	log  *slog.Logger
	bank *bank
	// trouble is what the device gets wrong.
	trouble trouble
	ln      net.Listener
	wg      sync.WaitGroup

	mu     sync.Mutex
	closed bool
	conns  map[*conn]struct{}
	next   int          // number of the next connection where nobody else gives it one
	open   atomic.Int32 // len(conns), for who has no time to lock
}

// Listen serves an image. It must be called before the image's first scan, or
// on the goroutine that scans.
func Listen(cfg Config, img Image, opt Options) (*Server, error) {
	cfg = cfg.WithDefaults()
	fail := func(err error) (*Server, error) {
		return nil, fmt.Errorf("modbus server of plc %q: %w", img.Name(), err)
	}
	if err := cfg.Validate().Err(); err != nil {
		return fail(err)
	}
	m, err := NewMap(img.Tasks())
	if err != nil {
		return fail(err)
	}
	listen := net.ListenConfig{KeepAlive: -1} // a silent peer is no error to a device
	ln, err := listen.Listen(context.Background(), "tcp", cfg.Addr)
	if err != nil {
		return fail(err)
	}
	cfg.Identity = cfg.Identity.of(img)
	s := &Server{cfg: cfg, opt: opt, log: opt.Log, bank: newBank(img, m, opt.Tap != nil), ln: ln, conns: map[*conn]struct{}{}}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.log = s.log.With("plc", img.Name())
	s.trouble.init(img.Name())
	img.OnScan(func(b *plc.Block) { s.bank.scan(b) })
	if t, ok := img.(troubled); ok {
		t.OnTrouble(s.onTrouble)
	}
	s.wg.Add(1)
	go s.accept()
	return s, nil
}

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.ln.Addr() }

// Map is where everything stands.
func (s *Server) Map() *Map { return s.bank.m }

// Close ends the listener and every connection, and waits until nothing of
// them runs any more.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	err := s.ln.Close()
	for c := range s.conns {
		c.end()
	}
	s.mu.Unlock()
	s.wg.Wait()
	return err
}

// acceptPause is how long the listener waits after an error that is not its
// end, such as too many open files.
const acceptPause = 51 * time.Millisecond

// accept takes new connections until the listener is closed.
func (s *Server) accept() {
	defer s.wg.Done()
	for {
		raw, err := s.ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			s.log.Warn("modbus accept", "err", err)
			time.Sleep(acceptPause)
			continue
		}
		s.admit(raw)
	}
}

// admit serves a connection on a goroutine of its own, or turns it away.
func (s *Server) admit(raw net.Conn) {
	s.mu.Lock()
	id, ok := s.next, !s.closed
	s.next++
	s.mu.Unlock()
	if ok && s.opt.Accept != nil {
		id, ok = s.opt.Accept(raw.RemoteAddr())
	}
	if t := s.trouble.now.Load(); t.Down {
		reset(raw)
		return
	} else if !ok || t.SessionsFull {
		raw.Close()
		return
	}
	c := newConn(s, raw, id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.trouble.now.Load().Down {
		reset(raw)
		return
	}
	s.conns[c] = struct{}{}
	s.open.Add(1)
	s.wg.Add(1)
	go func() {
		defer s.wg.Done()
		err := c.serve()
		if err == io.EOF { // of a client that may still listen
			c.drain()
		}
		c.end()
		c.drain()
		s.mu.Lock()
		delete(s.conns, c)
		s.open.Add(-1)
		s.mu.Unlock()
		s.log.Debug("modbus connection ends", "conn", id, "remote", raw.RemoteAddr(), "cause", err)
	}()
}
