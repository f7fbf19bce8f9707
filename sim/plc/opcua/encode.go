package opcua

import (
	"encoding/binary"
	"math"
	"reflect"
	"time"

	"github.com/gopcua/opcua/ua"
)

// A DateTime counts ticks of 100 ns since 1601.
const (
	ticksPerSecond = 10_000_000
	epoch          = 116_444_736_000_000_000 // 1970, in ticks
)

// ticks is t as a DateTime; 0 for the zero time.
func ticks(t time.Time) uint64 {
	if t.IsZero() {
		return 0
	}
	return uint64(t.Unix()*ticksPerSecond + int64(t.Nanosecond()/100) + epoch)
}

func appendU16(b []byte, v uint16) []byte { return binary.LittleEndian.AppendUint16(b, v) }
func appendU32(b []byte, v uint32) []byte { return binary.LittleEndian.AppendUint32(b, v) }
func appendU64(b []byte, v uint64) []byte { return binary.LittleEndian.AppendUint64(b, v) }

func appendString(b []byte, s string) []byte {
	if s == "" {
		return appendU32(b, math.MaxUint32)
	}
	return append(appendU32(b, uint32(len(s))), s...)
}

func appendBytes(b, s []byte) []byte {
	if s == nil {
		return appendU32(b, math.MaxUint32)
	}
	return append(appendU32(b, uint32(len(s))), s...)
}

// appendTypeID appends the id of a message or structure of namespace 0.
func appendTypeID(b []byte, id uint16) []byte { return appendU16(append(b, 1, 0), id) }

// appendHeader appends a response header without diagnostics.
func appendHeader(b []byte, now time.Time, handle uint32, result ua.StatusCode) []byte {
	b = appendU64(b, ticks(now))
	b = appendU32(b, handle)
	b = appendU32(b, uint32(result))
	b = append(b, 0)          // no diagnostics
	b = appendU32(b, 0)       // no string table
	return append(b, 0, 0, 0) // no additional header: null node id, empty body
}

// encoder is what gopcua's irregular types offer.
type encoder interface{ Encode() ([]byte, error) }

// appendFields appends the fields of a struct from its field first on.
func appendFields(b []byte, v reflect.Value, first int) []byte {
	for i := first; i < v.NumField(); i++ {
		b = appendValue(b, v.Field(i))
	}
	return b
}

// appendValue appends v by its type. A nil pointer is written as the zero
// value and a nil list as an empty one, so that no response has a hole.
func appendValue(b []byte, v reflect.Value) []byte {
	switch v.Kind() {
	case reflect.Bool:
		if v.Bool() {
			return append(b, 1)
		}
		return append(b, 0)
	case reflect.Uint8:
		return append(b, byte(v.Uint()))
	case reflect.Uint16:
		return appendU16(b, uint16(v.Uint()))
	case reflect.Uint32:
		return appendU32(b, uint32(v.Uint()))
	case reflect.Int32:
		return appendU32(b, uint32(v.Int()))
	case reflect.Float64:
		return appendU64(b, math.Float64bits(v.Float()))
	case reflect.String:
		return appendString(b, v.String())
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return appendBytes(b, v.Bytes())
		}
		b = appendU32(b, uint32(v.Len()))
		for i := range v.Len() {
			b = appendValue(b, v.Index(i))
		}
		return b
	case reflect.Pointer:
		if v.IsNil() {
			v = reflect.New(v.Type().Elem())
		}
		if e, ok := v.Interface().(encoder); ok {
			return appendOwn(b, e)
		}
		return appendValue(b, v.Elem())
	case reflect.Struct:
		if t, ok := v.Interface().(time.Time); ok {
			return appendU64(b, ticks(t))
		}
		return appendFields(b, v, 0)
	}
	panic("opcua: no encoding for " + v.Type().String())
}

// appendOwn appends what one of gopcua's types encodes itself to. All of them
// are made by this package, so that a failure is a broken invariant.
func appendOwn(b []byte, e encoder) []byte {
	switch x := e.(type) {
	case *ua.ExpandedNodeID:
		if x.NodeID == nil {
			return append(b, 0, 0)
		}
	case *ua.ExtensionObject:
		if x.TypeID == nil {
			return append(b, 0, 0, 0)
		}
	}
	enc, err := e.Encode()
	if err != nil {
		panic("opcua: " + err.Error())
	}
	return append(b, enc...)
}
