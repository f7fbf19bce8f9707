package opcua

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// lossy is a link to a server that can be made to swallow what the server
// sends, so that the server believes it sent.
type lossy struct {
	ln       net.Listener
	deaf     atomic.Bool
	swallows atomic.Int64 // bytes
	wg       sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn
}

func newLossy(t *testing.T, s *Server) *lossy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &lossy{ln: ln}
	l.wg.Go(func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", s.Addr().String())
			if err != nil {
				client.Close()
				continue
			}
			l.mu.Lock()
			l.conns = append(l.conns, client, server)
			l.mu.Unlock()
			l.wg.Go(func() { l.carry(server, client, false) })
			l.wg.Go(func() { l.carry(client, server, true) })
		}
	})
	t.Cleanup(func() { ln.Close(); l.cut(); l.wg.Wait() })
	return l
}

func (l *lossy) url() string { return "opc.tcp://" + l.ln.Addr().String() }

// carry takes bytes from one end to the other.
func (l *lossy) carry(to io.WriteCloser, from io.ReadCloser, down bool) {
	defer to.Close()
	defer from.Close()
	b := make([]byte, 64<<10)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		if l.deaf.Load() && down {
			l.swallows.Add(int64(n))
			continue
		}
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}

// cut resets every connection.
func (l *lossy) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		reset(c)
	}
	l.conns = nil
}

// lose swallows what the server sends for a while, and then cuts.
func (l *lossy) lose(d time.Duration) {
	l.deaf.Store(true)
	time.Sleep(d)
	l.cut()
	l.deaf.Store(false)
}
