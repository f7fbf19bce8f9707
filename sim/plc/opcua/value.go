package opcua

import (
	"math"

	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/signal"
)

// appendTag appends the data value of a tag: value, status and timestamps.
func appendTag(b []byte, t *plc.Tag, v float64, status signal.Quality, source, server uint64, stamps ua.TimestampsToReturn) []byte {
	at := len(b)
	b = append(b, ua.DataValueValue, wireType(t.Type))
	switch t.Type {
	case plc.Bool:
		b = append(b, byte(0))
		if v != 0 {
			b[len(b)-1] = 1
		}
	case plc.Int16, plc.UInt16:
		b = appendU16(b, uint16(count(t, v)))
	case plc.Int32, plc.UInt32:
		b = appendU32(b, uint32(count(t, v)))
	case plc.Int64, plc.UInt64:
		b = appendU64(b, uint64(count(t, v)))
	case plc.Float32:
		b = appendU32(b, math.Float32bits(float32(v)))
	default:
		b = appendU64(b, math.Float64bits(v))
	}
	if status != signal.Good {
		b[at] |= ua.DataValueStatusCode
		b = appendU32(b, uint32(status))
	}
	return appendStamps(b, at, source, server, stamps)
}

// appendNothing appends the data value of what has none, and the reason.
func appendNothing(b []byte, status ua.StatusCode, server uint64, stamps ua.TimestampsToReturn) []byte {
	at := len(b)
	b = appendU32(append(b, ua.DataValueStatusCode), uint32(status))
	return appendStamps(b, at, 0, server, stamps)
}

// appendVariant appends the data value of what the server knows by itself.
func appendVariant(b []byte, v *ua.Variant, status signal.Quality, source, server uint64, stamps ua.TimestampsToReturn) []byte {
	at := len(b)
	b = appendOwn(append(b, ua.DataValueValue), v)
	if status != signal.Good {
		b[at] |= ua.DataValueStatusCode
		b = appendU32(b, uint32(status))
	}
	return appendStamps(b, at, source, server, stamps)
}

// appendStamps appends the timestamps that were asked for, and notes them in
// the mask at the place at.
func appendStamps(b []byte, at int, source, server uint64, stamps ua.TimestampsToReturn) []byte {
	if source != 0 && (stamps == ua.TimestampsToReturnSource || stamps == ua.TimestampsToReturnBoth) {
		b[at] |= ua.DataValueSourceTimestamp
		b = appendU64(b, source)
	}
	if stamps == ua.TimestampsToReturnServer || stamps == ua.TimestampsToReturnBoth {
		b[at] |= ua.DataValueServerTimestamp
		b = appendU64(b, server)
	}
	return b
}
