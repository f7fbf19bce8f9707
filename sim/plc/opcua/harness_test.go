package opcua

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gopcua/opcua"

	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/signal"
)

// testPLC is an image that scans when a test says so. The value of a tag at
// scan n is n, unless the test sets another.
type testPLC struct {
	tasks  []*plc.Task
	latest []atomic.Pointer[plc.Block]
	on     []func(*plc.Block)

	mu      sync.Mutex
	values  map[signal.ID]float64
	quality map[signal.ID]signal.Quality
	written map[signal.ID]float64
	start   time.Time
}

func tag(id string, typ plc.Type, scale float64) plc.Tag {
	return plc.Tag{ID: signal.ID(id), Unit: "A", Lo: -100, Hi: 1000, Type: typ, Scale: scale, Read: func(time.Duration) float64 { return 0 }}
}

// newPLC has a slow task of every type and a fast one of two tags.
func newPLC() *testPLC {
	slow := &plc.Task{Index: 0, Name: "scan", Period: time.Second, Tags: []plc.Tag{
		tag("pump/motor/current", plc.Float64, 1), tag("pump/motor/speed", plc.Float32, 1), tag("pump/running", plc.Bool, 1),
		tag("pump/motor/bearing/temp", plc.Int16, 0.1), tag("oven/zone", plc.UInt16, 1), tag("oven/energy", plc.UInt32, 1), tag("oven/offset", plc.Int32, 1),
		tag("oven/setpoint", plc.Float64, 1),
	}}
	slow.Tags[2].Lo, slow.Tags[2].Hi, slow.Tags[2].Unit = 0, 0, ""
	slow.Tags[7].Write = func(float64) error { return nil }
	slow.Tags[3].Write = func(float64) error { return nil }
	fast := &plc.Task{Index: 1, Name: "fast", Period: 100 * time.Millisecond, Tags: []plc.Tag{
		tag("pump/vibration", plc.Float64, 1), tag("pump/flow", plc.Float64, 1),
	}}
	return newImage(slow, fast)
}

func newImage(tasks ...*plc.Task) *testPLC {
	return &testPLC{
		tasks: tasks, latest: make([]atomic.Pointer[plc.Block], len(tasks)),
		values: map[signal.ID]float64{}, quality: map[signal.ID]signal.Quality{}, written: map[signal.ID]float64{},
		start: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
	}
}

func (p *testPLC) Name() string { return "plc-test" }

func (p *testPLC) Tasks() []*plc.Task { return p.tasks }

func (p *testPLC) Latest(task int) *plc.Block { return p.latest[task].Load() }

func (p *testPLC) OnScan(f func(*plc.Block)) { p.on = append(p.on, f) }

func (p *testPLC) stamp(seq uint64) time.Time {
	return p.start.Add(time.Duration(seq) * 100 * time.Millisecond)
}

func (p *testPLC) set(id signal.ID, v float64) { p.mu.Lock(); p.values[id] = v; p.mu.Unlock() }

func (p *testPLC) say(id signal.ID, q signal.Quality) { p.mu.Lock(); p.quality[id] = q; p.mu.Unlock() }

func (p *testPLC) Write(id signal.ID, v float64) error {
	for _, t := range p.tasks {
		for i := range t.Tags {
			if t.Tags[i].ID != id {
				continue
			}
			if err := t.Tags[i].Accepts(v); err != nil {
				return err
			}
			p.mu.Lock()
			p.written[id] = v
			p.mu.Unlock()
		}
	}
	return nil
}

// scan runs one scan of a task.
func (p *testPLC) scan(task int) *plc.Block {
	p.mu.Lock()
	b := &plc.Block{Task: task, Seq: 1}
	if last := p.latest[task].Load(); last != nil {
		b.Seq = last.Seq + 1
	}
	b.Stamp = p.stamp(b.Seq)
	for _, t := range p.tasks[task].Tags {
		v, ok := p.values[t.ID]
		if !ok {
			v = float64(b.Seq)
		}
		b.Values, b.Quality = append(b.Values, v), append(b.Quality, p.quality[t.ID])
	}
	p.mu.Unlock()
	p.latest[task].Store(b)
	for _, f := range p.on {
		f(b)
	}
	return b
}

// serve starts a server for a test.
func serve(t testing.TB, p Image, cfg Config, opts Options) *Server {
	t.Helper()
	s, err := Listen(cfg, p, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func endpoint(s *Server) string { return "opc.tcp://" + s.Addr().String() }

// connect is gopcua's client with a session.
func connect(t testing.TB, s *Server, opts ...opcua.Option) *opcua.Client {
	t.Helper()
	c := dial(t, s, append(opts, opcua.AutoReconnect(false), opcua.RequestTimeout(5*time.Second))...)
	if err := c.Connect(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

func dial(t testing.TB, s *Server, opts ...opcua.Option) *opcua.Client {
	t.Helper()
	c, err := opcua.NewClient(endpoint(s), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// subscribe makes a subscription with gopcua's client, and sees to it that the
// client asks for notifications: a Subscribe right after Connect can overtake
// the pause with which its publish loop begins, and then it never asks. Another
// Subscribe wakes it.
func subscribe(t testing.TB, s *Server, c *opcua.Client, interval time.Duration, notes chan<- *opcua.PublishNotificationData) *opcua.Subscription {
	t.Helper()
	ctx := context.Background()
	sub, err := c.Subscribe(ctx, &opcua.SubscriptionParameters{Interval: interval}, notes)
	if err != nil {
		t.Fatal(err)
	}
	asks := func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		own := s.subs[sub.SubscriptionID]
		return own == nil || len(own.session.queue) > 0 || own.silent < own.keep
	}
	for end := time.Now().Add(5 * time.Second); !asks() && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
		if !asks() {
			other, err := c.Subscribe(ctx, &opcua.SubscriptionParameters{Interval: time.Hour}, notes)
			if err != nil {
				t.Fatal(err)
			}
			if err := other.Cancel(ctx); err != nil {
				t.Fatal(err)
			}
		}
	}
	return sub
}

// cut breaks every connection of a server.
func cut(s *Server) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		c.nc.(*net.TCPConn).SetLinger(0)
		c.nc.Close()
	}
}
