package modbus

import (
	"math"

	"github.com/plantbed/plantbed/sim/plc"
)

// encode puts an engineering value into its registers, high word first.
func encode(into []uint16, t plc.Type, scale, v float64) {
	switch t {
	case plc.Float32:
		put32(into, math.Float32bits(float32(v)))
	case plc.Float64:
		bits := math.Float64bits(v)
		put32(into, uint32(bits>>32))
		put32(into[2:], uint32(bits))
	case plc.Int32, plc.UInt32:
		put32(into, uint32(int64(math.Round(v/scale))))
	default:
		into[0] = uint16(int64(math.Round(v / scale)))
	}
}

// decode is the engineering value of registers, as a client computes it.
func decode(from []uint16, t plc.Type, scale float64) float64 {
	switch t {
	case plc.Float32:
		return float64(math.Float32frombits(get32(from)))
	case plc.Float64:
		return math.Float64frombits(uint64(get32(from))<<32 | uint64(get32(from[2:])))
	case plc.Int32:
		return float64(int32(get32(from))) * scale
	case plc.UInt32:
		return float64(get32(from)) * scale
	case plc.Int16:
		return float64(int16(from[0])) * scale
	}
	return float64(from[0]) * scale
}

func put32(into []uint16, v uint32) { into[0], into[1] = uint16(v>>16), uint16(v) }

func get32(from []uint16) uint32 { return uint32(from[0])<<16 | uint32(from[1]) }
