package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/xeipuuv/gojsonschema"
)

// fake is a plant with one of everything.
type fake struct {
	faults []Fault
	err    error
	asked  []byte // the last body
	since  uint64
	most   int
}

var bit, unit, one = 3, 7, 1.5

func (f *fake) Status(context.Context) (Status, error) {
	return Status{Scenario: "s", Start: time.Unix(0, 0).UTC(), AtS: 5, Endpoints: []Endpoint{{"p", "modbus", "tcp://h:1"}}, Injected: 2}, f.err
}
func (f *fake) Machines(context.Context) ([]Machine, error) {
	return []Machine{{Name: "m", State: 6, StateName: "Execute", Good: 3, Total: 4, Components: []Component{{"c", 0.5}}}}, f.err
}
func (f *fake) PLCs(context.Context) ([]PLC, error) {
	return []PLC{{Name: "p", Protocol: "modbus", Unit: &unit, Machines: []string{"m"}, Tasks: []Task{{"scan", 1, 2, 9}}, Connections: 1, Bytes: 99}}, f.err
}
func (f *fake) Tags(context.Context) ([]Tag, error) {
	return []Tag{{ID: "m/a", PLC: "p", Machine: "m", Lo: &one, Modbus: &Modbus{2, 1, "abcd", &bit}}, {ID: "n/b", PLC: "q", Machine: "n", Node: "ns=2;s=n/b"}}, f.err
}
func (f *fake) FaultKinds(context.Context) ([]FaultKind, error) {
	return []FaultKind{{Kind: "link.down", Class: "communication", Keys: []Key{{Name: "for"}}, Targets: []string{"p"}}}, f.err
}
func (f *fake) Faults(context.Context) ([]Fault, error) { return f.faults, f.err }
func (f *fake) Inject(_ context.Context, body []byte) (Fault, error) {
	f.asked = body
	switch {
	case strings.Contains(string(body), "wrong"):
		return Fault{}, &Refusal{Status: 422, Message: "not valid", Problems: []Problem{{"kind", "no", "link.down"}}}
	case strings.Contains(string(body), "worn"):
		return Fault{}, &Refusal{Status: 409, Message: "is worn already"}
	}
	n := Fault{ID: len(f.faults) + 1, Kind: "link.down", Target: "p", Class: "communication", FromS: 5, ToS: &one}
	f.faults = append(f.faults, n)
	return n, f.err
}
func (f *fake) Clear(_ context.Context, id int) (Fault, error) {
	for i, x := range f.faults {
		if x.ID == id {
			f.faults = slices.Delete(f.faults, i, i+1)
			return x, nil
		}
	}
	return Fault{}, NotFound("no such fault")
}
func (f *fake) ClearAll(context.Context) ([]Fault, error) {
	all := f.faults
	f.faults = nil
	return all, f.err
}
func (f *fake) Truth(_ context.Context, of Filter) (Truth, error) {
	return Truth{AtS: 5, Values: []Value{{Tag: of.Tag, True: Number(math.NaN()), Scanned: &Scanned{Value: &one, Quality: "Good", Seq: 3}}, {Tag: "x"}}}, f.err
}
func (f *fake) Events(_ context.Context, since uint64, most int) (Events, error) {
	f.since, f.most = since, most
	return Events{Next: 4, Events: []Event{{Seq: 4, Kind: "fault begins", Fault: &Fault{ID: 1}}}}, f.err
}

// served is a server of a fake, and a way to ask it.
type served struct {
	t    *testing.T
	s    *Server
	base string
}

func newServed(t *testing.T, p Plant) *served {
	t.Helper()
	s, err := Serve("127.0.0.1:0", p, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return &served{t, s, "http://" + s.Addr().String()}
}

// ask gives status, content type and body.
func (s *served) ask(method, path, body string, head ...string) (int, string, string) {
	s.t.Helper()
	req, err := http.NewRequest(method, s.base+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(head); i += 2 {
		req.Header.Set(head[i], head[i+1])
		if head[i] == "Host" {
			req.Host = head[i+1]
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Content-Type"), string(out)
}

// openAPI is the document as tests walk through it.
type openAPI struct {
	Paths      map[string]map[string]operation
	Components struct{ Schemas map[string]any }
}

type operation struct {
	Parameters []struct{ Name, In string }
	Responses  map[string]struct {
		Content map[string]struct{ Schema map[string]any }
	}
}

func readDocument(t *testing.T) openAPI {
	t.Helper()
	var d openAPI
	if err := json.Unmarshal(document, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// Every route is in the document, and nothing else is.
func TestDocumentHasTheRoutes(t *testing.T) {
	var inTable, inDocument []string
	for _, r := range routes {
		for m := range r.methods {
			inTable = append(inTable, strings.ToLower(m)+" "+r.path)
		}
	}
	takes := map[string][]string{}
	for _, r := range routes {
		takes[r.path] = r.query
	}
	for path, ops := range readDocument(t).Paths {
		for m, op := range ops {
			inDocument = append(inDocument, m+" "+path)
			var query []string
			for _, p := range op.Parameters {
				if p.In == "query" {
					query = append(query, p.Name)
				}
			}
			if m == "get" && !slices.Equal(query, takes[path]) {
				t.Errorf("%s takes %q, and the document says %q", path, takes[path], query)
			}
		}
	}
	slices.Sort(inTable)
	slices.Sort(inDocument)
	if !slices.Equal(inTable, inDocument) {
		t.Errorf("served:\n%s\ndocumented:\n%s", strings.Join(inTable, "\n"), strings.Join(inDocument, "\n"))
	}
}

// What is answered, good or bad, is what the document says.
func TestAnswersFitTheDocument(t *testing.T) {
	doc := readDocument(t)
	f := &fake{}
	s := newServed(t, f)
	covered := map[string]bool{}
	for _, c := range []struct {
		method, path, at, body string
		status                 int
		contains               string
	}{
		{"GET", "/api/v1/openapi.json", "", "", 200, `"openapi": "3.0.3"`},
		{"GET", "/api/v1/status", "", "", 200, `"at_s":5`},
		{"GET", "/api/v1/machines", "", "", 200, `"damage":0.5`},
		{"GET", "/api/v1/plcs", "", "", 200, `"unit":7`},
		{"GET", "/api/v1/tags", "", "", 200, `"n/b"`},
		{"GET", "/api/v1/tags", "?plc=p&machine=m&tag=m/a", "", 200, `"bit":3`},
		{"GET", "/api/v1/tags", "?plc=p&machine=n", "", 200, `{"tags":[]}`},
		{"GET", "/api/v1/tags", "?plc=nobody", "", 404, `there is no PLC`},
		{"GET", "/api/v1/tags", "?machine=mm", "", 404, `did you mean \"m\"`},
		{"GET", "/api/v1/tags", "?tags=m/a", "", 400, `did you mean \"tag\"`},
		{"GET", "/api/v1/tags", "?tag=%zz", "", 400, `cannot be read`},
		{"GET", "/api/v1/truth", "?tag=m/b", "", 404, `there is no tag`},
		{"GET", "/api/v1/status", "?full=1", "", 400, `takes no parameters`},
		{"GET", "/metrics", "?module=x", "", 200, `plantbed_`},
		{"GET", "/api/v1/fault-kinds", "", "", 200, `"link.down"`},
		{"GET", "/api/v1/faults", "", "", 200, `{"faults":[]}`},
		{"POST", "/api/v1/faults", "", `{"kind": "link.down"}`, 201, `"id":1`},
		{"POST", "/api/v1/faults", "", `{"kind": "wrong"}`, 422, `"near":"link.down"`},
		{"POST", "/api/v1/faults", "", `{"kind": "worn"}`, 409, "worn already"},
		{"GET", "/api/v1/faults/{id}", "/api/v1/faults/1", "", 200, `"to_s":1.5`},
		{"GET", "/api/v1/faults/{id}", "/api/v1/faults/9", "", 404, "no fault 9"},
		{"GET", "/api/v1/faults/{id}", "/api/v1/faults/x", "", 404, "a number"},
		{"DELETE", "/api/v1/faults/{id}", "/api/v1/faults/1", "", 200, `"id":1`},
		{"DELETE", "/api/v1/faults/{id}", "/api/v1/faults/1", "", 404, "no such fault"},
		{"POST", "/api/v1/faults", "", `{}`, 201, `"id":1`},
		{"DELETE", "/api/v1/faults", "", "", 200, `"id":1`},
		{"GET", "/api/v1/truth", "?tag=m/a", "", 200, `"true":null`},
		{"GET", "/api/v1/events", "?since=3&limit=99999999", "", 200, `"next":4`},
		{"GET", "/api/v1/events", "?since=-1", "", 400, "since is a number"},
		{"GET", "/metrics", "", "", 200, "plantbed_machine_state"},
	} {
		path := c.path + c.at
		if strings.HasPrefix(c.at, "/") {
			path = c.at
		}
		status, kind, body := s.ask(c.method, path, c.body)
		if status != c.status || !strings.Contains(body, c.contains) {
			t.Errorf("%s %s: %d %s, want %d and %s", c.method, path, status, body, c.status, c.contains)
		}
		op := doc.Paths[c.path][strings.ToLower(c.method)]
		covered[c.method+c.path] = true
		r, ok := op.Responses[fmt.Sprint(status)]
		if !ok {
			r = op.Responses["default"]
		}
		plain, _, _ := strings.Cut(kind, ";")
		content, ok := r.Content[plain]
		if !ok {
			t.Errorf("%s %s: %d of type %q is not documented", c.method, path, status, kind)
		} else if plain == "application/json" {
			fits(t, doc, content.Schema, c.method+" "+path, body)
		}
	}
	if f.since != 3 && f.most != maxEvents {
		t.Errorf("asked for events behind %d, at most %d", f.since, f.most)
	}
	for path, ops := range doc.Paths {
		for m := range ops {
			if !covered[strings.ToUpper(m)+path] {
				t.Errorf("%s %s was not asked", m, path)
			}
		}
	}
}

// fits holds a body against a schema of the document, by a JSON schema
// validator; what OpenAPI 3.0 calls nullable JSON schema calls a type.
func fits(t *testing.T, doc openAPI, schema map[string]any, what, body string) {
	t.Helper()
	root := map[string]any{"allOf": []any{nulls(schema)}, "components": map[string]any{"schemas": nulls(any(doc.Components.Schemas))}}
	result, err := gojsonschema.Validate(gojsonschema.NewGoLoader(root), gojsonschema.NewStringLoader(body))
	if err != nil {
		t.Errorf("%s: %v\n%s", what, err, body)
		return
	}
	for _, e := range result.Errors() {
		t.Errorf("%s: %s\n%s", what, e, body)
	}
}

func nulls(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, x := range v {
			out[k] = nulls(x)
		}
		if out["nullable"] == true {
			delete(out, "nullable")
			return map[string]any{"anyOf": []any{out, map[string]any{"type": "null"}}}
		}
		return out
	case []any:
		out := []any{}
		for _, x := range v {
			out = append(out, nulls(x))
		}
		return out
	}
	return v
}

// The check above can fail.
func TestFitsCanFail(t *testing.T) {
	doc := readDocument(t)
	schema := doc.Paths["/api/v1/status"]["get"].Responses["200"].Content["application/json"].Schema
	for _, body := range []string{`{}`, `{"scenario": 1}`, `[]`} {
		root := map[string]any{"allOf": []any{nulls(schema)}, "components": map[string]any{"schemas": nulls(any(doc.Components.Schemas))}}
		r, err := gojsonschema.Validate(gojsonschema.NewGoLoader(root), gojsonschema.NewStringLoader(body))
		if err != nil || r.Valid() {
			t.Errorf("%s passes: %v", body, err)
		}
	}
}

// A validator that nobody here wrote finds the document valid.
func TestDocumentIsValidOpenAPI(t *testing.T) {
	const dir = "testdata/openapi"
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		if os.Getenv("PLANTBED_REQUIRE") != "1" {
			t.Skip("SKIPPED: no OpenAPI validator here; make deps installs it")
		}
		if out, err := exec.Command("npm", "install", "--prefix", dir, "--no-audit", "--no-fund", "--no-package-lock").CombinedOutput(); err != nil {
			t.Fatalf("the validator cannot be installed: %v\n%s", err, out)
		}
	}
	out, err := exec.Command("node", filepath.Join(dir, "validate.mjs"), "openapi.json").CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "valid: OpenAPI 3.0.3") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestMetrics(t *testing.T) {
	f := &fake{faults: []Fault{{ID: 1, Kind: "k", Target: "t"}, {ID: 2, Kind: "k", Target: "t"}}}
	_, _, body := newServed(t, f).ask("GET", "/metrics", "")
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float64{
		"plantbed_simulated_seconds": 5, "plantbed_faults_injected_total": 2, "plantbed_faults_active": 2, "plantbed_plc_scans_total": 9,
		"plantbed_plc_sent_bytes_total": 99, "plantbed_plc_connections_total": 1, "plantbed_machine_state": 6, "plantbed_component_damage": 0.5,
	} {
		m := families[name]
		if m == nil || len(m.Metric) != 1 {
			t.Errorf("%s: %v", name, m)
			continue
		}
		if got := m.Metric[0].GetGauge().GetValue() + m.Metric[0].GetCounter().GetValue(); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if families["go_goroutines"] == nil || len(families["plantbed_machine_units_total"].Metric) != 2 {
		t.Error("goroutines or units are missing")
	}
}

func TestRefusals(t *testing.T) {
	f := &fake{}
	s := newServed(t, f)
	for _, c := range []struct {
		method, path, body string
		head               []string
		status             int
		contains           string
	}{
		{"GET", "/", "", nil, 404, "openapi.json"},
		{"GET", "/api/v1/nothing", "", nil, 404, "/api/v1/nothing"},
		{"PUT", "/api/v1/faults", "{}", nil, 405, "DELETE, GET, POST"},
		{"POST", "/api/v1/status", "{}", nil, 405, "takes GET"},
		{"POST", "/api/v1/faults", "{}", []string{"Content-Type", "text/plain"}, 415, "application/json"},
		{"POST", "/api/v1/faults", strings.Repeat(" ", maxBody+1), nil, 413, "larger"},
		{"GET", "/api/v1/status", "", []string{"Host", "evil.example"}, 403, "evil.example"},
		{"GET", "/api/v1/status", "", []string{"Host", "localhost:1"}, 200, ""},
		{"GET", "/api/v1/status", "", []string{"Host", "[::1]:80"}, 200, ""},
	} {
		status, kind, body := s.ask(c.method, c.path, c.body, c.head...)
		if status != c.status || kind != "application/json" || !strings.Contains(body, c.contains) || !json.Valid([]byte(body)) {
			t.Errorf("%s %s: %d %s %s, want %d and %s", c.method, c.path, status, kind, body, c.status, c.contains)
		}
	}
	if f.asked != nil {
		t.Errorf("a refused body reached the plant: %s", f.asked)
	}
	f.err = errors.New("the plant is being stopped")
	for _, r := range routes {
		if r.methods["GET"] == nil || strings.HasSuffix(r.path, "openapi.json") {
			continue
		}
		status, _, body := s.ask("GET", strings.Replace(r.path, "{id}", "1", 1), "")
		if status != 503 || !strings.Contains(body, "being stopped") {
			t.Errorf("%s of a plant that fails: %d %s", r.path, status, body)
		}
	}
}

func TestListenFails(t *testing.T) {
	s := newServed(t, &fake{})
	if _, err := Serve(s.s.Addr().String(), &fake{}, nil); err == nil || !strings.Contains(err.Error(), s.s.Addr().String()) {
		t.Errorf("got %v", err)
	}
}

// Clients that are silent, or stop in the middle, hold up nobody and nothing.
func TestCloseLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	s, err := Serve("127.0.0.1:0", &fake{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "GET /api", "POST /api/v1/faults HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"} {
		c, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, text)
	}
	if resp, err := http.Get("http://" + s.Addr().String() + "/api/v1/status"); err != nil {
		t.Error(err)
	} else {
		resp.Body.Close()
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	http.DefaultClient.CloseIdleConnections()
	for range 400 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}
