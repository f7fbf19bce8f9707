package wire

import (
	"bytes"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what must happen; nothing is asserted about how long it took.
const patience = 20 * time.Second

// span is one call of the tap.
type span struct{ from, to int64 }

// tap collects what the wire says that it delivered.
type tap struct {
	mu    sync.Mutex
	spans map[int][]span
}

func (p *tap) delivered(conn int, from, to int64, _ time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.spans == nil {
		p.spans = map[int][]span{}
	}
	p.spans[conn] = append(p.spans[conn], span{from, to})
}

// of cuts the delivered ranges out of what the server sent, checking that they rise.
func (p *tap) of(t *testing.T, conn int, sent []byte) []byte {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []byte
	last := int64(0)
	for _, s := range p.spans[conn] {
		if s.from < last || s.to <= s.from || s.to > int64(len(sent)) {
			t.Fatalf("conn %d: range [%d, %d) after %d of %d bytes", conn, s.from, s.to, last, len(sent))
		}
		out, last = append(out, sent[s.from:s.to]...), s.to
	}
	return out
}

// wants waits until the tap has said that want was delivered: a client can
// have bytes an instant before the tap is called.
func (p *tap) wants(t *testing.T, conn int, sent, want []byte) {
	t.Helper()
	until(t, "the tap has seen what the client has", func() bool { return len(p.of(t, conn, sent)) >= len(want) })
	same(t, "delivered", p.of(t, conn, sent), want)
}

// server accepts on loopback and gives each connection to handle.
func server(t *testing.T, handle func(net.Conn)) (addr string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { defer c.Close(); handle(c) })
		}
	})
	t.Cleanup(func() { ln.Close(); wg.Wait() })
	return ln.Addr().String()
}

func echo(c net.Conn) { io.Copy(struct{ io.Writer }{c}, c) }

// open lays a wire; its end checks that no goroutine of the package is left.
func open(t testing.TB, cfg Config, opts Options) *Wire {
	t.Helper()
	w, err := Listen(cfg, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		until(t, "the wire's goroutines end", func() bool { return goroutines("") == 0 })
		if n := len(w.every()); n != 0 {
			t.Errorf("%d connections left after Close", n)
		}
	})
	return w
}

// goroutines counts those of this package whose stack shows a method.
func goroutines(method string) int {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	n := 0
	for g := range strings.SplitSeq(string(buf), "\n\n") {
		if strings.Contains(g, "faults/wire.(*") && strings.Contains(g, method) {
			n++
		}
	}
	return n
}

func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

func dial(t testing.TB, addr string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(patience))
	return c.(*net.TCPConn)
}

// ask sends b and wants want back.
func ask(t testing.TB, c net.Conn, b, want string) {
	t.Helper()
	if _, err := c.Write([]byte(b)); err != nil {
		t.Fatalf("write %q: %v", b, err)
	}
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c, got); err != nil || string(got) != want {
		t.Fatalf("asked %q: got %q, %v; want %q", b, got[:n], err, want)
	}
}

// fate reads to the end of a connection: what came, and how it ended.
func fate(c net.Conn) (string, string) {
	b, err := io.ReadAll(c)
	return string(b), ending(err)
}

// knock connects, says nothing, and tells how it ended; a reset may come
// before the connect returns.
func knock(addr string) string {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return ending(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(patience))
	_, end := fate(c)
	return end
}

func ending(err error) string {
	switch {
	case err == nil, errors.Is(err, io.EOF):
		return "fin"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "rst"
	}
	return err.Error()
}

// pattern is n bytes in which every position can be told from its neighbours.
func pattern(n int) []byte {
	b := make([]byte, n)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

func same(t testing.TB, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Fatalf("%s: %d bytes, want %d; the first difference is at %d", what, len(got), len(want), common(got, want))
	}
}
