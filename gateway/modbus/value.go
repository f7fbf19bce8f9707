package modbus

import (
	"encoding/binary"
	"math"
)

// kind is how a value lies in its registers.
type kind struct {
	words int
	// raw reads the value from its bytes, in the order "abcd".
	raw func(b []byte) float64
}

var kinds = map[string]kind{
	"bool":   {1, rawBool},
	"int16":  {1, func(b []byte) float64 { return float64(int16(binary.BigEndian.Uint16(b))) }},
	"uint16": {1, func(b []byte) float64 { return float64(binary.BigEndian.Uint16(b)) }},
	"int32":  {2, func(b []byte) float64 { return float64(int32(binary.BigEndian.Uint32(b))) }},
	"uint32": {2, func(b []byte) float64 { return float64(binary.BigEndian.Uint32(b)) }},
	"int64":  {4, func(b []byte) float64 { return float64(int64(binary.BigEndian.Uint64(b))) }},
	"uint64": {4, func(b []byte) float64 { return float64(binary.BigEndian.Uint64(b)) }},
	"float":  {2, func(b []byte) float64 { return float64(math.Float32frombits(binary.BigEndian.Uint32(b))) }},
	"double": {4, func(b []byte) float64 { return math.Float64frombits(binary.BigEndian.Uint64(b)) }},
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
	var turned [8]byte
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
	return f.kind.raw(turned[:2*f.kind.words]) * f.scale
}
