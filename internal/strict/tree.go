package strict

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/BurntSushi/toml"
)

// Tree is a TOML text before it has become a struct: it can be laid over
// another one, and single values can be set, with every value remembering the
// line it came from.
type Tree struct {
	file string
	root *node
}

// node is a table, a list or a single value.
type node struct {
	at    place
	table map[string]*node
	list  []*node
	isArr bool
	value any // string, int64, float64, bool, time.Time or set
}

// set is a value from a command line, whose type is decided by its target.
type set string

// Parse reads the syntax. The file's name is only for messages.
func Parse(file string, text []byte) (*Tree, Problems) {
	at, tooMuch := scanLines(text)
	if tooMuch != nil {
		tooMuch.File = file
		return nil, Problems{*tooMuch}
	}
	var raw map[string]any
	if _, err := toml.Decode(string(text), &raw); err != nil {
		return nil, Problems{syntax(file, err)}
	}
	return &Tree{file: file, root: grow(raw, "", file, at)}, nil
}

// syntax is what the TOML parser found, with its line.
func syntax(file string, err error) Problem {
	var pe toml.ParseError
	if !errors.As(err, &pe) {
		return Problem{File: file, Msg: strings.TrimPrefix(err.Error(), "toml: ")}
	}
	return Problem{File: file, Line: pe.Position.Line, Msg: pe.Message}
}

// grow turns what the parser built into nodes with places.
func grow(v any, path, file string, at lines) *node {
	n := &node{at: place{file, at[path]}}
	switch v := v.(type) {
	case map[string]any:
		n.table = make(map[string]*node, len(v))
		for key, child := range v { // order does not show: each goes to its own key
			n.table[key] = grow(child, join(path, key), file, at)
		}
	case []map[string]any:
		n.isArr = true
		for i, child := range v {
			n.list = append(n.list, grow(child, indexed(path, i), file, at))
		}
	case []any:
		n.isArr = true
		for i, child := range v {
			n.list = append(n.list, grow(child, indexed(path, i), file, at))
		}
	default:
		n.value = v
	}
	return n
}

// Text is the string at a top-level key, "" where there is none; for keys that
// are needed before the whole can be decoded, such as extends.
func (t *Tree) Text(key string) string {
	if n := t.root.table[key]; n != nil {
		s, _ := n.value.(string)
		return s
	}
	return ""
}

// Has tells that something stands at a top-level key.
func (t *Tree) Has(key string) bool { return t.root.table[key] != nil }

// Source is where everything in the tree came from.
func (t *Tree) Source() *Source {
	src := &Source{file: t.file, at: map[string]place{}}
	src.add("", t.root)
	return src
}

func (s *Source) add(path string, n *node) {
	if path != "" {
		s.at[path] = n.at
	}
	for key, child := range n.table { // order does not show: paths differ
		s.add(join(path, key), child)
	}
	for i, child := range n.list {
		s.add(indexed(path, i), child)
	}
}

// Over lays t over base: tables merge key by key; the arrays of tables listed
// in byName, top-level keys, merge by their elements' "name"; everything else
// that t has replaces what base has. Neither tree is to be used afterwards.
func (t *Tree) Over(base *Tree, byName ...string) *Tree {
	merged := merge(base.root, t.root)
	for _, key := range byName {
		over, under := t.root.table[key], base.root.table[key]
		if over != nil && under != nil && over.isArr && under.isArr {
			merged.table[key] = mergeNamed(under, over)
		}
	}
	return &Tree{file: t.file, root: merged}
}

func merge(under, over *node) *node {
	if under == nil || under.table == nil || over.table == nil {
		return over
	}
	out := &node{at: over.at, table: make(map[string]*node, len(under.table)+len(over.table))}
	for key, child := range under.table {
		out.table[key] = child
	}
	for key, child := range over.table {
		out.table[key] = merge(under.table[key], child)
	}
	return out
}

// mergeNamed keeps the order of under and appends the new names of over.
func mergeNamed(under, over *node) *node {
	out := &node{at: over.at, isArr: true, list: slices.Clone(under.list)}
	for _, child := range over.list {
		name := child.name()
		i := slices.IndexFunc(under.list, func(n *node) bool { return name != "" && n.name() == name })
		if i < 0 {
			out.list = append(out.list, child)
			continue
		}
		out.list[i] = merge(under.list[i], child)
	}
	return out
}

func (n *node) name() string {
	if n.table == nil || n.table["name"] == nil {
		return ""
	}
	name, _ := n.table["name"].value.(string)
	return name
}

// Set puts value at a path such as "gateway.buffer.policy" or "fault[1].for".
// The value is written without quotes; what it has to be is decided when the
// tree becomes a struct. Tables that are not there yet are made; elements of an
// array are not.
func (t *Tree) Set(path, value, origin string) error {
	way, err := steps(path)
	if err != nil {
		return err
	}
	at := place{file: origin}
	n := t.root
	for i, s := range way {
		var next *node
		switch {
		case s.key == "" && !n.isArr, s.key != "" && n.table == nil:
			return fmt.Errorf("%s: %s is %s", path, written(way[:i]), n.kind())
		case s.key == "" && s.index >= len(n.list):
			return fmt.Errorf("%s: %s has %d elements, counted from 0", path, written(way[:i]), len(n.list))
		case s.key == "":
			next = n.list[s.index]
		default:
			next = n.table[s.key]
		}
		if i == len(way)-1 {
			leaf := &node{at: at, value: set(value)}
			if s.key == "" {
				n.list[s.index] = leaf
			} else {
				n.table[s.key] = leaf
			}
			return nil
		}
		if next == nil {
			next = &node{at: at, table: map[string]*node{}}
			n.table[s.key] = next
		}
		n = next
	}
	return nil
}

// written is the path that steps came from.
func written(way []step) string {
	path := ""
	for _, s := range way {
		if s.key == "" {
			path = indexed(path, s.index)
		} else {
			path = join(path, s.key)
		}
	}
	return path
}

// plain is the node as a TOML parser would have handed it over.
func (n *node) plain() any {
	switch {
	case n.table != nil:
		out := make(map[string]any, len(n.table))
		for key, child := range n.table {
			out[key] = child.plain()
		}
		return out
	case n.isArr:
		out := make([]any, len(n.list))
		for i, child := range n.list {
			out[i] = child.plain()
		}
		return out
	}
	return n.value
}

func (n *node) keys() []string {
	keys := make([]string, 0, len(n.table))
	for key := range n.table {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}
