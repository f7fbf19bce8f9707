package harness

import (
	"context"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	client "github.com/grid-x/modbus"

	"github.com/plantbed/plantbed/harness/api"
	"github.com/plantbed/plantbed/scenarios"
)

// bench is a served plant, asked as from a second terminal.
type bench struct {
	t      *testing.T
	ctx    context.Context
	where  Served
	stop   context.CancelFunc
	result chan error
}

// newBench serves the quiet scenario, every PLC scanning ten times a second.
func newBench(t *testing.T, opts ServeOptions, sets ...string) *bench {
	t.Helper()
	return benchOf(t, quiet(t, append([]string{"plc[0].scan=100ms", "plc[1].scan=100ms"}, sets...)...), opts)
}

// benchOf serves a scenario.
func benchOf(t *testing.T, sc *scenarios.Scenario, opts ServeOptions) *bench {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	b := &bench{t: t, ctx: ctx, stop: cancel, result: make(chan error, 1)}
	ready := make(chan Served, 1)
	opts.Ready = func(s Served) { ready <- s }
	go func() { b.result <- Serve(ctx, sc, opts) }()
	select {
	case b.where = <-ready:
	case err := <-b.result:
		t.Fatal(err)
	}
	t.Cleanup(func() { b.end() })
	return b
}

func quiet(t *testing.T, sets ...string) *scenarios.Scenario {
	t.Helper()
	return loadLive(t, filepath.Join("testdata", "quiet.toml"), sets...)
}

func loadLive(t *testing.T, file string, sets ...string) *scenarios.Scenario {
	t.Helper()
	sc, ps := scenarios.Load(file, append(sets, "gear=live"))
	if len(ps) > 0 {
		t.Fatal(ps.Err())
	}
	if ps := sc.Validate([]string{}); len(ps) > 0 && !strings.Contains(ps.Error(), "metric") {
		t.Fatal(ps.Err())
	}
	return sc
}

// end stops the plant and waits until it is gone.
func (b *bench) end() {
	b.stop()
	if err := <-b.result; err != nil {
		b.t.Error(err)
	}
	b.result <- nil // for the next who ends it
	http.DefaultClient.CloseIdleConnections()
}

// call asks the API and reads its answer into out.
func (b *bench) call(method, path, body string, want int, out any) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.ctx, method, b.where.API+"/api/v1/"+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != want {
		b.t.Fatalf("%s %s: %d, want %d: %s %v", method, path, resp.StatusCode, want, text, err)
	}
	if out != nil {
		if err := json.Unmarshal(text, out); err != nil {
			b.t.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
}

func (b *bench) inject(body string) api.Fault {
	b.t.Helper()
	var f api.Fault
	b.call("POST", "faults", body, 201, &f)
	return f
}

func (b *bench) refused(body string, status int, want string) {
	b.t.Helper()
	var r api.Refusal
	b.call("POST", "faults", body, status, &r)
	if !strings.Contains(r.Message, want) {
		b.t.Errorf("%s: %q, want %q", body, r.Message, want)
	}
}

func (b *bench) truth(tag string) api.Value {
	b.t.Helper()
	var out api.Truth
	b.call("GET", "truth?tag="+tag, "", 200, &out)
	if len(out.Values) != 1 {
		b.t.Fatalf("truth of %s: %+v", tag, out)
	}
	return out.Values[0]
}

// until waits for what is to come.
func (b *bench) until(what string, f func() bool) {
	b.t.Helper()
	for !f() {
		if b.ctx.Err() != nil {
			b.t.Fatalf("%s does not come", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (b *bench) addr(i int) string {
	_, addr, _ := strings.Cut(b.where.Endpoints[i].URL, "://")
	return addr
}

func (b *bench) tag(id string) api.Tag {
	b.t.Helper()
	var out struct{ Tags []api.Tag }
	b.call("GET", "tags?tag="+id, "", 200, &out)
	if len(out.Tags) != 1 {
		b.t.Fatalf("tag %s: %+v", id, out)
	}
	return out.Tags[0]
}

// modbus is a client of the Modbus PLC.
func (b *bench) modbus() client.Client {
	h := client.NewTCPClientHandler(b.addr(1))
	h.SlaveID, h.Timeout, h.LinkRecoveryTimeout, h.ProtocolRecoveryTimeout = 1, 3*time.Second, 0, 0
	b.t.Cleanup(func() { h.Close() })
	return client.NewClient(h)
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-3*max(1, math.Abs(a)) }

func settled(t *testing.T, before int) {
	t.Helper()
	for range 400 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	buf := make([]byte, 1<<18)
	t.Errorf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
}
