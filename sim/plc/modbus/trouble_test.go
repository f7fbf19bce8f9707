package modbus_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/plantbed/plantbed/sim/plc/modbus"
)

// A device that restarts resets who is there and who comes; up again it knows
// nothing of before: counters, markers and values are 0 until the first scan.
func TestRestart(t *testing.T) {
	r := newRig(t, modbus.Config{}, modbus.Options{})
	r.scan()
	r.scan()
	c := r.dial()
	ask(t, c, "06 f000 1234")
	ask(t, c, "05 f000 ff00")
	if got := ask(t, c, "03 0000 0002"); !bytes.Equal(got, unhex("03 04 00000002")) {
		t.Fatalf("the counter is % x", got)
	}
	r.p.Switch().Restart(true, false)
	if _, err := io.ReadAll(c); err == nil {
		t.Error("a connection ended in good order by a device that lost its power")
	}
	// The reset may come before the connect has returned, or after it.
	if newcomer, err := net.Dial("tcp", r.s.Addr().String()); err == nil {
		newcomer.SetDeadline(time.Now().Add(10 * time.Second))
		newcomer.Write(request(1, 1, "03 0000 0002"))
		if _, err := newcomer.Read(make([]byte, 1)); err == nil {
			t.Error("a device that is down answers")
		}
		newcomer.Close()
	}
	r.p.Switch().Restart(false, false)
	c = r.dial()
	for pdu, want := range map[string]string{"03 0000 0004": "03 08 00*8", "03 f000 0001": "03 02 0000", "01 f000 0001": "01 01 00", "01 0000 0001": "01 01 00"} {
		if got := ask(t, c, pdu); !bytes.Equal(got, unhex(want)) {
			t.Errorf("up again, %s is answered by % x, want %s", pdu, got, want)
		}
	}
	r.scan()
	if got := ask(t, c, "03 0000 0003"); !bytes.Equal(got, unhex("03 06 00000001 0001")) {
		t.Errorf("after its first scan: % x", got)
	}
}

// Late answers are shifted: each leaves by so much later, in order, with the
// values of the time at which it was asked for, and the tap tells when.
func TestLate(t *testing.T) {
	const late = 150 * time.Millisecond
	var mu sync.Mutex
	var taps []tapped
	r := newRig(t, modbus.Config{}, modbus.Options{Tap: func(conn int, offset int64, at time.Time, items []modbus.Ref) {
		mu.Lock()
		defer mu.Unlock()
		taps = append(taps, tapped{conn, offset, append([]modbus.Ref(nil), items...)})
	}})
	r.scan()
	c := r.dial()
	r.p.Switch().Slow(late, false)
	begun := time.Now()
	const n = 10
	for i := range n {
		c.Write(request(uint16(i), 1, "03 0002 0002"))
		time.Sleep(late / n)
	}
	r.base = 5 // too late for any of them
	r.scan()
	for i := range n {
		if got, pdu, err := response(c); err != nil || int(got) != i || !bytes.Equal(pdu, unhex("03 04 0001 0001")) {
			t.Fatalf("answer %d is %d, % x, %v", i, got, pdu, err)
		}
	}
	// One after the other they would have taken ten times as long.
	if took := time.Since(begun); took < late || took > 5*late {
		t.Errorf("%d late answers took %v", n, took)
	}
	mu.Lock()
	for i, x := range taps {
		if x.offset != int64(13*(i+1)) || len(x.items) != 2 || x.items[0].Seq != 1 {
			t.Errorf("tap %d: %+v", i, x)
		}
	}
	mu.Unlock()
	r.p.Switch().Slow(0, false)
	begun = time.Now()
	ask(t, c, "03 0000 0002")
	if took := time.Since(begun); took > late {
		t.Errorf("on time again it took %v", took)
	}
}

// One answer alone is late, past the time-out of a client that asks again on
// the same connection: it is answered in order, the late one first.
func TestLateOnce(t *testing.T) {
	r := newRig(t, modbus.Config{}, modbus.Options{})
	r.scan()
	c := r.dial()
	r.p.Switch().Slow(100*time.Millisecond, true)
	begun := time.Now()
	for i := range 3 {
		c.Write(request(uint16(i), 1, "03 f000 0001"))
		time.Sleep(5 * time.Millisecond)
	}
	for i := range 3 {
		if got, _, err := response(c); err != nil || int(got) != i {
			t.Fatalf("answer %d is %d, %v", i, got, err)
		}
	}
	if took := time.Since(begun); took < 100*time.Millisecond {
		t.Errorf("nothing was late: %v", took)
	}
	for range 20 {
		begun = time.Now()
		if ask(t, c, "03 f000 0001"); time.Since(begun) < 80*time.Millisecond {
			return // the turn is over
		}
	}
	t.Error("every answer is late")
}

// More requests than may wait, and a server that ends in the middle of them.
func TestLateAndMany(t *testing.T) {
	before := runtime.NumGoroutine()
	r := newRig(t, modbus.Config{}, modbus.Options{})
	r.scan()
	r.p.Switch().Slow(30*time.Millisecond, false)
	c := r.dial()
	go func() {
		for i := range 300 {
			c.Write(request(uint16(i), 1, "03 f000 0001"))
		}
		c.(*net.TCPConn).CloseWrite()
	}()
	for i := range 300 {
		if got, _, err := response(c); err != nil || int(got) != i {
			t.Fatalf("answer %d is %d, %v", i, got, err)
		}
	}
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("behind the last answer comes %v", err)
	}
	r.p.Switch().Slow(time.Hour, false)
	waiting := r.dial()
	waiting.Write(request(1, 1, "03 f000 0001"))
	time.Sleep(20 * time.Millisecond)
	closed := make(chan bool)
	go func() { r.s.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(5 * time.Second):
		t.Fatal("the server waits for an answer that leaves in an hour")
	}
	steady(t, before)
}

// Requests are refused by kind, each with the exception that the error is in
// Modbus; a share of them is a share.
func TestRefused(t *testing.T) {
	r := newRig(t, modbus.Config{}, modbus.Options{})
	r.scan()
	c := r.dial()
	requests := map[string]string{ // PDU, kind
		"03 f000 0001": "read", "04 f000 0001": "read", "01 f000 0001": "read", "02 f000 0001": "read",
		"05 f000 ff00": "write", "06 f000 0001": "write", "0f f000 0001 01 01": "write", "10 f000 0001 02 0001": "write", "16 f000 ffff 0000": "write",
		"17 f000 0001 f000 0001 02 0001": "both", "2b 0e 01 00": "neither",
	}
	for _, x := range []struct {
		code, on string
		want     byte
	}{{"busy", "", 6}, {"device_failure", "read", 4}, {"bad_address", "write", 2}, {"no_path", "call", 10}, {"", "", 0}} {
		if err := r.p.Switch().Refuse(x.code, x.on, 1, false); err != nil {
			t.Fatal(err)
		}
		for pdu, kind := range requests {
			hit := x.code != "" && (x.on == "" || x.on == kind || kind == "both" && x.on != "call")
			got := ask(t, c, pdu)
			if (got[0]&0x80 != 0) != hit || hit && !bytes.Equal(got[1:], []byte{x.want}) {
				t.Errorf("%s on %q: %s is answered by % x", x.code, x.on, pdu, got)
			}
		}
	}
	r.p.Switch().Refuse("busy", "", 0.3, false)
	refused := 0
	for range 1000 {
		if ask(t, c, "03 f000 0001")[0] == 0x83 {
			refused++
		}
	}
	if refused < 230 || refused > 370 { // 5 sigma
		t.Errorf("%d of 1000 refused, want 300", refused)
	}
	r.p.Switch().Refuse("busy", "", 1, false)
	ask(t, c, "06 f000 4242")
	r.p.Switch().Refuse("", "", 0, false)
	if got := ask(t, c, "03 f000 0001"); bytes.Equal(got[2:], []byte{0x42, 0x42}) {
		t.Error("a refused write was done")
	}
}

// A device that is full turns away who comes and keeps who is there.
func TestFull(t *testing.T) {
	r := newRig(t, modbus.Config{}, modbus.Options{})
	c := r.dial()
	ask(t, c, "03 f000 0001")
	r.p.Switch().SessionsFull(true)
	away := r.dial()
	if _, err := io.ReadAll(away); err != nil {
		t.Errorf("turned away by %v", err)
	}
	ask(t, c, "03 f000 0001")
	r.p.Switch().SessionsFull(false)
	ask(t, r.dial(), "03 f000 0001")
}

// Tags that are gone have no address, neither as registers nor as bits; the
// rest stays where it is.
func TestGone(t *testing.T) {
	r := newRig(t, modbus.Config{}, modbus.Options{})
	r.scan()
	c := r.dial()
	if err := r.p.Switch().Gone([]string{"rw/valve", "ro/int32"}); err != nil {
		t.Fatal(err)
	}
	for pdu, want := range map[string]string{
		"03 0000 0005": "03", "03 0000 0006": "83 02", "03 0006 0001": "83 02", "04 0007 0002": "04", "03 001c 0001": "83 02", "06 001c 0001": "86 02",
		"16 001c 0000 0001": "96 02", "17 0000 0002 001c 0001 02 0001": "97 02", "01 0000 0001": "01", "01 0000 0002": "81 02", "05 0001 ff00": "85 02",
		"0f 0001 0001 01 01": "8f 02", "03 f000 0001": "03",
	} {
		if got := ask(t, c, pdu); !bytes.HasPrefix(got, unhex(want)) {
			t.Errorf("%s is answered by % x, want %s", pdu, got, want)
		}
	}
	if err := r.p.Switch().Gone(nil); err != nil {
		t.Fatal(err)
	}
	if got := ask(t, c, "03 0000 0006"); got[0] != 3 {
		t.Errorf("back again: % x", got)
	}
}

// The scan counter goes through its end to 0.
func TestCounterWraps(t *testing.T) {
	r := newRig(t, modbus.Config{}, modbus.Options{})
	r.scan()
	c := r.dial()
	r.p.Switch().WrapCounter(2)
	var seen []uint32
	for range 4 {
		r.scan()
		seen = append(seen, binary.BigEndian.Uint32(ask(t, c, "03 0000 0002")[2:]))
	}
	if got := fmt.Sprint(seen); got != "[4294967295 0 1 2]" {
		t.Errorf("the counter goes %s", got)
	}
}
