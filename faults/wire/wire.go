// Package wire is the faulty link: a TCP proxy that stands in front of every
// PLC and in front of the broker, and that can be broken at any instant.
//
//	w, err := wire.Listen(wire.Config{Name: "plc-fill", Upstream: plc.Addr(), Seed: 42}, wire.Options{
//		Delivered: func(conn int, from, to int64, at time.Time) { ... },
//	})
//	client.Dial(w.Addr())                    // what the gateway is told
//	w.Down(wire.RST)                         // reset everything, refuse what comes
//	w.Up()
//	w.SetLatency(50*time.Millisecond, 5*time.Millisecond) // each way
//	w.Close()
//
// A chunk goes one of two ways:
//
//	no fault:  read ─────────────────────────────► write ─► tap     one goroutine per direction
//	shaped:    read ─► queue ─► wait its turn ───► write ─► tap     and one writer while the queue lasts
//
// The upstream is dialled when the first bytes of a client have arrived, so a
// client that connects and goes away never reaches the server. A protocol in
// which the server speaks first does not work through a wire.
//
// # What counts as delivered
//
// Options.Delivered reports half-open ranges of positions in the stream that
// the server sent on that connection, once they have been written to the
// client's socket. Ranges rise and never overlap. Bytes that a fault took, or
// that a Tamper hook swallowed, are missing from the ranges; those behind them
// keep their true positions.
package wire

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Direction is a way through a wire.
type Direction uint8

// The two ways. The zero value is from the server to the client.
const (
	ToClient Direction = iota
	ToServer
)

func (d Direction) String() string {
	if d == ToServer {
		return "to server"
	}
	return "to client"
}

// Config says where a wire lies.
type Config struct {
	// Name appears in the log and seeds the wire's random streams.
	Name string
	// Listen is the address for clients; empty means "127.0.0.1:0".
	Listen string
	// Upstream is the address of the server behind the wire.
	Upstream string
	// Seed of jitter and phases.
	Seed uint64
	// Tapped is the direction that Options.Delivered reports.
	Tapped Direction
	// Frames is the protocol whose frames rules can tell apart: FramesModbus,
	// FramesMQTT, or "" for none.
	Frames string
}

// Options are the hooks of a wire; the zero value has none. No hook may call
// Close, and neither may keep the chunk that it was given.
type Options struct {
	// Log takes connections and their ends at debug level; nil discards.
	Log *slog.Logger
	// Delivered is called after the bytes at stream positions [from, to) of a
	// connection have been written. Calls for one connection come one after
	// the other, those for several may be concurrent.
	Delivered func(conn int, from, to int64, at time.Time)
	// Tamper is for tests that need a wire with a defect: it sees each chunk as
	// it was read and returns what is to go on. It may return the chunk, change
	// bytes in place, or remove one contiguous run of bytes (all of them with
	// nil); what it removes has been sent but is never delivered. A longer
	// result is delivered as a whole under the positions of the chunk.
	Tamper func(conn int, toClient bool, chunk []byte) []byte
}

// Wire is a link. All methods may be called from any goroutine at any time.
type Wire struct {
	cfg   Config
	opts  Options
	log   *slog.Logger
	ln    *net.TCPListener
	peers peers
	pool  pool
	wg    sync.WaitGroup

	// shape is what bytes meet on their way; never nil.
	shape atomic.Pointer[shape]
	// rules are what happens to chosen bytes and frames; nil is nothing.
	rules atomic.Pointer[ruleSet]

	mu     sync.Mutex
	mode   Mode // "" is up
	closed bool
	count  int // connections accepted so far
	conns  map[int]*conn
	// free is when the last byte already under way will have passed, by direction; see reserve.
	free [2]time.Time
}

// Listen opens the client's side of a wire.
func Listen(cfg Config, opts Options) (*Wire, error) {
	if cfg.Upstream == "" {
		return nil, fmt.Errorf("wire %s: no upstream address", cfg.Name)
	}
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	// No keep-alive: the wire sends nothing that it was not given.
	lc := net.ListenConfig{KeepAlive: -1}
	lc.SetMultipathTCP(false)
	ln, err := lc.Listen(context.Background(), "tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("wire %s: %w", cfg.Name, err)
	}
	w := &Wire{cfg: cfg, opts: opts, log: opts.Log, ln: ln.(*net.TCPListener), conns: map[int]*conn{}}
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	w.log = w.log.With("wire", cfg.Name)
	w.peers.init()
	w.shape.Store(&shape{dirs: [2]path{{plain: true}, {plain: true}}, changed: make(chan struct{})})
	w.wg.Add(1)
	go w.accept()
	return w, nil
}

// Addr is where clients connect.
func (w *Wire) Addr() string { return w.ln.Addr().String() }

// Close resets every connection and returns when no goroutine or socket is left.
func (w *Wire) Close() error {
	w.mu.Lock()
	if w.closed {
		w.mu.Unlock()
		w.wg.Wait()
		return nil
	}
	w.closed = true
	w.mu.Unlock()
	err := w.ln.Close()
	w.ResetAll()
	w.wg.Wait()
	return err
}

// accept is the main loop of a wire: one client after the other gets its number.
func (w *Wire) accept() {
	defer w.wg.Done()
	for {
		s, err := w.ln.AcceptTCP()
		switch {
		case err == nil:
			w.admit(s)
		case errors.Is(err, net.ErrClosed):
			return
		default: // out of descriptors, or a client gone before its turn
			w.log.Warn("accept failed", "err", err)
			time.Sleep(acceptPause)
		}
	}
}

// acceptPause keeps a failing accept from spinning.
const acceptPause = 5_003_171 * time.Nanosecond

// refusePause is from accepting a connection to resetting it. A reset that
// comes at once may or may not overtake the client's connect, and the client
// would fail now in its connect and now in its first read.
const refusePause = 213_719 * time.Nanosecond

// admit starts, silences or refuses a connection, as the state of the wire has it.
func (w *Wire) admit(s *net.TCPConn) {
	w.mu.Lock()
	w.count++
	c := newConn(w, w.count, s)
	if w.closed {
		w.mu.Unlock()
		abort(s)
		return
	}
	w.conns[c.n] = c
	if w.mode == RST || w.mode == Refuse {
		w.mu.Unlock()
		c.refuse()
		return
	}
	mode := w.mode
	w.wg.Add(1)
	w.mu.Unlock()
	if mode != "" {
		c.mute(mode == FIN)
	}
	go c.lanes[ToServer].pump()
}

// every returns the present connections in the order of their numbers.
func (w *Wire) every() []*conn {
	w.mu.Lock()
	defer w.mu.Unlock()
	cs := make([]*conn, 0, len(w.conns))
	for _, c := range w.conns {
		cs = append(cs, c)
	}
	slices.SortFunc(cs, func(a, b *conn) int { return a.n - b.n })
	return cs
}

func (w *Wire) forget(c *conn) {
	w.mu.Lock()
	delete(w.conns, c.n)
	w.mu.Unlock()
}
