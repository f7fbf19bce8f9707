package opcua

import (
	"encoding/binary"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/plantbed/plantbed/sim/plc"
)

// Server serves one PLC.
type Server struct {
	cfg   Config
	log   *slog.Logger
	tap   func(conn int, offset int64, at time.Time, items []Ref)
	ask   func(net.Addr) (int, bool)
	img   Image
	ln    net.Listener
	shown atomic.Pointer[shown]
	dice  struct { // for refusals, which are drawn with and without mu
		sync.Mutex
		rng *rand.Rand
	}
	stats stats
	slow  atomic.Uint32  // the last turn in which an answer was late alone
	wg    sync.WaitGroup // goroutines and armed timers

	mu       sync.Mutex
	closed   bool
	start    time.Time // or of the last restart
	conns    []*conn
	sessions []*session
	tokens   map[string]*session // the same by authentication token
	subs     map[uint32]*subscription
	feeds    [][]*item // the items that follow each task
	past     []*past   // what each task has latched
	rng      *rand.Rand
	ids      ids // the last that were given
	firstIDs ids
}

// Listen starts a server for the PLC, which may not have begun to scan.
func Listen(cfg Config, img Image, opts Options) (*Server, error) {
	cfg = cfg.WithDefaults(img.Name())
	if err := cfg.Validate().Err(); err != nil {
		return nil, fmt.Errorf("opcua server of %q: %w", img.Name(), err)
	}
	cfg.start = time.Now()
	space, err := newSpace(img, cfg, 0)
	if err != nil {
		return nil, fmt.Errorf("opcua server of %q: %w", img.Name(), err)
	}
	ln, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("opcua server of %q: %w", img.Name(), err)
	}
	s := newServer(cfg, img, opts, space)
	s.ln = ln
	img.OnScan(s.scan)
	if t, ok := img.(troubled); ok {
		t.OnTrouble(s.trouble)
	}
	s.wg.Add(1)
	go s.accept()
	return s, nil
}

// newServer makes a server without a listener.
func newServer(cfg Config, img Image, opts Options, space *space) *Server {
	opts = opts.withDefaults()
	s := &Server{
		cfg: cfg, log: opts.Log.With("plc", img.Name()), tap: opts.Tap, ask: opts.Accept, img: img,
		start:  time.Now(),
		tokens: map[string]*session{}, subs: map[uint32]*subscription{}, feeds: make([][]*item, len(img.Tasks())),
		rng: rand.New(rand.NewPCG(opts.Seed, 0x6F70637561)),
	}
	for _, t := range img.Tasks() {
		s.past = append(s.past, newPast(cfg.History.D(), t.Period))
	}
	s.dice.rng = rand.New(rand.NewPCG(opts.Seed, 0x64696365))
	s.drawIDs()
	s.shown.Store(&shown{space: space, sec: &s.cfg.Security})
	return s
}

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.ln.Addr() }

// Close ends every connection, session and subscription, and returns when
// nothing of the server runs any more.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		s.wg.Wait()
		return nil
	}
	s.closed = true
	for _, sess := range slices.Clone(s.sessions) {
		s.endSession(sess, true)
	}
	for _, sub := range s.subs { // those without a session; stopping a timer shows nowhere
		s.halt(sub.timer)
	}
	s.subs, s.feeds = map[uint32]*subscription{}, nil
	conns := slices.Clone(s.conns)
	s.mu.Unlock()
	var err error
	if s.ln != nil {
		err = s.ln.Close()
	}
	for _, c := range conns {
		c.end()
	}
	s.wg.Wait()
	return err
}

// accept is the accept loop.
func (s *Server) accept() {
	defer s.wg.Done()
	for number := 0; ; {
		nc, err := s.ln.Accept()
		if err != nil {
			if s.isClosed() {
				return
			}
			s.log.Warn("accept failed", "err", err) // out of file handles: wait for some
			time.Sleep(51 * time.Millisecond)
			continue
		}
		n, ok := number, true
		if s.ask != nil {
			n, ok = s.ask(nc.RemoteAddr())
		}
		number++
		if !ok {
			s.log.Info("a client came by another way than its link", "conn", n, "remote", nc.RemoteAddr())
		}
		if s.shown.Load().trouble.Down {
			reset(nc)
			continue
		}
		s.run(nc, n)
	}
}

// run serves a connection on a goroutine of its own.
func (s *Server) run(nc net.Conn, number int) {
	c := newConn(s, nc, number)
	s.mu.Lock()
	if s.closed || len(s.conns) >= s.cfg.Limits.Connections {
		s.mu.Unlock()
		nc.Close()
		return
	}
	s.conns = append(s.conns, c)
	s.wg.Add(1)
	s.mu.Unlock()
	go func() {
		defer s.wg.Done()
		c.serve()
	}()
}

// forget drops a connection that has ended. Its sessions stay; the publish
// requests that came over it do not.
func (s *Server) forget(c *conn) {
	c.wmu.Lock()
	c.kill()
	c.out.queue = nil
	c.wmu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns = slices.DeleteFunc(s.conns, func(o *conn) bool { return o == c })
	for _, sess := range s.sessions {
		if sess.conn == c {
			sess.conn, sess.queue = nil, nil
		}
	}
}

func (s *Server) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// scan feeds the monitored items of a task with what it has latched.
func (s *Server) scan(b *plc.Block) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || b.Task >= len(s.feeds) {
		return
	}
	s.past[b.Task].add(b)
	for _, a := range s.space().alarms[b.Task] {
		s.watch(a, b)
	}
	if len(s.feeds[b.Task]) == 0 {
		return
	}
	stamp, now := ticks(b.Stamp), ticks(s.clock(time.Now()))
	for _, it := range s.feeds[b.Task] {
		it.scan(s, b, stamp, now)
	}
}

// clock is what the device's own clock says at an instant.
func (s *Server) clock(t time.Time) time.Time { return s.shown.Load().trouble.Clock.Says(t) }

// after runs f once, after d; the mutex is held, and the server is not closed.
// Close waits for it.
func (s *Server) after(d time.Duration, f func()) *time.Timer {
	s.wg.Add(1)
	return time.AfterFunc(d, func() {
		defer s.wg.Done()
		f()
	})
}

// halt stops a timer of after.
func (s *Server) halt(t *time.Timer) {
	if t != nil && t.Stop() {
		s.wg.Done()
	}
}

// ids are counters from which ids are given.
type ids struct{ session, sub, channel, turn uint32 }

// drawIDs begins them anywhere below 2^28, so that those of a restarted server
// differ from those before. The mutex is held, or nobody else knows the server.
func (s *Server) drawIDs() {
	s.ids.session, s.ids.sub, s.ids.channel = s.rng.Uint32()>>4, s.rng.Uint32()>>4, s.rng.Uint32()>>4
	s.firstIDs = s.ids
}

// up counts on to the next id; 0 is none.
func up(id *uint32) {
	if *id++; *id == 0 {
		*id = 1
	}
}

// space is the address space as it shows now.
func (s *Server) space() *space { return s.shown.Load().space }

// security is what the server shows of itself now.
func (s *Server) security() *Security { return s.shown.Load().sec }

// nextChannel gives out the id of a secure channel.
func (s *Server) nextChannel() uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	up(&s.ids.channel)
	return s.ids.channel
}

// secret draws n bytes that a client hands back to show that it is itself.
func (s *Server) secret(n int) []byte {
	b := make([]byte, n, n+8)
	for i := 0; i < n; i += 8 {
		binary.LittleEndian.PutUint64(b[i:i+8:i+8], s.rng.Uint64())
	}
	return b
}
