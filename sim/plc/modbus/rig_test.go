package modbus_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	client "github.com/grid-x/modbus"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim"
	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/plc/modbus"
	"github.com/plantbed/plantbed/sim/signal"
)

// rig is a small PLC behind a server, and the machine that it drives.
type rig struct {
	t testing.TB
	k *sim.Kernel
	p *plc.PLC
	s *modbus.Server
	// base is added to every reading of the machine.
	base float64
	// speed and level are what clients have set.
	speed, level float64
	total        float64
	valve        bool
}

// newRig serves one tag of every type twice: "ro" tags that read base plus
// their number, and tags that can be written. Nothing is scanned yet.
//
//	 0 counter | 2 ro/bool | 3 ro/int16 | 4 ro/uint16 | 5 ro/int32 | 7 ro/uint32
//	 9 ro/float | 11 ro/double | 15 speed (float) | 17 level (int16, 0.1) | 18 count (int32)
//	20 ro/int64 | 24 rw/total (uint64) | 28 rw/valve (bool)
//	29 counter of fast | 31 fast/int16
//
// Coils and discrete inputs: 0 ro/bool | 1 rw/valve.
func newRig(t testing.TB, cfg modbus.Config, opt modbus.Options) *rig {
	t.Helper()
	return newRigOf(t, plc.Config{}, cfg, opt)
}

// valveRegister is where rw/valve stands.
const valveRegister = 28

// newRigOf is newRig with another order of bytes.
func newRigOf(t testing.TB, orders plc.Config, cfg modbus.Config, opt modbus.Options) *rig {
	t.Helper()
	r := &rig{t: t, k: sim.New(1)}
	read := func(n float64) func(time.Duration) float64 {
		return func(time.Duration) float64 { return r.base + n }
	}
	tags := []plc.Tag{{ID: "ro/bool", Type: plc.Bool, Read: func(time.Duration) float64 { return 1 }}}
	for i, name := range []string{"int16", "uint16", "int32", "uint32", "float", "double"} {
		typ, err := plc.ParseType(name)
		if err != nil {
			t.Fatal(err)
		}
		tags = append(tags, plc.Tag{ID: signal.ID("ro/" + name), Type: typ, Read: read(float64(i + 1))})
	}
	tags = append(tags,
		plc.Tag{ID: "rw/speed", Type: plc.Float32, Lo: -1e6, Hi: 1e6, Read: func(time.Duration) float64 { return r.speed }, Write: func(v float64) error { r.speed = v; return nil }},
		plc.Tag{ID: "rw/level", Type: plc.Int16, Scale: 0.1, Lo: -100, Hi: 100, Read: func(time.Duration) float64 { return r.level }, Write: func(v float64) error { r.level = v; return nil }},
		plc.Tag{ID: "rw/count", Type: plc.Int32, Read: read(0), Write: func(v float64) error { r.base = v; return nil }},
		plc.Tag{ID: "ro/int64", Type: plc.Int64, Read: read(8)},
		plc.Tag{ID: "rw/total", Type: plc.UInt64, Read: func(time.Duration) float64 { return r.total }, Write: func(v float64) error { r.total = v; return nil }},
		plc.Tag{ID: "rw/valve", Type: plc.Bool, Read: func(time.Duration) float64 { return map[bool]float64{true: 1}[r.valve] }, Write: func(v float64) error { r.valve = v != 0; return nil }},
		plc.Tag{ID: "fast/int16", Type: plc.Int16, Read: read(7)},
	)
	var err error
	r.p, err = plc.New(r.k, plc.Config{
		Name: "plc-1", Protocol: "modbus", FastScan: strict.Duration(100 * time.Millisecond), FastTags: []string{"fast/int16"},
		Order: orders.Order, TagOrders: orders.TagOrders,
	}, time.Unix(0, 0), tags)
	if err != nil {
		t.Fatal(err)
	}
	r.s, err = modbus.Listen(cfg, r.p, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.s.Close() })
	r.p.Start()
	return r
}

// scan runs the world for a second: one slow scan and ten fast ones.
func (r *rig) scan() { r.k.Run(r.k.Now() + time.Second) }

// connect is a client that nobody here wrote.
func (r *rig) connect() client.Client {
	r.t.Helper()
	h := client.NewTCPClientHandler(r.s.Addr().String())
	h.SlaveID, h.Timeout = 1, 5*time.Second
	r.t.Cleanup(func() { h.Close() })
	return client.NewClient(h)
}

// dial is a bare connection, with a deadline so that no test hangs.
func (r *rig) dial() net.Conn {
	r.t.Helper()
	c, err := net.Dial("tcp", r.s.Addr().String())
	if err != nil {
		r.t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(10 * time.Second))
	r.t.Cleanup(func() { c.Close() })
	return c
}

// request is a frame of transaction n around a PDU in hex.
func request(n uint16, unit byte, pdu string) []byte {
	body := unhex(pdu)
	f := binary.BigEndian.AppendUint16(nil, n)
	f = append(f, 0, 0)
	f = binary.BigEndian.AppendUint16(f, uint16(1+len(body)))
	return append(append(f, unit), body...)
}

// unhex reads hex with spaces; "00*3" is three times 00.
func unhex(s string) []byte {
	var out []byte
	for _, part := range strings.Fields(s) {
		text, n := part, 1
		if i := strings.IndexByte(part, '*'); i > 0 {
			text = part[:i]
			fmt.Sscan(part[i+1:], &n)
		}
		b, err := hex.DecodeString(text)
		if err != nil {
			panic(err)
		}
		out = append(out, bytes.Repeat(b, n)...)
	}
	return out
}

// response reads one frame and gives its transaction and PDU.
func response(c io.Reader) (uint16, []byte, error) {
	var head [7]byte
	if _, err := io.ReadFull(c, head[:]); err != nil {
		return 0, nil, err
	}
	pdu := make([]byte, int(binary.BigEndian.Uint16(head[4:]))-1)
	_, err := io.ReadFull(c, pdu)
	return binary.BigEndian.Uint16(head[:]), pdu, err
}

// ask sends a PDU in hex and gives the one that comes back.
func ask(t testing.TB, c net.Conn, pdu string) []byte {
	t.Helper()
	if _, err := c.Write(request(77, 1, pdu)); err != nil {
		t.Fatal(err)
	}
	n, answer, err := response(c)
	if err != nil || n != 77 {
		t.Fatalf("%s: transaction %d, %v", pdu, n, err)
	}
	return answer
}

// exception is the code that a client was told, 0 for none.
func exception(err error) byte {
	var e *client.Error
	if errors.As(err, &e) {
		return e.ExceptionCode
	}
	return 0
}

// steady waits until no more goroutines run than before.
func steady(t *testing.T, before int) {
	t.Helper()
	for range 400 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	buf := make([]byte, 1<<16)
	t.Errorf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
}

func signalID(i int) signal.ID { return signal.ID(fmt.Sprint("t/", i)) }
