package payload

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// scanner reads JSON from front to back and allocates nothing for what needs no
// unescaping. It exists because encoding/json takes several times as long for a
// batch; the tests hold it against encoding/json.
type scanner struct {
	p []byte
	i int
}

// maxDepth bounds the nesting of values that are passed over.
const maxDepth = 64

func (s *scanner) space() {
	for s.i < len(s.p) {
		switch s.p[s.i] {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return
		}
	}
}

// peek is the next byte that is no space, or 0 at the end.
func (s *scanner) peek() byte {
	s.space()
	if s.i >= len(s.p) {
		return 0
	}
	return s.p[s.i]
}

// found describes the next thing, for an error.
func (s *scanner) found() string {
	switch c := s.peek(); {
	case s.i >= len(s.p):
		return "the end"
	case c == '"':
		return "a string"
	case c == '{':
		return "an object"
	case c == '[':
		return "an array"
	case c == '-' || c >= '0' && c <= '9':
		return "a number"
	case bytes.HasPrefix(s.p[s.i:], []byte("null")):
		return "null"
	case bytes.HasPrefix(s.p[s.i:], []byte("true")), bytes.HasPrefix(s.p[s.i:], []byte("false")):
		return "a boolean"
	default:
		return strconv.QuoteRune(rune(c))
	}
}

func (s *scanner) want(what, kind string) error {
	found := s.found()
	return fmt.Errorf("%s: %s at byte %d, want %s", what, found, s.i, kind)
}

func (s *scanner) expect(c byte, what, kind string) error {
	if s.peek() != c {
		return s.want(what, kind)
	}
	s.i++
	return nil
}

// next tells whether an array or object goes on, past its comma.
func (s *scanner) next(closing byte, first bool) (bool, error) {
	switch c := s.peek(); {
	case c == closing:
		s.i++
		return false, nil
	case first && c != ',':
		return true, nil
	case !first && c == ',':
		s.i++
		if s.peek() == closing {
			return false, s.want("after a comma", "a value")
		}
		return true, nil
	}
	return false, s.want("list", fmt.Sprintf("a comma or %q", closing))
}

// object calls field at each value.
func (s *scanner) object(what string, field func(key []byte) error) error {
	if err := s.expect('{', what, "an object"); err != nil {
		return err
	}
	for first := true; ; first = false {
		more, err := s.next('}', first)
		if err != nil || !more {
			return err
		}
		key, err := s.str("key")
		if err != nil {
			return err
		}
		if err := s.expect(':', "after a key", "a colon"); err != nil {
			return err
		}
		if err := field(key); err != nil {
			return err
		}
	}
}

// end holds that nothing follows.
func (s *scanner) end() error {
	if s.peek() != 0 || s.i < len(s.p) {
		return s.want("after the batch", "the end")
	}
	return nil
}

func (s *scanner) word(w string) bool {
	if len(s.p)-s.i < len(w) || string(s.p[s.i:s.i+len(w)]) != w {
		return false
	}
	s.i += len(w)
	return true
}

func (s *scanner) bool(what string) (bool, error) {
	s.space()
	switch {
	case s.word("true"):
		return true, nil
	case s.word("false"):
		return false, nil
	}
	return false, s.want(what, "true or false")
}

// number is the text of the next number, by the grammar of RFC 8259.
func (s *scanner) number(what string) ([]byte, error) {
	if c := s.peek(); c != '-' && (c < '0' || c > '9') {
		return nil, s.want(what, "a number")
	}
	start := s.i
	if s.p[s.i] == '-' {
		s.i++
	}
	whole := s.digits()
	ok := whole > 0 && !(whole > 1 && s.p[s.i-whole] == '0')
	if s.at('.') {
		ok = s.digits() > 0 && ok
	}
	if s.at('e') || s.at('E') {
		_ = s.at('+') || s.at('-')
		ok = s.digits() > 0 && ok
	}
	if !ok {
		return nil, fmt.Errorf("%s: %q is no JSON number", what, s.p[start:s.i])
	}
	return s.p[start:s.i], nil
}

func (s *scanner) at(c byte) bool {
	if s.i < len(s.p) && s.p[s.i] == c {
		s.i++
		return true
	}
	return false
}

func (s *scanner) digits() (n int) {
	for s.i < len(s.p) && s.p[s.i] >= '0' && s.p[s.i] <= '9' {
		s.i++
		n++
	}
	return n
}

func (s *scanner) uint(what string, bits int) (uint64, error) {
	text, err := s.number(what)
	if err != nil {
		return 0, err
	}
	var v uint64
	for _, c := range text {
		n := v*10 + uint64(c-'0')
		if c < '0' || c > '9' || len(text) > 20 || v > (1<<64-1)/10 || n < v*10 {
			return 0, fmt.Errorf("%s: %s is no unsigned %d-bit integer", what, text, bits)
		}
		v = n
	}
	if bits < 64 && v>>bits != 0 {
		return 0, fmt.Errorf("%s: %s is no unsigned %d-bit integer", what, text, bits)
	}
	return v, nil
}

func (s *scanner) text(what string) (string, error) {
	b, err := s.str(what)
	return string(b), err
}

// str is the content of the next string; it points into the input unless
// there is something to unescape or to mend.
func (s *scanner) str(what string) ([]byte, error) {
	if s.peek() != '"' {
		return nil, s.want(what, "a string")
	}
	start := s.i
	for j := start + 1; j < len(s.p); j++ {
		switch c := s.p[j]; {
		case c == '"':
			s.i = j + 1
			return s.p[start+1 : j], nil
		case c == '\\' || c >= utf8.RuneSelf || c < ' ':
			return s.hardString(what)
		}
	}
	return nil, fmt.Errorf("%s: a string without its end at byte %d", what, start)
}

// hardString leaves escapes, and bytes that may be no UTF-8, to encoding/json.
func (s *scanner) hardString(what string) ([]byte, error) {
	start := s.i
	for j := start + 1; j < len(s.p); j++ {
		if s.p[j] == '\\' {
			j++
			continue
		}
		if s.p[j] != '"' {
			continue
		}
		var out string
		if err := json.Unmarshal(s.p[start:j+1], &out); err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		s.i = j + 1
		return []byte(out), nil
	}
	return nil, fmt.Errorf("%s: a string without its end at byte %d", what, start)
}

// skip passes over one value of any kind.
func (s *scanner) skip(depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("more than %d values inside each other", maxDepth)
	}
	switch c := s.peek(); {
	case c == '{':
		return s.object("object", func([]byte) error { return s.skip(depth + 1) })
	case c == '[':
		s.i++
		for first := true; ; first = false {
			more, err := s.next(']', first)
			if err != nil || !more {
				return err
			}
			if err := s.skip(depth + 1); err != nil {
				return err
			}
		}
	case c == '"':
		_, err := s.str("string")
		return err
	case s.word("null"), s.word("true"), s.word("false"):
		return nil
	}
	_, err := s.number("value")
	return err
}
