package sparkplug

import (
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/plantbed/plantbed/sim/signal"
)

// ErrUnborn is for data whose aliases or sequence do not follow from a birth
// that was heard: the node is to be asked for another.
var ErrUnborn = errors.New("sparkplug: data without a birth")

// Host is what a listener knows of one edge node and its devices; for one
// goroutine. Take turns its messages into samples, with the metric's name as id:
//
//	samples, err := h.Take("NDATA", "", text, now)
//
// A death gives every metric once more, uncertain, with its last usable value.
type Host struct {
	next    uint64 // sequence number that comes next
	born    bool
	bdSeq   uint64 // of the birth
	counted bool   // the birth told one
	devices map[string]*device
}

type device struct {
	names map[uint64]string
	last  map[string]signal.Sample
}

// NewHost has heard nothing.
func NewHost() *Host { return &Host{devices: map[string]*device{}} }

// RebirthCommand is the NCMD that asks for a birth.
func RebirthCommand() []byte {
	return bytesField(nil, 2, varint(varint(text(nil, 1, rebirth), 4, typeBoolean), 14, 1))
}

// Take reads a message of a kind such as NBIRTH; device is empty for the node's
// own metrics.
func (h *Host) Take(kind, name string, p []byte, now time.Time) ([]signal.Sample, error) {
	switch kind {
	case "NDEATH":
		seq, ok := bdSeqOf(p)
		if h.born && h.counted && ok && seq != h.bdSeq {
			return nil, nil // the will of an earlier connection, come late
		}
		doubt := h.born && h.counted && !ok
		h.born = false
		if doubt { // nothing says whose death it is: a birth will
			return h.dead("", now, true), ErrUnborn
		}
		return h.dead("", now, true), nil
	case "DDEATH":
		h.count(p)
		return h.dead(name, now, false), nil
	case "NBIRTH", "DBIRTH":
		if kind == "NBIRTH" {
			h.born, h.next, h.devices = true, 0, map[string]*device{}
			h.bdSeq, h.counted = bdSeqOf(p)
		}
		h.count(p)
		d := &device{names: map[uint64]string{}, last: map[string]signal.Sample{}}
		h.devices[name] = d
		return d.take(p, now)
	case "NDATA", "DDATA":
		inTurn := h.count(p)
		d := h.devices[name]
		if !h.born || d == nil {
			return nil, ErrUnborn
		}
		samples, err := d.take(p, now)
		if !inTurn {
			err = ErrUnborn
		}
		return samples, err
	}
	return nil, nil
}

// bdSeqOf is the number that ties a death to its birth.
func bdSeqOf(p []byte) (seq uint64, ok bool) {
	fields(p, func(number int, _ uint64, body []byte) {
		if number != 2 || body == nil {
			return
		}
		name, v := "", uint64(0)
		fields(body, func(number int, x uint64, b []byte) {
			switch number {
			case 1:
				name = string(b)
			case 10, 11: // as an integer or a long
				v = x
			}
		})
		if name == "bdSeq" {
			seq, ok = v, true
		}
	})
	return seq, ok
}

// count holds a message against the sequence.
func (h *Host) count(p []byte) (inTurn bool) {
	inTurn = true
	fields(p, func(number int, v uint64, _ []byte) {
		if number == 3 {
			inTurn = v == h.next
			h.next = (v + 1) % 256
		}
	})
	return inTurn
}

// dead are the last values of a device, or of all, no longer to be relied on.
func (h *Host) dead(name string, now time.Time, all bool) (out []signal.Sample) {
	for of, d := range h.devices {
		if of != name && !all {
			continue
		}
		for id, s := range d.last {
			if s.Quality.IsBad() {
				continue
			}
			s.Quality, s.SourceTime = signal.UncertainNoCommunicationLastUsable, now
			if s.ID = signal.ID(id); of != name {
				s.ID = signal.ID(of + "/" + id)
			}
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b signal.Sample) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return out
}

// take reads the metrics of a payload.
func (d *device) take(p []byte, now time.Time) (out []signal.Sample, err error) {
	fields(p, func(number int, _ uint64, body []byte) {
		if number != 2 || body == nil {
			return
		}
		name, s, ok := d.metric(body, now)
		switch {
		case name == "":
			err = ErrUnborn
		case ok && name != "bdSeq" && !strings.HasPrefix(name, "Node Control/"):
			s.ID = signal.ID(name)
			d.last[name] = s
			out = append(out, s)
		}
	})
	return out, err
}

// metric reads one; ok is false for what is no number, as texts and births
// without a value.
func (d *device) metric(body []byte, now time.Time) (name string, s signal.Sample, ok bool) {
	s.SourceTime = now
	var alias, kind uint64
	null, hasValue := false, false
	var quality, status uint64
	hasQuality := false
	var value any
	fields(body, func(number int, v uint64, b []byte) {
		switch number {
		case 1:
			name = string(b)
		case 2:
			alias = v
		case 3:
			s.SourceTime = time.UnixMilli(int64(v)).UTC()
		case 4:
			kind = v
		case 7:
			null = v != 0
		case 9:
			quality, status, hasQuality = readProperties(b)
		case 10, 11, 14:
			value, hasValue = v, true
		case 12:
			value, hasValue = float64(math.Float32frombits(uint32(v))), true
		case 13:
			value, hasValue = math.Float64frombits(v), true
		}
	})
	if name != "" && alias != 0 {
		d.names[alias] = name
	} else if name == "" {
		name = d.names[alias]
	}
	switch x := value.(type) {
	case float64:
		s.Value = x
	case uint64:
		s.Value = integer(x, kind)
	}
	switch {
	case status != 0:
		s.Quality = signal.Quality(status)
	case hasQuality && quality == 0:
		s.Quality = signal.Bad
	case hasQuality && quality != 192:
		s.Quality = signal.Uncertain
	}
	if null && !s.Quality.IsBad() {
		s.Quality = signal.BadWaitingForInitialData
	}
	return name, s, hasValue || null && hasQuality
}

// integer gives the signed kinds their sign back: 1, 2, 3 and 4 are Int8 to Int64.
func integer(v, kind uint64) float64 {
	switch kind {
	case 1:
		return float64(int8(v))
	case 2:
		return float64(int16(v))
	case typeInt32:
		return float64(int32(v))
	case typeInt64:
		return float64(int64(v))
	}
	return float64(v)
}

func readProperties(p []byte) (quality, status uint64, hasQuality bool) {
	var keys []string
	i := 0
	fields(p, func(number int, _ uint64, b []byte) {
		switch number {
		case 1:
			keys = append(keys, string(b))
		case 2:
			key := ""
			if i < len(keys) {
				key = keys[i]
			}
			i++
			fields(b, func(number int, v uint64, _ []byte) {
				switch {
				case number != 3 && number != 4:
				case key == "Quality":
					quality, hasQuality = v, true
				case key == "StatusCode":
					status = v
				}
			})
		}
	})
	return quality, status, hasQuality
}
