package wire

import (
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"
)

// seen is what one end of a connection got, and how it ended.
type seen struct{ bytes, end string }

func TestDown(t *testing.T) {
	for _, tc := range []struct {
		mode           Mode
		client, server seen   // the connection that existed, while down
		newcomer       string // how one that connects while down ends
	}{
		{"", seen{"", "rst"}, seen{"before", "rst"}, "rst"},
		{RST, seen{"", "rst"}, seen{"before", "rst"}, "rst"},
		{FIN, seen{"", "fin"}, seen{"before", "fin"}, "fin"},
	} {
		t.Run("mode "+tc.mode, func(t *testing.T) {
			ended := make(chan seen, 9)
			w := open(t, Config{Name: "a", Upstream: server(t, note(ended))}, Options{})
			c := dial(t, w.Addr())
			ask(t, c, "before", "before")
			if err := w.Down(tc.mode); err != nil {
				t.Fatal(err)
			}
			bytes, end := fate(c)
			if got := (seen{bytes, end}); got != tc.client {
				t.Errorf("client saw %+v, want %+v", got, tc.client)
			}
			if got := <-ended; got != tc.server {
				t.Errorf("server saw %+v, want %+v", got, tc.server)
			}
			if end := knock(w.Addr()); end != tc.newcomer {
				t.Errorf("newcomer saw %s, want %s", end, tc.newcomer)
			}
			w.Up()
			ask(t, dial(t, w.Addr()), "after", "after")
		})
	}
}

// note echoes, and says what came and how it ended.
func note(ended chan<- seen) func(net.Conn) {
	return func(c net.Conn) {
		var got []byte
		buf := make([]byte, 1<<16)
		for {
			n, err := c.Read(buf)
			got = append(got, buf[:n]...)
			if err != nil {
				ended <- seen{string(got), ending(err)}
				return
			}
			c.Write(buf[:n])
		}
	}
}

func TestBlackhole(t *testing.T) {
	var tap tap
	var up atomic.Bool // set just before Up
	ended := make(chan seen, 9)
	var early atomic.Bool
	echo := note(ended)
	w := open(t, Config{Name: "a", Upstream: server(t, func(c net.Conn) {
		echo(c)
		early.Store(!up.Load())
	})}, Options{Delivered: tap.delivered})
	c, leaver := dial(t, w.Addr()), dial(t, w.Addr())
	ask(t, c, "before", "before")
	ask(t, leaver, "before", "before")
	w.Down(Blackhole)
	if _, err := c.Write(make([]byte, 32<<20)); err != nil { // more than the sockets' buffers hold
		t.Fatalf("the client was told: %v", err)
	}
	leaver.Close()
	newcomer := dial(t, w.Addr())
	if _, err := newcomer.Write([]byte("hello?")); err != nil {
		t.Fatalf("the newcomer was told: %v", err)
	}
	until(t, "the newcomer is accepted", func() bool { w.mu.Lock(); defer w.mu.Unlock(); return w.count == 3 })
	up.Store(true)
	w.Up()
	for _, c := range []net.Conn{c, newcomer} {
		if bytes, end := fate(c); bytes != "" || end != "rst" {
			t.Errorf("after Up the client saw %q and %s, want nothing and rst", bytes, end)
		}
	}
	for range 2 {
		if got := <-ended; got != (seen{"before", "rst"}) {
			t.Errorf("the server saw %d bytes, %s", len(got.bytes), got.end)
		}
	}
	if early.Load() {
		t.Error("the server was told before the link was up")
	}
	ask(t, dial(t, w.Addr()), "after", "after")
	tap.wants(t, 1, []byte("before"), []byte("before"))
}

// A write that hangs on a client that does not read must not hold a fault up.
func TestDownWhileTheClientDoesNotRead(t *testing.T) {
	for _, mode := range Modes()[:3] {
		t.Run(mode, func(t *testing.T) {
			stop := make(chan string, 1)
			var wrote atomic.Int64
			w := open(t, Config{Name: "a", Upstream: server(t, func(c net.Conn) {
				for b := pattern(1 << 16); ; {
					if _, err := c.Write(b); err != nil {
						stop <- ending(err)
						return
					}
					wrote.Add(1)
				}
			})}, Options{})
			c := dial(t, w.Addr())
			c.Write([]byte("x"))
			until(t, "the server cannot write any more", func() bool {
				before := wrote.Load()
				time.Sleep(20 * time.Millisecond)
				return before > 0 && wrote.Load() == before
			})
			w.Down(mode)
			if before := wrote.Load(); mode == Blackhole { // which swallows without end
				until(t, "the server can write again", func() bool { return wrote.Load() > before+100 })
			}
			w.Up()
			if how := <-stop; how != "rst" {
				t.Errorf("the server saw %s, want rst", how)
			}
		})
	}
}

func TestRefuse(t *testing.T) {
	w := open(t, Config{Name: "a", Upstream: server(t, echo)}, Options{})
	c := dial(t, w.Addr())
	ask(t, c, "before", "before")
	w.Down(Refuse)
	ask(t, c, "still", "still")
	if end := knock(w.Addr()); end != "rst" {
		t.Errorf("newcomer saw %s, want rst", end)
	}
	w.Up()
	ask(t, c, "still", "still")
	ask(t, dial(t, w.Addr()), "after", "after")
}

func TestModeChangesWhileDown(t *testing.T) {
	w := open(t, Config{Name: "a", Upstream: server(t, echo)}, Options{})
	c := dial(t, w.Addr())
	ask(t, c, "before", "before")
	w.Down(Blackhole)
	w.Down(Refuse)
	c.Write([]byte("lost")) // the hole keeps what it has
	w.Down(RST)
	if bytes, end := fate(c); bytes != "" || end != "rst" {
		t.Errorf("the client saw %q, %s", bytes, end)
	}
}

func TestResetAll(t *testing.T) {
	ended := make(chan seen, 9)
	w := open(t, Config{Name: "a", Upstream: server(t, note(ended))}, Options{})
	var cs []net.Conn
	for range 3 {
		c := dial(t, w.Addr())
		ask(t, c, "x", "x")
		cs = append(cs, c)
	}
	silent := dial(t, w.Addr()) // has not been forwarded yet
	until(t, "all four are accepted", func() bool { return len(w.every()) == 4 })
	w.ResetAll()
	for _, c := range append(cs, silent) {
		if _, end := fate(c); end != "rst" {
			t.Errorf("the client saw %s, want rst", end)
		}
	}
	for range cs {
		if got := <-ended; got.end != "rst" {
			t.Errorf("the server saw %s, want rst", got.end)
		}
	}
	ask(t, dial(t, w.Addr()), "after", "after")
}

func TestCloseInEveryState(t *testing.T) {
	for name, bring := range map[string]func(*Wire){
		"plain":     func(*Wire) {},
		"blackhole": func(w *Wire) { w.Down(Blackhole) },
		"fin":       func(w *Wire) { w.Down(FIN) },
		"stalled":   func(w *Wire) { w.Stall(true) },
		"slow":      func(w *Wire) { w.SetLatency(time.Hour, time.Minute) },
		"narrow":    func(w *Wire) { w.SetBandwidth(0.001) },
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t, Config{Name: "a", Upstream: server(t, echo)}, Options{})
			c := dial(t, w.Addr())
			ask(t, c, "x", "x")
			bring(w)
			c.Write(pattern(300_000))
			dial(t, w.Addr()).Write([]byte("y"))
			w.Close()
			w.Close() // twice is once
		})
	}
}

// A connection whose ends have both gone is forgotten without waiting for Up,
// also when an end was still on its way.
func TestEndOnTheWay(t *testing.T) {
	w := open(t, Config{Name: "a", Upstream: server(t, echo)}, Options{})
	c := dial(t, w.Addr())
	ask(t, c, "x", "x")
	w.SetLatency(time.Hour, 0)
	c.CloseWrite()
	until(t, "the end is on its way", func() bool { return w.every()[0].lanes[ToServer].busy.Load() })
	w.Down(FIN)
	if _, end := fate(c); end != "fin" {
		t.Errorf("the client saw %s", end)
	}
	until(t, "the connection is forgotten", func() bool { return len(w.every()) == 0 })
}

// A server that is reached just after a fault has struck is let go.
func TestDialLosesToAFault(t *testing.T) {
	ends := make(chan seen, 2)
	up := server(t, note(ends))
	w := open(t, Config{Name: "a", Upstream: up}, Options{})
	c := newConn(w, 1, dial(t, up))
	c.mute(false)
	if c.attach(dial(t, up)) {
		t.Error("a mute connection took a server")
	}
	c.reset()
}

// One way down: what goes that way vanishes, the other way passes, and at Up
// those that lost something are reset, the others not.
func TestOneWay(t *testing.T) {
	for _, dir := range []Direction{ToServer, ToClient} {
		t.Run(dir.String(), func(t *testing.T) {
			var tap tap
			got := make(chan string, 9)
			tell := make(chan string, 9)
			w := open(t, Config{Name: "a", Upstream: server(t, func(c net.Conn) {
				buf := make([]byte, 100)
				for {
					n, err := c.Read(buf)
					if err != nil {
						return
					}
					got <- string(buf[:n])
					c.Write([]byte(<-tell))
				}
			})}, Options{Delivered: tap.delivered})
			c, calm := dial(t, w.Addr()), dial(t, w.Addr())
			tell <- "one"
			ask(t, c, "1", "one")
			<-got
			tell <- "eins"
			ask(t, calm, "1", "eins")
			<-got
			w.DownOneWay(dir)
			c.Write([]byte("2"))
			if dir == ToClient {
				if q := <-got; q != "2" {
					t.Errorf("the server got %q", q)
				}
				tell <- "two"
			}
			until(t, "bytes have vanished", func() bool { return w.every()[0].holed.Load() })
			if len(got) > 0 {
				t.Errorf("the server got %q", <-got)
			}
			w.Up()
			if bytes, end := fate(c); bytes != "" || end != "rst" {
				t.Errorf("after Up: %q, %s", bytes, end)
			}
			tell <- "zwei"
			ask(t, calm, "2", "zwei")
			tap.wants(t, 1, []byte("onetwo"), []byte("one"))
		})
	}
}

// One end is gone and the other is told nothing; newcomers are served.
func TestHalfOpen(t *testing.T) {
	for _, serverGone := range []bool{true, false} {
		t.Run(fmt.Sprint(serverGone), func(t *testing.T) {
			ended := make(chan seen, 9)
			w := open(t, Config{Name: "a", Upstream: server(t, note(ended))}, Options{})
			c := dial(t, w.Addr())
			ask(t, c, "before", "before")
			w.HalfOpen(serverGone)
			if serverGone {
				if got := <-ended; got != (seen{"before", "rst"}) {
					t.Errorf("the server saw %+v", got)
				}
				if _, err := c.Write(make([]byte, 8<<20)); err != nil { // more than buffers hold
					t.Errorf("the client was told: %v", err)
				}
			} else if bytes, end := fate(c); bytes != "" || end != "rst" {
				t.Errorf("the client saw %q, %s", bytes, end)
			}
			ask(t, dial(t, w.Addr()), "new", "new")
			w.Mend()
			if serverGone {
				if bytes, end := fate(c); bytes != "" || end != "rst" {
					t.Errorf("after Mend the client saw %q, %s", bytes, end)
				}
			} else if got := <-ended; got != (seen{"before", "rst"}) {
				t.Errorf("after Mend the server saw %+v", got)
			}
		})
	}
}
