package modbus_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim"
	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/plc/modbus"
)

func Example() {
	k := sim.New(42)
	level := plc.Tag{ID: "tank/level", Unit: "m", Hi: 4, Type: plc.Int16, Scale: 0.001, Read: func(time.Duration) float64 { return 2 }}
	p, err := plc.New(k, plc.Config{Name: "plc-tank", Protocol: "modbus"}, time.Now(), []plc.Tag{level})
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := modbus.Listen(modbus.Config{}, p, modbus.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	for _, b := range s.Map().Blocks {
		fmt.Printf("block of %d registers from %d\n", b.Count, b.Start)
	}
	for _, r := range s.Map().Registers {
		fmt.Println(r.Address, r.ID, r.Type, r.Scale)
	}
	// Output:
	// block of 3 registers from 0
	// 2 tank/level int16 0.001
}

// A request may come byte by byte, and many may come in one segment.
func TestSplitAndPipelined(t *testing.T) {
	r := newRig(t, modbus.Config{}, modbus.Options{})
	r.scan()
	c := r.dial()
	for _, b := range request(1, 1, "03 0003 0001") {
		if _, err := c.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
	if n, pdu, err := response(c); err != nil || n != 1 || !bytes.Equal(pdu, unhex("03 02 0001")) {
		t.Fatalf("byte by byte: %d, % x, %v", n, pdu, err)
	}
	var all []byte
	const n = 300
	for i := range n {
		all = append(all, request(uint16(i), 1, fmt.Sprintf("06 f000 %04x", i))...)
		all = append(all, request(uint16(i), 1, "03 f000 0001")...)
	}
	go func() { // in pieces that end anywhere
		for len(all) > 0 {
			k := min(len(all), 977)
			c.Write(all[:k])
			all = all[k:]
		}
	}()
	for i := range n {
		if got, _, err := response(c); err != nil || int(got) != i {
			t.Fatalf("write %d is answered as %d, %v", i, got, err)
		}
		if got, pdu, err := response(c); err != nil || int(got) != i || int(binary.BigEndian.Uint16(pdu[2:])) != i {
			t.Fatalf("read %d is answered as %d with % x, %v", i, got, pdu, err)
		}
	}
}

// tapped is one call of a tap.
type tapped struct {
	conn   int
	offset int64
	items  []modbus.Ref
}

// What the tap says of a response is what a client that counts bytes sees: the
// offset at its end, and the samples whose registers it holds.
func TestTap(t *testing.T) {
	var taps []tapped
	var mu sync.Mutex
	opt := modbus.Options{
		Tap: func(conn int, offset int64, at time.Time, items []modbus.Ref) {
			mu.Lock()
			defer mu.Unlock()
			taps = append(taps, tapped{conn, offset, append([]modbus.Ref(nil), items...)})
		},
		Accept: func(net.Addr) (int, bool) { return 42, true },
	}
	r := newRig(t, modbus.Config{}, opt)
	c := r.dial()
	var received int64
	read := func(pdu, want string) {
		t.Helper()
		answer := ask(t, c, pdu)
		received += int64(7 + len(answer))
		mu.Lock()
		defer mu.Unlock()
		got := "none"
		if len(taps) > 0 {
			if x := taps[0]; x.conn != 42 || x.offset != received {
				t.Errorf("%s: connection %d, offset %d, want 42, %d", pdu, x.conn, x.offset, received)
			}
			got = fmt.Sprint(taps[0].items)
		}
		if got != want || len(taps) > 1 {
			t.Errorf("%s: tapped %s (%d times), want %s", pdu, got, len(taps), want)
		}
		taps = nil
	}
	read("03 0000 0020", "none") // nothing scanned yet
	r.scan()
	read("03 0000 0004", "[{0 0 1} {0 1 1}]")           // counter, bool, int16
	read("04 0006 0003", "[{0 4 1}]")                   // half an int32, a whole uint32
	read("03 0009 0005", "[{0 5 1}]")                   // a float, three quarters of a double
	read("03 000b 0004", "[{0 6 1}]")                   // the double
	read("03 000c 0003", "none")                        // three quarters of it
	read("03 0018 0005", "[{0 11 1} {0 12 1}]")         // up to the counter of the next block
	read("03 001c 0004", "[{0 12 1} {1 0 10}]")         // over the border of two tasks
	read("03 f000 0004", "none")                        // markers
	read("01 f000 0008", "none")                        // marker bits
	read("01 0000 0002", "[{0 0 1} {0 12 1}]")          // bool tags as coils
	read("02 0001 0001", "[{0 12 1}]")                  // and as discrete inputs
	read("03 1000 0001", "none")                        // an exception
	read("10 000f 0002 04 3f800000", "none")            // a write
	read("17 0002 0001 f000 0001 02 1234", "[{0 0 1}]") // read and write
	r.scan()
	read("03 0002 0001", "[{0 0 2}]")
}

// A client that leaves in the middle of everything: each response that was
// written has its tap, in the order of its bytes.
func TestTapOffsetsGrow(t *testing.T) {
	var mu sync.Mutex
	var offsets []int64
	r := newRig(t, modbus.Config{}, modbus.Options{Tap: func(_ int, offset int64, _ time.Time, _ []modbus.Ref) {
		mu.Lock()
		offsets = append(offsets, offset)
		mu.Unlock()
	}})
	r.scan()
	c := r.dial()
	for i := range 100 {
		c.Write(request(uint16(i), 1, fmt.Sprintf("03 0000 %04x", 3+i%20)))
	}
	c.(*net.TCPConn).CloseWrite()
	received, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	end := int64(0)
	for i := range 100 {
		end += int64(9 + 2*(3+i%20))
		if offsets[i] != end {
			t.Fatalf("response %d ends at %d, want %d", i, offsets[i], end)
		}
	}
	if int64(len(received)) != end || len(offsets) != 100 {
		t.Errorf("%d bytes received and %d responses, want %d and 100", len(received), len(offsets), end)
	}
}

// While the world runs on, every read shows one scan of each task and never
// parts of two; the race detector watches.
func TestNoTornBlocks(t *testing.T) {
	k := sim.New(1)
	var scan uint32
	var tags []plc.Tag
	value := func(i int) func(time.Duration) float64 {
		return func(time.Duration) float64 {
			if i == 0 {
				scan++
			}
			return float64(scan) * 65537 // both words change
		}
	}
	for i := range 60 {
		tags = append(tags, plc.Tag{ID: signalID(i), Type: plc.UInt32, Read: value(i)})
	}
	p, err := plc.New(k, plc.Config{Name: "p", Protocol: "modbus"}, time.Unix(0, 0), tags)
	if err != nil {
		t.Fatal(err)
	}
	s, err := modbus.Listen(modbus.Config{}, p, modbus.Options{Tap: func(int, int64, time.Time, []modbus.Ref) {}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	p.Start()
	r := &rig{t: t, s: s}
	var wg sync.WaitGroup
	for range 4 {
		c := r.dial()
		wg.Add(1)
		go func() {
			defer wg.Done()
			for range 400 {
				pdu := ask(t, c, "03 0000 007a")
				seq := binary.BigEndian.Uint32(pdu[2:])
				for i := range 60 {
					if v := binary.BigEndian.Uint32(pdu[6+4*i:]); v != seq*65537 {
						t.Errorf("tag %d is %d in scan %d", i, v, seq)
						return
					}
				}
			}
		}()
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for {
		select {
		case <-done:
			return
		default:
			k.Run(k.Now() + 10*time.Second)
			runtime.Gosched()
		}
	}
}

// Nothing that a client sends or leaves out costs another client anything.
func TestBadClientsCostOnlyThemselves(t *testing.T) {
	before := runtime.NumGoroutine()
	r := newRig(t, modbus.Config{}, modbus.Options{})
	good := r.connect()
	r.dial() // silent
	half := r.dial()
	half.Write(request(1, 1, "03 0000 0001")[:9])
	deaf := r.dial() // asks for more than it ever reads
	go deaf.Write(bytes.Repeat(request(1, 1, "03 f000 007d"), 20_000))
	for _, garbage := range [][]byte{
		[]byte("GET / HTTP/1.1\r\nHost: plc\r\n\r\n"),
		{0, 1, 0, 0, 0, 1, 1},                   // no function
		{0, 1, 0, 0, 0, 0, 1},                   // no unit
		{0, 1, 0, 0, 0xFF, 0xFF, 1, 3, 0, 0, 0}, // a length that cannot be
		{0, 1, 0, 1, 0, 6, 1, 3, 0, 0, 0, 1},    // another protocol
	} {
		c := r.dial()
		c.Write(garbage)
		if _, err := io.ReadAll(c); err != nil && !strings.Contains(err.Error(), "reset") {
			t.Errorf("% x: %v, want the end of the connection", garbage, err)
		}
	}
	for i := range 14 { // gone at every byte of a request
		c := r.dial()
		c.Write(request(1, 1, "03 0000 0001")[:min(i, 12)])
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}
	for range 50 {
		if _, err := good.ReadHoldingRegisters(ctx, 0, 10); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.s.Close(); err != nil {
		t.Error(err)
	}
	if err := r.s.Close(); err != nil {
		t.Errorf("closed twice: %v", err)
	}
	if _, err := good.ReadHoldingRegisters(ctx, 0, 10); err == nil {
		t.Error("a closed server answers")
	}
	deaf.Close()
	half.Close()
	steady(t, before+1) // the good client's own idle timer may remain
}

// A frame that is begun must come to its end in time, and where a pause between
// frames is limited, that too ends the connection.
func TestHalfFrameAndIdle(t *testing.T) {
	limit := strict.Duration(30 * time.Millisecond)
	half := newRig(t, modbus.Config{Frame: limit}, modbus.Options{}).dial()
	half.Write(request(1, 1, "03 f000 0001")[:9])
	if _, err := io.ReadAll(half); err != nil {
		t.Errorf("half a frame: %v, want the end of the connection", err)
	}
	idle := newRig(t, modbus.Config{Idle: limit}, modbus.Options{}).dial()
	if _, err := io.ReadAll(idle); err != nil {
		t.Errorf("idle: %v, want the end of the connection", err)
	}
}

func TestAccept(t *testing.T) {
	var asked []string
	r := newRig(t, modbus.Config{}, modbus.Options{Accept: func(remote net.Addr) (int, bool) {
		asked = append(asked, remote.String())
		return 0, len(asked) > 1
	}})
	away := r.dial()
	if _, err := io.ReadAll(away); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("turned away: %v", err)
	}
	c := r.dial()
	ask(t, c, "03 f000 0001")
	if len(asked) != 2 || asked[0] != away.LocalAddr().String() || asked[1] != c.LocalAddr().String() {
		t.Errorf("asked about %v", asked)
	}
}

// A connection that is being admitted while the server closes is closed too.
func TestCloseWhileAdmitting(t *testing.T) {
	closed := make(chan error, 1)
	var r *rig
	ready := make(chan struct{})
	opt := modbus.Options{Accept: func(net.Addr) (int, bool) {
		<-ready
		go func() { closed <- r.s.Close() }()
		for { // until Close has been here
			c, err := net.Dial("tcp", r.s.Addr().String())
			if err != nil {
				return 0, true
			}
			c.Close()
			time.Sleep(time.Millisecond)
		}
	}}
	r = newRig(t, modbus.Config{}, opt)
	c := r.dial()
	close(ready)
	if _, err := io.ReadAll(c); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("got %v, want the end of the connection", err)
	}
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

func TestConnectionsAreCounted(t *testing.T) {
	ids := make(chan int, 3)
	r := newRig(t, modbus.Config{}, modbus.Options{Tap: func(conn int, _ int64, _ time.Time, _ []modbus.Ref) { ids <- conn }})
	r.scan()
	for want := range 3 {
		ask(t, r.dial(), "03 0002 0001")
		if got := <-ids; got != want {
			t.Errorf("connection %d, want %d", got, want)
		}
	}
}

func TestListenRefuses(t *testing.T) {
	r := newRig(t, modbus.Config{}, modbus.Options{})
	taken := r.s.Addr().String()
	for _, c := range []struct {
		cfg  modbus.Config
		want string
	}{
		{modbus.Config{Addr: taken}, "in use"},
		{modbus.Config{Addr: "5020"}, "addr"},
		{modbus.Config{Unit: 250}, "unit"},
		{modbus.Config{WrongUnit: "shrug"}, "wrong_unit"},
		{modbus.Config{Idle: -1}, "idle"},
		{modbus.Config{Frame: -1}, "frame"},
	} {
		_, err := modbus.Listen(c.cfg, r.p, modbus.Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "plc-1") {
			t.Errorf("%+v: got %v, want something about %q", c.cfg, err, c.want)
		}
	}
}

// A server that comes up while the device runs shows its last scan at once.
func TestServerAfterStart(t *testing.T) {
	r := newRig(t, modbus.Config{}, modbus.Options{})
	r.scan()
	s, err := modbus.Listen(modbus.Config{}, r.p, modbus.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r.s = s
	if got := ask(t, r.dial(), "03 0000 0004"); !bytes.Equal(got, unhex("03 08 00000001 0001 0001")) {
		t.Errorf("got % x", got)
	}
}

// Servers come and go without leaving anything behind.
func TestNoGoroutineLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 20 {
		r := newRig(t, modbus.Config{}, modbus.Options{})
		for range 5 {
			ask(t, r.dial(), "03 f000 0001")
		}
		r.s.Close()
		if _, err := net.Dial("tcp", r.s.Addr().String()); err == nil {
			t.Fatal("the port is still open")
		} else if errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
	}
	steady(t, before)
}
