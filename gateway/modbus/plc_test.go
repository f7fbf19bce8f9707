package modbus_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/plantbed/plantbed/faults/wire"
	"github.com/plantbed/plantbed/gateway/modbus"
	"github.com/plantbed/plantbed/gateway/pipeline"
	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim"
	"github.com/plantbed/plantbed/sim/plc"
	server "github.com/plantbed/plantbed/sim/plc/modbus"
	"github.com/plantbed/plantbed/sim/signal"
)

const scan = 20 * time.Millisecond

// TestEveryScanOnce polls a simulated PLC of every wire type through a link that
// goes down and comes back. Whatever arrives is a scan that was, value by value;
// no scan comes twice, and none is missing but for the time that the link needs.
func TestEveryScanOnce(t *testing.T) {
	for _, mode := range []string{wire.RST, wire.FIN, wire.Blackhole} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			everyScanOnce(t, mode)
		})
	}
}

func everyScanOnce(t *testing.T, mode string) {
	var tags []plc.Tag
	for i, typ := range []plc.Type{plc.Bool, plc.Int16, plc.UInt16, plc.Int32, plc.UInt32, plc.Float32, plc.Float64} {
		tag := plc.Tag{ID: signal.ID(fmt.Sprintf("m/c/q%d", i)), Type: typ, Read: func(now time.Duration) float64 { return float64(now/scan) * 0.1 }}
		if typ.IsInteger() {
			tag.Scale = 0.1
		}
		if typ == plc.Bool {
			tag.Read = func(now time.Duration) float64 { return float64(now / scan % 2) }
		}
		tags = append(tags, tag)
	}
	k, begin := sim.New(7), time.Now()
	dev, err := plc.New(k, plc.Config{Name: "plc", Protocol: "modbus", Scan: strict.Duration(scan)}, begin, tags)
	if err != nil {
		t.Fatal(err)
	}
	truth := map[signal.ID]map[uint64]float64{}
	scans := uint64(0)
	dev.OnTruth(func(b *plc.Block) {
		scans = b.Seq
		for i, tag := range dev.Tasks()[b.Task].Tags {
			if truth[tag.ID] == nil {
				truth[tag.ID] = map[uint64]float64{}
			}
			truth[tag.ID][b.Seq] = b.Values[i]
		}
	})
	srv, err := server.Listen(server.Config{}, dev, server.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	link, err := wire.Listen(wire.Config{Name: "link", Upstream: srv.Addr().String(), Seed: 7}, wire.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer link.Close()
	dev.Start()
	k.Run(scan)

	var mu sync.Mutex
	var got []signal.Sample
	ups := 0
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan error, 1)
	go func() {
		done <- modbus.Run(ctx, config(srv.Map(), link.Addr()), 7, nil, func(_ context.Context, b pipeline.Batch) error {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, b.Samples...)
			b.Done(nil)
			return nil
		}, func(_ string, up bool, _ string) {
			mu.Lock()
			defer mu.Unlock()
			if up {
				ups++
			}
		})
	}()
	run := func(d time.Duration) { k.Pace(context.Background(), begin, time.Since(begin)+d, nil) }
	run(300 * time.Millisecond)
	if err := link.Down(mode); err != nil {
		t.Error(err)
	}
	run(250 * time.Millisecond)
	link.Up()
	run(1200 * time.Millisecond)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}

	last := map[signal.ID]uint64{}
	for _, s := range got {
		want, ok := truth[s.ID][s.Seq]
		if !ok || s.Value != want || s.Quality != signal.Good || s.Seq <= last[s.ID] {
			t.Fatalf("%+v after scan %d, want the value %v", s, last[s.ID], want)
		}
		last[s.ID] = s.Seq
	}
	if ups != 2 {
		t.Errorf("the source was up %d times, want twice", ups)
	}
	for _, tag := range tags {
		if scans-last[tag.ID] > 10 {
			t.Errorf("%s: the last of %d scans was %d", tag.ID, scans, last[tag.ID])
		}
	}
	// 12 scans fell into the outage; the rest of the bound is for a busy machine
	// and the time to dial again.
	if n, least := len(got)/len(tags), int(scans)-12-50; n < least {
		t.Errorf("%d scans of %d arrived, want at least %d", n, scans, least)
	}
}

// config reads all blocks of a map.
func config(m *server.Map, addr string) modbus.Config {
	cfg := modbus.Config{Name: "plc", URL: addr, Timeout: strict.Duration(200 * time.Millisecond)}
	for _, b := range m.Blocks {
		counter := b.Counter
		block := modbus.Block{Counter: &counter, Start: b.Start, Count: int(b.Count), Poll: strict.Duration(scan)}
		for _, r := range m.Registers {
			if r.Task == b.Task && r.Address >= b.Start && r.Address < b.Start+b.Count {
				block.Tags = append(block.Tags, modbus.Tag{ID: r.ID, Address: r.Address, Type: r.Type.String(), Scale: r.Scale})
			}
		}
		cfg.Blocks = append(cfg.Blocks, block)
	}
	cfg.Defaults()
	return cfg
}
