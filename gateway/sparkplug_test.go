package gateway

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/plantbed/plantbed/gateway/mqtt"
	"github.com/plantbed/plantbed/gateway/pipeline"
	"github.com/plantbed/plantbed/gateway/sparkplug"
	"github.com/plantbed/plantbed/internal/disk"
	"github.com/plantbed/plantbed/sim/signal"
)

// TestBdSeqGoesOnAcrossKills kills an edge node again and again. The broker
// tells its will each time, and a host to whom each will comes late, behind the
// next birth, never takes a live node for dead.
func TestBdSeqGoesOnAcrossKills(t *testing.T) {
	l := &ledger{}
	broker, addr := l.open(t, "")
	defer shut(broker)
	var mu sync.Mutex
	var births, wills [][]byte
	err := broker.Subscribe("spBv1.0/#", 1, func(_ *mochi.Client, _ packets.Subscription, pk packets.Packet) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case strings.Contains(pk.TopicName, "/NBIRTH/"):
			births = append(births, slices.Clone(pk.Payload))
		case strings.Contains(pk.TopicName, "/NDEATH/"):
			wills = append(wills, slices.Clone(pk.Payload))
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	run := func(ctx context.Context, sink pipeline.Sink, _ pipeline.StatusFunc) error {
		sink(ctx, pipeline.Batch{Source: "s", Samples: []signal.Sample{{ID: "a", Value: 1, SourceTime: time.Now()}}, Done: func(error) {}})
		<-ctx.Done()
		return nil
	}
	cfg := Config{Name: "edge-1"}
	cfg.MQTT.URL, cfg.MQTT.Format = "mqtt://"+addr, mqtt.FormatSparkplug
	cfg.Defaults()
	fs := disk.NewModel(disk.Model{Sync: -1})
	until := func(what string, cond func() bool) {
		t.Helper()
		for range 2000 {
			mu.Lock()
			ok := cond()
			mu.Unlock()
			if ok {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
		t.Fatal(what)
	}
	const lives = 4
	for n := 1; n <= lives; n++ {
		before := 0
		mu.Lock()
		before = len(births)
		mu.Unlock()
		g := start(cfg, Options{FS: fs, sources: []source{{name: "s", run: run}}})
		until("a birth", func() bool { return len(births) > before })
		fs.Kill()
		g.stop(ErrKilled)
		<-g.end
		fs = fs.Reopen()
		until("a will", func() bool { return len(wills) >= n })
	}
	mu.Lock()
	defer mu.Unlock()
	h, now := sparkplug.NewHost(), time.Now()
	h.Take("NBIRTH", "", births[len(births)-1], now)
	for i, w := range wills[:lives-1] {
		if _, err := h.Take("NDEATH", "", w, now); err != nil {
			t.Error(err)
		}
		if _, err := h.Take("NDATA", "", nil, now); err != nil {
			t.Fatalf("the will of life %d kills life %d", i+1, lives)
		}
	}
	h.Take("NDEATH", "", wills[lives-1], now)
	if _, err := h.Take("NDATA", "", nil, now); err == nil {
		t.Error("its own will does not kill")
	}
}
