package strict

// Source knows where every path of a configuration stands in its text.
type Source struct {
	file string // what a problem without a known place is ascribed to
	at   map[string]place
}

// place is a line of a file; the line is 0 for what came from elsewhere, such
// as a command line.
type place struct {
	file string
	line int
}

// Locate fills in file and line of problems that have a path but no place: the
// line of the path itself or, for something that is missing, of the nearest
// table around it. The result is sorted by place. A nil Source leaves all as
// they are.
func (s *Source) Locate(ps Problems) Problems {
	if s == nil || len(ps) == 0 {
		return ps
	}
	out := make(Problems, len(ps))
	for i, p := range ps {
		if p.File == "" && p.Line == 0 {
			at := s.find(p.Path)
			p.File, p.Line = at.file, at.line
		}
		out[i] = p
	}
	out.Sort()
	return out
}

func (s *Source) find(path string) place {
	for ; path != ""; path = parent(path) {
		if at, ok := s.at[path]; ok {
			return at
		}
	}
	return place{file: s.file}
}
