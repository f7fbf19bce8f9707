package modbus

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"testing"
	"testing/iotest"
	"time"

	"github.com/plantbed/plantbed/sim"
	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/signal"
)

// fixed is an image of every type, half of it writable, that took one scan.
func fixed(t testing.TB) *plc.PLC {
	k := sim.New(1)
	var tags []plc.Tag
	for i := range 18 {
		tag := plc.Tag{ID: signal.ID([]byte{'a' + byte(i)}), Type: plc.Bool + plc.Type(i%9), Read: func(time.Duration) float64 { return float64(i % 2) }}
		if i >= 9 {
			tag.Write = func(float64) error { return nil }
		}
		tags = append(tags, tag)
	}
	p, err := plc.New(k, plc.Config{Name: "p", Protocol: "modbus", TagOrders: map[string]string{"d": "cdab", "e": "dcba", "j": "badc", "n": "dcba"}}, time.Unix(0, 0), tags)
	if err != nil {
		t.Fatal(err)
	}
	p.Start()
	k.Run(time.Second)
	return p
}

// split is the dumb parser: it cuts a stream into frames by looking at all of
// it, and says whether the rest can be the beginning of one.
func split(stream []byte) (frames [][]byte, rest []byte, ok bool) {
	for len(stream) >= 7 {
		n := int(stream[4])<<8 | int(stream[5])
		if stream[2] != 0 || stream[3] != 0 || n < 2 || n > 261 {
			return frames, stream, false
		}
		if len(stream) < 6+n {
			break
		}
		frames, stream = append(frames, stream[:6+n]), stream[6+n:]
	}
	return frames, stream, true
}

// FuzzStream feeds any bytes to the parser and every frame in them to the
// bank. The parser must find the frames that the dumb one finds; every answer
// must be one by the book; and no client may change what was latched.
func FuzzStream(f *testing.F) {
	for _, pdu := range [][]byte{
		{1, 0, 0, 0, 8}, {2, 0, 0, 0, 8}, {3, 0, 0, 0, 10}, {4, 0, 0, 0, 125}, {5, 0, 1, 0xFF, 0}, {6, 0xF0, 0, 1, 2},
		{15, 0, 0, 0, 3, 1, 7}, {16, 0xF0, 0, 0, 1, 2, 3, 4}, {22, 0xF0, 0, 0, 1, 2, 3}, {43, 14, 1, 0}, {15, 0, 0},
		{23, 0, 0, 0, 2, 0xF0, 0, 0, 1, 2, 5, 6}, {16, 0, 16, 0, 1, 2, 0, 1}, {6, 0, 16, 0, 1}, {43, 14, 4, 2},
	} {
		frame := append([]byte{0, 9, 0, 0, 0, byte(1 + len(pdu)), 1}, pdu...)
		f.Add(frame)
		f.Add(append(append([]byte{}, frame...), frame...))
		f.Add(frame[:len(frame)-1])
	}
	p := fixed(f)
	m, err := NewMap(p.Tasks())
	if err != nil {
		f.Fatal(err)
	}
	b := newBank(p, m, true)
	latched := append([]uint16(nil), b.shown.HoldingRegisters[:m.end()]...)
	id := Identity{Vendor: "v"}.withDefaults()
	f.Fuzz(func(t *testing.T, stream []byte) {
		want, rest, ok := split(stream)
		r := bufio.NewReaderSize(bytes.NewReader(stream), 64)
		var buf [maxFrame]byte
		for i := 0; ; i++ {
			req, err := readFrame(r, &buf)
			if err != nil {
				checkEnd(t, err, i, len(want), rest, ok)
				break
			}
			if i >= len(want) || !bytes.Equal(req.append(nil), want[i]) {
				t.Fatalf("frame %d is %+v", i, req)
			}
			asked := req.pdu.function
			items := b.answer(&req.pdu, &id, nil)
			checkAnswer(t, b, asked, &req, items)
		}
		for i, w := range latched {
			if b.shown.HoldingRegisters[i] != w {
				t.Fatalf("register %d went from %d to %d", i, w, b.shown.HoldingRegisters[i])
			}
		}
	})
}

func checkEnd(t *testing.T, err error, got, want int, rest []byte, ok bool) {
	t.Helper()
	if got != want {
		t.Fatalf("%d frames, want %d: %v", got, want, err)
	}
	cut := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	if cut != ok || len(rest) == 0 && err != io.EOF {
		t.Fatalf("%d bytes are left, %v is the error", len(rest), err)
	}
}

func checkAnswer(t *testing.T, b *bank, asked byte, f *frame, items []Ref) {
	t.Helper()
	p := &f.pdu
	if len(p.data)+1 > maxPDU {
		t.Fatalf("function %d is answered by %d bytes", asked, len(p.data)+1)
	}
	switch {
	case p.function == asked|0x80:
		if len(p.data) != 1 || p.data[0] < 1 || p.data[0] > 4 || len(items) > 0 {
			t.Fatalf("function %d: exception % x with %d samples", asked, p.data, len(items))
		}
	case p.function != asked:
		t.Fatalf("function %d is answered as %d", asked, p.function)
	case asked <= readInput || asked == readWrite:
		if int(p.data[0]) != len(p.data)-1 {
			t.Fatalf("function %d: count %d, %d bytes", asked, p.data[0], len(p.data)-1)
		}
	}
	for _, r := range items {
		if r.Task != 0 || r.Index >= len(b.m.Registers) || r.Seq != 1 {
			t.Fatalf("sample %+v", r)
		}
	}
}

// A frame is whole in the buffer, or it is not, wherever the stream is cut.
func TestWhole(t *testing.T) {
	frame := []byte{0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1}
	for n := range len(frame) + 3 {
		stream := append(append([]byte{}, frame...), frame...)[:n]
		r := bufio.NewReader(bytes.NewReader(stream))
		r.Peek(1)
		if got, want := whole(r), n >= len(frame); got != want {
			t.Errorf("%d bytes: whole is %v", n, got)
		}
	}
}

func TestFrameByteByByte(t *testing.T) {
	frame := []byte{0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1}
	var buf [maxFrame]byte
	got, err := readFrame(iotest.OneByteReader(bytes.NewReader(frame)), &buf)
	if err != nil || !bytes.Equal(got.append(nil), frame) {
		t.Errorf("%+v, %v", got, err)
	}
}

// Registers are held against bytes in the order that the order's name spells,
// and a client decodes exactly what was latched.
func TestWordsAgainstBytes(t *testing.T) {
	rng := sim.Rand(1, "words")
	// Where each byte of a value, the highest first, lies in its registers.
	places := map[plc.Order]map[int][]int{
		plc.ABCD: {2: {0, 1}, 4: {0, 1, 2, 3}, 8: {0, 1, 2, 3, 4, 5, 6, 7}},
		plc.CDAB: {2: {0, 1}, 4: {2, 3, 0, 1}, 8: {6, 7, 4, 5, 2, 3, 0, 1}},
		plc.BADC: {2: {1, 0}, 4: {1, 0, 3, 2}, 8: {1, 0, 3, 2, 5, 4, 7, 6}},
		plc.DCBA: {2: {1, 0}, 4: {3, 2, 1, 0}, 8: {7, 6, 5, 4, 3, 2, 1, 0}},
	}
	for range 5_000 {
		bits := rng.Uint64() >> (rng.IntN(2) * 14)
		for typ, want := range map[plc.Type]float64{
			plc.Int16: float64(int16(bits>>48)) * 0.1, plc.UInt16: float64(uint16(bits>>48)) * 0.1,
			plc.Int32: float64(int32(bits>>32)) * 0.1, plc.UInt32: float64(uint32(bits>>32)) * 0.1,
			plc.Int64: float64(int64(bits)) * 0.1, plc.UInt64: float64(bits) * 0.1,
			plc.Float32: float64(math.Float32frombits(uint32(bits >> 32))), plc.Float64: math.Float64frombits(bits),
		} {
			for order, place := range places {
				var high, wire [8]byte
				binary.BigEndian.PutUint64(high[:], bits)
				n := 2 * words(typ)
				for i, to := range place[n] {
					wire[to] = high[i]
				}
				var regs [4]uint16
				for i := range n / 2 {
					regs[i] = binary.BigEndian.Uint16(wire[2*i:])
				}
				r := &Register{Type: typ, Scale: 0.1, Order: order}
				got := decode(regs[:], r)
				if got != want && !math.IsNaN(want) {
					t.Fatalf("%v %v of %x is %v, want %v", typ, order, bits, got, want)
				}
				var back [4]uint16
				encode(back[:], r, got)
				// With a scale, a float64 keeps counts apart up to 2^51.
				exact := typ != plc.Int64 && typ != plc.UInt64 || int64(bits) < 1<<51 && int64(bits) >= 0
				if !math.IsNaN(got) && exact && back != regs {
					t.Fatalf("%v %v: %v is encoded as %x, want %x", typ, order, got, back, regs)
				}
			}
		}
		bits >>= rng.IntN(64) // 64-bit counts that come back whole
		r := &Register{Type: plc.Int64, Scale: 1, Order: plc.Order(bits % 4)}
		var regs [4]uint16
		want := float64(int64(bits) >> 11)
		if encode(regs[:], r, want); decode(regs[:], r) != want {
			t.Fatalf("%v comes back as %v", want, decode(regs[:], r))
		}
	}
}
