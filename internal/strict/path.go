package strict

import (
	"fmt"
	"strconv"
	"strings"
)

// join appends a key to a path: join("fault[2]", "target") is "fault[2].target".
// A key that could not stand bare in TOML is quoted.
func join(path, key string) string {
	bare := key != ""
	for i := 0; i < len(key) && bare; i++ {
		bare = isBare(key[i])
	}
	if !bare {
		key = strconv.Quote(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

func indexed(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// parent is the path of what holds path: "fault[2].target", "fault[2]",
// "fault", "".
func parent(path string) string {
	quoted, cut := false, 0
	for i := 0; i < len(path); i++ {
		switch {
		case quoted && path[i] == '\\':
			i++
		case path[i] == '"':
			quoted = !quoted
		case !quoted && (path[i] == '.' || path[i] == '['):
			cut = i
		}
	}
	return path[:cut]
}

// step is one part of a path: a key, or an index where key is "".
type step struct {
	key   string
	index int
}

// steps takes a path apart: "fault[1].for" is fault, 1, for.
func steps(path string) ([]step, error) {
	s := &scanner{text: path, line: 1}
	var out []step
	for {
		part, ok := s.keyPart()
		if !ok {
			return nil, fmt.Errorf("%q is not a path such as gateway.buffer.policy or fault[1].for", path)
		}
		out = append(out, step{key: part})
		for s.next('[') {
			n := strings.IndexByte(s.text[s.pos:], ']')
			if n < 0 {
				return nil, fmt.Errorf("%q has a [ without its ]", path)
			}
			i, err := strconv.Atoi(s.text[s.pos : s.pos+n])
			if err != nil || i < 0 {
				return nil, fmt.Errorf("%q has an index that is no number from 0 up", path)
			}
			out = append(out, step{index: i})
			s.pos += n + 1
		}
		if s.pos == len(s.text) {
			return out, nil
		}
		if !s.next('.') {
			return nil, fmt.Errorf("%q is not a path such as gateway.buffer.policy or fault[1].for", path)
		}
	}
}
