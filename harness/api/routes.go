package api

import (
	_ "embed"
	"net/http"
	"strconv"
)

//go:embed openapi.json
var document []byte

// route is one path and what each method on it does.
type route struct {
	path    string
	methods map[string]func(*Server, *http.Request) (int, any, error)
	query   []string // the parameters that it takes
}

// ofTags are the parameters that pick tags.
var ofTags = []string{"plc", "machine", "tag"}

type methods = map[string]func(*Server, *http.Request) (int, any, error)

// routes is the table of what is served; openapi.json describes it.
var routes = []route{
	{"/api/v1/openapi.json", methods{"GET": func(*Server, *http.Request) (int, any, error) { return http.StatusOK, raw(document), nil }}, nil},
	{"/api/v1/status", methods{"GET": func(s *Server, r *http.Request) (int, any, error) { return ok(s.plant.Status(r.Context())) }}, nil},
	{"/api/v1/machines", methods{"GET": func(s *Server, r *http.Request) (int, any, error) {
		all, err := s.plant.Machines(r.Context())
		return list("machines", all, err)
	}}, nil},
	{"/api/v1/plcs", methods{"GET": func(s *Server, r *http.Request) (int, any, error) {
		all, err := s.plant.PLCs(r.Context())
		return list("plcs", all, err)
	}}, nil},
	{"/api/v1/tags", methods{"GET": (*Server).tags}, ofTags},
	{"/api/v1/fault-kinds", methods{"GET": func(s *Server, r *http.Request) (int, any, error) {
		all, err := s.plant.FaultKinds(r.Context())
		return list("kinds", all, err)
	}}, nil},
	{"/api/v1/faults", methods{
		"GET": func(s *Server, r *http.Request) (int, any, error) {
			all, err := s.plant.Faults(r.Context())
			return list("faults", all, err)
		},
		"POST": (*Server).inject,
		"DELETE": func(s *Server, r *http.Request) (int, any, error) {
			all, err := s.plant.ClearAll(r.Context())
			return list("faults", all, err)
		},
	}, nil},
	{"/api/v1/faults/{id}", methods{"GET": (*Server).fault, "DELETE": (*Server).clear}, nil},
	{"/api/v1/truth", methods{"GET": (*Server).truth}, ofTags},
	{"/api/v1/events", methods{"GET": (*Server).events}, []string{"since", "limit"}},
	{"/metrics", methods{"GET": (*Server).metrics}, nil},
}

func ok[T any](v T, err error) (int, any, error) { return http.StatusOK, v, err }

// list is an object with one list in it, [] where it is empty.
func list[T any](name string, all []T, err error) (int, any, error) {
	if all == nil {
		all = []T{}
	}
	return http.StatusOK, map[string][]T{name: all}, err
}

func (s *Server) tags(r *http.Request) (int, any, error) {
	of, err := s.filter(r)
	if err != nil {
		return 0, nil, err
	}
	all, err := s.plant.Tags(r.Context())
	picked := []Tag{}
	for _, t := range all {
		if of.Picks(t.PLC, t.Machine, t.ID) {
			picked = append(picked, t)
		}
	}
	return list("tags", picked, err)
}

func (s *Server) truth(r *http.Request) (int, any, error) {
	of, err := s.filter(r)
	if err != nil {
		return 0, nil, err
	}
	return ok(s.plant.Truth(r.Context(), of))
}

// Picks tells whether a tag is meant.
func (f Filter) Picks(plc, machine, tag string) bool {
	return (f.PLC == "" || f.PLC == plc) && (f.Machine == "" || f.Machine == machine) && (f.Tag == "" || f.Tag == tag)
}

func (s *Server) inject(r *http.Request) (int, any, error) {
	body, err := body(r)
	if err != nil {
		return 0, nil, err
	}
	f, err := s.plant.Inject(r.Context(), body)
	return http.StatusCreated, f, err
}

func (s *Server) fault(r *http.Request) (int, any, error) {
	id, err := faultID(r)
	if err != nil {
		return 0, nil, err
	}
	all, err := s.plant.Faults(r.Context())
	if err != nil {
		return 0, nil, err
	}
	for _, f := range all {
		if f.ID == id {
			return http.StatusOK, f, nil
		}
	}
	return 0, nil, noFault(id)
}

func (s *Server) clear(r *http.Request) (int, any, error) {
	id, err := faultID(r)
	if err != nil {
		return 0, nil, err
	}
	return ok(s.plant.Clear(r.Context(), id))
}

func faultID(r *http.Request) (int, error) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil {
		return 0, NotFound("a fault's id is a number, and not " + strconv.Quote(r.PathValue("id")))
	}
	return id, nil
}

func noFault(id int) *Refusal { return NotFound("no fault " + strconv.Itoa(id) + " is active") }

func (s *Server) events(r *http.Request) (int, any, error) {
	since, most := uint64(0), uint64(maxEvents)
	for key, into := range map[string]*uint64{"since": &since, "limit": &most} {
		text := r.URL.Query().Get(key)
		if text == "" {
			continue
		}
		v, err := strconv.ParseUint(text, 10, 63)
		if err != nil {
			return 0, nil, &Refusal{Status: http.StatusBadRequest, Message: key + " is a number, and not " + strconv.Quote(text)}
		}
		*into = v
	}
	return ok(s.plant.Events(r.Context(), since, int(min(most, maxEvents))))
}
