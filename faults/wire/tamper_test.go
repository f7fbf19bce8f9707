package wire

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"testing"
	"time"
)

// Swallowed bytes are sent but not delivered, and what follows keeps its place.
func TestTamperPositions(t *testing.T) {
	chunks := [][]byte{[]byte("0123456789"), []byte("abcdefghij"), []byte("ABCDEFGHIJ")}
	sent := slices.Concat(chunks...)
	for name, tc := range map[string]struct {
		hook  func([]byte) []byte // for the second chunk
		want  string
		spans []span
	}{
		"all":            {func([]byte) []byte { return nil }, "0123456789ABCDEFGHIJ", []span{{0, 10}, {20, 30}}},
		"beginning":      {func(b []byte) []byte { return b[4:] }, "0123456789efghijABCDEFGHIJ", []span{{0, 10}, {14, 20}, {20, 30}}},
		"end":            {func(b []byte) []byte { return b[:4] }, "0123456789abcdABCDEFGHIJ", []span{{0, 10}, {10, 14}, {20, 30}}},
		"middle":         {func(b []byte) []byte { return append(b[:3], b[7:]...) }, "0123456789abchijABCDEFGHIJ", []span{{0, 10}, {10, 13}, {17, 20}, {20, 30}}},
		"changed":        {func(b []byte) []byte { b[0] = '!'; return b }, "0123456789!bcdefghijABCDEFGHIJ", []span{{0, 10}, {10, 20}, {20, 30}}},
		"longer":         {func(b []byte) []byte { return []byte("something longer") }, "0123456789something longerABCDEFGHIJ", []span{{0, 10}, {10, 20}, {20, 30}}},
		"nothing at all": {func(b []byte) []byte { return b }, string(sent), []span{{0, 10}, {10, 20}, {20, 30}}},
	} {
		for _, delay := range []time.Duration{0, time.Millisecond} {
			t.Run(name, func(t *testing.T) {
				var tap tap
				tampered := make(chan struct{}, 9)
				up := server(t, func(c net.Conn) {
					io.ReadFull(c, make([]byte, 1))
					for _, b := range chunks { // each in a chunk of its own
						c.Write(b)
						<-tampered
					}
				})
				k := 0
				w := open(t, Config{Name: "a", Upstream: up}, Options{Delivered: tap.delivered, Tamper: func(conn int, toClient bool, b []byte) []byte {
					if !toClient {
						return b
					}
					defer func() { tampered <- struct{}{} }()
					if k++; k == 2 {
						return tc.hook(b)
					}
					return b
				}})
				w.SetLatency(delay, delay)
				c := dial(t, w.Addr())
				c.Write([]byte("x"))
				if got, _ := fate(c); got != tc.want {
					t.Errorf("client got %q, want %q", got, tc.want)
				}
				tap.mu.Lock() // all calls came before the end of the stream
				defer tap.mu.Unlock()
				if !slices.Equal(tap.spans[1], tc.spans) {
					t.Errorf("delivered %v, want %v", tap.spans[1], tc.spans)
				}
			})
		}
	}
}

// Whatever is cut out at random, the delivered ranges of what the server sent
// are exactly the bytes that the client got.
func TestTamperAtRandom(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	sent := pattern(2 << 20)
	for i := range sent {
		sent[i] &= 3 // with many repetitions, so that a cut is hard to place
	}
	swallowed := 0
	var tap tap
	w := open(t, Config{Name: "a", Seed: seed, Upstream: server(t, func(c net.Conn) {
		io.ReadFull(c, make([]byte, 1))
		c.Write(sent)
	})}, Options{Delivered: tap.delivered, Tamper: func(_ int, toClient bool, b []byte) []byte {
		if !toClient || rng.IntN(3) > 0 {
			return b
		}
		from := rng.IntN(len(b))
		to := from + 1 + rng.IntN(min(len(b)-from, 100))
		swallowed += to - from
		return append(b[:from], b[to:]...)
	}})
	w.SetLatency(200*time.Microsecond, 100*time.Microsecond)
	c := dial(t, w.Addr())
	c.Write([]byte("x"))
	got, _ := fate(c)
	delivered := tap.of(t, 1, sent)
	if !bytes.Equal(delivered, []byte(got)) {
		t.Fatalf("%d bytes delivered by the tap, %d received", len(delivered), len(got))
	}
	if swallowed == 0 || len(got) != len(sent)-swallowed {
		t.Errorf("%d bytes sent, %d swallowed, %d received", len(sent), swallowed, len(got))
	}
}

// A wire with a hook has its faults all the same, where the hook makes bytes
// no longer, and its frames are counted on where it does.
func TestTamperAndRules(t *testing.T) {
	fs := mqttStream()
	extra := mqttFrame(4, []byte{9, 9})
	up := server(t, func(c net.Conn) {
		for _, f := range fs {
			io.ReadFull(c, make([]byte, 1)) // each in a chunk of its own
			c.Write(f)
		}
	})
	w := open(t, Config{Name: "a", Upstream: up, Frames: FramesMQTT}, Options{Tamper: func(_ int, toClient bool, b []byte) []byte {
		switch {
		case toClient && bytes.Equal(b, fs[0]):
			return append(bytes.Clone(b), extra...)
		case toClient && bytes.Equal(b, fs[2]):
			b[len(b)-1] = '!'
		}
		return b
	}})
	if err := w.SetRules([]Rule{{ID: 1, Dir: ToClient, Do: Drop, Frame: "publish", Nth: 2, Count: 1}}); err != nil {
		t.Fatal(err)
	}
	c, got := dial(t, w.Addr()), []byte(nil)
	changed := bytes.Clone(fs[2])
	changed[len(changed)-1] = '!'
	for _, f := range [][]byte{slices.Concat(fs[0], extra), fs[1], changed, fs[3], nil, fs[5]} {
		c.Write([]byte("x"))
		b := make([]byte, len(f))
		io.ReadFull(c, b)
		got = append(got, b...)
	}
	// The first publish was made longer, so that no rule has seen it.
	same(t, "the stream", got, slices.Concat(fs[0], extra, fs[1], changed, fs[3], fs[5]))
}

// The other direction can be tapped instead.
func TestTapToServer(t *testing.T) {
	var tap tap
	w := open(t, Config{Name: "a", Tapped: ToServer, Upstream: server(t, echo)}, Options{Delivered: tap.delivered})
	c := dial(t, w.Addr())
	ask(t, c, "hello", "hello")
	tap.wants(t, 1, []byte("hello"), []byte("hello"))
}
