package wire

import "encoding/binary"

// The protocols whose frames a wire can tell apart.
const (
	FramesModbus = "modbus"
	FramesMQTT   = "mqtt" // plain, not under TLS
)

// mqttFrames are the packets of MQTT by their type; type 0 is forbidden.
var mqttFrames = [16]string{"", "connect", "connack", "publish", "puback", "pubrec", "pubrel", "pubcomp",
	"subscribe", "suback", "unsubscribe", "unsuback", "pingreq", "pingresp", "disconnect", "auth"}

// FrameWay is a frame that a rule can choose, and the way that it usually goes.
type FrameWay struct {
	Name string
	Dir  Direction
}

// FramesOf lists the frames of a protocol. A Modbus exception is a response too.
func FramesOf(protocol string) []FrameWay {
	switch protocol {
	case FramesModbus:
		return []FrameWay{{"request", ToServer}, {"response", ToClient}, {"exception", ToClient}}
	case FramesMQTT:
		var all []FrameWay
		for _, name := range mqttFrames[1:] {
			dir := ToServer
			switch name {
			case "connack", "puback", "pubrec", "pubcomp", "suback", "unsuback", "pingresp":
				dir = ToClient
			}
			all = append(all, FrameWay{name, dir})
		}
		return all
	}
	return nil
}

// splitter finds the frames in one direction of a stream, however it falls
// into chunks. It keeps the header of the frame at hand and counts the rest. A
// stream that is not of the protocol ends it: from there on there are no frames.
type splitter struct {
	protocol string // "" is none, or no more
	dir      Direction
	head     [8]byte
	n        int // bytes of head
	whole    int // bytes of the frame, once its header is there
	left     int // of those, still to come
}

// step is what a piece of the stream was.
type step uint8

const (
	inHead  step = iota // part of a header that is not complete
	begins              // the last part of a header
	inBody              // part of what follows it
	noFrame             // the protocol is lost
)

func (s *splitter) init(protocol string, dir Direction) { s.protocol, s.dir = protocol, dir }

func (s *splitter) known() bool { return s.protocol != "" }

// fresh tells that the next byte is a frame's first.
func (s *splitter) fresh() bool { return s.n == 0 && s.left == 0 }

// take goes over the first bytes of b, which is not empty, up to the end of a
// header or a frame at most, and says how many these were, and what.
func (s *splitter) take(b []byte) (int, step) {
	if s.protocol == "" {
		return len(b), noFrame
	}
	if s.left > 0 {
		n := min(s.left, len(b))
		s.left -= n
		return n, inBody
	}
	for i, c := range b {
		s.head[s.n] = c
		s.n++
		switch whole := s.measure(); {
		case whole < 0:
			s.protocol = ""
			return len(b), noFrame
		case whole > 0:
			s.whole, s.left, s.n = whole, whole-s.n, 0
			return i + 1, begins
		}
	}
	return len(b), inHead
}

// measure is the length of the frame that head belongs to; 0 is not known yet,
// less than 0 no frame at all.
func (s *splitter) measure() int {
	if s.protocol == FramesMQTT {
		return measureMQTT(s.head[:s.n])
	}
	return measureModbus(s.head[:s.n])
}

// measureMQTT reads type and remaining length: up to four bytes of seven bits,
// the lowest first, each but the last with the highest bit set.
func measureMQTT(head []byte) int {
	if head[0]>>4 == 0 {
		return -1
	}
	rest := 0
	for i, c := range head[1:] {
		rest |= int(c&0x7F) << (7 * i)
		if c < 0x80 {
			return len(head) + rest
		}
	}
	if len(head) == 5 {
		return -1
	}
	return 0
}

// measureModbus reads the MBAP header and the function code: transaction,
// protocol 0, and the length of what follows, which begins with the unit.
func measureModbus(head []byte) int {
	if len(head) < 8 {
		return 0
	}
	n := int(binary.BigEndian.Uint16(head[4:]))
	if head[2] != 0 || head[3] != 0 || n < 2 || n > 254 {
		return -1
	}
	return 6 + n
}

// is tells whether the frame that just began goes by a name.
func (s *splitter) is(name string) bool {
	if s.protocol == FramesMQTT {
		return mqttFrames[s.head[0]>>4] == name
	}
	switch name {
	case "request":
		return s.dir == ToServer
	case "exception":
		return s.dir == ToClient && s.head[7]&0x80 != 0
	}
	return s.dir == ToClient
}
