package strict

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Limits that no configuration written by a person comes near; they keep a
// hostile file from costing more than a moment.
const (
	maxText  = 1 << 20 // bytes of one file
	maxDepth = 64      // nested arrays and tables, and parts of one key
)

// lines maps the TOML path of every table, key and array element to its line.
type lines map[string]int

// scanLines notes on which line everything stands. It assumes valid TOML, and
// on anything else stops with what it has; what is wrong is for the real parser
// to say. The only error is a text that is too big or nested too deep to be
// given to that parser at all.
func scanLines(text []byte) (lines, *Problem) {
	if len(text) > maxText {
		return nil, &Problem{Msg: fmt.Sprintf("the file has %d bytes, more than the %d that are read", len(text), maxText)}
	}
	s := &scanner{text: string(text), line: 1, lines: lines{}, tables: map[string]int{}}
	for s.statement() {
	}
	if s.deep {
		return nil, &Problem{Line: s.line, Msg: fmt.Sprintf("nested more than %d deep", maxDepth)}
	}
	return s.lines, nil
}

type scanner struct {
	text   string
	pos    int
	line   int // 1-based, of text[pos]
	lines  lines
	tables map[string]int // path of an array of tables to its length so far
	prefix string         // the table that the last header opened
	depth  int
	deep   bool
}

// statement reads a header or a key with its value; false at the end, or where
// the text is no TOML.
func (s *scanner) statement() bool {
	s.blank(true)
	if s.pos >= len(s.text) {
		return false
	}
	if s.text[s.pos] == '[' {
		return s.header()
	}
	return s.keyValue(s.prefix)
}

// header reads [a.b] or [[a.b]] and makes it the prefix of what follows.
func (s *scanner) header() bool {
	line, array := s.line, strings.HasPrefix(s.text[s.pos:], "[[")
	brackets := 1
	if array {
		brackets = 2
	}
	s.pos += brackets
	key, ok := s.key()
	if !ok || !strings.HasPrefix(s.text[s.pos:], strings.Repeat("]", brackets)) {
		return false
	}
	s.pos += brackets
	path := s.into("", key[:len(key)-1], line)
	path = join(path, key[len(key)-1])
	if array {
		s.note(path, line)
		s.tables[path]++
		path = indexed(path, s.tables[path]-1)
	} else {
		path = s.last(path)
	}
	s.note(path, line)
	s.prefix = path
	return true
}

// keyValue reads key = value inside the table at prefix.
func (s *scanner) keyValue(prefix string) bool {
	line := s.line
	key, ok := s.key()
	if !ok || !s.next('=') {
		return false
	}
	path := join(s.into(prefix, key[:len(key)-1], line), key[len(key)-1])
	s.note(path, line)
	return s.value(path)
}

// into walks down the leading parts of a key, into the newest element of every
// array of tables on the way.
func (s *scanner) into(path string, parts []string, line int) string {
	for _, part := range parts {
		path = s.last(join(path, part))
		s.note(path, line)
	}
	return path
}

func (s *scanner) last(path string) string {
	if n := s.tables[path]; n > 0 {
		return indexed(path, n-1)
	}
	return path
}

func (s *scanner) note(path string, line int) {
	if _, ok := s.lines[path]; !ok {
		s.lines[path] = line
	}
}

// value reads any value; arrays and inline tables note what they hold.
func (s *scanner) value(path string) bool {
	if s.depth++; s.depth > maxDepth {
		s.deep = true
		return false
	}
	defer func() { s.depth-- }()
	s.blank(false)
	if s.pos >= len(s.text) {
		return false
	}
	switch s.text[s.pos] {
	case '"', '\'':
		_, ok := s.quoted(true)
		return ok
	case '[':
		return s.list(']', func(i int) bool {
			at := indexed(path, i)
			s.note(at, s.line)
			return s.value(at)
		})
	case '{':
		return s.list('}', func(int) bool { return s.keyValue(path) })
	}
	n := strings.IndexAny(s.text[s.pos:], ",]}#\n")
	if n < 0 {
		n = len(s.text) - s.pos
	}
	s.pos += n
	return n > 0
}

// list reads what stands between an opening bracket and end, with commas.
func (s *scanner) list(end byte, element func(i int) bool) bool {
	s.pos++
	for i := 0; ; i++ {
		s.blank(true)
		if s.next(end) {
			return true
		}
		if s.pos >= len(s.text) || !element(i) {
			return false
		}
		s.blank(true)
		if !s.next(',') && (s.pos >= len(s.text) || s.text[s.pos] != end) {
			return false
		}
	}
}

// key reads a dotted key into its parts.
func (s *scanner) key() ([]string, bool) {
	var parts []string
	for {
		s.blank(false)
		part, ok := s.keyPart()
		if !ok {
			return nil, false
		}
		if parts = append(parts, part); len(parts) > maxDepth {
			s.deep = true
			return nil, false
		}
		s.blank(false)
		if !s.next('.') {
			return parts, true
		}
	}
}

func (s *scanner) keyPart() (string, bool) {
	if s.pos < len(s.text) && (s.text[s.pos] == '"' || s.text[s.pos] == '\'') {
		return s.quoted(false)
	}
	start := s.pos
	for s.pos < len(s.text) && isBare(s.text[s.pos]) {
		s.pos++
	}
	return s.text[start:s.pos], s.pos > start
}

// quoted reads a string of any of the four kinds; multi allows the two that may
// span lines.
func (s *scanner) quoted(multi bool) (string, bool) {
	quote := s.text[s.pos : s.pos+1]
	if long := strings.Repeat(quote, 3); multi && strings.HasPrefix(s.text[s.pos:], long) {
		quote = long
	}
	s.pos += len(quote)
	start := s.pos
	for s.pos < len(s.text) {
		if strings.HasPrefix(s.text[s.pos:], quote) {
			raw := s.text[start:s.pos]
			s.pos += len(quote)
			for len(quote) == 3 && strings.HasPrefix(s.text[s.pos:], quote[:1]) {
				s.pos++ // up to two quotes may stand right before the closing three
			}
			if quote[0] == '"' {
				return unescape(raw), true
			}
			return raw, true
		}
		switch c := s.text[s.pos]; {
		case c == '\n' && len(quote) == 1:
			return "", false
		case c == '\n':
			s.line++
		case c == '\\' && quote[0] == '"' && s.pos+1 < len(s.text) && s.text[s.pos+1] != '\n':
			s.pos++
		}
		s.pos++
	}
	return "", false
}

// blank skips spaces, and with newlines also line ends and comments.
func (s *scanner) blank(newlines bool) {
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; {
		case c == ' ' || c == '\t' || c == '\r':
			s.pos++
		case newlines && c == '\n':
			s.pos++
			s.line++
		case newlines && c == '#':
			for s.pos < len(s.text) && s.text[s.pos] != '\n' {
				s.pos++
			}
		default:
			return
		}
	}
}

func (s *scanner) next(c byte) bool {
	if s.pos < len(s.text) && s.text[s.pos] == c {
		s.pos++
		return true
	}
	return false
}

// unescape turns the inside of a basic string into what it stands for.
func unescape(raw string) string {
	var b strings.Builder
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' || i+1 >= len(raw) {
			b.WriteByte(raw[i])
			continue
		}
		i++
		digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[raw[i]]
		if n, err := strconv.ParseUint(raw[i+1:min(len(raw), i+1+digits)], 16, 32); digits > 0 && err == nil {
			b.Write(utf8.AppendRune(nil, rune(n)))
			i += digits
			continue
		}
		if plain := strings.IndexByte("btnfre", raw[i]); plain >= 0 {
			b.WriteByte("\b\t\n\f\r\x1b"[plain])
			continue
		}
		b.WriteByte(raw[i])
	}
	return b.String()
}

func isBare(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}
