package mqtt

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"

	"github.com/plantbed/plantbed/faults/wire"
	"github.com/plantbed/plantbed/gateway/pipeline"
	"github.com/plantbed/plantbed/sim/signal"
)

func TestFits(t *testing.T) {
	for _, c := range []struct {
		filter, topic string
		want          bool
	}{{"a/b", "a/b", true}, {"a/+", "a/b", true}, {"a/+", "a/b/c", false}, {"a/#", "a/b/c", true}, {"#", "x", true}, {"a/b", "a", false}, {"a/#", "b/c", false}} {
		if got := fits(c.filter, c.topic); got != c.want {
			t.Errorf("%s, %s: %v", c.filter, c.topic, got)
		}
	}
}

func TestPlainJSON(t *testing.T) {
	now := time.Unix(5, 0).UTC()
	at := time.UnixMilli(1_700_000_000_250).UTC()
	got, err := plainJSON(SourceTopic{Prefix: "x/", Time: "ts"}, "oven/1", []byte(`{"ts":1700000000250,"t":21.5,"on":true,"name":"n","z":[1,{"k":-2}],"null":null}`), now)
	want := []signal.Sample{{ID: "x/oven/1/on", Value: 1, SourceTime: at}, {ID: "x/oven/1/t", Value: 21.5, SourceTime: at},
		{ID: "x/oven/1/z/0", Value: 1, SourceTime: at}, {ID: "x/oven/1/z/1/k", Value: -2, SourceTime: at}}
	if fmt.Sprint(got) != fmt.Sprint(want) || err != nil {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := plainJSON(SourceTopic{}, "n", []byte(`7`), now); err != nil || len(got) != 1 || got[0].ID != "n" || got[0].SourceTime != now {
		t.Errorf("a bare number: %v, %v", got, err)
	}
	for _, bad := range []string{"", "{", `{"t":1}`, `{"ts":"yesterday"}`} {
		if _, err := plainJSON(SourceTopic{Time: "ts"}, "n", []byte(bad), now); err == nil && bad != "7" {
			t.Errorf("%q is taken", bad)
		}
	}
}

// TestSource hears plain JSON, batches and a Sparkplug node from a broker while
// the buffer is full at times: everything comes, in order.
func TestSource(t *testing.T) { hear(t, startBroker(t, "", nil).addr, false) }

// TestSourceThroughCuts has the link cut as well, at a broker that sends again
// in order what was on its way.
func TestSourceThroughCuts(t *testing.T) { hear(t, startMosquitto(t), true) }

// startMosquitto is a broker that has five messages on their way at a time.
func startMosquitto(t *testing.T) (addr string) {
	t.Helper()
	exe, err := exec.LookPath("mosquitto")
	if err != nil {
		if os.Getenv("PLANTBED_REQUIRE") != "" {
			t.Fatal("mosquitto is not installed; run make deps")
		}
		t.Skip("SKIPPED: no mosquitto; make deps installs it")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr = l.Addr().String()
	l.Close()
	_, port, _ := net.SplitHostPort(addr)
	conf := t.TempDir() + "/mosquitto.conf"
	if err := os.WriteFile(conf, []byte("listener "+port+" 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 5\nmax_queued_messages 0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-c", conf)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	for range 200 {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	return addr
}

func hear(t *testing.T, addr string, cuts bool) {
	t.Helper()
	w, err := wire.Listen(wire.Config{Name: "link", Upstream: addr, Seed: 1}, wire.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	cfg := SourceConfig{Name: "shop", URL: "mqtt://" + w.Addr(), Topics: []SourceTopic{
		{Filter: "shop/#"}, {Filter: "plantbed/+/data", Format: FormatPlantbed}, {Filter: "spBv1.0/#", Format: FormatSparkplug, Prefix: "sp/"}}}
	cfg.Defaults()
	if ps := cfg.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	var mu sync.Mutex
	got, calls, up := map[signal.ID][]float64{}, 0, 0
	sink := func(_ context.Context, x pipeline.Batch) error {
		mu.Lock()
		defer mu.Unlock()
		if calls++; calls%10 == 3 {
			x.Done(pipeline.ErrFull)
			return nil
		}
		for _, s := range x.Samples {
			if v := got[s.ID]; len(v) == 0 || v[len(v)-1] != s.Value { // a birth says the last value again
				got[s.ID] = append(v, s.Value)
			}
		}
		x.Done(nil)
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	end := make(chan error, 1)
	go func() {
		end <- RunSource(ctx, cfg, 1, slog.New(slog.DiscardHandler), nil, sink, func(_ string, isUp bool, _ string) {
			mu.Lock()
			defer mu.Unlock()
			if isUp {
				up++
			}
		})
	}()
	eventually := func(what string, ok func() bool) {
		t.Helper()
		for range 4000 {
			mu.Lock()
			done := ok()
			mu.Unlock()
			if done {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
		t.Fatalf("%s: not within 20 s; %v", what, got)
	}
	eventually("up", func() bool { return up == 1 })
	node := newRig(t, &broker{t: t, addr: addr}, func(c *Config, o *Options) { c.Format, o.Gateway, c.Prefix = FormatSparkplug, "node", "unheard" })
	other := newRig(t, &broker{t: t, addr: addr}, func(c *Config, o *Options) { o.Gateway = "other" })
	u, _ := url.Parse("mqtt://" + addr)
	plain, err := autopaho.NewConnection(ctx, autopaho.ClientConfig{ServerUrls: []*url.URL{u}, KeepAlive: 20, ClientConfig: paho.ClientConfig{ClientID: "plain"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := plain.AwaitConnection(ctx); err != nil {
		t.Fatal(err)
	}
	const n = 60
	for i := range n {
		if _, err := plain.Publish(ctx, &paho.Publish{QoS: 1, Topic: "shop/oven", Payload: fmt.Appendf(nil, `{"t":%d}`, i)}); err != nil {
			t.Fatal(err)
		}
		node.put(5)
		other.put(5)
		if cuts && i%20 == 10 {
			w.ResetAll()
		}
	}
	last := func(id signal.ID, v float64) bool { x := got[id]; return len(x) > 0 && x[len(x)-1] == v }
	eventually("all", func() bool {
		return last("shop/oven/t", n-1) && last("m/t-4", 5*n-1) && last("sp/plantbed/node/m/t-4", 5*n-1)
	})
	cancel()
	if err := <-end; err != nil {
		t.Error(err)
	}
	for id, step := range map[signal.ID]float64{"shop/oven/t": 1, "m/t-0": 5, "sp/plantbed/node/m/t-0": 5} {
		for i, v := range got[id] {
			if v != float64(i)*step {
				t.Errorf("%s: %v", id, got[id])
				break
			}
		}
	}
	if cuts && up < 2 {
		t.Errorf("up %d times, the link never hurt", up)
	}
}
