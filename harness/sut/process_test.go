package sut

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
)

// A program that counts its lives in its directory, and leaves a child behind.
const script = `
echo x >> lives
sleep 300 & echo $! > child
trap 'echo asked >> lives; exit 0' TERM
echo "up, $GREETING"
while true; do sleep 0.05; done
`

func start(t *testing.T, c Config, died func(error)) SUT {
	t.Helper()
	c.Kind = Process
	c.Defaults()
	s, err := New(c, Options{Dir: t.TempDir(), Died: died})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop() })
	if _, err := s.Prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context(), example); err != nil {
		t.Fatal(err)
	}
	return s
}

func home(s SUT) string { return s.(*process).home() }

func read(t *testing.T, s SUT, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(home(s), name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

func gone(pid string) bool {
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	return err != nil || strings.Contains(string(stat), ") Z ")
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for range 200 {
		if is() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("never: %s", what)
}

// It is started, killed with all that it has started, started again on what
// its directory has kept, and asked to end.
func TestLives(t *testing.T) {
	died := make(chan error, 1)
	s := start(t, Config{Command: []string{"sh", "run.sh"}, Files: []File{{Name: "run.sh", Text: script}}, Env: map[string]string{"GREETING": "{{.Scenario}}"},
		Ready: Ready{Log: "^up, example$"}}, func(err error) { died <- err })
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	child := read(t, s, "child")
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the child is gone too", func() bool { return gone(child) })
	if err := s.Kill(); err != nil { // again does no harm
		t.Fatal(err)
	}
	if err := s.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "not running") {
		t.Errorf("ready while it is down: %v", err)
	}
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if got := read(t, s, "lives"); got != "x\nx\nasked" {
		t.Errorf("lives: %q", got)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	if len(died) > 0 {
		t.Errorf("it is said to have died: %v", <-died)
	}
}

// One that does not want to end is made to.
func TestStubborn(t *testing.T) {
	s := start(t, Config{Command: []string{"sh", "-c", "trap '' TERM; echo up; while true; do sleep 0.05; done"}, Ready: Ready{Log: "up"},
		Stop: Stop{Grace: strict.Duration(200 * time.Millisecond)}}, nil)
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if err := s.Stop(); err != nil || time.Since(begun) > 5*time.Second {
		t.Errorf("%v after %s", err, time.Since(begun))
	}
}

// One that is paused does nothing, and then goes on.
func TestPause(t *testing.T) {
	s := start(t, Config{Command: []string{"sh", "-c", "while true; do echo x >> n; sleep 0.02; done"}}, nil)
	size := func() int64 {
		st, err := os.Stat(filepath.Join(home(s), "n"))
		if err != nil {
			return 0
		}
		return st.Size()
	}
	eventually(t, "it runs", func() bool { return size() > 0 })
	s.Pause(true)
	time.Sleep(50 * time.Millisecond)
	was := size()
	time.Sleep(200 * time.Millisecond)
	if size() != was {
		t.Error("it goes on while it is paused")
	}
	s.Pause(false)
	eventually(t, "it goes on", func() bool { return size() > was })
}

// Its own end is told, once.
func TestOwnEnd(t *testing.T) {
	died := make(chan error, 2)
	s := start(t, Config{Command: []string{"sh", "-c", "exit 4"}}, func(err error) { died <- err })
	if err := <-died; err == nil || !strings.Contains(err.Error(), "of its own accord: exit status 4") {
		t.Error(err)
	}
	s.Kill()
	s.Stop()
	if len(died) > 0 {
		t.Error("told twice")
	}
}

// A context that ends ends the wait.
func TestReadyIsInterrupted(t *testing.T) {
	s := start(t, Config{Command: []string{"sleep", "60"}, Ready: Ready{Data: true}}, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Ready(ctx); err == nil {
		t.Error("it is ready")
	}
}

// The file of its store that was written last has one bit turned over, and what
// is beside the store is left alone.
func TestFlip(t *testing.T) {
	s := start(t, Config{Name: "keeper", Store: "data/queue", Command: []string{"sh", "-c", "mkdir -p data/queue && echo old > data/queue/1 && sleep 300"}}, nil)
	for range 200 {
		if _, err := os.Stat(filepath.Join(home(s), "data/queue/1")); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	at := filepath.Join(home(s), "data/queue/2")
	if err := os.WriteFile(at, []byte("newest"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(at, time.Time{}, time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	os.WriteFile(filepath.Join(home(s), "beside"), []byte("beside"), 0o644)
	file, pos, err := s.Flip(0.5)
	if err != nil || file != "2" || pos != 2 {
		t.Errorf("flipped %s at %d, %v", file, pos, err)
	}
	if got := read(t, s, "data/queue/2"); got != "negest" {
		t.Errorf("it holds %q", got)
	}
	if read(t, s, "data/queue/1") != "old" || read(t, s, "beside") != "beside" {
		t.Error("another file was touched")
	}
	if err := s.Full(0); err == nil || !strings.Contains(err.Error(), "no store") {
		t.Errorf("full without a small disk: %v", err)
	}
}
