package strict

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing wrong with a configuration. Path is the TOML path of
// the thing, with indices: "fault[2].target". File and Line are filled in by
// whoever knows the source text; Validate methods leave them empty.
type Problem struct {
	File string
	Line int
	Path string
	Msg  string
	// Near is the valid name that was probably meant, or "".
	Near string
}

// String is one line: file:line: path: message (did you mean "x"?). Parts that
// are not known are left out.
func (p Problem) String() string {
	var b strings.Builder
	switch {
	case p.File != "" && p.Line > 0:
		fmt.Fprintf(&b, "%s:%d: ", p.File, p.Line)
	case p.File != "":
		b.WriteString(p.File + ": ")
	case p.Line > 0:
		fmt.Fprintf(&b, "line %d: ", p.Line)
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	b.WriteString(p.Msg)
	if p.Near != "" {
		fmt.Fprintf(&b, " (did you mean %q?)", p.Near)
	}
	return b.String()
}

// Problems is every problem found, in the order of the text where known.
type Problems []Problem

// Add is how a Validate method collects.
func (ps *Problems) Add(path, msg string) { *ps = append(*ps, Problem{Path: path, Msg: msg}) }

// Addf is Add with a format.
func (ps *Problems) Addf(path, format string, args ...any) {
	ps.Add(path, fmt.Sprintf(format, args...))
}

// AddName is Add for a name that is none of the valid ones; it proposes the
// nearest of them.
func (ps *Problems) AddName(path, msg, name string, valid []string) {
	*ps = append(*ps, Problem{Path: path, Msg: msg, Near: Nearest(name, valid)})
}

// Under prefixes every path, for a Validate method that calls another's.
func (ps Problems) Under(prefix string) Problems {
	out := make(Problems, len(ps))
	for i, p := range ps {
		out[i] = p
		switch {
		case p.Path == "":
			out[i].Path = prefix
		case strings.HasPrefix(p.Path, "["):
			out[i].Path = prefix + p.Path
		default:
			out[i].Path = prefix + "." + p.Path
		}
	}
	return out
}

// Error is every problem on a line of its own.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Err is nil when there are no problems, and ps otherwise.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

// Sort orders by file and line; what has neither keeps its order, first.
func (ps Problems) Sort() {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
}
