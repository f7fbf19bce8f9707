// Package sparkplug speaks Sparkplug B as an edge node does: births, deaths,
// sequence numbers and data, as values in, bytes out. It knows no broker.
//
//	n := sparkplug.NewNode("plant-1", "edge-1", ids)
//	will := n.Death()                      // for the CONNECT to come; counts bdSeq up
//	text := n.Birth(now)                   // the first message on every connection
//	if !n.Knows(samples) { text = n.Birth(now) } // a new tag wants a new birth
//	text = n.Data(nil, samples, backfill, uuid, now)
//
// Payloads are Google Protocol Buffers after Eclipse Tahu's sparkplug_b.proto
// (Sparkplug 3.0, chapter 6.4). Every tag is a metric of type Double with an
// alias; its quality travels as the properties Quality (192 good, 0 bad, 500
// stale or uncertain, as hosts in the field have it) and, where it is not plain
// good, StatusCode with the code of OPC UA.
package sparkplug

import (
	"math"
	"strings"
	"time"

	"github.com/plantbed/plantbed/sim/signal"
)

// Data types of Sparkplug.
const (
	typeInt32   = 3
	typeInt64   = 4
	typeUInt32  = 7
	typeDouble  = 10
	typeBoolean = 11
)

// rebirth is the metric by which a host asks for a birth.
const rebirth = "Node Control/Rebirth"

// Node is the state of an edge node; for one goroutine.
type Node struct {
	group, name string
	bdSeq       uint64 // of the will that is to come
	death       uint64 // bdSeq of the connection that is
	seq         uint64
	order       []signal.ID
	tags        map[signal.ID]*tag
}

type tag struct {
	alias uint64
	last  signal.Sample // none yet if its ID is empty
}

// NewNode knows some tags from the start.
func NewNode(group, name string, ids []signal.ID) *Node {
	n := &Node{group: group, name: name, tags: map[signal.ID]*tag{}}
	for _, id := range ids {
		n.know(id)
	}
	return n
}

// Resume goes on with the bdSeq that an earlier life would have used next: a
// will of that life, come late, must not be taken for this one's.
func (n *Node) Resume(bdSeq uint64) { n.bdSeq = bdSeq % 256 }

// Next is the bdSeq of the death to come.
func (n *Node) Next() uint64 { return n.bdSeq }

func (n *Node) know(id signal.ID) *tag {
	t := n.tags[id]
	if t == nil {
		t = &tag{alias: uint64(len(n.order) + 1)}
		n.tags[id] = t
		n.order = append(n.order, id)
	}
	return t
}

// Topic of a kind: NBIRTH, NDATA, NDEATH or NCMD.
func Topic(group, kind, node string) string { return "spBv1.0/" + group + "/" + kind + "/" + node }

// Topic is the node's own of a kind.
func (n *Node) Topic(kind string) string { return Topic(n.group, kind, n.name) }

// Death is the payload of the will for the next connection. The birth on that
// connection carries the same bdSeq.
func (n *Node) Death() []byte {
	n.death = n.bdSeq
	n.bdSeq = (n.bdSeq + 1) % 256
	return message(nil, time.Time{}, 0, false, "", [][]byte{bdSeqMetric(n.death)})
}

// Farewell is the payload of the death that a node tells itself before it
// disconnects.
func (n *Node) Farewell() []byte {
	return message(nil, time.Time{}, 0, false, "", [][]byte{bdSeqMetric(n.death)})
}

func bdSeqMetric(v uint64) []byte {
	m := text(nil, 1, "bdSeq")
	m = varint(m, 4, typeInt64)
	return varint(m, 11, v)
}

// Birth names every metric, with its last value, and begins the sequence anew.
func (n *Node) Birth(now time.Time) []byte {
	control := text(nil, 1, rebirth)
	control = varint(control, 4, typeBoolean)
	control = varint(control, 14, 0)
	metrics := [][]byte{bdSeqMetric(n.death), control}
	for _, id := range n.order {
		t := n.tags[id]
		m := text(nil, 1, string(id))
		m = varint(m, 2, t.alias)
		s := t.last
		if s.ID == "" {
			m = varint(m, 3, millis(now))
			m = varint(m, 4, typeDouble)
			m = varint(m, 7, 1)
		} else {
			m = value(m, &s, false)
		}
		metrics = append(metrics, m)
	}
	n.seq = 0
	return message(nil, now, n.next(), true, "", metrics)
}

// next is the number of this message: 0 to 255 and again.
func (n *Node) next() uint64 {
	s := n.seq
	n.seq = (n.seq + 1) % 256
	return s
}

// Knows tells whether every tag was in the last birth; those that were not will
// be in the next.
func (n *Node) Knows(samples []signal.Sample) bool {
	before := len(n.order)
	for i := range samples {
		n.know(samples[i].ID)
	}
	return len(n.order) == before
}

// Data is a message of samples, by their aliases. Historical marks what could
// not be sent when it was new. uuid may be empty.
func (n *Node) Data(dst []byte, samples []signal.Sample, historical bool, uuid string, now time.Time) []byte {
	metrics := make([][]byte, len(samples))
	for i := range samples {
		t := n.know(samples[i].ID)
		t.last = samples[i]
		metrics[i] = value(varint(make([]byte, 0, 48), 2, t.alias), &samples[i], historical)
	}
	return message(dst, now, n.next(), true, uuid, metrics)
}

// Back takes the last Data back, which was not sent.
func (n *Node) Back() { n.seq = (n.seq + 255) % 256 }

// value appends what a metric says of a sample.
func value(m []byte, s *signal.Sample, historical bool) []byte {
	m = varint(m, 3, millis(s.SourceTime))
	m = varint(m, 4, typeDouble)
	if historical {
		m = varint(m, 5, 1)
	}
	finite := s.Value-s.Value == 0
	if !finite {
		m = varint(m, 7, 1)
	}
	m = bytesField(m, 9, properties(s.Quality))
	if finite {
		m = double(m, 13, s.Value)
	}
	return m
}

// properties says how good a value is.
func properties(q signal.Quality) []byte {
	quality := uint64(192)
	switch {
	case q.IsBad():
		quality = 0
	case q != signal.Good && !q.IsGood():
		quality = 500
	}
	p := text(nil, 1, "Quality")
	if q != signal.Good {
		p = text(p, 1, "StatusCode")
	}
	p = bytesField(p, 2, varint(varint(nil, 1, typeInt32), 3, quality))
	if q != signal.Good {
		p = bytesField(p, 2, varint(varint(nil, 1, typeUInt32), 4, uint64(q)))
	}
	return p
}

// message appends a Payload.
func message(dst []byte, now time.Time, seq uint64, hasSeq bool, uuid string, metrics [][]byte) []byte {
	if !now.IsZero() {
		dst = varint(dst, 1, millis(now))
	}
	for _, m := range metrics {
		dst = bytesField(dst, 2, m)
	}
	if hasSeq {
		dst = varint(dst, 3, seq)
	}
	if uuid != "" {
		dst = text(dst, 4, uuid)
	}
	return dst
}

// millis since 1970; a clock before that says 0.
func millis(t time.Time) uint64 { return uint64(max(0, t.UnixMilli())) }

// WantsRebirth reads a node command.
func WantsRebirth(p []byte) bool {
	wants := false
	fields(p, func(number int, v uint64, body []byte) {
		if number != 2 || body == nil {
			return
		}
		name, on := "", false
		fields(body, func(number int, v uint64, body []byte) {
			switch number {
			case 1:
				name = string(body)
			case 14:
				on = v != 0
			}
		})
		wants = wants || on && strings.EqualFold(name, rebirth)
	})
	return wants
}

// The wire format of Protocol Buffers, as much of it as is needed.

func uvarint(dst []byte, v uint64) []byte {
	for ; v >= 0x80; v >>= 7 {
		dst = append(dst, byte(v)|0x80)
	}
	return append(dst, byte(v))
}

func varint(dst []byte, number int, v uint64) []byte {
	return uvarint(uvarint(dst, uint64(number)<<3), v)
}

func double(dst []byte, number int, v float64) []byte {
	dst = uvarint(dst, uint64(number)<<3|1)
	for bits, i := math.Float64bits(v), 0; i < 8; i++ {
		dst = append(dst, byte(bits>>(8*i)))
	}
	return dst
}

func bytesField(dst []byte, number int, p []byte) []byte {
	return append(uvarint(uvarint(dst, uint64(number)<<3|2), uint64(len(p))), p...)
}

func text(dst []byte, number int, s string) []byte {
	return append(uvarint(uvarint(dst, uint64(number)<<3|2), uint64(len(s))), s...)
}

// fields calls each for every field, until something does not fit: v for a
// number, body for bytes.
func fields(p []byte, each func(number int, v uint64, body []byte)) {
	take := func() (v uint64, ok bool) {
		for shift := 0; shift < 64 && len(p) > 0; shift += 7 {
			b := p[0]
			p = p[1:]
			if v |= uint64(b&0x7f) << shift; b < 0x80 {
				return v, true
			}
		}
		return 0, false
	}
	for len(p) > 0 {
		key, ok := take()
		if !ok {
			return
		}
		var v uint64
		var body []byte
		switch key & 7 {
		case 0:
			if v, ok = take(); !ok {
				return
			}
		case 1, 5:
			n := map[uint64]int{1: 8, 5: 4}[key&7]
			if len(p) < n {
				return
			}
			for i := range n {
				v |= uint64(p[i]) << (8 * i)
			}
			p = p[n:]
		case 2:
			n, ok := take()
			if !ok || n > uint64(len(p)) {
				return
			}
			body, p = p[:n:n], p[n:]
		default:
			return
		}
		each(int(key>>3), v, body)
	}
}
