package main

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestHangupReadsTheConfigAgain: each SIGHUP brings what the file says now; a
// file that does not hold brings nothing and is told of, and the next one counts
// again.
func TestHangupReadsTheConfigAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "gateway.toml")
	write := func(poll string) {
		text := "[[modbus]]\nname = \"plc\"\nurl = \"tcp://127.0.0.1:502\"\n[[modbus.tag]]\nid = \"a\"\naddress = 1\ntype = \"int16\"\npoll = \"" + poll + "\"\n[mqtt]\nurl = \"mqtt://127.0.0.1:1\"\n"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("1s")
	out := &lockedBuffer{}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	in := reloads(ctx, file, slog.New(slog.NewTextHandler(out, nil)))
	hangup := func() {
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	want := func(poll time.Duration) {
		t.Helper()
		select {
		case r := <-in:
			if got := r.Config.Modbus[0].Tags[0].Poll.D(); got != poll {
				t.Errorf("poll %v, want %v", got, poll)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("SIGHUP brought no config")
		}
	}
	hangup()
	want(time.Second)
	write("2s")
	hangup()
	want(2 * time.Second)
	write("soon")
	hangup()
	for end := time.Now().Add(10 * time.Second); !strings.Contains(out.String(), "config not taken"); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a config that does not hold was not told of")
		}
	}
	if !strings.Contains(out.String(), "modbus[0].tag[0].poll") {
		t.Errorf("%s", out)
	}
	write("3s")
	hangup()
	want(3 * time.Second)
}

// lockedBuffer is written to by one goroutine and read by another.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
