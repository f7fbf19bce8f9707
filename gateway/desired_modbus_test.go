package gateway

import (
	"context"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plantbed/plantbed/faults/wire"
	"github.com/plantbed/plantbed/gateway/modbus"
	"github.com/plantbed/plantbed/internal/disk"
	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim"
	plcs "github.com/plantbed/plantbed/sim/plc"
	server "github.com/plantbed/plantbed/sim/plc/modbus"
)

// TestDesiredModbus is TestDesired for a Modbus device: a version goes to its
// registers once, through an outage of the device and a kill of the gateway.
func TestDesiredModbus(t *testing.T) {
	const scan = 5 * time.Millisecond
	var mu sync.Mutex
	value, written := 1.0, []float64(nil)
	tags := []plcs.Tag{{ID: "a/set", Type: plcs.Int16, Scale: 0.1, Lo: -1000, Hi: 1000,
		Read: func(time.Duration) float64 { mu.Lock(); defer mu.Unlock(); return value },
		Write: func(v float64) error {
			mu.Lock()
			defer mu.Unlock()
			value, written = v, append(written, v)
			return nil
		}}}
	k, begin := sim.New(7), time.Now()
	dev, err := plcs.New(k, plcs.Config{Name: "plc", Protocol: "modbus", Scan: strict.Duration(scan)}, begin, tags)
	if err != nil {
		t.Fatal(err)
	}
	srv, err := server.Listen(server.Config{}, dev, server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	dev.Start()
	ctx, cancel := context.WithCancel(context.Background())
	var paced sync.WaitGroup
	paced.Go(func() { k.Pace(ctx, begin, time.Hour, nil) })
	defer paced.Wait()
	defer cancel()
	w, err := wire.Listen(wire.Config{Name: "link", Upstream: srv.Addr().String(), Seed: 1}, wire.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()

	l := &ledger{}
	broker, addr := l.open(t, "")
	defer func() { shut(broker) }()
	cfg := Config{Name: "edge-1"}
	src := modbus.Config{Name: "plc", URL: "tcp://" + w.Addr(), Timeout: strict.Duration(200 * time.Millisecond)}
	for _, r := range srv.Map().Registers {
		if r.ID == "a/set" {
			src.Tags = append(src.Tags, modbus.Point{ID: r.ID, Address: r.Address, Type: r.Type.String(), Scale: r.Scale, Poll: strict.Duration(20 * time.Millisecond)})
		}
	}
	if len(src.Tags) != 1 {
		t.Fatalf("%+v", srv.Map().Registers)
	}
	guard := src.Tags[0]
	guard.ID, guard.Address = "a/guard", guard.Address+100
	src.Tags = append(src.Tags, guard)
	cfg.Modbus = append(cfg.Modbus, src)
	cfg.Tags = []Tag{{ID: "a/set", Factor: 2, Writable: true}, {ID: "a/guard", Writable: true, Safety: true}}
	cfg.MQTT.URL = "mqtt://" + addr
	cfg.Defaults()
	if ps := cfg.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	fs := disk.NewModel(disk.Model{Sync: -1})
	g := start(cfg, Options{FS: fs})
	want, reported := desiring(t, broker)
	want("a/set", 1, 20.4)
	if r := reported("a/set", 1); !r.Done {
		t.Errorf("%+v", r)
	}
	want("a/guard", 1, 1)
	if r := reported("a/guard", 1); r.Done || !strings.Contains(r.Why, "safety") {
		t.Errorf("%+v", r)
	}
	want("a/set", 2, 1e9)
	if r := reported("a/set", 2); r.Done || !strings.Contains(r.Why, "does not fit") {
		t.Errorf("%+v", r)
	}
	if err := w.Down(wire.RST); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	want("a/set", 3, 30)
	time.Sleep(200 * time.Millisecond)
	want("a/set", 4, 31)
	time.Sleep(300 * time.Millisecond)
	w.Up()
	if r := reported("a/set", 4); !r.Done {
		t.Errorf("%+v", r)
	}
	fs.Kill()
	g.stop(ErrKilled)
	<-g.end
	fs = fs.Reopen()
	g = start(cfg, Options{FS: fs})
	want("a/set", 5, 33)
	reported("a/set", 5)
	g.stop(nil)
	if err := <-g.end; err != nil {
		t.Error(err)
	}
	mu.Lock()
	defer mu.Unlock()
	for i := range written {
		written[i] = math.Round(written[i]*10) / 10 // a tenth is none of a float's
	}
	if !slices.Equal(written, []float64{10.2, 15.5, 16.5}) {
		t.Errorf("written %v, want each version once", written)
	}
}
