// Package admin is the gateway's door for those who watch it: counters, and an
// HTTP listener that shows them.
//
//	m := admin.NewMetrics([]string{"plc-1"})
//	m.Received.Add(20)
//	err := admin.Serve(ctx, admin.Config{Listen: "127.0.0.1:9100"}, m, log)
//
//	GET /healthz   200 while the process serves
//	GET /readyz    200 when broker and buffer work, else 503; the reasons as text.
//	               Sources that are down and alarms are told and do not make it unready.
//	GET /metrics   Prometheus text format; the same goes to a collector as OTLP
package admin

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
)

// Door is an address that is listened on and not yet served.
type Door struct{ l net.Listener }

// Open listens; without an address there is no door, which is no error.
func Open(cfg Config) (*Door, error) {
	if cfg.Listen == "" {
		return nil, nil
	}
	l, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("admin: %w", err)
	}
	return &Door{l}, nil
}

// Serve serves until ctx ends; no door only waits.
func (d *Door) Serve(ctx context.Context, m *Metrics, log *slog.Logger) error {
	if d == nil {
		<-ctx.Done()
		return nil
	}
	return ServeOn(ctx, d.l, m, log)
}

// Serve listens until ctx ends, which is no error. Without a listen address it
// only waits.
func Serve(ctx context.Context, cfg Config, m *Metrics, log *slog.Logger) error {
	d, err := Open(cfg)
	if err != nil {
		return err
	}
	return d.Serve(ctx, m, log)
}

// ServeOn is Serve on a listener that is there; it closes it.
func ServeOn(ctx context.Context, l net.Listener, m *Metrics, log *slog.Logger) error {
	if log == nil {
		log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	log.Info("admin: listening", "address", l.Addr().String())
	srv := &http.Server{Handler: Handler(m), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second}
	stop := context.AfterFunc(ctx, func() { srv.Close() })
	defer stop()
	if err := srv.Serve(l); err != http.ErrServerClosed {
		return fmt.Errorf("admin: %w", err)
	}
	return nil
}

// Handler serves the three paths.
func Handler(m *Metrics) http.Handler {
	registry := prometheus.NewRegistry()
	registry.MustRegister(m)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { ready(w, m.Problems()) })
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) { metrics(w, registry) })
	return mux
}

func ready(w http.ResponseWriter, problems []string) {
	status, text := http.StatusOK, ""
	for _, p := range problems {
		text += p + "\n"
		if !strings.HasPrefix(p, "source ") && !strings.HasPrefix(p, "alarm ") {
			status = http.StatusServiceUnavailable
		}
	}
	if status == http.StatusOK {
		text = "ready\n" + text
	}
	w.WriteHeader(status)
	io.WriteString(w, text)
}

func metrics(w http.ResponseWriter, registry *prometheus.Registry) {
	families, err := registry.Gather()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	format := expfmt.NewFormat(expfmt.TypeTextPlain)
	w.Header().Set("Content-Type", string(format))
	enc := expfmt.NewEncoder(w, format)
	for _, f := range families {
		if enc.Encode(f) != nil { // the reader has gone
			return
		}
	}
}
