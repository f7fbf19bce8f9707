package mqtt

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/plantbed/plantbed/gateway/pipeline"
	"github.com/plantbed/plantbed/gateway/sparkplug"
	"github.com/plantbed/plantbed/sim/signal"
)

// host is a source of Sparkplug nodes, and what came of it.
type host struct {
	t    *testing.T
	cfg  SourceConfig
	mu   sync.Mutex
	got  []float64
	up   bool
	stop func()

	births Births
	gaps   int
}

// kept is a store of births in memory.
type kept struct{ all map[string][]byte }

func (k *kept) Keep(b Birth) { k.all[b.Topic] = b.Text }
func (k *kept) Kept() (out []Birth) {
	for t, x := range k.all {
		out = append(out, Birth{t, x})
	}
	return out
}

func newHost(t *testing.T, addr string) *host {
	h := &host{t: t, cfg: SourceConfig{Name: "shop", URL: "mqtt://" + addr, Topics: []SourceTopic{{Filter: "spBv1.0/#", Format: FormatSparkplug}}}}
	h.cfg.Defaults()
	return h
}

func (h *host) run() {
	ctx, cancel := context.WithCancel(context.Background())
	end := make(chan error, 1)
	sink := func(_ context.Context, b pipeline.Batch) error {
		h.mu.Lock()
		h.gaps += b.Gaps
		for _, s := range b.Samples {
			if s.ID == "plantbed/node/m/t-0" && (len(h.got) == 0 || h.got[len(h.got)-1] != s.Value) && s.Quality.IsGood() {
				h.got = append(h.got, s.Value)
			}
		}
		h.mu.Unlock()
		b.Done(nil)
		return nil
	}
	go func() {
		end <- RunSource(ctx, h.cfg, 1, slog.New(slog.DiscardHandler), h.births, sink, func(_ string, up bool, _ string) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.up = up
		})
	}()
	h.stop = func() {
		cancel()
		if err := <-end; err != nil {
			h.t.Error(err)
		}
	}
	h.until("up", func() bool { return h.up })
}

func (h *host) until(what string, ok func() bool) {
	h.t.Helper()
	for range 4000 {
		h.mu.Lock()
		done := ok()
		h.mu.Unlock()
		if done {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	h.t.Fatalf("%s: not within 20 s; %v", what, h.got)
}

// TestOneRebirthForAllThatWaits: a node whose birth was not heard is asked for it
// once, however much of it comes meanwhile, and all of that is read then.
func TestOneRebirthForAllThatWaits(t *testing.T) {
	b := startBroker(t, "", nil)
	h := newHost(t, b.addr)
	h.run()
	defer func() { h.stop() }()
	node := sparkplug.NewNode("plantbed", "node", []signal.ID{"m/t-0"})
	birth := node.Birth(time.Now())
	say := func(kind string, text []byte) {
		if err := b.s.Publish(node.Topic(kind), text, false, 1); err != nil {
			t.Fatal(err)
		}
	}
	const n = 60
	for i := range n {
		say("NDATA", node.Data(nil, []signal.Sample{{ID: "m/t-0", Value: float64(i), SourceTime: time.Now()}}, false, fmt.Sprint(i), time.Now()))
	}
	asked := func(seen []packets.Packet) (k int) {
		for _, pk := range seen {
			if pk.TopicName == node.Topic("NCMD") {
				k++
			}
		}
		return k
	}
	b.until("asked for a birth", func(seen []packets.Packet) bool { return asked(seen) > 0 })
	say("NBIRTH", birth)
	h.until("all", func() bool { return len(h.got) >= n })
	for i, v := range h.got[:n] {
		if v != float64(i) {
			t.Fatalf("%v", h.got)
		}
	}
	b.until("the end", func(seen []packets.Packet) bool {
		if k := asked(seen); k != 1 {
			t.Errorf("asked %d times", k)
		}
		return true
	})
}

// TestBackToBornNodes: what came while the source was away is more than the
// broker has on its way at a time, and the birth lies before it.
func TestBackToBornNodes(t *testing.T) {
	t.Parallel()
	addr := startMosquitto(t)
	h := newHost(t, addr)
	h.births = &kept{map[string][]byte{}}
	h.run()
	node := newRig(t, &broker{t: t, addr: addr}, func(c *Config, o *Options) {
		c.Format, o.Gateway, c.Batch = FormatSparkplug, "node", 1
	})
	node.put(10)
	h.until("data", func() bool { return len(h.got) == 2 })
	h.stop()
	node.put(90)
	h.run()
	h.until("what came meanwhile", func() bool { return h.got[len(h.got)-1] == 95 })
	h.stop()
	next := 0.0
	for _, v := range h.got { // what was not acknowledged before the stop comes again
		if v > next {
			t.Fatalf("%v is missing: %v", next, h.got)
		}
		next = max(next, v+5)
	}
	if h.gaps > 0 {
		t.Errorf("%d gaps", h.gaps)
	}
}

// TestBirthBehindTheWindow: a source that comes late to a node cannot have the
// birth that lies behind what waits for it. It gives that up, says so, and reads
// on.
func TestBirthBehindTheWindow(t *testing.T) {
	t.Parallel()
	addr := startMosquitto(t)
	node := newRig(t, &broker{t: t, addr: addr}, func(c *Config, o *Options) {
		c.Format, o.Gateway, c.Batch = FormatSparkplug, "node", 1
	})
	node.put(5)
	for node.buf.Depth() > 0 {
		time.Sleep(time.Millisecond)
	}
	h := newHost(t, addr)
	h.run()
	h.stop()
	node.put(100)
	for node.buf.Depth() > 0 {
		time.Sleep(time.Millisecond)
	}
	h.run()
	h.until("told of what is lost", func() bool { return h.gaps > 0 })
	node.put(5)
	h.until("data again", func() bool { return len(h.got) > 0 && h.got[len(h.got)-1] == 105 })
	h.stop()
	if h.gaps != 100 {
		t.Errorf("%d messages are told lost, want 100", h.gaps)
	}
}
