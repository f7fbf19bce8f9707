package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/plantbed/plantbed/gateway/pipeline"
	"github.com/plantbed/plantbed/internal/disk"
	"github.com/plantbed/plantbed/internal/payload"
	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/signal"
)

// ledger is what the test's brokers have taken, over all their lives.
type ledger struct {
	mochi.HookBase
	mu   sync.Mutex
	data []payload.Batch
	bad  error
	// lossy makes check count what is missing instead of failing.
	lossy bool
}

func (l *ledger) ID() string { return "ledger" }
func (l *ledger) Provides(h byte) bool {
	return bytes.Contains([]byte{mochi.OnConnectAuthenticate, mochi.OnACLCheck, mochi.OnPublish}, []byte{h})
}
func (l *ledger) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }
func (l *ledger) OnACLCheck(*mochi.Client, string, bool) bool              { return true }

func (l *ledger) OnPublish(_ *mochi.Client, pk packets.Packet) (packets.Packet, error) {
	if pk.TopicName != payload.DataTopic("plantbed", "edge-1") {
		return pk, nil
	}
	b, err := payload.Decode(pk.Payload)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bad = errors.Join(l.bad, err)
	l.data = append(l.data, b)
	return pk, nil
}

// open starts a broker; an empty address means a free port.
func (l *ledger) open(t *testing.T, addr string) (*mochi.Server, string) {
	t.Helper()
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	s := mochi.New(&mochi.Options{Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), InlineClient: true})
	tcp := listeners.NewTCP(listeners.Config{ID: "tcp", Address: addr})
	if err := errors.Join(s.AddHook(l, nil), s.AddListener(tcp), s.Serve()); err != nil {
		t.Fatal(err)
	}
	return s, tcp.Address()
}

func cut(s *mochi.Server) {
	for _, c := range s.Clients.GetAll() {
		if !c.Net.Inline {
			c.Stop(errors.New("cut"))
		}
	}
}

// shut closes a broker. It would wait for a client that came in meanwhile.
func shut(s *mochi.Server) {
	over := make(chan struct{})
	go func() { defer close(over); s.Close() }()
	for {
		select {
		case <-over:
			return
		case <-time.After(20 * time.Millisecond):
			cut(s)
		}
	}
}

const tags = 7

// plc is the other end of the test's source; it outlives gateways. Each scan
// gives one sample per tag. A new connection begins with the latest values once
// more, as a subscription does.
type plc struct {
	period time.Duration

	mu      sync.Mutex
	scan    uint64
	stopped bool
	durable map[uint64]bool // scans whose Done came with nil
	lost    int             // scans whose Done came with an error
	open    int             // scans whose Done is to come
}

func values(scan uint64) (out []signal.Sample) {
	for i := range tags {
		out = append(out, signal.Sample{ID: signal.ID(fmt.Sprintf("m/t-%d", i)), Seq: scan, Value: float64(scan)/4 + float64(i), SourceTime: time.Unix(1e9, int64(scan)*1e6).UTC()})
	}
	return out
}

func (p *plc) run(ctx context.Context, sink pipeline.Sink, status pipeline.StatusFunc) error {
	status("plc", true, "")
	p.mu.Lock()
	latest := p.scan
	p.mu.Unlock()
	if latest > 0 {
		sink(ctx, pipeline.Batch{Source: "plc", Samples: values(latest)})
	}
	for ctx.Err() == nil {
		p.mu.Lock()
		if p.stopped {
			p.mu.Unlock()
			<-ctx.Done()
			return nil
		}
		p.scan++
		p.open++
		scan := p.scan
		p.mu.Unlock()
		sink(ctx, pipeline.Batch{Source: "plc", Samples: values(scan), Done: func(err error) {
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.open--; err == nil {
				p.durable[scan] = true
			} else {
				p.lost++
			}
		}})
		select {
		case <-time.After(p.period):
		case <-ctx.Done():
		}
	}
	return nil
}

// life is one run of a gateway on a disk.
type life struct {
	stop context.CancelCauseFunc
	end  chan error
}

func start(cfg Config, opts Options) *life {
	ctx, stop := context.WithCancelCause(context.Background())
	l := &life{stop: stop, end: make(chan error, 1)}
	go func() { l.end <- Run(ctx, cfg, opts) }()
	return l
}

// TestEndToEnd lets brokers fall, connections break, disks fill up and gateways
// die. All that was told durable arrives, in order, and whatever arrives twice
// carries its key twice.
func TestEndToEnd(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { endToEnd(t, seed) })
	}
}

func endToEnd(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 8))
	l := &ledger{}
	broker, addr := l.open(t, "")
	fs := disk.NewModel(disk.Model{Sync: 100 * time.Microsecond, Torn: seed%2 == 1, Seed: seed})
	p := &plc{period: 500 * time.Microsecond, durable: map[uint64]bool{}}
	cfg := Config{Name: "edge-1", Seed: seed}
	cfg.MQTT.URL = "mqtt://" + addr
	cfg.MQTT.MaxBackoff = strict.Duration(20 * time.Millisecond)
	cfg.MQTT.Batch = 40
	cfg.Buffer.Commit = strict.Duration(2 * time.Millisecond)
	cfg.Buffer.Segment = 4 << 10
	var depth sync.Map
	opts := func() Options {
		me := new(int)
		return Options{FS: fs, sources: []source{{name: "plc", run: p.run}}, Observe: Observe{
			OnDrop:  func(why string, n int) { t.Errorf("%d dropped: %s", n, why) },
			OnDepth: func(n int) { depth.Store(me, n) },
		}}
	}
	g := start(cfg, opts())
	kills := 0
	for range 14 {
		time.Sleep(time.Duration(1+r.IntN(25)) * time.Millisecond)
		switch r.IntN(6) {
		case 0:
			cut(broker)
		case 1:
			shut(broker)
			time.Sleep(time.Duration(r.IntN(40)) * time.Millisecond)
			broker, _ = l.open(t, addr)
		case 2, 3:
			kills++
			fs.Kill()
			g.stop(ErrKilled)
			cut(broker)
			if err := <-g.end; err == nil {
				t.Error("a killed gateway ends without an error")
			}
			fs = fs.Reopen()
			g = start(cfg, opts())
		case 4:
			g.stop(nil)
			if err := <-g.end; err != nil {
				t.Errorf("a stopped gateway: %v", err)
			}
			g = start(cfg, opts())
		case 5:
			fs.SetCapacity(fs.Used() + int64(r.IntN(2000)))
			time.Sleep(time.Duration(r.IntN(30)) * time.Millisecond)
			fs.SetCapacity(0)
		}
	}
	p.mu.Lock()
	p.stopped = true
	p.mu.Unlock()
	settle(t, l, p)
	g.stop(nil)
	if err := <-g.end; err != nil {
		t.Error(err)
	}
	shut(broker)
	l.check(t, p)
	t.Logf("%d kills, %d scans, %d durable, %d told lost, %d messages", kills, p.scan, len(p.durable), p.lost, len(l.data))
}

// settle waits until every Done has come and every durable scan has arrived.
func settle(t *testing.T, l *ledger, p *plc) {
	t.Helper()
	for range 1500 {
		l.mu.Lock()
		p.mu.Lock()
		seen := map[uint64]int{}
		for _, b := range l.data {
			for _, s := range b.Samples {
				seen[s.Seq]++
			}
		}
		missing := 0
		for scan := range p.durable {
			if seen[scan] < tags {
				missing++
			}
		}
		open := p.open
		p.mu.Unlock()
		l.mu.Unlock()
		if open == 0 && missing == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the gateway has not delivered within 15 s")
}

// check holds order, identity and keys of all that came.
func (l *ledger) check(t *testing.T, p *plc) (missing int) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.bad != nil {
		t.Fatal(l.bad)
	}
	type key struct {
		stream string
		number uint64
	}
	type ident struct {
		id  signal.ID
		seq uint64
	}
	keys, idents, last, repeats := map[key]ident{}, map[ident]key{}, map[signal.ID]uint64{}, 0
	for _, b := range l.data {
		for i, s := range b.Samples {
			k, id := key{b.Stream, b.First + uint64(i)}, ident{s.ID, s.Seq}
			var n int
			fmt.Sscanf(string(s.ID), "m/t-%d", &n)
			if s != values(s.Seq)[n] {
				t.Fatalf("%+v was never made", s)
			}
			if old, ok := keys[k]; ok {
				if repeats++; old != id {
					t.Fatalf("key %v was %v and is %v", k, old, id)
				}
				continue
			}
			if other, ok := idents[id]; ok {
				t.Fatalf("%v came with key %v and with %v", id, other, k)
			}
			if s.Seq <= last[s.ID] {
				t.Fatalf("%v after %d", id, last[s.ID])
			}
			keys[k], idents[id], last[s.ID] = id, k, s.Seq
		}
	}
	for scan := range p.durable {
		for _, s := range values(scan) {
			if _, ok := idents[ident{s.ID, s.Seq}]; !ok {
				if missing++; l.lossy {
					continue
				}
				t.Fatalf("scan %d was told durable, %s did not arrive", scan, s.ID)
			}
		}
	}
	t.Logf("%d samples, %d repeats, all marked", len(idents), repeats)
	return missing
}

// TestNothingLeft holds that a gateway leaves no goroutine behind, with and
// without a broker.
func TestNothingLeft(t *testing.T) {
	l := &ledger{}
	broker, addr := l.open(t, "")
	defer shut(broker)
	before := runtime.NumGoroutine()
	for i := range 6 {
		p := &plc{period: time.Millisecond, durable: map[uint64]bool{}}
		cfg := Config{Name: "edge-1"}
		cfg.MQTT.URL = "mqtt://" + []string{addr, "127.0.0.1:1"}[i%2]
		cfg.Admin.Listen = "127.0.0.1:0"
		g := start(cfg, Options{FS: disk.NewModel(disk.Model{}), sources: []source{{name: "plc", run: p.run}}})
		time.Sleep(20 * time.Millisecond)
		g.stop([]error{nil, ErrKilled}[i/3])
		if err := <-g.end; err != nil && i < 3 {
			t.Error(err)
		}
	}
	for range 300 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	stacks := make([]byte, 1<<20)
	t.Fatalf("%d goroutines, %d before\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
}
