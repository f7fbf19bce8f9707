package mqtt

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
	"go.opentelemetry.io/otel"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/plantbed/plantbed/gateway/buffer"
	"github.com/plantbed/plantbed/gateway/pipeline"
	"github.com/plantbed/plantbed/internal/payload"
	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/signal"
)

func numbered(from, n int) (out []signal.Sample) {
	for i := from; i < from+n; i++ {
		out = append(out, signal.Sample{ID: signal.ID(fmt.Sprintf("m/t-%d", i%5)), Seq: uint64(i), Value: float64(i), SourceTime: time.Unix(1e9, int64(i)).UTC()})
	}
	return out
}

// rig is a publisher between a memory buffer and a broker.
type rig struct {
	t    *testing.T
	b    *broker
	buf  buffer.Buffer
	p    *Publisher
	stop context.CancelCauseFunc
	end  chan error
	made int
}

func newRig(t *testing.T, b *broker, change func(*Config, *Options)) *rig {
	t.Helper()
	buf, err := buffer.Open(buffer.Config{Kind: buffer.KindMemory}, buffer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{URL: "mqtt://" + b.addr, Batch: 50, MaxBackoff: strict.Duration(20 * time.Millisecond)}
	opt := Options{Gateway: "edge-1", Store: buf, Seed: 1}
	if change != nil {
		change(&cfg, &opt)
	}
	p, err := New(cfg, opt)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancelCause(context.Background())
	r := &rig{t: t, b: b, buf: buf, p: p, stop: stop, end: make(chan error, 1)}
	go func() { r.end <- p.Run(ctx) }()
	t.Cleanup(func() { stop(nil); <-r.end; r.end <- nil })
	return r
}

func (r *rig) put(n int) {
	r.buf.Append(context.Background(), numbered(r.made, n), nil)
	r.made += n
}

// delivered waits until all is acknowledged and checks what the broker has
// seen: every sample, each for the first time in order, repeats as they were.
func (r *rig) delivered() (repeats int) {
	r.t.Helper()
	r.b.until("delivery", func([]packets.Packet) bool { return r.buf.Depth() == 0 })
	next := uint64(1)
	for _, b := range r.b.batches() {
		if b.Stream != r.buf.Stream() || b.Gateway != "edge-1" {
			r.t.Fatalf("%+v", b)
		}
		for i, s := range b.Samples {
			num := b.First + uint64(i)
			switch {
			case num == next:
				next++
			case num < next:
				repeats++
			default:
				r.t.Fatalf("number %d came before %d", num, next)
			}
			if s != numbered(int(num)-1, 1)[0] {
				r.t.Fatalf("number %d is %+v", num, s)
			}
		}
	}
	if next != uint64(r.made)+1 {
		r.t.Fatalf("%d of %d samples came", next-1, r.made)
	}
	return repeats
}

// complete is delivered without the order.
func (r *rig) complete() {
	r.t.Helper()
	r.b.until("delivery", func([]packets.Packet) bool { return r.buf.Depth() == 0 })
	got := map[uint64]bool{}
	for _, b := range r.b.batches() {
		for i := range b.Samples {
			got[b.First+uint64(i)] = true
		}
	}
	if len(got) != r.made {
		r.t.Fatalf("%d of %d samples came", len(got), r.made)
	}
}

// TestOrderThroughCuts breaks the connection again and again, with every window.
func TestOrderThroughCuts(t *testing.T) {
	for _, inflight := range []int{1, 4, 30} {
		t.Run(fmt.Sprint(inflight), func(t *testing.T) {
			r := newRig(t, startBroker(t, "", nil), func(c *Config, _ *Options) { c.Inflight = inflight })
			rng := rand.New(rand.NewPCG(uint64(inflight), 1))
			for range 30 {
				for range 10 {
					r.put(1 + rng.IntN(60))
				}
				time.Sleep(time.Duration(rng.IntN(4)) * time.Millisecond)
				r.b.cut()
			}
			t.Logf("%d samples repeated", r.delivered())
		})
	}
}

// TestTroubleGoesBack lets the broker forget or refuse messages: the publisher
// goes back to the oldest one, and the repeats carry the same keys.
// With several in flight a message behind the lost one may come before it, so
// the order is held with one.
func TestTroubleGoesBack(t *testing.T) {
	for _, c := range []struct {
		name     string
		err      error
		inflight int
	}{{"forgotten", packets.ErrRejectPacket, 1}, {"refused", packets.ErrQuotaExceeded, 1}, {"forgotten of four", packets.ErrRejectPacket, 4}} {
		t.Run(c.name, func(t *testing.T) {
			b := startBroker(t, "", nil)
			b.answer = func(n int) error {
				if n%7 == 3 {
					return c.err
				}
				return nil
			}
			r := newRig(t, b, func(cfg *Config, _ *Options) {
				cfg.PublishTimeout, cfg.Inflight = strict.Duration(30*time.Millisecond), c.inflight
			})
			r.put(900)
			if c.inflight > 1 {
				r.complete()
			} else if r.delivered(); len(b.batches()) != 900/50 {
				t.Fatalf("%d messages were taken", len(b.batches()))
			}
			if b.data <= 900/50 {
				t.Fatal("nothing was repeated: the test tests nothing")
			}
		})
	}
}

func TestBrokerThatComesLate(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	down := make(chan string, 100)
	r := newRig(t, &broker{t: t, addr: addr}, func(_ *Config, o *Options) {
		o.OnUp = func(up bool, why string) {
			if !up {
				down <- why
			}
		}
	})
	r.put(120)
	if why := <-down; !strings.Contains(why, "refused") {
		t.Fatalf("down because %q", why)
	}
	r.b = startBroker(t, addr, nil)
	r.delivered()
	for _, b := range r.b.batches() {
		if !b.Backfill {
			t.Fatal("what waited for the broker is backfill")
		}
	}
	r.put(10)
	r.delivered()
	if all := r.b.batches(); all[len(all)-1].Backfill {
		t.Fatal("what was sent at once is no backfill")
	}
}

func TestReceiveMaximumAndPacketSize(t *testing.T) {
	const most = 2000 // bytes
	b := startBroker(t, "", func(c *mochi.Capabilities) { c.ReceiveMaximum, c.MaximumPacketSize = 1, most })
	drops := 0
	r := newRig(t, b, func(c *Config, o *Options) {
		c.Inflight = 10
		o.OnDrop = func(why string, n int) {
			if drops += n; why != DropTooLarge {
				t.Errorf("dropped as %s", why)
			}
		}
	})
	r.put(500)
	r.delivered()
	r.buf.Append(context.Background(), []signal.Sample{{ID: signal.ID(strings.Repeat("x", most)), SourceTime: time.Unix(1, 0)}}, nil)
	b.until("the large one is given up", func([]packets.Packet) bool { return r.buf.Depth() == 0 })
	if drops != 1 || len(b.batches()) < 20 {
		t.Fatalf("%d dropped, %d messages", drops, len(b.batches()))
	}
}

func TestStatuses(t *testing.T) {
	b := startBroker(t, "", nil)
	r := newRig(t, b, nil)
	r.p.Status("plc-2", true, "")
	r.p.Status("plc-2", true, "")
	r.put(10)
	r.p.Status("plc-2", false, "no answer")
	b.until("down", func([]packets.Packet) bool { return slices.Contains(b.statusesNow("plc-2"), "no answer") })
	got := b.statuses("plc-2") // one or two: what was before the connection is not said any more
	if want := (payload.Status{Gateway: "edge-1", Source: "plc-2", Why: "no answer"}); got[len(got)-1] != want {
		t.Fatalf("%v", got)
	}
	b.cut()
	b.until("all again", func([]packets.Packet) bool {
		return len(b.statusesNow("")) >= 2 && len(b.statusesNow("plc-2")) > len(got)
	})
	r.stop(nil)
	b.until("last words", func([]packets.Packet) bool { return slices.Contains(b.statusesNow(""), "stopped") })
	if s := b.statuses(""); s[0] != (payload.Status{Gateway: "edge-1", Up: true}) {
		t.Fatalf("%v", s)
	}
}

// statusesNow is statuses' reasons, under the lock that until holds.
func (b *broker) statusesNow(source string) (out []string) {
	for _, pk := range b.seen {
		if pk.TopicName == payload.StatusTopic("plantbed", "edge-1", source) {
			s, _ := payload.DecodeStatus(pk.Payload)
			out = append(out, s.Why)
		}
	}
	return out
}

// TestDownFollowsTheSamples holds that a source is told to be down after the
// samples that were taken before it went down.
func TestDownFollowsTheSamples(t *testing.T) {
	b := startBroker(t, "", nil)
	r := newRig(t, b, nil)
	for i := range 20 {
		r.put(30)
		r.p.Status("plc-1", false, fmt.Sprint(r.made))
		b.until("status", func([]packets.Packet) bool { return slices.Contains(b.statusesNow("plc-1"), fmt.Sprint(r.made)) })
		n := 0
		for _, x := range b.batches() {
			n += len(x.Samples)
		}
		if n < r.made && i > 0 { // the first may go out with the connect
			t.Fatalf("told to be down after %d of %d samples", n, r.made)
		}
	}
}

// TestKilled holds that nothing is said at the end but what the broker says:
// the will.
func TestKilled(t *testing.T) {
	b := startBroker(t, "", nil)
	r := newRig(t, b, nil)
	r.put(10)
	r.delivered()
	r.stop(ErrKilled)
	var last []packets.Packet
	for range 400 {
		if last = b.s.Topics.Messages(payload.StatusTopic("plantbed", "edge-1", "")); len(last) == 1 && strings.Contains(string(last[0].Payload), "lost") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("no will: %v", last)
}

func TestTraceparent(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	before := otel.GetTracerProvider()
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)))
	defer otel.SetTracerProvider(before)
	b := startBroker(t, "", nil)
	r := newRig(t, b, nil)
	r.put(10)
	r.delivered()
	b.until("span", func([]packets.Packet) bool { return len(spans.Ended()) > 0 })
	s := spans.Ended()[0]
	want := fmt.Sprintf("00-%s-%s-01", s.SpanContext().TraceID(), s.SpanContext().SpanID())
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, pk := range b.seen {
		for _, u := range pk.Properties.User {
			if u.Key == "traceparent" && u.Val == want && s.Name() == "gateway.publish" {
				return
			}
		}
	}
	t.Fatalf("no message carries %s", want)
}

type stage func([]signal.Sample) []signal.Sample

func (stage) Name() string                                 { return "planted" }
func (f stage) Process(in []signal.Sample) []signal.Sample { return f(in) }

// TestPublishStages holds that a repeated sample keeps its key, a dropped one
// leaves a gap, and nothing is stuck when all are dropped.
func TestPublishStages(t *testing.T) {
	b := startBroker(t, "", nil)
	planted := stage(func(in []signal.Sample) (out []signal.Sample) {
		for _, s := range in {
			switch {
			case s.Seq%10 == 3 || s.Seq >= 100:
			case s.Seq%10 == 7:
				out = append(out, s, s)
			default:
				out = append(out, s)
			}
		}
		return out
	})
	r := newRig(t, b, func(_ *Config, o *Options) { o.Stages = []pipeline.Stage{planted} })
	r.put(100)
	r.put(50)
	b.until("all acknowledged", func([]packets.Packet) bool { return r.buf.Depth() == 0 })
	count := map[uint64]int{}
	for _, x := range b.batches() {
		for i, s := range x.Samples {
			if x.First+uint64(i) != s.Seq+1 {
				t.Fatalf("sample %d has key %d", s.Seq, x.First+uint64(i))
			}
			count[s.Seq]++
		}
	}
	for i := range uint64(150) {
		want := 1
		switch {
		case i%10 == 3 || i >= 100:
			want = 0
		case i%10 == 7:
			want = 2
		}
		if count[i] != want {
			t.Fatalf("sample %d came %d times, want %d", i, count[i], want)
		}
	}
}

func TestRekey(t *testing.T) {
	in := numbered(10, 4) // keys 100 to 103
	b := payload.Batch{Stream: "s", First: 100}
	stranger := signal.Sample{ID: "other", SourceTime: time.Unix(5, 0)}
	changed := slices.Clone(in)
	changed[2].ID = "other"
	for _, c := range []struct {
		out  []signal.Sample
		want string // key and count of each message
	}{
		{in, "[s100+4]"},
		{nil, "[]"},
		{in[1:], "[s101+3]"},
		{[]signal.Sample{in[0], in[0], in[1], in[2], in[3]}, "[s100+1 s100+4]"},
		{[]signal.Sample{in[1], in[0], in[2], in[3]}, "[s101+1 s100+1 s102+2]"},
		{[]signal.Sample{in[0], stranger, in[3]}, "[s100+1 0+1 s103+1]"},
		{changed, "[s100+4]"},
	} {
		var got []string
		for _, m := range rekey(in, c.out, b) {
			got = append(got, fmt.Sprintf("%s%d+%d", m.Stream, m.First, len(m.Samples)))
		}
		if s := fmt.Sprint(got); s != c.want {
			t.Errorf("%s, want %s", s, c.want)
		}
	}
}

func TestNoGoroutineLeft(t *testing.T) {
	b := startBroker(t, "", nil)
	before := runtime.NumGoroutine()
	for i := range 6 {
		r := newRig(t, b, nil)
		r.put(100)
		if i%2 == 0 {
			r.b.until("delivery", func([]packets.Packet) bool { return r.buf.Depth() == 0 })
		}
		r.stop([]error{nil, ErrKilled}[i%2])
		r.end <- <-r.end
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

func TestBackoffIsBoundedAndSeeded(t *testing.T) {
	draw := func(seed uint64) (out []time.Duration) {
		cfg := Config{URL: "mqtt://x"}
		cfg.Defaults()
		l, err := newLink(cfg, "edge-1", seed)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 40 {
			d := l.pause(n)
			if d <= 0 || d > 2*time.Second || n > 8 && d < time.Second {
				t.Fatalf("pause %d is %v", n, d)
			}
			out = append(out, d)
		}
		return out
	}
	if a, b := draw(1), draw(1); !slices.Equal(a, b) {
		t.Fatal("the same seed gives other pauses")
	}
	if a, b := draw(1), draw(2); slices.Equal(a, b) {
		t.Fatal("another seed gives the same pauses")
	}
}

func TestConfig(t *testing.T) {
	for _, c := range []struct {
		change func(*Config)
		path   string
	}{
		{func(c *Config) {}, ""},
		{func(c *Config) { c.URL = "mqtts://user:pw@host" }, ""},
		{func(c *Config) { c.URL = "" }, "url"},
		{func(c *Config) { c.URL = "localhost:1883" }, "url"},
		{func(c *Config) { c.URL = "http://localhost" }, "url"},
		{func(c *Config) { c.URL = "mqtt://:1883" }, "url"},
		{func(c *Config) { c.Prefix = "a/#" }, "prefix"},
		{func(c *Config) { c.Batch = -1 }, "batch"},
		{func(c *Config) { c.Inflight = 5000 }, "inflight"},
		{func(c *Config) { c.PublishTimeout = 1 }, "publish_timeout"},
		{func(c *Config) { c.KeepAlive = strict.Duration(20 * time.Hour) }, "keep_alive"},
		{func(c *Config) { c.MaxBackoff = -1 }, "max_backoff"},
	} {
		cfg := Config{URL: "mqtt://localhost"}
		c.change(&cfg)
		cfg.Defaults()
		ps := cfg.Validate()
		if len(ps) > 1 || (len(ps) == 1) != (c.path != "") || len(ps) == 1 && ps[0].Path != c.path {
			t.Errorf("%+v: %v, want %q", cfg, ps, c.path)
		}
	}
	if _, err := New(Config{URL: "mqtts://localhost", CA: "testdata/none.pem"}, Options{}); err == nil {
		t.Error("a CA file that is not there")
	}
}
