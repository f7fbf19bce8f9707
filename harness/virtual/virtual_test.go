package virtual_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plantbed/plantbed/harness/virtual"
)

// build compiles the test worker under the fake clock.
func build(t *testing.T) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "worker")
	cmd := exec.Command("go", "build", "-tags", "faketime", "-o", exe, "./testdata/worker")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return exe
}

func TestWorker(t *testing.T) {
	exe := build(t)
	run := func(ctx context.Context, mode string, w virtual.Worker) (lines []string, log string, err error) {
		var b bytes.Buffer
		w.Exe, w.Args, w.Log = exe, []string{mode}, &b
		w.Progress = func(s string) { lines = append(lines, s) }
		err = w.Run(ctx)
		return lines, b.String(), err
	}
	t.Run("an hour passes at once", func(t *testing.T) {
		lines, log, err := run(context.Background(), "hour", virtual.Worker{})
		if err != nil || len(lines) != 60 || !strings.Contains(log, "said on standard error") {
			t.Errorf("err %v, %d lines, log %q", err, len(lines), log)
		}
	})
	t.Run("loopback takes no virtual time", func(t *testing.T) {
		lines, _, err := run(context.Background(), "loopback", virtual.Worker{})
		if err != nil || len(lines) != 1 || lines[0] != "0s" {
			t.Errorf("err %v, %q", err, lines)
		}
	})
	t.Run("a crash is told with its last words", func(t *testing.T) {
		_, _, err := run(context.Background(), "crash", virtual.Worker{})
		var c *virtual.Crash
		if !errors.As(err, &c) || !strings.Contains(c.Last, "assignment to entry in nil map") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a cancelled context winds it up", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		go func() { time.Sleep(100 * time.Millisecond); cancel() }()
		lines, _, err := run(ctx, "forever", virtual.Worker{})
		if !errors.Is(err, context.Canceled) || len(lines) == 0 || lines[len(lines)-1] != "wound up" {
			t.Errorf("err %v, %q", err, lines[max(0, len(lines)-1):])
		}
	})
	t.Run("a worker that hangs is ended", func(t *testing.T) {
		_, _, err := run(context.Background(), "hang", virtual.Worker{Silence: 2 * time.Second})
		var c *virtual.Crash
		if !errors.As(err, &c) || !strings.Contains(err.Error(), "reported nothing") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no such program", func(t *testing.T) {
		if err := (virtual.Worker{Exe: "/nowhere/at/all"}).Run(context.Background()); err == nil || !strings.Contains(err.Error(), "/nowhere/at/all") {
			t.Errorf("got %v", err)
		}
	})
}

func TestDeframe(t *testing.T) {
	frame := func(s string) []byte {
		h := append([]byte{0, 0, 'P', 'B'}, make([]byte, 12)...)
		binary.BigEndian.PutUint32(h[12:], uint32(len(s)))
		return append(h, s...)
	}
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"plain", "plain"},
		{string(frame("one")) + string(frame("")) + string(frame("two")), "onetwo"},
		{string(frame("one")) + "then plain text of some length", "onethen plain text of some length"},
	} {
		var b bytes.Buffer
		if err := virtual.Deframe(strings.NewReader(c.in), &b); err != nil || b.String() != c.want {
			t.Errorf("%q: %q, %v; want %q", c.in, b.String(), err, c.want)
		}
	}
}
