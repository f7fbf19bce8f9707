package opcua

import (
	"reflect"
	"sync/atomic"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/signal"
)

// memory is the value of a variable that is no tag: one of a model that was
// imported, or of the controller's own. A writable one keeps what is written.
type memory struct {
	kind     byte  // built-in type; 0 is any
	rank     int32 // -1 a scalar, 1 an array; others as in the model
	dims     []uint32
	writable bool
	secret   bool // cannot be read
	now      atomic.Pointer[held]
	written  atomic.Bool // by a client, since the device was made
}

// held is what a memory holds at one moment. It never changes.
type held struct {
	value  any // as gopcua has it; nil for none
	source time.Time
}

// Shapes of a value, as a ValueRank says.
const rankScalar, rankArray = -1, 1

func newMemory(kind byte, rank int32, dims []uint32, writable bool, value any, at time.Time) *memory {
	m := &memory{kind: kind, rank: rank, dims: dims, writable: writable}
	if value == nil {
		value = zeroOf(kind, rank)
	}
	m.now.Store(&held{value, at})
	return m
}

// zeroOf is the value of what has none yet; nil where there is nothing that it
// could be.
func zeroOf(kind byte, rank int32) any {
	typ, ok := goTypes[kind]
	switch {
	case !ok || rank != rankScalar && rank != rankArray:
		return nil
	case rank == rankArray && kind == byte(ua.TypeIDByte):
		return ua.ByteArray{}
	case rank == rankArray:
		return reflect.MakeSlice(reflect.SliceOf(typ), 0, 0).Interface()
	case kind == byte(ua.TypeIDNodeID):
		return ua.NewTwoByteNodeID(0)
	case kind == byte(ua.TypeIDGUID):
		return ua.NewGUID("00000000-0000-0000-0000-000000000000")
	case typ.Kind() == reflect.Pointer:
		return reflect.New(typ.Elem()).Interface()
	}
	return reflect.Zero(typ).Interface()
}

// goTypes are the types of values that can be written, by built-in type.
var goTypes = map[byte]reflect.Type{
	1: reflect.TypeFor[bool](), 2: reflect.TypeFor[int8](), 3: reflect.TypeFor[uint8](), 4: reflect.TypeFor[int16](), 5: reflect.TypeFor[uint16](),
	6: reflect.TypeFor[int32](), 7: reflect.TypeFor[uint32](), 8: reflect.TypeFor[int64](), 9: reflect.TypeFor[uint64](),
	10: reflect.TypeFor[float32](), 11: reflect.TypeFor[float64](), 12: reflect.TypeFor[string](), 13: reflect.TypeFor[time.Time](),
	14: reflect.TypeFor[*ua.GUID](), 15: reflect.TypeFor[[]byte](), 17: reflect.TypeFor[*ua.NodeID](), 19: reflect.TypeFor[ua.StatusCode](),
	20: reflect.TypeFor[*ua.QualifiedName](), 21: reflect.TypeFor[*ua.LocalizedText](),
}

// shapeOf is the shape and the built-in type of a value.
func shapeOf(v *ua.Variant) (kind byte, rank int32) {
	kind, rank = byte(v.Type()), rankScalar
	if v.Has(ua.VariantArrayValues) {
		rank = rankArray
	}
	return kind, rank
}

// write takes over a value, or the part of an array that an index range names.
func (m *memory) write(v *ua.Variant, part string, now time.Time) ua.StatusCode {
	if !m.writable {
		return ua.StatusBadNotWritable
	}
	kind, rank := shapeOf(v)
	if v.Value() == nil || m.kind != 0 && kind != m.kind {
		return ua.StatusBadTypeMismatch
	}
	value := v.Value()
	switch {
	case part == "":
		if m.rank > rankArray || (m.rank == rankScalar || m.rank == rankArray) && rank != m.rank {
			return ua.StatusBadTypeMismatch
		}
		if len(m.dims) == 1 && m.dims[0] > 0 && rank == rankArray && reflect.ValueOf(value).Len() > int(m.dims[0]) {
			return ua.StatusBadTypeMismatch // longer than the array may be
		}
	default:
		var status ua.StatusCode
		if value, status = splice(m.now.Load().value, value, part); status != ua.StatusOK {
			return status
		}
	}
	m.now.Store(&held{value, now})
	m.written.Store(true)
	return ua.StatusOK
}

// keepWritten has an address space hold what clients have written into the one
// before, whose namespaces from tagSpace on stood by places lower: the device
// remembers its variables, whatever their ids are now.
func (sp *space) keepWritten(old *space, places int) {
	keep := func(n, was *node) {
		if n.memory != nil && was != nil && was.memory != nil && was.memory.written.Load() {
			n.memory = was.memory
		}
	}
	for path, n := range sp.tags {
		keep(n, old.tags[path])
	}
	for key, n := range sp.byID {
		if ns := n.id.Namespace(); ns >= tagSpace {
			at := *n.id
			if at.SetNamespace(uint16(int(ns)-places)) == nil {
				key = at.String()
			}
		}
		keep(n, old.byID[key])
	}
}

// sampled is a value that the server has by itself, with what belongs to it.
type sampled struct {
	value  any
	status signal.Quality
	source time.Time // of the value; the zero time is now
}
