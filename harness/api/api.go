// Package api is the control of a running plant over HTTP: what there is, what
// is true, and faults that are injected and cleared by hand.
//
//	s, err := api.Serve("127.0.0.1:8080", plant, log) // plant is package harness's
//	defer s.Close()
//
//	curl  http://127.0.0.1:8080/api/v1/faults
//	curl  http://127.0.0.1:8080/api/v1/faults -d '{"kind": "link.down", "target": "plc-fill", "for": "45s"}' -H 'content-type: application/json'
//	curl  http://127.0.0.1:8080/api/v1/truth?machine=filler
//	curl  http://127.0.0.1:8080/metrics
//
// The document at /api/v1/openapi.json describes all of it; routes.go is the
// table of what is served. Whoever reaches the address may do everything, so
// it should be one of this machine.
package api

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Plant is what the API shows and turns. Its methods are called from many
// goroutines at once; they return ctx's error when they would have to wait
// longer. What the caller did wrong is a *Refusal.
type Plant interface {
	Status(ctx context.Context) (Status, error)
	Machines(ctx context.Context) ([]Machine, error)
	PLCs(ctx context.Context) ([]PLC, error)
	Tags(ctx context.Context) ([]Tag, error)
	FaultKinds(ctx context.Context) ([]FaultKind, error)
	// Faults are those that are active.
	Faults(ctx context.Context) ([]Fault, error)
	// Inject starts the fault that a JSON object describes.
	Inject(ctx context.Context, body []byte) (Fault, error)
	// Clear ends an active fault and gives it as it was.
	Clear(ctx context.Context, id int) (Fault, error)
	ClearAll(ctx context.Context) ([]Fault, error)
	Truth(ctx context.Context, of Filter) (Truth, error)
	// Events are those behind since, at most so many.
	Events(ctx context.Context, since uint64, most int) (Events, error)
}

// Server answers until Close.
type Server struct {
	http  *http.Server
	addr  net.Addr
	plant Plant
	log   *slog.Logger
	wg    sync.WaitGroup
}

// Limits of a request.
const (
	maxBody   = 64 << 10
	maxHeader = 16 << 10
	patience  = 5 * time.Second // with the plant, and with a slow client's request
	maxEvents = 10_000
)

// Serve listens; an address whose port is 0 is any free one. A nil log discards.
func Serve(addr string, plant Plant, log *slog.Logger) (*Server, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("the API: %w", err)
	}
	s := &Server{addr: ln.Addr(), plant: plant, log: log}
	s.http = &http.Server{
		Handler: s.handler(), ReadHeaderTimeout: patience, ReadTimeout: 2 * patience, WriteTimeout: 6 * patience, IdleTimeout: time.Minute,
		MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	s.wg.Add(1)
	go func() {
		defer s.wg.Done()
		s.http.Serve(ln)
	}()
	return s, nil
}

// Addr is where it listens.
func (s *Server) Addr() net.Addr { return s.addr }

// Close lets requests under way finish for a moment, then ends everything.
func (s *Server) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = s.http.Close()
	}
	s.wg.Wait()
	return err
}
