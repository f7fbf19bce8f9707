package plc

import (
	"fmt"
	"math"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/signal"
)

// Type is how a value travels on the wire.
type Type uint8

// The wire types. The zero Type is none of them.
const (
	Bool Type = iota + 1
	Int16
	UInt16
	Int32
	UInt32
	Int64
	UInt64
	Float32
	Float64
)

// typeNames are what a scenario writes, in the order of the constants.
var typeNames = [...]string{"bool", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float", "double"}

// ParseType reads "bool", "int16", "uint16", "int32", "uint32", "int64",
// "uint64", "float" or "double".
func ParseType(name string) (Type, error) {
	for i, n := range typeNames {
		if n == name {
			return Type(i + 1), nil
		}
	}
	return 0, fmt.Errorf("%q is not a wire type; the nearest is %q", name, strict.Nearest(name, typeNames[:]))
}

func (t Type) String() string {
	if !t.valid() {
		return fmt.Sprintf("type %d", uint8(t))
	}
	return typeNames[t-1]
}

func (t Type) valid() bool { return t >= Bool && t <= Float64 }

// IsInteger tells the types whose wire value is a raw count of Tag.Scale each.
func (t Type) IsInteger() bool { return t >= Int16 && t <= UInt64 }

// exact is the largest count up to which a float64, which values are here,
// tells neighbours apart.
const exact = 1 << 53

// limits is the range of raw counts that t can carry, and of 64-bit types that
// part which a float64 carries exactly.
func (t Type) limits() (lo, hi float64) {
	switch t {
	case Bool:
		return 0, 1
	case Int16:
		return math.MinInt16, math.MaxInt16
	case UInt16:
		return 0, math.MaxUint16
	case Int32:
		return math.MinInt32, math.MaxInt32
	case UInt32:
		return 0, math.MaxUint32
	case Int64:
		return -exact, exact
	case UInt64:
		return 0, exact
	case Float32:
		return -math.MaxFloat32, math.MaxFloat32
	}
	return -math.MaxFloat64, math.MaxFloat64
}

// Tag is one row of a PLC's tag table.
type Tag struct {
	ID   signal.ID
	Unit signal.Unit
	// Lo and Hi are the instrument's span in engineering units; Hi <= Lo
	// means no span but what the wire type can carry.
	Lo, Hi float64
	Type   Type
	// Scale is engineering units per raw count for integer types; 0 means 1,
	// and other types have no other.
	Scale float64
	// Order is how a value of several registers lies in Modbus; New sets it.
	Order Order
	// Noise is the standard deviation of a healthy reading, in engineering
	// units. A tag with Noise 0 is no instrument but a number that the
	// controller knows, such as a state or a counter: it has no install bias.
	Noise float64
	// Flicker is the standard deviation of its 1/f noise, which comes on top.
	Flicker float64
	// LagS is the instrument's time constant in seconds; 0 follows at once.
	LagS float64
	// AmbientC is the temperature around the instrument at now, in degrees
	// Celsius; nil for one that no temperature reaches.
	AmbientC func(now time.Duration) float64
	// Read is the machine's true value, in engineering units, at now.
	Read func(now time.Duration) float64
	// Write sets the machine's value; nil for a tag that is read only.
	Write func(v float64) error
}

// Raw is the wire count of an engineering value of an integer or bool tag.
func (t *Tag) Raw(v float64) int64 { return int64(math.Round(v / t.Scale)) }

// quantise brings v to what the wire type can carry: rounds and clips to it.
func (t *Tag) quantise(v float64) float64 {
	switch {
	case t.Type.IsInteger():
		lo, hi := t.Type.limits()
		raw := int64(min(max(math.Round(v/t.Scale), lo), hi)) // an integer, so that no minus zero comes out
		return float64(raw) * t.Scale
	case t.Type == Float32:
		return float64(float32(min(max(v, -math.MaxFloat32), math.MaxFloat32)))
	case t.Type == Bool:
		if v >= 0.5 {
			return 1
		}
		return 0
	}
	return v
}

// span is the range of values in engineering units that the tag can show.
func (t *Tag) span() (lo, hi float64) {
	lo, hi = t.Type.limits()
	if t.Type.IsInteger() {
		lo, hi = lo*t.Scale, hi*t.Scale
	}
	if t.Hi > t.Lo {
		lo, hi = max(lo, t.Lo), min(hi, t.Hi)
	}
	return lo, hi
}

// check tells what is wrong with a tag, and fills in its scale.
func (t *Tag) check() error {
	bad := func(format string, a ...any) error {
		return fmt.Errorf("tag %q: %s", t.ID, fmt.Sprintf(format, a...))
	}
	if t.Scale == 0 {
		t.Scale = 1
	}
	switch {
	case t.ID == "":
		return fmt.Errorf("a tag without an ID")
	case !t.Type.valid():
		return bad("no wire type")
	case !(t.Scale > 0) || math.IsInf(t.Scale, 0):
		return bad("scale %v is not a positive number", t.Scale)
	case !t.Type.IsInteger() && t.Scale != 1:
		return bad("scale %v on type %v, which carries engineering units as they are", t.Scale, t.Type)
	case !(t.Noise >= 0) || math.IsInf(t.Noise, 0):
		return bad("noise %v is no standard deviation", t.Noise)
	case !(t.Flicker >= 0) || math.IsInf(t.Flicker, 0):
		return bad("1/f noise %v is no standard deviation", t.Flicker)
	case !(t.LagS >= 0) || math.IsInf(t.LagS, 0):
		return bad("lag %v is no time constant", t.LagS)
	case math.IsNaN(t.Lo) || math.IsNaN(t.Hi):
		return bad("span from %v to %v", t.Lo, t.Hi)
	case t.Read == nil:
		return bad("nothing to read it from")
	}
	if lo, hi := t.span(); !(lo < hi) {
		return bad("span from %v to %v lies outside what %v with scale %v can carry", t.Lo, t.Hi, t.Type, t.Scale)
	}
	return nil
}
