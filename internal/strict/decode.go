package strict

import (
	"encoding"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// Decode reads a TOML text into the struct that into points to. It reports
// every unknown key and every value of a wrong type, not only the first; a text
// that is no TOML at all is one problem. The Source is never nil.
func Decode(file string, text []byte, into any) (*Source, Problems) {
	tree, problems := Parse(file, text)
	if len(problems) > 0 {
		return &Source{file: file}, problems
	}
	return tree.Source(), tree.Into(into)
}

// Into fills the struct that into points to; what the tree does not mention
// keeps its value.
func (t *Tree) Into(into any) Problems {
	d := &decoder{}
	d.node(t.root, reflect.ValueOf(into).Elem(), "")
	d.problems.Sort()
	return d.problems
}

type decoder struct{ problems Problems }

func (d *decoder) wrong(n *node, path, format string, args ...any) {
	d.problems = append(d.problems, Problem{File: n.at.file, Line: n.at.line, Path: path, Msg: fmt.Sprintf(format, args...)})
}

// node stores n in v, by the type of v.
func (d *decoder) node(n *node, v reflect.Value, path string) {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		d.node(n, v.Elem(), path)
		return
	}
	switch own := v.Addr().Interface().(type) {
	case *time.Duration: // as nanoseconds it would have no unit
		d.text(n, (*Duration)(own), path)
		return
	case toml.Unmarshaler:
		if err := own.UnmarshalTOML(n.asked().plain()); err != nil {
			d.wrong(n, path, "%s", err)
		}
		return
	case *time.Time: // below
	case encoding.TextUnmarshaler:
		d.text(n, own, path)
		return
	}
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		d.scalar(n, v, path, "a date and time such as 2026-01-31T06:00:00Z")
	case v.Kind() == reflect.Struct:
		d.table(n, v, path)
	case v.Kind() == reflect.Map:
		d.mapping(n, v, path)
	case v.Kind() == reflect.Slice:
		d.slice(n, v, path)
	case v.Kind() == reflect.Interface && v.NumMethod() == 0:
		v.Set(reflect.ValueOf(n.asked().plain()))
	case v.Kind() == reflect.String:
		d.scalar(n, v, path, "a string")
	case v.Kind() == reflect.Bool:
		d.scalar(n, v, path, "true or false")
	case v.CanFloat():
		d.float(n, v, path)
	case v.CanInt() || v.CanUint():
		d.integer(n, v, path)
	default:
		panic(fmt.Sprintf("strict: a configuration cannot hold a %s", v.Type()))
	}
}

// text hands strings, and numbers as they are written, to a type that reads
// itself; so a duration without its unit gets the duration's own complaint.
func (d *decoder) text(n *node, into encoding.TextUnmarshaler, path string) {
	var text string
	switch value := n.value.(type) {
	case set:
		text = string(value)
	case string:
		text = value
	case int64:
		text = strconv.FormatInt(value, 10)
	case float64:
		text = strconv.FormatFloat(value, 'g', -1, 64)
	default:
		d.wrong(n, path, "must be a string, is %s", n.kind())
		return
	}
	if err := into.UnmarshalText([]byte(text)); err != nil {
		d.wrong(n, path, "%s", err)
	}
}

func (d *decoder) table(n *node, v reflect.Value, path string) {
	n = n.asked()
	if n.table == nil {
		d.wrong(n, path, "must be a table, is %s", n.kind())
		return
	}
	fields := fieldsOf(v)
	valid := make([]string, len(fields))
	byKey := make(map[string]reflect.Value, len(fields))
	for i, f := range fields {
		valid[i], byKey[f.key] = f.key, f.value
	}
	for _, key := range n.keys() {
		child, at := n.table[key], join(path, key)
		if into, ok := byKey[key]; ok {
			d.node(child, into, at)
			continue
		}
		d.wrong(child, at, "unknown key")
		last := &d.problems[len(d.problems)-1]
		if last.Near = Nearest(key, valid); last.Near == "" && len(valid) > 0 {
			last.Msg += "; known here: " + strings.Join(valid, ", ")
		}
	}
}

func (d *decoder) mapping(n *node, v reflect.Value, path string) {
	n = n.asked()
	if n.table == nil || v.Type().Key().Kind() != reflect.String {
		d.wrong(n, path, "must be a table, is %s", n.kind())
		return
	}
	if v.IsNil() {
		v.Set(reflect.MakeMapWithSize(v.Type(), len(n.table)))
	}
	for _, key := range n.keys() {
		element := reflect.New(v.Type().Elem()).Elem()
		d.node(n.table[key], element, join(path, key))
		v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), element)
	}
}

func (d *decoder) slice(n *node, v reflect.Value, path string) {
	n = n.asked()
	if !n.isArr {
		d.wrong(n, path, "must be an array, is %s", n.kind())
		return
	}
	out := reflect.MakeSlice(v.Type(), len(n.list), len(n.list))
	for i, child := range n.list {
		d.node(child, out.Index(i), indexed(path, i))
	}
	v.Set(out)
}

// scalar stores a value whose TOML type is the target's.
func (d *decoder) scalar(n *node, v reflect.Value, path, want string) {
	value := n.value
	if s, ok := value.(set); ok {
		if value = any(string(s)); v.Kind() != reflect.String {
			value = n.asked().value
		}
	}
	if value == nil || !reflect.TypeOf(value).ConvertibleTo(v.Type()) || reflect.TypeOf(value).Kind() != v.Kind() {
		d.wrong(n, path, "must be %s, is %s", want, n.asked().kind())
		return
	}
	v.Set(reflect.ValueOf(value).Convert(v.Type()))
}

func (d *decoder) float(n *node, v reflect.Value, path string) {
	var f float64
	switch value := n.asked().value.(type) {
	case float64:
		f = value
	case int64:
		f = float64(value)
	default:
		d.wrong(n, path, "must be a number, is %s", n.asked().kind())
		return
	}
	if math.IsNaN(f) || math.IsInf(f, 0) || v.OverflowFloat(f) {
		d.wrong(n, path, "must be a finite number, is %v", f)
		return
	}
	v.SetFloat(f)
}

func (d *decoder) integer(n *node, v reflect.Value, path string) {
	i, ok := n.asked().value.(int64)
	switch {
	case !ok:
		d.wrong(n, path, "must be a whole number, is %s", n.asked().kind())
	case v.CanUint() && i < 0:
		d.wrong(n, path, "must not be negative, is %d", i)
	case v.CanUint() && v.OverflowUint(uint64(i)), v.CanInt() && v.OverflowInt(i):
		d.wrong(n, path, "%d is out of range", i)
	case v.CanUint():
		v.SetUint(uint64(i))
	default:
		v.SetInt(i)
	}
}

// asked reads a value from a command line as TOML, or as a string where it is
// none; any other node is itself.
func (n *node) asked() *node {
	s, ok := n.value.(set)
	if !ok {
		return n
	}
	out := &node{at: n.at, value: string(s)}
	if _, tooMuch := scanLines([]byte("x = " + string(s))); tooMuch != nil || strings.ContainsAny(string(s), "\r\n") {
		return out
	}
	var raw map[string]any
	if _, err := toml.Decode("x = "+string(s), &raw); err != nil {
		return out
	}
	grown := grow(raw["x"], "", n.at.file, nil)
	grown.at = n.at
	return grown
}

// kind is the node in words, for messages.
func (n *node) kind() string {
	switch value := n.value.(type) {
	case set:
		return fmt.Sprintf("%q", string(value))
	case string:
		return fmt.Sprintf("the string %q", value)
	case int64:
		return fmt.Sprintf("the number %d", value)
	case float64:
		text := strconv.FormatFloat(value, 'g', -1, 64)
		if value == math.Trunc(value) && !strings.Contains(text, "e") {
			text += ".0" // as TOML would have it
		}
		return "the number " + text
	case bool:
		return fmt.Sprint(value)
	case time.Time:
		return "a date"
	}
	if n.isArr {
		return "an array"
	}
	return "a table"
}

type field struct {
	key   string
	value reflect.Value
}

// fieldsOf lists the fields of a struct under their keys, those of embedded
// structs among them. A field without a toml tag goes by its name.
func fieldsOf(v reflect.Value) []field {
	var out []field
	for i := range v.NumField() {
		f := v.Type().Field(i)
		key, _, _ := strings.Cut(f.Tag.Get("toml"), ",")
		switch {
		case f.Anonymous && key == "" && f.Type.Kind() == reflect.Struct:
			out = append(out, fieldsOf(v.Field(i))...)
		case !f.IsExported() || key == "-":
		case key == "":
			out = append(out, field{f.Name, v.Field(i)})
		default:
			out = append(out, field{key, v.Field(i)})
		}
	}
	return out
}
