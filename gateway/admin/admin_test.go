package admin

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func get(t *testing.T, m *Metrics, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	Handler(m).ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w.Code, w.Body.String()
}

func TestReadiness(t *testing.T) {
	m := NewMetrics([]string{"b", "a"})
	steps := []struct {
		do   func()
		code int
		text string
	}{
		{func() {}, 503, "broker: not connected yet\nsource a: not connected yet\nsource b: not connected yet\n"},
		{func() { m.Source("a", true, "") }, 503, "broker: not connected yet\nsource b: not connected yet\n"},
		{func() { m.Broker(true, "") }, 200, "ready\nsource b: not connected yet\n"},
		{func() { m.Source("b", true, "") }, 200, "ready\n"},
		{func() { m.Trouble("no space left") }, 503, "buffer: no space left\n"},
		{func() { m.Trouble("") }, 200, "ready\n"},
		{func() { m.Broker(false, "") }, 503, "broker: down\n"},
	}
	for i, s := range steps {
		s.do()
		if code, text := get(t, m, "/readyz"); code != s.code || text != s.text {
			t.Errorf("step %d: %d %q, want %d %q", i, code, text, s.code, s.text)
		}
		if code, _ := get(t, m, "/healthz"); code != 200 {
			t.Errorf("step %d: health %d", i, code)
		}
	}
	if code, _ := get(t, m, "/else"); code != 404 {
		t.Errorf("another path: %d", code)
	}
}

func TestMetrics(t *testing.T) {
	m := NewMetrics([]string{"plc-1"})
	m.Depth, m.Bytes = func() int { return 17 }, func() int64 { return 900 }
	m.Received.Add(20)
	m.Filtered.Add(3)
	m.Acked.Add(12)
	m.Commits.Add(2)
	m.Dropped("buffer-full", 4)
	m.Dropped("buffer-full", 1)
	m.Source("plc-1", true, "")
	_, text := get(t, m, "/metrics")
	for _, line := range []string{
		`plantbed_gateway_samples_total{stage="received"} 20`, `plantbed_gateway_samples_total{stage="filtered"} 3`,
		`plantbed_gateway_samples_total{stage="acked"} 12`, `plantbed_gateway_samples_total{stage="published"} 0`,
		`plantbed_gateway_dropped_samples_total{reason="buffer-full"} 5`, `plantbed_gateway_buffer_commits_total 2`,
		`plantbed_gateway_buffer_depth_samples 17`, `plantbed_gateway_buffer_bytes 900`,
		`plantbed_gateway_source_up{source="plc-1"} 1`, `plantbed_gateway_broker_up 0`, `plantbed_gateway_buffer_trouble 0`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no line %q in\n%s", line, text)
		}
	}
}

func TestServe(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := Serve(context.Background(), Config{Listen: l.Addr().String()}, NewMetrics(nil), nil); err == nil {
		t.Error("a port in use is an error")
	}
	ctx, cancel := context.WithCancel(context.Background())
	end := make(chan error, 1)
	go func() { end <- ServeOn(ctx, l, NewMetrics(nil), nil) }()
	c := http.Client{Timeout: 5 * time.Second}
	r, err := c.Get("http://" + l.Addr().String() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(r.Body)
	r.Body.Close()
	c.CloseIdleConnections()
	if string(body) != "ok\n" {
		t.Errorf("%q", body)
	}
	cancel()
	if err := <-end; err != nil {
		t.Error(err)
	}
}

func TestConfig(t *testing.T) {
	for listen, ok := range map[string]bool{"": true, "127.0.0.1:9100": true, ":9100": true, "9100": false, "host:": false} {
		if ps := (Config{Listen: listen}).Validate(); (len(ps) == 0) != ok {
			t.Errorf("%q: %v", listen, ps)
		}
	}
}
