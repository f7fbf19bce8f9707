package record

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/plantbed/plantbed/sim/signal"
)

// A frame is: kind, length of the body, CRC-32C of the body, body.
const frameHeader = 9

// Kinds of rows on disk; never renumber.
const (
	kScan = iota + 1
	kSend
	kDeliver
	kSeen
	kMark
	kEvent
	kAlarm
	kNote
	kScore
)

// Flags of a Seen row.
const (
	isBackfill = 1 << iota
	isHistory
)

func kindOf(r Row) byte {
	switch r.(type) {
	case Scan:
		return kScan
	case Send:
		return kSend
	case Deliver:
		return kDeliver
	case Seen:
		return kSeen
	case Mark:
		return kMark
	case Event:
		return kEvent
	case Alarm:
		return kAlarm
	case Note:
		return kNote
	case Score:
		return kScore
	}
	panic(fmt.Sprintf("record: %T is no row", r))
}

// Frequent rows are packed with varints, rare ones are JSON.
func appendRow(b []byte, r Row) []byte {
	switch r := r.(type) {
	case Scan:
		b = appendInts(b, int64(r.Task), int64(r.Seq), int64(r.Counter), r.At, r.Stamp, int64(len(r.Values)))
		for _, v := range r.Values {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
		for _, q := range r.Quality {
			b = binary.AppendUvarint(b, uint64(q))
		}
		return b
	case Send:
		b = appendInts(b, int64(r.PLC), int64(r.Conn), r.Offset, r.At, int64(len(r.Items)))
		for _, it := range r.Items {
			b = appendInts(b, int64(it.Tag), int64(it.Seq))
		}
		return b
	case Deliver:
		return appendInts(b, int64(r.PLC), int64(r.Conn), r.From, r.To, r.At)
	case Seen:
		flags := int64(0)
		if r.Backfill {
			flags |= isBackfill
		}
		if r.History {
			flags |= isHistory
		}
		b = appendInts(b, int64(r.Tap), r.At, int64(r.First), flags, int64(len(r.Samples)), int64(len(r.Stream)))
		b = append(b, r.Stream...)
		for _, s := range r.Samples {
			b = appendInts(b, int64(s.Tag), int64(s.Seq), s.Source, int64(s.Quality))
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(s.Value))
		}
		return b
	case Mark:
		return appendInts(b, int64(r.Tag), r.At, int64(r.Quality))
	case Score:
		b = appendInts(b, int64(r.Machine), int64(r.Detector), r.At)
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(r.Value))
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(r.Limit))
	}
	j, err := json.Marshal(r)
	if err != nil {
		panic(fmt.Sprintf("record: %T does not marshal: %v", r, err)) // plain structs always do
	}
	return append(b, j...)
}

func appendInts(b []byte, vs ...int64) []byte {
	for _, v := range vs {
		b = binary.AppendVarint(b, v)
	}
	return b
}

var errShort = errors.New("the row is shorter than it says")

// body reads a row's bytes; the first error sticks.
type body struct {
	b   []byte
	err error
}

func (d *body) int() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.err, d.b = errShort, nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *body) uint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.err, d.b = errShort, nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *body) float() float64 {
	if len(d.b) < 8 {
		d.err, d.b = errShort, nil
		return 0
	}
	v := math.Float64frombits(binary.LittleEndian.Uint64(d.b))
	d.b = d.b[8:]
	return v
}

// count reads a length and refuses one that the bytes left cannot hold.
func (d *body) count() int {
	n := d.int()
	if n < 0 || n > int64(len(d.b)) {
		d.err, d.b = errShort, nil
		return 0
	}
	return int(n)
}

func decodeRow(kind byte, b []byte) (Row, error) {
	d := body{b: b}
	var r Row
	switch kind {
	case kScan:
		s := Scan{Task: int(d.int()), Seq: uint64(d.int()), Counter: uint32(d.int()), At: d.int(), Stamp: d.int()}
		n := d.count()
		s.Values, s.Quality = make([]float64, n), make([]signal.Quality, n)
		for i := range s.Values {
			s.Values[i] = d.float()
		}
		for i := range s.Quality {
			s.Quality[i] = signal.Quality(d.uint())
		}
		r = s
	case kSend:
		s := Send{PLC: int(d.int()), Conn: int(d.int()), Offset: d.int(), At: d.int()}
		s.Items = make([]Ref, d.count())
		for i := range s.Items {
			s.Items[i] = Ref{Tag: int(d.int()), Seq: uint64(d.int())}
		}
		r = s
	case kDeliver:
		r = Deliver{PLC: int(d.int()), Conn: int(d.int()), From: d.int(), To: d.int(), At: d.int()}
	case kSeen:
		r = decodeSeen(&d)
	case kMark:
		r = Mark{Tag: int(d.int()), At: d.int(), Quality: signal.Quality(d.int())}
	case kScore:
		r = Score{Machine: int(d.int()), Detector: int(d.int()), At: d.int(), Value: d.float(), Limit: d.float()}
	case kEvent:
		return decodeJSON[Event](b)
	case kAlarm:
		return decodeJSON[Alarm](b)
	case kNote:
		return decodeJSON[Note](b)
	default:
		return nil, fmt.Errorf("kind %d is unknown", kind)
	}
	return r, d.err
}

func decodeSeen(d *body) Row {
	s := Seen{Tap: Tap(d.int()), At: d.int(), First: uint64(d.int())}
	flags := d.int()
	s.Backfill, s.History = flags&isBackfill != 0, flags&isHistory != 0
	n, name := d.count(), d.count()
	if name > len(d.b) {
		d.err = errShort
		return s
	}
	s.Stream, d.b = string(d.b[:name]), d.b[name:]
	s.Samples = make([]SeenSample, n)
	for i := range s.Samples {
		s.Samples[i] = SeenSample{Tag: int(d.int()), Seq: uint64(d.int()), Source: d.int(), Quality: signal.Quality(d.int()), Value: d.float()}
	}
	return s
}

func decodeJSON[T Row](b []byte) (Row, error) {
	var v T
	err := json.Unmarshal(b, &v)
	return v, err
}
