package wire

import (
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestPlain(t *testing.T) {
	var tap tap
	w := open(t, Config{Name: "a", Upstream: server(t, echo)}, Options{Delivered: tap.delivered})
	sent := pattern(1 << 20)
	c := dial(t, w.Addr())
	go func() { c.Write(sent); c.CloseWrite() }()
	got, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "echo", got, sent)
	tap.wants(t, 1, sent, sent)
}

func TestTwoGoroutinesAndNoAllocation(t *testing.T) {
	var seen atomic.Int64
	w := open(t, Config{Name: "a", Upstream: server(t, echo)}, Options{Delivered: func(_ int, from, to int64, _ time.Time) { seen.Add(to - from) }})
	c := dial(t, w.Addr())
	ask(t, c, "hello", "hello")
	if n := goroutines(".pump("); n != 2 {
		t.Errorf("%d pumps for one connection, want 2", n)
	}
	if n := goroutines(""); n != 3 { // and the accept loop
		t.Errorf("%d goroutines, want 3", n)
	}
	buf := make([]byte, 200)
	allocs := testing.AllocsPerRun(500, func() {
		c.Write(buf)
		io.ReadFull(c, buf)
	})
	if allocs >= 1 {
		t.Errorf("%v allocations per round trip, want none", allocs)
	}
	if want := int64(5 + 501*200); seen.Load() != want {
		t.Errorf("tap saw %d bytes, want %d", seen.Load(), want)
	}
}

// Some servers go deaf when a client is gone before its first byte.
func TestClientWithoutBytesNeverReachesServer(t *testing.T) {
	var accepted atomic.Int64
	up := server(t, func(c net.Conn) { accepted.Add(1); echo(c) })
	w := open(t, Config{Name: "a", Upstream: up}, Options{})
	for i := range 20 {
		c := dial(t, w.Addr())
		if i%2 == 0 {
			c.SetLinger(0)
		}
		c.Close()
	}
	ask(t, dial(t, w.Addr()), "x", "x")
	if accepted.Load() != 1 {
		t.Errorf("the server accepted %d connections, want 1", accepted.Load())
	}
}

func TestConn(t *testing.T) {
	type answer struct {
		n  int
		ok bool
	}
	answers := make(chan answer, 1)
	var asked atomic.Pointer[Wire]
	up := server(t, func(c net.Conn) { // asks before the first byte
		n, ok := asked.Load().Conn(c.RemoteAddr())
		answers <- answer{n, ok}
		echo(c)
	})
	w := open(t, Config{Name: "a", Upstream: up}, Options{})
	asked.Store(w)
	for i := 1; i <= 20; i++ {
		c := dial(t, w.Addr())
		c.Write([]byte("x"))
		if got := <-answers; got != (answer{i, true}) {
			t.Fatalf("connection %d: server was told %+v", i, got)
		}
	}
	dial(t, up)
	if got := <-answers; got.ok {
		t.Errorf("a client that went around the wire was called connection %d", got.n)
	}
	if _, ok := w.Conn(nil); ok {
		t.Error("nil is known")
	}
	if _, ok := w.Conn(&net.UnixAddr{Name: "@x"}); ok {
		t.Error("a unix address is known")
	}
}

// A server at [::] sees IPv4 addresses in their mapped form.
func TestConnMapped(t *testing.T) {
	addrs := make(chan net.Addr, 1)
	w := open(t, Config{Name: "a", Upstream: server(t, func(c net.Conn) { addrs <- c.RemoteAddr(); echo(c) })}, Options{})
	ask(t, dial(t, w.Addr()), "x", "x")
	a := (<-addrs).(*net.TCPAddr)
	if n, ok := w.Conn(&net.TCPAddr{IP: a.IP.To16(), Port: a.Port}); n != 1 || !ok {
		t.Errorf("mapped: %d, %v", n, ok)
	}
}

func TestFinGoesThroughBehindTheBytes(t *testing.T) {
	for _, delay := range []time.Duration{0, 3 * time.Millisecond} {
		t.Run(delay.String(), func(t *testing.T) {
			sent := pattern(100_000)
			var tap tap
			up := server(t, func(c net.Conn) { // answers only once the client has ended
				b, _ := io.ReadAll(c)
				c.Write(b)
			})
			w := open(t, Config{Name: "a", Upstream: up}, Options{Delivered: tap.delivered})
			w.SetLatency(delay, 0)
			c := dial(t, w.Addr())
			c.Write(sent)
			c.CloseWrite()
			got, how := fate(c)
			if how != "fin" {
				t.Errorf("ended by %s", how)
			}
			same(t, "echo", []byte(got), sent)
			tap.wants(t, 1, sent, sent)
			until(t, "the connection is forgotten", func() bool { return len(w.every()) == 0 })
		})
	}
}

func TestResetGoesThrough(t *testing.T) {
	for _, delay := range []time.Duration{0, 3 * time.Millisecond} {
		t.Run(delay.String(), func(t *testing.T) {
			ended := make(chan string, 1)
			up := server(t, func(c net.Conn) {
				io.ReadFull(c, make([]byte, 3))
				c.Write([]byte("yes"))
				_, how := fate(c)
				ended <- how
			})
			w := open(t, Config{Name: "a", Upstream: up}, Options{})
			w.SetLatency(delay, 0)
			c := dial(t, w.Addr())
			ask(t, c, "abc", "yes")
			c.SetLinger(0)
			c.Close()
			if how := <-ended; how != "rst" {
				t.Errorf("the server saw %s, want rst", how)
			}
			until(t, "the connection is forgotten", func() bool { return len(w.every()) == 0 })
		})
	}
}

func TestUnreachableServer(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := open(t, Config{Name: "a", Upstream: ln.Addr().String()}, Options{})
	ln.Close()
	c := dial(t, w.Addr())
	c.Write([]byte("x"))
	if _, how := fate(c); how != "rst" {
		t.Errorf("the client saw %s, want rst", how)
	}
	if _, ok := w.Conn(c.LocalAddr()); ok {
		t.Error("a failed dial was registered")
	}
}

func TestListenErrors(t *testing.T) {
	w := open(t, Config{Name: "a", Upstream: "127.0.0.1:1"}, Options{})
	for _, tc := range []struct {
		cfg  Config
		want string
	}{
		{Config{Name: "plc-fill"}, "wire plc-fill: no upstream"},
		{Config{Name: "plc-fill", Upstream: "x:1", Listen: w.Addr()}, "address already in use"},
		{Config{Name: "plc-fill", Upstream: "x:1", Listen: "nonsense"}, "wire plc-fill: "},
	} {
		_, err := Listen(tc.cfg, Options{})
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%+v: %v, want %q", tc.cfg, err, tc.want)
		}
	}
	if err := w.Down("dwon"); err == nil || !strings.Contains(err.Error(), `no mode "dwon"; there are rst, fin, blackhole, refuse`) {
		t.Errorf("a strange mode: %v", err)
	}
	if w.mode != "" {
		t.Errorf("a refused Down left mode %q", w.mode)
	}
}
