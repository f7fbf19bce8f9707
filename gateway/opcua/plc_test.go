package opcua_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/plantbed/plantbed/faults/wire"
	"github.com/plantbed/plantbed/gateway/opcua"
	"github.com/plantbed/plantbed/gateway/pipeline"
	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim"
	"github.com/plantbed/plantbed/sim/plc"
	server "github.com/plantbed/plantbed/sim/plc/opcua"
	"github.com/plantbed/plantbed/sim/signal"
)

// plant is a simulated PLC behind a wire, scanned by a kernel in real time, and
// what it scanned.
type plant struct {
	wire  *wire.Wire
	truth map[signal.ID][]signal.Sample
	tags  []plc.Tag
	run   func(time.Duration)
}

const scan = 20 * time.Millisecond

func newPlant(t *testing.T) *plant {
	t.Helper()
	return newPlantWith(t, server.Config{Limits: server.Limits{Retransmit: 1000}})
}

func newPlantWith(t *testing.T, cfg server.Config) *plant {
	t.Helper()
	p := &plant{truth: map[signal.ID][]signal.Sample{}}
	for i := range 8 {
		p.tags = append(p.tags, plc.Tag{ID: signal.ID(fmt.Sprintf("m/c/q%d", i)), Type: plc.Float64,
			Read: func(now time.Duration) float64 { return now.Seconds() + float64(i) }})
	}
	k := sim.New(7)
	begin := time.Now()
	dev, err := plc.New(k, plc.Config{Name: "plc", Protocol: "opcua", Scan: strict.Duration(scan)}, begin, p.tags)
	if err != nil {
		t.Fatal(err)
	}
	dev.OnTruth(func(b *plc.Block) {
		for i, tag := range dev.Tasks()[b.Task].Tags {
			p.truth[tag.ID] = append(p.truth[tag.ID], signal.Sample{ID: tag.ID, Value: b.Values[i], Quality: b.Quality[i], SourceTime: b.Stamp})
		}
	})
	srv, err := server.Listen(cfg, dev, server.Options{Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Close() })
	p.wire, err = wire.Listen(wire.Config{Name: "link", Upstream: srv.Addr().String(), Seed: 7}, wire.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.wire.Close() })
	dev.Start()
	k.Run(scan) // so that there is something to begin with
	p.run = func(d time.Duration) { k.Pace(context.Background(), begin, time.Since(begin)+d, nil) }
	return p
}

func (p *plant) config() opcua.Config {
	cfg := opcua.Config{Name: "plc", URL: "opc.tcp://" + p.wire.Addr(), Sampling: strict.Duration(scan),
		Publishing: strict.Duration(2 * scan), Queue: 100}
	for _, t := range p.tags {
		cfg.Tags = append(cfg.Tags, opcua.Tag{ID: t.ID, Node: "s=" + string(t.ID), Namespace: "urn:plantbed:plc"})
	}
	cfg.Defaults()
	return cfg
}

// store is a sink in which batches become durable a little later, as they do on
// a disk.
type store struct {
	mu  sync.Mutex
	got map[signal.ID][]signal.Sample
	ups int
}

func (s *store) sink(_ context.Context, b pipeline.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range b.Samples {
		s.got[x.ID] = append(s.got[x.ID], x)
	}
	time.AfterFunc(15*time.Millisecond, func() { b.Done(nil) })
	return nil
}

func (s *store) status(_ string, up bool, _ string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if up {
		s.ups++
	}
}

// TestEverySampleThroughDrops runs a PLC behind a link that goes down in every
// way. The device keeps what it cannot send, so from the first sample on each
// one must arrive once, in order and untouched.
func TestEverySampleThroughDrops(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{wire.RST, wire.FIN, wire.Blackhole} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			p, s := newPlant(t), &store{got: map[signal.ID][]signal.Sample{}}
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			done := make(chan error, 1)
			go func() { done <- opcua.Run(ctx, p.config(), 7, nil, s.sink, s.status) }()
			p.run(300 * time.Millisecond)
			for range 2 {
				if err := p.wire.Down(mode); err != nil {
					t.Error(err)
				}
				p.run(250 * time.Millisecond)
				p.wire.Up()
				p.run(400 * time.Millisecond)
			}
			for range 30 { // for the last back-off and what it brings, on a busy machine too
				if p.run(300 * time.Millisecond); s.near(p.tags[len(p.tags)-1].ID, p.truth[p.tags[len(p.tags)-1].ID]) {
					break
				}
			}
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.ups < 2 {
				t.Errorf("the source was up %d times, the link never hurt", s.ups)
			}
			for _, tag := range p.tags {
				compare(t, tag.ID, s.got[tag.ID], p.truth[tag.ID])
			}
		})
	}
}

// near tells that the newest of a tag is not far behind the truth.
func (s *store) near(id signal.ID, truth []signal.Sample) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.got[id]
	return len(got) > 0 && !got[len(got)-1].SourceTime.Before(truth[max(0, len(truth)-8)].SourceTime)
}

// compare wants got to be a run of truth without a hole, to near its end.
func compare(t *testing.T, id signal.ID, got, truth []signal.Sample) {
	t.Helper()
	if len(got) == 0 {
		t.Errorf("%s: nothing", id)
		return
	}
	skip := 0
	for skip < len(truth) && !truth[skip].SourceTime.Equal(got[0].SourceTime) {
		skip++
	}
	truth = truth[skip:]
	for i, g := range got {
		if i >= len(truth) {
			t.Errorf("%s: %d samples more than were scanned", id, len(got)-i)
			return
		}
		w := truth[i]
		if g.Value != w.Value || g.Quality != w.Quality || !g.SourceTime.Equal(w.SourceTime) {
			t.Errorf("%s: sample %d of %d is %+v, want %+v", id, i, len(got), g, w)
			return
		}
	}
	if missing := len(truth) - len(got); missing > 10 {
		t.Errorf("%s: the last %d of %d samples are missing", id, missing, len(truth))
	}
}
