package plc

import (
	"encoding/base64"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/signal"
)

// Variable is one of a controller's own, beside the tags of its machines: a
// set-point, a recipe, a text, or several tags as one array. OPC UA alone
// shows it.
//
//	[[plc.variable]]
//	name = "oven/recipe"
//	type = "double"
//	value = [160.0, 180.0, 150.0]
//	writable = true
type Variable struct {
	// Name is its path, as that of a tag.
	Name string `toml:"name"`
	// Type is one of VariableTypes.
	Type string `toml:"type,omitempty"`
	// Value is what it holds until it is written: a scalar, or a list for an
	// array. Left out it is 0, an empty text, the year 1601.
	Value any `toml:"value,omitempty"`
	// Writable keeps what a client writes.
	Writable bool `toml:"writable,omitzero"`
	// Unit, Low and High show as EngineeringUnits and EURange.
	Unit signal.Unit `toml:"unit,omitempty"`
	Low  float64     `toml:"low,omitzero"`
	High float64     `toml:"high,omitzero"`
	// Tags are shown as one array, instead of type and value.
	Tags []signal.ID `toml:"tags,omitempty"`
}

// VariableTypes are the types that a variable can have, in the order of OPC
// UA's built-in types from 1 on.
var VariableTypes = []string{"bool", "sbyte", "byte", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float", "double", "string", "datetime", "guid", "bytestring"}

// Kind is the number of the built-in type; 0 is none.
func (v *Variable) Kind() int { return slices.Index(VariableTypes, v.Type) + 1 }

// IsArray tells whether it holds a list.
func (v *Variable) IsArray() bool { _, list := v.Value.([]any); return list }

// Elements are the values: bool, int64 or uint64 for the integers, float64,
// string (of a guid too), time.Time, []byte. A scalar has one, or none where
// no value was given.
func (v *Variable) Elements() ([]any, error) {
	list, array := v.Value.([]any)
	if !array && v.Value != nil {
		list = []any{v.Value}
	}
	out := make([]any, len(list))
	for i, x := range list {
		e, err := v.element(x)
		if err != nil {
			return nil, err
		}
		out[i] = e
	}
	return out, nil
}

var guid = regexp.MustCompile(`^[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$`)

// element reads one value.
func (v *Variable) element(x any) (any, error) {
	bad := func() (any, error) { return nil, fmt.Errorf("%v is no %s", x, v.Type) }
	kind := v.Kind()
	switch {
	case kind >= 2 && kind <= 9:
		n, ok := x.(int64)
		lo, hi := integerRange(kind)
		if !ok || n < lo || n > hi {
			return bad()
		}
		if kind%2 == 1 { // byte, uint16, uint32, uint64
			return uint64(n), nil
		}
		return n, nil
	case kind == 10 || kind == 11:
		f, ok := x.(float64)
		if n, whole := x.(int64); whole {
			f, ok = float64(n), true
		}
		if !ok || kind == 10 && math.Abs(f) > math.MaxFloat32 {
			return bad()
		}
		return f, nil
	}
	switch t := x.(type) {
	case bool:
		if kind == 1 {
			return t, nil
		}
	case time.Time:
		if kind == 13 {
			return t, nil
		}
	case string:
		switch kind {
		case 12:
			return t, nil
		case 14:
			if guid.MatchString(t) {
				return strings.ToUpper(t), nil
			}
		case 15:
			if b, err := base64.StdEncoding.DecodeString(t); err == nil {
				return b, nil
			}
		}
	}
	return bad()
}

// integerRange is what an integer type can hold, of the largest that part
// which TOML can write.
func integerRange(kind int) (lo, hi int64) {
	bits := 8 << ((kind - 2) / 2)
	switch {
	case bits == 64 && kind%2 == 1:
		return 0, math.MaxInt64
	case kind%2 == 1:
		return 0, 1<<bits - 1
	}
	return -1 << (bits - 1), 1<<(bits-1) - 1
}

// check adds what is wrong with a variable; that its tags exist is for those to
// say who know them.
func (v *Variable) check(path string, ps *strict.Problems) {
	if v.Name == "" || strings.HasPrefix(v.Name, "/") || strings.HasSuffix(v.Name, "/") {
		ps.Add(path+".name", fmt.Sprintf("%q is no name of a variable", v.Name))
	}
	if len(v.Tags) > 0 {
		if v.Type != "" || v.Value != nil || v.Writable {
			ps.Add(path+".tags", "an array of tags has the type and the values of the tags, and is not written")
		}
		return
	}
	if v.Kind() == 0 {
		ps.Add(path+".type", fmt.Sprintf("%q is no type of a variable; the nearest is %q", v.Type, strict.Nearest(v.Type, VariableTypes)))
		return
	}
	if _, err := v.Elements(); err != nil {
		ps.Add(path+".value", err.Error())
	}
	if v.Low > v.High {
		ps.Add(path+".low", fmt.Sprintf("%v is above %v", v.Low, v.High))
	}
}
