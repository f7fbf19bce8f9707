package strict

import "strings"

// Problem is one thing wrong with a configuration. Path is the TOML path of
// the thing, with indices: "fault[2].target". File and Line are filled in by
// whoever knows the source text; Validate methods leave them empty.
type Problem struct {
	File string
	Line int
	Path string
	Msg  string
}

// Problems is every problem found, in the order of the text where known.
type Problems []Problem

// Addf is how a Validate method collects.
func (ps *Problems) Add(path, msg string) { *ps = append(*ps, Problem{Path: path, Msg: msg}) }

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
