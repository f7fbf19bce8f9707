package gateway

import (
	"context"
	"testing"
	"time"

	"github.com/plantbed/plantbed/gateway/buffer"
	"github.com/plantbed/plantbed/gateway/pipeline"
	"github.com/plantbed/plantbed/internal/disk"
	"github.com/plantbed/plantbed/sim/signal"
)

// TestByPriority fills a small buffer without a broker: the lighter a tag, the
// sooner it is turned away, and each sample that is lost is counted. Then all
// that was taken arrives.
func TestByPriority(t *testing.T) {
	drops := map[string]int{}
	cfg := Config{Name: "edge-1", Tags: []Tag{{ID: "middle", Priority: 5}, {ID: "heavy", Priority: 9}}}
	cfg.Buffer.MaxBytes, cfg.Buffer.Policy = 60<<10, buffer.ByPriority
	cfg.MQTT.URL = "mqtt://127.0.0.1:1"
	cfg.Defaults()
	if ps := cfg.Buffer.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	ids := []signal.ID{"light", "middle", "heavy"}
	const n = 4000
	filled, taken := make(chan struct{}), map[signal.ID]int{}
	run := func(ctx context.Context, sink pipeline.Sink, _ pipeline.StatusFunc) error {
		for i := range n {
			b := pipeline.Batch{Source: "s"}
			for _, id := range ids {
				b.Samples = append(b.Samples, signal.Sample{ID: id, Seq: uint64(i + 1), Value: float64(i), SourceTime: time.Unix(1e9, int64(i)).UTC()})
			}
			over := make(chan error, 1)
			b.Done = func(err error) { over <- err }
			sink(ctx, b)
			<-over
		}
		close(filled)
		<-ctx.Done()
		return nil
	}
	cfg.Buffer.Commit = 1
	fs := disk.NewModel(disk.Model{Sync: -1})
	g := start(cfg, Options{FS: fs, sources: []source{{name: "s", run: run}}, Observe: Observe{OnDrop: func(reason string, k int) { drops[reason] += k }}})
	select {
	case <-filled:
	case err := <-g.end:
		t.Fatal(err)
	case <-time.After(20 * time.Second):
		t.Fatal("not filled")
	}
	g.stop(nil)
	<-g.end
	l := &ledger{}
	broker, addr := l.open(t, "")
	defer shut(broker)
	cfg.MQTT.URL = "mqtt://" + addr
	idle := func(ctx context.Context, _ pipeline.Sink, _ pipeline.StatusFunc) error { <-ctx.Done(); return nil }
	g = start(cfg, Options{FS: fs, sources: []source{{name: "s", run: idle}}})
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		for _, id := range ids {
			taken[id] = len(l.values(string(id)))
		}
		if taken["light"]+taken["middle"]+taken["heavy"]+drops[DropPriority]+drops[buffer.DropFull] == 3*n {
			break
		}
	}
	g.stop(nil)
	<-g.end
	if sum := taken["light"] + taken["middle"] + taken["heavy"] + drops[DropPriority] + drops[buffer.DropFull]; sum != 3*n {
		t.Errorf("%v arrived and %v were told lost, %d in all, want %d", taken, drops, sum, 3*n)
	}
	if !(taken["light"] > 100 && taken["middle"] > taken["light"]*5/4 && taken["heavy"] > taken["middle"]*5/4 && taken["heavy"] < n) {
		t.Errorf("%v arrived of %d each", taken, n)
	}
}
