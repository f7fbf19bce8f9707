package modbus

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
)

// script is a connection that hands out its chunks one by one, and writes down
// what is done to it.
type script struct {
	net.Conn
	chunks [][]byte
	log    []string
}

func (s *script) Read(b []byte) (int, error) {
	if len(s.chunks) == 0 {
		return 0, io.EOF
	}
	s.log = append(s.log, "read")
	n := copy(b, s.chunks[0])
	s.chunks = s.chunks[1:]
	return n, nil
}

func (s *script) Write(b []byte) (int, error) { s.log = append(s.log, "write"); return len(b), nil }

func (s *script) SetReadDeadline(t time.Time) error {
	what := "limit"
	if t.IsZero() {
		what = "no limit"
	}
	s.log = append(s.log, what)
	return nil
}

// The rest of a frame is limited in time, and the limit lifted behind it; a
// frame that comes whole costs no deadline, and several in one piece one read.
func TestDeadlines(t *testing.T) {
	frame := []byte{0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1}
	for _, c := range []struct {
		idle   time.Duration
		chunks [][]byte
		want   string
	}{
		{0, [][]byte{frame, frame}, "read, write, read, write"},
		{0, [][]byte{bytes.Repeat(frame, 3)}, "read, write, write, write"},
		{0, [][]byte{frame[:3], frame[3:], frame}, "read, limit, read, write, no limit, read, write"},
		{0, [][]byte{frame[:9], frame[9:10], frame[10:]}, "read, limit, read, read, write, no limit"},
		{time.Minute, [][]byte{frame, frame}, "limit, read, write, limit, read, write, limit"},
		{time.Minute, [][]byte{frame[:9], frame[9:]}, "limit, read, limit, read, write, limit"},
	} {
		raw := &script{chunks: c.chunks}
		p := fixed(t)
		m, err := NewMap(p.Tasks())
		if err != nil {
			t.Fatal(err)
		}
		s := &Server{cfg: Config{Idle: strict.Duration(c.idle)}.WithDefaults(), bank: newBank(p, m, true)}
		s.trouble.init("p")
		if err := newConn(s, raw, 0).serve(); err != io.EOF {
			t.Errorf("ends with %v", err)
		}
		if got := strings.Join(raw.log, ", "); got != c.want {
			t.Errorf("chunks %v: %s, want %s", c.chunks, got, c.want)
		}
	}
}
