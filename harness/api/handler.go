package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"slices"
	"strings"
)

// raw is a body that is JSON, or another text, already.
type raw []byte

// text is a body of another type.
type text struct {
	kind string
	body []byte
}

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	for _, rt := range routes {
		mux.Handle(rt.path, s.answering(rt))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.write(w, 0, nil, NotFound("there is nothing at "+r.URL.Path+"; /api/v1/openapi.json says what there is"))
	})
	return mux
}

// answering serves one path: method → handler → JSON.
func (s *Server) answering(rt route) http.HandlerFunc {
	var allowed []string
	for m := range rt.methods {
		allowed = append(allowed, m)
	}
	slices.Sort(allowed)
	return func(w http.ResponseWriter, r *http.Request) {
		if !s.known(r.Host) {
			s.write(w, 0, nil, &Refusal{Status: http.StatusForbidden, Message: "this machine's address is asked for by another name: " + r.Host})
			return
		}
		method := r.Method
		if method == http.MethodHead {
			method = http.MethodGet
		}
		handle := rt.methods[method]
		if handle == nil {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			s.write(w, 0, nil, &Refusal{Status: http.StatusMethodNotAllowed, Message: rt.path + " takes " + strings.Join(allowed, ", ")})
			return
		}
		if rt.path != "/metrics" { // whose collectors may have parameters of their own
			if err := checkQuery(r, rt.query); err != nil {
				s.write(w, 0, nil, err)
				return
			}
		}
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		status, body, err := handle(s, r.WithContext(ctx))
		s.write(w, status, body, err)
	}
}

// known keeps out web pages whose name was made to lead to this machine: what
// listens on the loopback alone is asked for by its number or as localhost.
func (s *Server) known(host string) bool {
	own, ok := s.addr.(*net.TCPAddr)
	if !ok || !own.IP.IsLoopback() {
		return true
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return host == "localhost" || net.ParseIP(strings.Trim(host, "[]")) != nil
}

// write sends a body, or an error as one.
func (s *Server) write(w http.ResponseWriter, status int, body any, err error) {
	if err != nil {
		var refusal *Refusal
		if !errors.As(err, &refusal) {
			s.log.Warn("a request failed", "err", err)
			refusal = &Refusal{Status: http.StatusServiceUnavailable, Message: err.Error()}
		}
		status, body = refusal.Status, refusal
	}
	kind, out := "application/json", []byte(nil)
	switch b := body.(type) {
	case raw:
		out = b
	case text:
		kind, out = b.kind, b.body
	default:
		if out, err = json.Marshal(body); err != nil {
			status, out = http.StatusInternalServerError, []byte(`{"error":"the answer has no form in JSON"}`)
			s.log.Error("an answer cannot be written", "err", err)
		}
		out = append(out, '\n')
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	w.Write(out)
}

// body reads a JSON body. That it must say what it is keeps forms of other web
// pages in a browser on this machine from sending one.
func body(r *http.Request) ([]byte, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, &Refusal{Status: http.StatusUnsupportedMediaType, Message: "the body must be JSON and say so: Content-Type: application/json"}
	}
	b, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	switch {
	case err != nil:
		return nil, &Refusal{Status: http.StatusBadRequest, Message: "the body ends early: " + err.Error()}
	case len(b) > maxBody:
		return nil, &Refusal{Status: http.StatusRequestEntityTooLarge, Message: "the body is larger than any fault"}
	}
	return b, nil
}
