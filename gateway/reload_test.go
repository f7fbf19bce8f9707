package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plantbed/plantbed/gateway/opcua"
	"github.com/plantbed/plantbed/gateway/pipeline"
	"github.com/plantbed/plantbed/internal/disk"
	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim"
	simplc "github.com/plantbed/plantbed/sim/plc"
	server "github.com/plantbed/plantbed/sim/plc/opcua"
	"github.com/plantbed/plantbed/sim/signal"
)

// device is a simulated PLC that counts its scans into its one tag.
type device struct {
	name  string
	addr  string
	conns atomic.Int64
	scans atomic.Int64

	mu      sync.Mutex
	written []float64 // into set
}

func newDevice(t *testing.T, name string) *device {
	t.Helper()
	d := &device{name: name}
	k := sim.New(1)
	begin := time.Now()
	p, err := simplc.New(k, simplc.Config{Name: name, Protocol: "opcua", Scan: strict.Duration(10 * time.Millisecond)}, begin, []simplc.Tag{
		{ID: signal.ID(name + "/count"), Type: simplc.Float64, Read: func(time.Duration) float64 { return float64(d.scans.Add(1)) }},
		{ID: signal.ID(name + "/set"), Type: simplc.Float64, Read: d.set, Write: func(v float64) error {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.written = append(d.written, v)
			return nil
		}},
		{ID: signal.ID(name + "/safe"), Type: simplc.Float64, Read: d.set, Write: func(float64) error { t.Error("a safety tag was written"); return nil }},
		{ID: signal.ID(name + "/other"), Type: simplc.Float64, Read: d.set, Write: func(float64) error { t.Error("a read-only tag was written"); return nil }}})
	if err != nil {
		t.Fatal(err)
	}
	srv, err := server.Listen(server.Config{}, p, server.Options{Seed: 1, Accept: func(net.Addr) (int, bool) { return int(d.conns.Add(1)), true }})
	if err != nil {
		t.Fatal(err)
	}
	d.addr = srv.Addr().String()
	p.Start()
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() { defer close(over); k.Pace(ctx, begin, time.Hour, nil) }()
	t.Cleanup(func() { cancel(); <-over; srv.Close() })
	return d
}

// set is the setpoint as it was written last.
func (d *device) set(time.Duration) float64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := len(d.written); n > 0 {
		return d.written[n-1]
	}
	return 0
}

func (d *device) source() opcua.Config {
	return opcua.Config{Name: d.name, URL: "opc.tcp://" + d.addr, Sampling: strict.Duration(10 * time.Millisecond), Publishing: strict.Duration(20 * time.Millisecond),
		Queue: 1000, Tags: []opcua.Tag{{ID: signal.ID(d.name + "/count"), Node: "ns=2;s=" + d.name + "/count"}}}
}

// values of a tag that the broker has seen, without repetitions.
func (l *ledger) values(id string) (out []float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := map[string]bool{}
	for _, b := range l.data {
		for i, s := range b.Samples {
			key := fmt.Sprint(b.Stream, b.First+uint64(i))
			if string(s.ID) == id && !seen[key] {
				out = append(out, s.Value)
			}
			seen[key] = true
		}
	}
	return out
}

// TestReload pushes configs at a gateway that runs: the same again, one with
// another broker address, sources that come and go, and some that cannot start.
// The source that is the same in all of them keeps its one connection and
// loses no sample.
func TestReload(t *testing.T) {
	l := &ledger{}
	broker, addr := l.open(t, "")
	defer shut(broker)
	second, elsewhere := l.open(t, "")
	defer shut(second)
	a, b := newDevice(t, "a"), newDevice(t, "b")
	time.Sleep(50 * time.Millisecond)
	cfg := Config{Name: "edge-1", OPCUA: []opcua.Config{a.source()}}
	cfg.MQTT.URL = "mqtt://" + addr
	cfg.Defaults()
	configs := make(chan Reload)
	g := start(cfg, Options{FS: disk.NewModel(disk.Model{Sync: -1}), Reload: configs})
	push := func(c Config) error {
		done := make(chan error, 1)
		configs <- Reload{c, func(err error) { done <- err }}
		return <-done
	}
	wait := func(id string) {
		t.Helper()
		n := len(l.values(id))
		for range 500 {
			if len(l.values(id)) > n+3 {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatalf("nothing new of %s", id)
	}
	wait("a/count")

	if err := push(cfg); err != ErrUnchanged {
		t.Errorf("the same again: %v", err)
	}
	if n := broker.Info.Clone().ClientsConnected; a.conns.Load() != 1 || n != 1 {
		t.Errorf("the same again touched something: %d connections to the device, %d to the broker", a.conns.Load(), n)
	}

	with := cfg
	with.OPCUA = []opcua.Config{a.source(), b.source()}
	if err := push(with); err != nil {
		t.Error(err)
	}
	wait("b/count")

	scaled := with
	scaled.Tags = []Tag{{ID: "b/count", Factor: -1}}
	if err := push(scaled); err != nil {
		t.Error(err)
	}
	wait("b/count")
	if v := l.values("b/count"); v[len(v)-1] >= 0 {
		t.Errorf("the new factor is not applied: %v", v[len(v)-1])
	}

	moved := with
	moved.MQTT.URL = "mqtt://" + elsewhere
	if err := push(moved); err != nil {
		t.Error(err)
	}
	wait("a/count")

	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	for what, change := range map[string]func(*Config){
		"127.0.0.1:":      func(c *Config) { c.Admin.Listen = busy.Addr().String() },
		"no-such-file":    func(c *Config) { c.MQTT.URL, c.MQTT.CA = "mqtts://"+elsewhere, "no-such-file" },
		"needs a restart": func(c *Config) { c.Buffer.MaxBytes *= 2 },
		"tag":             func(c *Config) { c.OPCUA = []opcua.Config{a.source(), {Name: "empty", URL: "opc.tcp://x:1"}} },
	} {
		bad := moved
		change(&bad)
		if err := push(bad); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("a config that cannot start: %v, want something about %q", err, what)
		}
		wait("a/count")
		if err := push(moved); err != ErrUnchanged {
			t.Errorf("after %q the config before does not run: %v", what, err)
		}
	}

	without := moved
	without.OPCUA = []opcua.Config{a.source()}
	if err := push(without); err != nil {
		t.Error(err)
	}
	n := len(l.values("b/count"))
	wait("a/count")
	if len(l.values("b/count")) > n+20 {
		t.Error("a source that is gone goes on")
	}
	g.stop(nil)
	if err := <-g.end; err != nil {
		t.Error(err)
	}
	if a.conns.Load() != 1 {
		t.Errorf("the source that is the same connected %d times", a.conns.Load())
	}
	v := l.values("a/count")
	for i := 1; i < len(v); i++ {
		if v[i] != v[i-1]+1 {
			t.Fatalf("%v after %v", v[i], v[i-1])
		}
	}
	t.Logf("%d samples of the source that stayed, none lost", len(v))
}

// TestReloadRollsBack has a source that ends at once although its config is
// valid: the gateway goes back to the config before.
func TestReloadRollsBack(t *testing.T) {
	l := &ledger{}
	broker, addr := l.open(t, "")
	defer shut(broker)
	a := newDevice(t, "a")
	time.Sleep(50 * time.Millisecond)
	cfg := Config{Name: "edge-1", OPCUA: []opcua.Config{a.source()}}
	cfg.MQTT.URL = "mqtt://" + addr
	cfg.Defaults()
	broken := errors.New("broken")
	configs := make(chan Reload)
	g := start(cfg, Options{FS: disk.NewModel(disk.Model{Sync: -1}), Reload: configs, more: func(c Config) []source {
		if c.Deadband == 0 {
			return nil
		}
		return []source{{name: "x", run: func(context.Context, pipeline.Sink, pipeline.StatusFunc) error { return broken }}}
	}})
	time.Sleep(100 * time.Millisecond)
	push := func(c Config) error {
		done := make(chan error, 1)
		configs <- Reload{c, func(err error) { done <- err }}
		return <-done
	}
	bad := cfg
	bad.Deadband = 1e9
	if err := push(bad); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	if err := push(cfg); err != ErrUnchanged {
		t.Errorf("the config before does not run: %v", err)
	}
	n := len(l.values("a/count"))
	time.Sleep(300 * time.Millisecond)
	if len(l.values("a/count")) < n+3 || a.conns.Load() != 1 {
		t.Errorf("%d and then %d samples, %d connections", n, len(l.values("a/count")), a.conns.Load())
	}
	g.stop(nil)
	if err := <-g.end; err != nil {
		t.Error(err)
	}
}
