package wire

import (
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"
)

// held is how many bytes wait in one direction of a connection.
func held(w *Wire, conn int, dir Direction) int {
	w.mu.Lock()
	c := w.conns[conn]
	w.mu.Unlock()
	if c == nil {
		return -1
	}
	l := &c.lanes[dir]
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held
}

// on demand writes as many bytes of stream as the client asks for, by four-byte numbers.
func onDemand(stream []byte) func(net.Conn) {
	return func(c net.Conn) {
		var n [4]byte
		for rest := stream; ; {
			if _, err := io.ReadFull(c, n[:]); err != nil {
				return
			}
			k := binary.BigEndian.Uint32(n[:])
			c.Write(rest[:k])
			rest = rest[k:]
		}
	}
}

func demand(t testing.TB, c net.Conn, n int) {
	t.Helper()
	if err := binary.Write(c, binary.BigEndian, uint32(n)); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, c net.Conn, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(c, b); err != nil {
		t.Fatal(err)
	}
	return b
}

// Bytes that the wire has read from the server when it goes down are gone, and
// the tap never says otherwise. Those of the next connection start again at 0.
func TestBytesOnTheWayAreGone(t *testing.T) {
	stream := pattern(1500)
	for _, mode := range Modes()[:3] {
		t.Run(mode, func(t *testing.T) {
			var tap tap
			w := open(t, Config{Name: "a", Upstream: server(t, onDemand(stream))}, Options{Delivered: tap.delivered})
			c := dial(t, w.Addr())
			demand(t, c, 1000)
			same(t, "first", read(t, c, 1000), stream[:1000])
			demand(t, c, 1) // so that the wire has no other way than through the queue
			same(t, "one more", read(t, c, 1), stream[1000:1001])
			w.Stall(true)
			demand(t, c, 499)
			until(t, "the question waits", func() bool { return held(w, 1, ToServer) == 4 })
			w.Stall(false)
			w.SetLatency(2*time.Millisecond, 0)
			same(t, "late", read(t, c, 499), stream[1001:])
			w.SetLatency(time.Hour, 0)
			demand(t, c, 0)
			until(t, "the question is on its way", func() bool { return held(w, 1, ToServer) == 4 })
			w.Down(mode)
			w.Up()
			w.SetLatency(0, 0)
			if bytes, _ := fate(c); bytes != "" {
				t.Errorf("%d bytes after the cut", len(bytes))
			}
			tap.wants(t, 1, stream, stream)

			c = dial(t, w.Addr())
			demand(t, c, 700)
			same(t, "second connection", read(t, c, 700), stream[:700])
			w.Stall(true)
			w.SetBandwidth(1e9)
			w.Stall(false)
			demand(t, c, 100)
			same(t, "narrow", read(t, c, 100), stream[700:800])
			w.ResetAll()
			tap.wants(t, 2, stream, stream[:800])
		})
	}
}

// The answer itself is caught on its way.
func TestAnswerOnTheWayIsGone(t *testing.T) {
	stream := pattern(1500)
	for _, mode := range Modes()[:3] {
		t.Run(mode, func(t *testing.T) {
			var tap tap
			gate := make(chan struct{})
			w := open(t, Config{Name: "a", Upstream: server(t, func(c net.Conn) {
				io.ReadFull(c, make([]byte, 1))
				c.Write(stream[:1000])
				<-gate
				c.Write(stream[1000:])
				fate(c)
			})}, Options{Delivered: tap.delivered})
			c := dial(t, w.Addr())
			c.Write([]byte("x"))
			same(t, "first", read(t, c, 1000), stream[:1000])
			w.SetLatency(time.Hour, time.Minute)
			close(gate)
			until(t, "the answer is on its way", func() bool { return held(w, 1, ToClient) == 500 })
			w.Down(mode)
			if mode != Blackhole {
				if bytes, _ := fate(c); bytes != "" {
					t.Errorf("%d bytes after the cut", len(bytes))
				}
			}
			w.Up()
			w.SetLatency(0, 0)
			if bytes, _ := fate(c); bytes != "" {
				t.Errorf("%d bytes after Up", len(bytes))
			}
			tap.wants(t, 1, stream, stream[:1000])
		})
	}
}

func TestOrderUnderJitter(t *testing.T) {
	stream := pattern(300 * 40)
	var tap tap
	w := open(t, Config{Name: "a", Seed: 7, Upstream: server(t, func(c net.Conn) {
		io.ReadFull(c, make([]byte, 1))
		for rest := stream; len(rest) > 0; rest = rest[40:] {
			c.Write(rest[:40])
			time.Sleep(50 * time.Microsecond)
		}
	})}, Options{Delivered: tap.delivered})
	w.SetLatency(3*time.Millisecond, 3*time.Millisecond)
	c := dial(t, w.Addr())
	c.Write([]byte("x"))
	got, how := fate(c)
	if how != "fin" && how != "rst" {
		t.Errorf("ended by %s", how)
	}
	same(t, "stream", []byte(got), stream)
	tap.wants(t, 1, stream, stream)
}

// However the link's shape changes, nothing is lost, repeated or reordered.
func TestShapeChangesLoseNothing(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	sent := pattern(3 << 20)
	var tap tap
	w := open(t, Config{Name: "a", Seed: seed, Upstream: server(t, echo)}, Options{Delivered: tap.delivered})
	c := dial(t, w.Addr())
	go func() {
		for rest := sent; len(rest) > 0; {
			n := min(len(rest), 1+rng.IntN(40_000))
			c.Write(rest[:n])
			rest = rest[n:]
		}
		c.CloseWrite()
	}()
	done := make(chan struct{})
	go func() {
		defer close(done)
		rng := rand.New(rand.NewPCG(seed, 1))
		for range 150 {
			switch rng.IntN(6) {
			case 0:
				w.SetLatency(time.Duration(rng.IntN(2_000_000)), time.Duration(rng.IntN(2_000_000)))
			case 1:
				w.SetLatency(0, 0)
			case 2:
				w.SetBandwidth(float64(1_000_000 + rng.IntN(50_000_000)))
			case 3:
				w.SetBandwidth(0)
			case 4:
				w.Stall(true)
			case 5:
				w.Stall(false)
			}
			time.Sleep(time.Duration(rng.IntN(2_000_000)))
		}
		w.SetLatency(0, 0)
		w.SetBandwidth(0)
		w.Stall(false)
	}()
	got, how := fate(c)
	<-done
	if how != "fin" {
		t.Errorf("ended by %s", how)
	}
	same(t, "echo", []byte(got), sent)
	tap.wants(t, 1, sent, sent)
	until(t, "the writers are gone", func() bool { return goroutines(".drain(") == 0 })
}

// A queue that is full holds the sender up instead of growing.
func TestStallHoldsTheSenderUp(t *testing.T) {
	stream := pattern(16 << 20)
	gate := make(chan struct{})
	w := open(t, Config{Name: "a", Upstream: server(t, func(c net.Conn) {
		io.ReadFull(c, make([]byte, 1))
		c.Write(stream[:1])
		<-gate
		c.Write(stream[1:])
	})}, Options{})
	c := dial(t, w.Addr())
	c.Write([]byte("x"))
	read(t, c, 1)
	w.Stall(true)
	close(gate)
	until(t, "the queue is full", func() bool { return held(w, 1, ToClient) >= queueMax })
	if n := held(w, 1, ToClient); n > queueMax+chunkMax {
		t.Errorf("%d bytes are held", n)
	}
	w.Stall(false)
	got, _ := fate(c)
	same(t, "stream", []byte(got), stream[1:])
}

func TestReserve(t *testing.T) {
	w := open(t, Config{Name: "a", Upstream: "127.0.0.1:1"}, Options{})
	w.SetBandwidth(1000)
	free := time.Now().Add(time.Hour)
	w.free[ToServer] = free
	for i := 1; i <= 3; i++ { // one behind the other, whoever asks
		if got, want := w.reserve(ToServer, 500, 1000), free.Add(time.Duration(i)*500*time.Millisecond); !got.Equal(want) {
			t.Errorf("reservation %d ends %v after the first, want %v", i, got.Sub(free), want.Sub(free))
		}
	}
	if got := w.reserve(ToClient, 1, 1000); got.After(free) {
		t.Error("the other direction had to wait")
	}
	w.SetBandwidth(2000) // voids what is booked
	if got := w.reserve(ToServer, 500, 2000); got.After(free) {
		t.Error("a reservation outlived a change of the bandwidth")
	}
}

func TestDelayAt(t *testing.T) {
	for _, tc := range []struct {
		d    Delay
		u    float64
		want time.Duration
	}{
		{Delay{}, 1, 0},
		{Delay{Delay: 100}, 1, 100},
		{Delay{Delay: 100, Jitter: 50}, 1, 150},
		{Delay{Delay: 100, Jitter: 50}, -0.5, 75},
		{Delay{Delay: 100, Jitter: 500}, -1, 0}, // never before it was read
		{Delay{Delay: time.Hour}, 0, time.Hour},
		{Delay{Delay: 100, Jitter: 50, Spread: Normal}, 0, 100},
		{Delay{Delay: 100, Jitter: 500, Spread: Normal}, -1, 0},
		{Delay{Delay: 100, Jitter: 50, Spread: Pareto}, -1, 100}, // the least
		{Delay{Delay: 100, Jitter: 50, Spread: Pareto}, 1, 5100}, // the most
		{Delay{Delay: 100, Spread: LogNormal}, 1, 100},
	} {
		if got := tc.d.at(tc.u); got != tc.want {
			t.Errorf("%+v at %v: %v, want %v", tc.d, tc.u, got, tc.want)
		}
	}
}

func TestDue(t *testing.T) {
	at := time.Now()
	w := &Wire{cfg: Config{Name: "a", Seed: 1}}
	l := &newConn(w, 1, nil).lanes[ToClient]
	two := &path{Shape: Shape{Delays: []Delay{{Delay: time.Second}, {Delay: time.Minute}}}}
	for _, tc := range []struct {
		s    segment
		p    *path
		want time.Duration
	}{
		{segment{at: at}, &path{}, 0},
		{segment{at: at}, two, 61*time.Second + l.phase},
		{segment{at: at, until: at.Add(time.Hour)}, two, time.Hour},
		{segment{at: at, until: at.Add(time.Second)}, two, 61*time.Second + l.phase},
	} {
		if got := l.due(tc.s, tc.p).Sub(at); got != tc.want {
			t.Errorf("%+v: %v, want %v", tc.p.Shape, got, tc.want)
		}
	}
}

// Luck is the same for the same seed, wire, connection, direction and position,
// another where one of them differs, and even over all positions.
func TestLuck(t *testing.T) {
	of := func(seed uint64, name string, conn int, dir Direction) *lane {
		w := &Wire{cfg: Config{Name: name, Seed: seed}}
		return &newConn(w, conn, nil).lanes[dir]
	}
	l := of(1, "a", 1, ToClient)
	if of(1, "a", 1, ToClient).luck(100) != l.luck(100) {
		t.Error("the same luck twice differs")
	}
	for i, other := range []*lane{of(2, "a", 1, ToClient), of(1, "b", 1, ToClient), of(1, "a", 2, ToClient), of(1, "a", 1, ToServer)} {
		if other.luck(100) == l.luck(100) {
			t.Errorf("lane %d has the luck of the first", i)
		}
		if other.phase < 0 || other.phase >= time.Microsecond || other.phase%2 != time.Duration(other.dir) {
			t.Errorf("lane %d has the phase %v", i, other.phase)
		}
	}
	const n = 100_000
	var bins [10]int
	for i := range int64(n) {
		u := l.luck(i * 37)
		if u < -1 || u >= 1 {
			t.Fatalf("luck %v", u)
		}
		bins[int((u+1)*5)]++
	}
	for i, k := range bins { // binomial: a tenth ± 5 standard deviations
		if k < n/10-475 || k > n/10+475 {
			t.Errorf("%d of %d in tenth %d", k, n, i)
		}
	}
}
