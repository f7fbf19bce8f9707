package api

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/plantbed/plantbed/internal/strict"
)

// checkQuery refuses what stands behind the ? and is none of the parameters
// that a path takes: a slip of the pen would show everything, or nothing.
func checkQuery(r *http.Request, takes []string) error {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return badRequest("the query cannot be read: "+err.Error(), "")
	}
	for _, name := range slices.Sorted(maps.Keys(q)) {
		if slices.Contains(takes, name) {
			continue
		}
		if len(takes) == 0 {
			return badRequest(r.URL.Path+" takes no parameters", "")
		}
		return badRequest("there is no parameter \""+name+"\"; "+r.URL.Path+" takes "+strings.Join(takes, ", "), strict.Nearest(name, takes))
	}
	return nil
}

func badRequest(message, near string) *Refusal {
	if near != "" {
		message += " (did you mean \"" + near + "\"?)"
	}
	return &Refusal{Status: http.StatusBadRequest, Message: message}
}

// filter reads which tags are meant; there must be some of each name.
func (s *Server) filter(r *http.Request) (Filter, error) {
	q := r.URL.Query()
	f := Filter{PLC: q.Get("plc"), Machine: q.Get("machine"), Tag: q.Get("tag")}
	if f == (Filter{}) {
		return f, nil
	}
	all, err := s.plant.Tags(r.Context())
	if err != nil {
		return f, err
	}
	for _, part := range []struct {
		what, name string
		of         func(Tag) string
	}{{"PLC", f.PLC, func(t Tag) string { return t.PLC }}, {"machine", f.Machine, func(t Tag) string { return t.Machine }}, {"tag", f.Tag, func(t Tag) string { return t.ID }}} {
		var names []string
		for _, t := range all {
			names = append(names, part.of(t))
		}
		if part.name != "" && !slices.Contains(names, part.name) {
			refusal := badRequest("there is no "+part.what+" \""+part.name+"\"", strict.Nearest(part.name, names))
			refusal.Status = http.StatusNotFound
			return f, refusal
		}
	}
	return f, nil
}
