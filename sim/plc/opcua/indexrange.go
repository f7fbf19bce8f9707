package opcua

import (
	"reflect"
	"strconv"
	"strings"

	"github.com/gopcua/opcua/ua"
)

// span is one dimension of an index range; both ends belong to it.
type span struct{ from, to int }

// parseRange reads an index range, a dimension after the other: "3", "3:5",
// "0:1,4" (Part 4, 7.27).
func parseRange(text string) (spans []span, err error) {
	for _, part := range strings.Split(text, ",") {
		a, b, two := strings.Cut(part, ":")
		f, err1 := strconv.ParseUint(a, 10, 31)
		t, err2 := f, error(nil)
		if two {
			t, err2 = strconv.ParseUint(b, 10, 31)
		}
		if err1 != nil || err2 != nil || two && t <= f {
			return nil, ua.StatusBadIndexRangeInvalid
		}
		spans = append(spans, span{int(f), int(t)})
	}
	return spans, nil
}

// slice is the part of an array, a byte string or a string that an index range
// names.
func slice(v any, text string) (any, error) {
	spans, err := parseRange(text)
	if err != nil {
		return nil, err
	}
	list, back := elements(v)
	if len(spans) != 1 || !list.IsValid() || spans[0].from >= list.Len() {
		return nil, ua.StatusBadIndexRangeNoData
	}
	return back(list.Slice(spans[0].from, min(spans[0].to+1, list.Len()))), nil
}

// splice puts a list into its place in the one that there is.
func splice(old, with any, text string) (any, ua.StatusCode) {
	spans, err := parseRange(text)
	if err != nil {
		return nil, ua.StatusBadIndexRangeInvalid
	}
	list, back := elements(old)
	part, _ := elements(with)
	switch {
	case len(spans) != 1 || !list.IsValid() || spans[0].to >= list.Len():
		return nil, ua.StatusBadIndexRangeNoData
	case !part.IsValid() || reflect.TypeOf(old) != reflect.TypeOf(with):
		return nil, ua.StatusBadTypeMismatch
	case part.Len() != spans[0].to-spans[0].from+1:
		return nil, ua.StatusBadIndexRangeInvalid
	}
	out := reflect.MakeSlice(list.Type(), list.Len(), list.Len())
	reflect.Copy(out, list)
	reflect.Copy(out.Slice(spans[0].from, spans[0].to+1), part)
	return back(out), ua.StatusOK
}

// elements are what an index range counts in a value, and how a part of them is
// a value again. A string is counted in characters. The zero Value is for what
// has none.
func elements(v any) (list reflect.Value, back func(reflect.Value) any) {
	if s, ok := v.(string); ok {
		return reflect.ValueOf([]rune(s)), func(part reflect.Value) any { return string(part.Interface().([]rune)) }
	}
	if list = reflect.ValueOf(v); list.Kind() != reflect.Slice {
		return reflect.Value{}, nil
	}
	return list, reflect.Value.Interface
}
