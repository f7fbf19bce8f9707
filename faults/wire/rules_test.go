package wire

import (
	"bytes"
	"io"
	"net"
	"slices"
	"testing"
	"time"
)

// frames a..e are publishes, acks in between; told apart by their bodies.
func mqttStream() (all [][]byte) {
	for i := range 5 {
		all = append(all, mqttFrame(3, bytes.Repeat([]byte{byte('a' + i)}, 40+i*50)), mqttFrame(4, []byte{0, byte(i)}))
	}
	return all
}

// What each action makes of the second publish, and where the tap says that
// the server's bytes are.
func TestRulesOnFrames(t *testing.T) {
	fs := mqttStream()
	all := slices.Concat(fs...)
	for _, tc := range []struct {
		do   string
		want []byte
		told []byte // of the server's stream, as the tap has it
		end  string
	}{
		{Hold, all, all, "fin"},
		{Drop, slices.Concat(fs[0], fs[1], slices.Concat(fs[3:]...)), slices.Concat(fs[0], fs[1], slices.Concat(fs[3:]...)), "fin"},
		{Repeat, slices.Concat(fs[0], fs[1], fs[2], slices.Concat(fs[2:]...)), all, "fin"},
		{Reorder, slices.Concat(fs[0], fs[1], fs[3], fs[2], slices.Concat(fs[4:]...)), all, "fin"},
		{Cut, slices.Concat(fs[0], fs[1]), slices.Concat(fs[0], fs[1]), "rst"},
	} {
		for _, chunk := range []int{1, 3, 64, len(all)} {
			for _, slow := range []bool{false, true} {
				t.Run(tc.do, func(t *testing.T) {
					var tap tap
					up := server(t, func(c net.Conn) {
						io.ReadFull(c, make([]byte, 1))
						for rest := all; len(rest) > 0; {
							n := min(chunk, len(rest))
							if _, err := c.Write(rest[:n]); err != nil {
								return
							}
							rest = rest[n:]
						}
					})
					w := open(t, Config{Name: "a", Upstream: up, Frames: FramesMQTT}, Options{Delivered: tap.delivered})
					if slow {
						w.SetLatency(time.Millisecond, 0)
					}
					if err := w.SetRules([]Rule{{ID: 1, Dir: ToClient, Do: tc.do, Frame: "publish", Nth: 2, Count: 1, Hold: 5 * time.Millisecond}}); err != nil {
						t.Fatal(err)
					}
					c := dial(t, w.Addr())
					c.Write([]byte("x"))
					got, end := fate(c)
					same(t, "came", []byte(got), tc.want)
					if end != tc.end && !(tc.do == Cut && end == "rst") && end != "rst" {
						t.Errorf("ended by %s, want %s", end, tc.end)
					}
					tap.wants(t, 1, all, tc.told)
				})
			}
		}
	}
}

// One byte is another, and it alone is not delivered; the connection is cut
// where it is said, and so is the next one.
func TestRulesOnBytes(t *testing.T) {
	sent := pattern(1000)
	up := server(t, func(c net.Conn) {
		io.ReadFull(c, make([]byte, 1))
		c.Write(sent[:400])
		time.Sleep(2 * time.Millisecond)
		c.Write(sent[400:])
	})
	var tap tap
	w := open(t, Config{Name: "a", Upstream: up}, Options{Delivered: tap.delivered})
	rules := []Rule{{ID: 1, Dir: ToClient, Do: Corrupt, After: 450}, {ID: 2, Dir: ToClient, Do: Cut, After: 700}}
	if err := w.SetRules(rules); err != nil {
		t.Fatal(err)
	}
	for conn := 1; conn <= 2; conn++ {
		c := dial(t, w.Addr())
		c.Write([]byte("x"))
		text, end := fate(c)
		got := []byte(text)
		if len(got) != 700 || end != "rst" {
			t.Fatalf("%d bytes, then %s", len(got), end)
		}
		if x := got[450] ^ sent[450]; x == 0 || x&(x-1) != 0 {
			t.Errorf("byte 450 is %02x and was %02x", got[450], sent[450])
		}
		got[450] = sent[450]
		same(t, "the others", got, sent[:700])
		tap.wants(t, conn, sent, slices.Concat(sent[:450], sent[451:700]))
	}
	w.SetRules(nil)
	c := dial(t, w.Addr())
	c.Write([]byte("x"))
	got, _ := fate(c)
	same(t, "without rules", []byte(got), sent)
}

// A rule that is set again keeps its count; it needs a protocol with frames.
func TestRulesAreKept(t *testing.T) {
	w := open(t, Config{Name: "a", Upstream: "127.0.0.1:1", Frames: FramesModbus}, Options{})
	r := Rule{ID: 1, Dir: ToClient, Do: Drop, Frame: "response", Nth: 1, Count: 1}
	if err := w.SetRules([]Rule{r}); err != nil {
		t.Fatal(err)
	}
	var s splitter
	s.init(FramesModbus, ToClient)
	s.take(modbusFrame(1, 3, nil))
	if _, hit := w.rules.Load().choose(&s); !hit {
		t.Error("the first response passed")
	}
	w.SetRules([]Rule{{ID: 2, Dir: ToServer, Do: Drop, Frame: "request", Nth: 1, Count: 1}, r})
	if _, hit := w.rules.Load().choose(&s); hit {
		t.Error("the second response was dropped too")
	}
	if err := w.SetRules([]Rule{{Frame: "publish"}}); err == nil {
		t.Error("Modbus has no publish")
	}
}

// One Modbus answer comes after its client has stopped waiting for it, on the
// same socket, and the next one behind it: both are there, in order.
func TestHeldModbusResponse(t *testing.T) {
	up := server(t, func(c net.Conn) {
		for b := make([]byte, 8); ; {
			if _, err := io.ReadFull(c, b); err != nil {
				return
			}
			c.Write(modbusFrame(b[1], 3, []byte{b[1]}))
		}
	})
	w := open(t, Config{Name: "a", Upstream: up, Frames: FramesModbus}, Options{})
	w.SetRules([]Rule{{ID: 1, Dir: ToClient, Do: Hold, Frame: "response", Nth: 2, Count: 1, Hold: 60 * time.Millisecond}})
	c := dial(t, w.Addr())
	for tid := byte(1); tid <= 3; tid++ {
		c.Write(modbusFrame(tid, 3, nil))
		if tid == 2 { // the client gives up on it, and asks for the next
			c.SetReadDeadline(time.Now().Add(5 * time.Millisecond))
			if _, err := c.Read(make([]byte, 1)); err == nil {
				t.Error("the second answer was not held")
			}
			c.SetReadDeadline(time.Now().Add(patience))
			continue
		}
		if tid == 3 {
			same(t, "late", read(t, c, 9), modbusFrame(2, 3, []byte{2}))
		}
		same(t, "answer", read(t, c, 9), modbusFrame(tid, 3, []byte{tid}))
	}
}
