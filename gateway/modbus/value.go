package modbus

import (
	"encoding/binary"
	"math"
)

// kind is how a value lies in its registers.
type kind struct {
	words int
	// raw reads the value from its bytes, in the order "abcd"; put writes it, and
	// something else if there is no room for it.
	raw   func(b []byte) float64
	put   func(b []byte, v float64)
	float bool
}

var be = binary.BigEndian

var kinds = map[string]kind{
	"bool":   {words: 1, raw: rawBool, put: func(b []byte, v float64) { be.PutUint16(b, uint16(int64(v))) }},
	"int16":  {words: 1, raw: func(b []byte) float64 { return float64(int16(be.Uint16(b))) }, put: func(b []byte, v float64) { be.PutUint16(b, uint16(int64(v))) }},
	"uint16": {words: 1, raw: func(b []byte) float64 { return float64(be.Uint16(b)) }, put: func(b []byte, v float64) { be.PutUint16(b, uint16(int64(v))) }},
	"int32":  {words: 2, raw: func(b []byte) float64 { return float64(int32(be.Uint32(b))) }, put: func(b []byte, v float64) { be.PutUint32(b, uint32(int64(v))) }},
	"uint32": {words: 2, raw: func(b []byte) float64 { return float64(be.Uint32(b)) }, put: func(b []byte, v float64) { be.PutUint32(b, uint32(int64(v))) }},
	"int64":  {words: 4, raw: func(b []byte) float64 { return float64(int64(be.Uint64(b))) }, put: func(b []byte, v float64) { be.PutUint64(b, uint64(int64(v))) }},
	"uint64": {words: 4, raw: func(b []byte) float64 { return float64(be.Uint64(b)) }, put: func(b []byte, v float64) { be.PutUint64(b, uint64(max(0, v))) }},
	"float": {words: 2, float: true, raw: func(b []byte) float64 { return float64(math.Float32frombits(be.Uint32(b))) },
		put: func(b []byte, v float64) { be.PutUint32(b, math.Float32bits(float32(v))) }},
	"double": {words: 4, float: true, raw: func(b []byte) float64 { return math.Float64frombits(be.Uint64(b)) },
		put: func(b []byte, v float64) { be.PutUint64(b, math.Float64bits(v)) }},
}

// rawBool is 1 for any word but 0.
func rawBool(b []byte) float64 {
	if binary.BigEndian.Uint16(b) != 0 {
		return 1
	}
	return 0
}

// order tells what to swap to have a value as "abcd".
type order struct{ words, bytes bool }

var orders = map[string]order{
	"abcd": {},
	"cdab": {words: true},
	"badc": {bytes: true},
	"dcba": {words: true, bytes: true},
}

// field is a tag made ready to be read from a response.
type field struct {
	offset int // in bytes, from the start of the response's registers
	kind   kind
	order  order
	scale  float64
}

// value reads the field: float64(raw) * scale.
func (f *field) value(registers []byte) float64 {
	b := registers[f.offset : f.offset+2*f.kind.words]
	if f.order == (order{}) {
		return f.kind.raw(b) * f.scale
	}
	turned := f.turned(b)
	return f.kind.raw(turned[:2*f.kind.words]) * f.scale
}

// turned puts bytes from the wire's order into "abcd", or back.
func (f *field) turned(b []byte) (turned [8]byte) {
	for i := range f.kind.words {
		to := i
		if f.order.words {
			to = f.kind.words - 1 - i
		}
		hi, lo := b[2*i], b[2*i+1]
		if f.order.bytes {
			hi, lo = lo, hi
		}
		turned[2*to], turned[2*to+1] = hi, lo
	}
	return turned
}
