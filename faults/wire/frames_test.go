package wire

import (
	"bytes"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"
)

// mqttFrame is a packet of a type with a body of n bytes.
func mqttFrame(typ byte, body []byte) []byte {
	b := []byte{typ << 4}
	for n := len(body); ; {
		c := byte(n & 0x7F)
		if n >>= 7; n > 0 {
			b = append(b, c|0x80)
			continue
		}
		return append(append(b, c), body...)
	}
}

// modbusFrame is a frame of a transaction.
func modbusFrame(tid byte, fc byte, body []byte) []byte {
	n := 2 + len(body)
	return append([]byte{0, tid, 0, 0, byte(n >> 8), byte(n), 1, fc}, body...)
}

// However a stream falls into chunks, its frames are found where a reader of
// the whole finds them.
func TestSplitterAgainstWhole(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 300 {
		protocol := []string{FramesMQTT, FramesModbus}[rng.IntN(2)]
		var stream []byte
		var ends []int
		for range 1 + rng.IntN(20) {
			if protocol == FramesMQTT {
				stream = append(stream, mqttFrame(byte(1+rng.IntN(15)), pattern(rng.IntN([]int{3, 200, 20_000}[rng.IntN(3)])))...)
			} else {
				stream = append(stream, modbusFrame(7, byte(rng.IntN(256)), pattern(rng.IntN(250)))...)
			}
			ends = append(ends, len(stream))
		}
		var s splitter
		s.init(protocol, ToClient)
		var got []int
		pos := 0
		for rest := stream; len(rest) > 0; {
			chunk := rest[:1+rng.IntN(len(rest))]
			rest = rest[len(chunk):]
			for len(chunk) > 0 {
				n, _ := s.take(chunk)
				chunk, pos = chunk[n:], pos+n
				if s.fresh() {
					got = append(got, pos)
				}
			}
		}
		if len(got) != len(ends) || got[len(got)-1] != ends[len(ends)-1] {
			t.Fatalf("seed %d, %s: frames end at %v, want %v", seed, protocol, got, ends)
		}
		for i := range got {
			if got[i] != ends[i] {
				t.Fatalf("seed %d, %s: frames end at %v, want %v", seed, protocol, got, ends)
			}
		}
	}
}

// No stream, whatever it is and however it is cut, makes a splitter panic,
// stand still, or see other frames than in one piece.
func FuzzSplitter(f *testing.F) {
	f.Add(true, mqttFrame(3, pattern(300)), uint8(3))
	f.Add(false, append(modbusFrame(1, 3, pattern(10)), modbusFrame(2, 0x83, []byte{2})...), uint8(1))
	f.Add(true, []byte{0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F}, uint8(2))
	f.Fuzz(func(t *testing.T, mqtt bool, stream []byte, size uint8) {
		protocol := FramesModbus
		if mqtt {
			protocol = FramesMQTT
		}
		walk := func(size int) (ends []int, lost bool) {
			var s splitter
			s.init(protocol, ToClient)
			pos := 0
			for rest := stream; len(rest) > 0; {
				chunk := rest[:min(size, len(rest))]
				rest = rest[len(chunk):]
				for len(chunk) > 0 {
					n, what := s.take(chunk)
					if n < 1 || n > len(chunk) {
						t.Fatalf("took %d of %d bytes", n, len(chunk))
					}
					chunk, pos = chunk[n:], pos+n
					if what != noFrame && s.fresh() {
						ends = append(ends, pos)
					}
				}
			}
			return ends, !s.known()
		}
		whole, lost := walk(len(stream) + 1)
		cut, lost2 := walk(int(size) + 1)
		if lost != lost2 || len(whole) != len(cut) {
			t.Fatalf("in one piece %v (%v), in pieces %v (%v)", whole, lost, cut, lost2)
		}
	})
}

// Whatever rules do, what they leave alone arrives as it was sent.
func FuzzRules(f *testing.F) {
	f.Add(append(mqttFrame(3, pattern(300)), mqttFrame(4, pattern(2))...), uint8(3), uint8(0), uint8(1))
	f.Fuzz(func(t *testing.T, stream []byte, size, do, nth uint8) {
		var out []byte
		w := &Wire{cfg: Config{Name: "a", Frames: FramesMQTT}, log: slog.New(slog.DiscardHandler)}
		w.shape.Store(&shape{changed: make(chan struct{})})
		action := append(Actions(), Corrupt)[int(do)%6]
		r := Rule{ID: 1, Dir: ToClient, Do: action, Frame: "publish", Nth: 1 + int(nth)%4, Count: 2}
		if action == Corrupt {
			r.Frame, r.After = "", int64(nth)
		}
		if err := w.SetRules([]Rule{r}); err != nil {
			t.Fatal(err)
		}
		c := newConn(w, 1, nil)
		l := &c.lanes[ToClient]
		l.catch = func(b []byte, from, to int64) { out = append(out, b...) }
		pos := int64(0)
		for rest := stream; len(rest) > 0; {
			chunk := bytes.Clone(rest[:min(int(size)+1, len(rest))])
			rest = rest[len(chunk):]
			l.operate(chunk, pos)
			pos += int64(len(chunk))
		}
		l.knife.letGo(l)
		switch action {
		case Hold:
			same(t, "held", out, stream)
		case Corrupt:
			if len(out) != len(stream) {
				t.Errorf("%d bytes of %d", len(out), len(stream))
			}
		case Drop, Cut:
			if len(out) > len(stream) {
				t.Errorf("%d bytes of %d", len(out), len(stream))
			}
		case Reorder:
			if len(out) != len(stream) {
				t.Errorf("%d bytes of %d", len(out), len(stream))
			}
		case Repeat:
			if len(out) < len(stream) {
				t.Errorf("%d bytes of %d", len(out), len(stream))
			}
		}
	})
}
