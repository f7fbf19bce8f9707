package modbus

import (
	"math"
	"math/bits"

	"github.com/plantbed/plantbed/sim/plc"
)

// encode puts an engineering value into its registers.
func encode(into []uint16, r *Register, v float64) {
	switch r.Type {
	case plc.Float32:
		put32(into, math.Float32bits(float32(v)))
	case plc.Float64:
		put64(into, math.Float64bits(v))
	case plc.Int64:
		put64(into, uint64(int64(math.Round(v/r.Scale))))
	case plc.UInt64:
		put64(into, uint64(math.Round(v/r.Scale)))
	case plc.Int32, plc.UInt32:
		put32(into, uint32(int64(math.Round(v/r.Scale))))
	default:
		into[0] = uint16(int64(math.Round(v / r.Scale)))
	}
	turn(into[:r.Words()], r.Order)
}

// decode is the engineering value of registers, as a client computes it.
func decode(from []uint16, r *Register) float64 {
	var plain [4]uint16
	copy(plain[:], from[:r.Words()])
	turn(plain[:r.Words()], r.Order)
	switch r.Type {
	case plc.Float32:
		return float64(math.Float32frombits(get32(plain[:])))
	case plc.Float64:
		return math.Float64frombits(get64(plain[:]))
	case plc.Int64:
		return float64(int64(get64(plain[:]))) * r.Scale
	case plc.UInt64:
		return float64(get64(plain[:])) * r.Scale
	case plc.Int32:
		return float64(int32(get32(plain[:]))) * r.Scale
	case plc.UInt32:
		return float64(get32(plain[:])) * r.Scale
	case plc.Int16:
		return float64(int16(plain[0])) * r.Scale
	}
	return float64(plain[0]) * r.Scale
}

// turn takes the words of a value from the order abcd to another, or back.
func turn(words []uint16, o plc.Order) {
	if o == plc.ABCD {
		return
	}
	if o.LowWordFirst() {
		for i, j := 0, len(words)-1; i < j; i, j = i+1, j-1 {
			words[i], words[j] = words[j], words[i]
		}
	}
	if o.SwapsBytes() {
		for i, w := range words {
			words[i] = bits.ReverseBytes16(w)
		}
	}
}

func put32(into []uint16, v uint32) { into[0], into[1] = uint16(v>>16), uint16(v) }

func get32(from []uint16) uint32 { return uint32(from[0])<<16 | uint32(from[1]) }

func put64(into []uint16, v uint64) {
	put32(into, uint32(v>>32))
	put32(into[2:], uint32(v))
}

func get64(from []uint16) uint64 { return uint64(get32(from))<<32 | uint64(get32(from[2:])) }
