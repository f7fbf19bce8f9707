package harness

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/plantbed/plantbed/gateway"
	"github.com/plantbed/plantbed/harness/record"
	"github.com/plantbed/plantbed/harness/score"
	"github.com/plantbed/plantbed/scenarios"
)

// liveRun runs the quiet scenario by the wall for a few seconds, the gateway
// in this process.
//
// A machine that is too busy to keep the world's time for 100 ms says nothing
// about the stack; then it is tried once more.
func liveRun(t *testing.T, sets ...string) score.Card {
	t.Helper()
	c := liveOnce(t, sets...)
	if lag := c.Metrics["clock.lag_max_ms"].Value; lag != nil && *lag > 100 {
		t.Logf("the world was %.0f ms late; once more", *lag)
		c = liveOnce(t, sets...)
	}
	return c
}

func liveOnce(t *testing.T, sets ...string) score.Card {
	t.Helper()
	dir := t.TempDir()
	sc, ps := scenarios.Load(filepath.Join("testdata", "quiet.toml"), append(sets, "gear=live", "duration=8s"))
	if len(ps) > 0 {
		t.Fatal(ps.Err())
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	err := Run(ctx, sc, Options{Dir: dir, Tweak: Tweak{Gateway: func(*gateway.Options) {}}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := record.Load(filepath.Join(dir, "record"))
	if err != nil {
		t.Fatal(err)
	}
	return score.Score(l).Card
}

func clean(t *testing.T, c score.Card) {
	t.Helper()
	for _, name := range []string{"loss.count", "corrupt.count", "orphan.count", "dup.unmarked", "dup.applied"} {
		if v := c.Metrics[name].Value; v == nil || *v != 0 {
			t.Errorf("%s = %+v: %v", name, c.Metrics[name], c.Why)
		}
	}
	if v := c.Metrics["samples.delivered"].Value; v == nil || *v < 50 {
		t.Errorf("delivered %+v", c.Metrics["samples.delivered"])
	}
}

// A run leaves no goroutine and no socket behind.
func TestARunLeavesNothingBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	clean(t, liveRun(t))
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	buf := make([]byte, 1<<20)
	t.Errorf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
}

// A broker that nobody here wrote, by its URL.
func TestAStrangersBroker(t *testing.T) {
	exe, err := exec.LookPath("mosquitto")
	if err != nil {
		exe, err = exec.LookPath("/usr/sbin/mosquitto")
	}
	if err != nil {
		if os.Getenv("PLANTBED_REQUIRE") != "" {
			t.Fatal("mosquitto is missing; make deps installs it")
		}
		t.Skip("SKIPPED: mosquitto is missing; make deps installs it")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().(*net.TCPAddr)
	l.Close()
	conf := filepath.Join(t.TempDir(), "mosquitto.conf")
	text := fmt.Sprintf("listener %d 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 0\nmax_queued_messages 0\n", addr.Port)
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	cmd := exec.Command(exe, "-c", conf)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	for range 100 {
		if c, err := net.Dial("tcp", addr.String()); err == nil {
			c.Close()
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	clean(t, liveRun(t, "broker.url=mqtt://"+addr.String()))
}

// What a run cannot have is an error that names it, and leaves nothing behind.
func TestNoBrokerThere(t *testing.T) {
	sc, ps := scenarios.Load(filepath.Join("testdata", "quiet.toml"), []string{"gear=live", "duration=8s", "broker.url=mqtt://127.0.0.1:1"})
	if len(ps) > 0 {
		t.Fatal(ps.Err())
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	err := Run(ctx, sc, Options{Dir: t.TempDir()})
	if err == nil || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("got %v", err)
	}
}
