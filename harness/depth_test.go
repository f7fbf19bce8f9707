package harness

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plantbed/plantbed/gateway/admin"
)

// The depth is read from what the gateway's own metrics say, and the address
// from its log, also after a restart on another port.
func TestDepthWatch(t *testing.T) {
	var depth atomic.Int64
	m := admin.NewMetrics(nil)
	m.Depth, m.Bytes = func() int { return int(depth.Load()) }, func() int64 { return 0 }
	file := filepath.Join(t.TempDir(), "gateway.jsonl")
	say := func(text string) {
		t.Helper()
		f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := io.WriteString(f, text); err != nil {
			t.Fatal(err)
		}
	}
	w := newDepthWatch(file)
	ask := func(want float64, known bool) {
		t.Helper()
		if got, ok := w.ask(t.Context()); got != want || ok != known {
			t.Errorf("depth %g %v, want %g %v", got, ok, want, known)
		}
	}
	ask(0, false)
	first, second := httptest.NewServer(admin.Handler(m)), httptest.NewServer(admin.Handler(m))
	defer second.Close()
	listening := func(s *httptest.Server) string {
		return `{"time":"x","level":"INFO","msg":"admin: listening","address":"` + strings.TrimPrefix(s.URL, "http://") + "\"}\n"
	}
	line := listening(first)
	say("no json\n" + line[:40])
	ask(0, false)
	say(line[40:])
	depth.Store(17)
	ask(17, true)
	first.Close()
	ask(0, false)
	say(listening(second))
	depth.Store(4000)
	ask(4000, true)
}

func TestDepthWatchTellsChanges(t *testing.T) {
	before := runtime.NumGoroutine()
	answers := []string{"# HELP\nplantbed_gateway_buffer_depth_samples 3\n", "plantbed_gateway_buffer_depth_samples 3\n", "plantbed_gateway_buffer_depth_samples 1.2e+06\n", "other 7\n", "plantbed_gateway_buffer_depth_samples x\n"}
	var n atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, answers[min(int(n.Add(1))-1, len(answers)-1)])
	}))
	w := newDepthWatch("")
	w.url, w.every = s.URL, 20*time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	var told []float64
	done := make(chan struct{})
	go func() { w.run(ctx, func(d float64) { told = append(told, d) }); close(done) }()
	for int(n.Load()) <= len(answers) {
		time.Sleep(10 * time.Millisecond)
	}
	cancel()
	<-done
	s.Close()
	if want := []float64{3, 1.2e6}; !reflect.DeepEqual(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
	for i := 0; runtime.NumGoroutine() > before && i < 100; i++ {
		time.Sleep(10 * time.Millisecond)
	}
	if now := runtime.NumGoroutine(); now > before {
		t.Errorf("%d goroutines left", now-before)
	}
}
