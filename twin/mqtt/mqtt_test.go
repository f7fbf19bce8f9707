package mqtt

import (
	"bytes"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/plantbed/plantbed/internal/backoff"
	"github.com/plantbed/plantbed/internal/payload"
	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/signal"
	"github.com/plantbed/plantbed/twin/mqtt/mqtttest"
)

var dataTopic = payload.DataTopic("plantbed", "edge-1")

func batch(first uint64, n int) []byte {
	b := payload.Batch{Gateway: "edge-1", Stream: "s", First: first}
	for i := range n {
		b.Samples = append(b.Samples, signal.Sample{ID: "m/a", Value: float64(first) + float64(i), SourceTime: time.Unix(1e9, 0).UTC()})
	}
	return payload.Append(nil, b)
}

// reader deals with messages in the background.
type reader struct {
	mu   sync.Mutex
	got  []Message
	quit chan struct{}
	wg   sync.WaitGroup
}

func read(c *Conn) *reader {
	r := &reader{quit: make(chan struct{})}
	r.wg.Add(1)
	go func() {
		defer r.wg.Done()
		for {
			select {
			case m := <-c.Messages():
				r.mu.Lock()
				r.got = append(r.got, m)
				r.mu.Unlock()
				c.Done()
			case <-r.quit:
				return
			}
		}
	}()
	return r
}

func (r *reader) stop() { close(r.quit); r.wg.Wait() }

// firsts lists the first numbers of the batches so far.
func (r *reader) firsts() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, m := range r.got {
		if m.Kind == Batch {
			out = append(out, fmt.Sprint(m.Batch.First))
		}
	}
	return strings.Join(out, " ")
}

func (r *reader) has(what func(Message) bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.got {
		if what(m) {
			return true
		}
	}
	return false
}

func open(t *testing.T, url string, log *slog.Logger) *Conn {
	t.Helper()
	c, err := Open(t.Context(), Config{URL: url, MaxBackoff: strict.Duration(200 * time.Millisecond)}, 1, log)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What a broker without its sessions takes before we are back reaches nobody, so
// we are back within the time that a gateway is given, 3 s.
func TestPausesAreShort(t *testing.T) {
	cfg := Config{}
	cfg.Defaults()
	c := &Conn{cfg: cfg, rng: backoff.Rand(1, "test")}
	last := time.Duration(0)
	for n := range 40 {
		p := c.pause(n)
		if p <= 0 || p > 2*time.Second {
			t.Errorf("before attempt %d: %v", n, p)
		}
		last = p
	}
	if last < time.Second/2 {
		t.Errorf("after 40 failures the pause is no more than %v", last)
	}
}

func TestBatchesAndStatusesInOrder(t *testing.T) {
	b := mqtttest.Start(t)
	gw := b.Client(t, "edge-1")
	gw.Publish(payload.StatusTopic("plantbed", "edge-1", ""), payload.AppendStatus(nil, payload.Status{Gateway: "edge-1", Up: true}), true)
	c := open(t, b.URL, nil)
	defer c.Close()
	r := read(c)
	defer r.stop()
	mqtttest.Eventually(t, "the retained status", func() bool {
		return r.has(func(m Message) bool { return m.Kind == Status && m.Status.Up && m.Status.Gateway == "edge-1" })
	})
	for k := range uint64(20) {
		gw.Publish(dataTopic, batch(k, 3), false)
	}
	gw.Publish(payload.StatusTopic("plantbed", "edge-1", "plc-1"), payload.AppendStatus(nil, payload.Status{Gateway: "edge-1", Source: "plc-1", Why: "gone"}), true)
	mqtttest.Eventually(t, "the source's status", func() bool {
		return r.has(func(m Message) bool { return m.Kind == Status && !m.Status.Up && m.Status.Source == "plc-1" })
	})
	if got, want := r.firsts(), "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19"; got != want {
		t.Errorf("batches %s, want %s", got, want)
	}
}

// TestEveryEncoding: a twin need not know how a gateway packs its batches.
func TestEveryEncoding(t *testing.T) {
	b := mqtttest.Start(t)
	gw := b.Client(t, "edge-1")
	c := open(t, b.URL, nil)
	defer c.Close()
	r := read(c)
	defer r.stop()
	mqtttest.Eventually(t, "subscribed", func() bool { return b.Subscribed("twin-1") })
	want, n := []string(nil), uint64(0)
	for _, encoding := range payload.Encodings {
		for _, compression := range payload.Compressions {
			codec, err := payload.NewCodec(encoding, compression)
			if err != nil {
				t.Fatal(err)
			}
			plain, err := payload.Decode(batch(n, 3))
			if err != nil {
				t.Fatal(err)
			}
			gw.Publish(dataTopic, codec.Append(nil, plain), false)
			want = append(want, fmt.Sprint(n))
			n++
		}
	}
	mqtttest.Eventually(t, "the last", func() bool { return strings.HasSuffix(r.firsts(), fmt.Sprint(n-1)) })
	if got := r.firsts(); got != strings.Join(want, " ") {
		t.Errorf("batches %s, want %v", got, want)
	}
}

func TestSessionKeepsWhatCameWhileWeWereAway(t *testing.T) {
	b := mqtttest.Start(t)
	gw := b.Client(t, "edge-1")
	c := open(t, b.URL, nil)
	r := read(c)
	mqtttest.Eventually(t, "subscribed", func() bool { return b.Subscribed("twin-1") })
	gw.Publish(dataTopic, batch(1, 1), false)
	mqtttest.Eventually(t, "the first", func() bool { return r.firsts() == "1" })
	c.Close()
	r.stop()
	gw.Publish(dataTopic, batch(2, 1), false)
	c = open(t, b.URL, nil)
	defer c.Close()
	r = read(c)
	defer r.stop()
	mqtttest.Eventually(t, "what came in between", func() bool { return r.firsts() == "2" })
}

func TestLostConnectionIsToldAndHealed(t *testing.T) {
	b := mqtttest.Start(t)
	c := open(t, b.URL, nil)
	defer c.Close()
	r := read(c)
	defer r.stop()
	mqtttest.Eventually(t, "subscribed", func() bool { return b.Subscribed("twin-1") })
	b.Kick("twin-1")
	mqtttest.Eventually(t, "down", func() bool { return r.has(func(m Message) bool { return m.Kind == Link && !m.Up }) })
	mqtttest.Eventually(t, "connected again", func() bool { return c.Stats().Connects == 2 && b.Subscribed("twin-1") })
	b.Client(t, "edge-1").Publish(dataTopic, batch(9, 1), false)
	mqtttest.Eventually(t, "a batch over the new connection", func() bool { return r.firsts() == "9" })
}

// What was handed out but not dealt with when we close must stay at the broker.
func TestNotAppliedIsNotAcknowledged(t *testing.T) {
	b := mqtttest.Start(t)
	gw := b.Client(t, "edge-1")
	c := open(t, b.URL, nil)
	if m := <-c.Messages(); m.Kind != Link || !m.Up {
		t.Fatalf("first message %+v, want the link", m)
	}
	c.Done()
	mqtttest.Eventually(t, "subscribed", func() bool { return b.Subscribed("twin-1") })
	gw.Publish(dataTopic, batch(7, 1), false) // nobody reads it
	mqtttest.Eventually(t, "sent to us", func() bool { return b.Unacknowledged("twin-1") == 1 })
	time.Sleep(50 * time.Millisecond) // let it reach us
	c.Close()
	if n := b.Unacknowledged("twin-1"); n != 1 {
		t.Fatalf("the broker holds %d messages, want the one that was not applied", n)
	}
	c = open(t, b.URL, nil)
	defer c.Close()
	r := read(c)
	defer r.stop()
	mqtttest.Eventually(t, "it comes again", func() bool { return r.firsts() == "7" })
	mqtttest.Eventually(t, "and is acknowledged", func() bool { return b.Unacknowledged("twin-1") == 0 })
}

func TestUndecodableIsCountedAndSaid(t *testing.T) {
	b := mqtttest.Start(t)
	var said bytes.Buffer
	c := open(t, b.URL, slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelError})))
	r := read(c)
	mqtttest.Eventually(t, "subscribed", func() bool { return b.Subscribed("twin-1") })
	gw := b.Client(t, "edge-1")
	junk := []string{"", "{", "null", "[]", "\x00\xff", `{"samples":[{"id":"a","time":"yesterday","value":1}]}`}
	for _, p := range junk {
		gw.Publish(dataTopic, []byte(p), false)
	}
	gw.Publish("plantbed/edge-1/status", []byte("up!"), false)
	gw.Publish("plantbed/edge-1/status", nil, true)
	gw.Publish(dataTopic, batch(3, 1), false)
	mqtttest.Eventually(t, "the good one", func() bool { return r.firsts() == "3" })
	mqtttest.Eventually(t, "all acknowledged", func() bool { return b.Unacknowledged("twin-1") == 0 })
	r.stop()
	c.Close()
	if n := c.Stats().Undecodable; n != int64(len(junk)+2) {
		t.Errorf("undecodable %d, want %d", n, len(junk)+2)
	}
	if !strings.Contains(said.String(), dataTopic) || !strings.Contains(said.String(), "payload dropped") {
		t.Errorf("the log does not say so: %s", said.String())
	}
}

func TestTraceGoesOn(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	was := otel.GetTracerProvider()
	otel.SetTracerProvider(trace.NewTracerProvider(trace.WithSpanProcessor(spans)))
	defer otel.SetTracerProvider(was)
	b := mqtttest.Start(t)
	c := open(t, b.URL, nil)
	defer c.Close()
	r := read(c)
	defer r.stop()
	mqtttest.Eventually(t, "subscribed", func() bool { return b.Subscribed("twin-1") })
	const traceID, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	gw := b.Client(t, "edge-1")
	gw.Publish(dataTopic, batch(1, 2), false, "traceparent", "00-"+traceID+"-"+parent+"-01")
	gw.Publish(dataTopic, batch(3, 2), false) // no trace came along: none begins
	gw.Publish(dataTopic, batch(5, 2), false, "traceparent", "nonsense")
	mqtttest.Eventually(t, "all three", func() bool { return r.firsts() == "1 3 5" })
	mqtttest.Eventually(t, "two spans", func() bool { return len(spans.Ended()) == 2 })
	s := spans.Ended()[0]
	if s.Name() != "twin.apply" || s.SpanContext().TraceID().String() != traceID || s.Parent().SpanID().String() != parent {
		t.Errorf("span %s of trace %s under %s", s.Name(), s.SpanContext().TraceID(), s.Parent().SpanID())
	}
	if other := spans.Ended()[1].SpanContext().TraceID().String(); other == traceID {
		t.Error("a malformed traceparent joined the trace")
	}
}

func TestCloseWithoutABroker(t *testing.T) {
	before := runtime.NumGoroutine()
	c := open(t, "mqtt://127.0.0.1:1", nil)
	time.Sleep(30 * time.Millisecond)
	c.Close()
	mqtttest.Eventually(t, "no goroutine left", func() bool { return runtime.NumGoroutine() <= before })
}

func TestCloseLeavesNoGoroutine(t *testing.T) {
	b := mqtttest.Start(t)
	before := runtime.NumGoroutine()
	c := open(t, b.URL, nil)
	r := read(c)
	mqtttest.Eventually(t, "subscribed", func() bool { return b.Subscribed("twin-1") })
	r.stop()
	c.Close()
	mqtttest.Eventually(t, "no goroutine left", func() bool { return runtime.NumGoroutine() <= before })
}

func TestValidateReportsEverything(t *testing.T) {
	bad := Config{URL: "http://x", Prefix: "#", KeepAlive: strict.Duration(1500 * time.Millisecond), Session: 1, MaxBackoff: 1, Timeout: 1}
	var paths []string
	for _, p := range bad.Validate() {
		paths = append(paths, p.Path)
	}
	if got, want := strings.Join(paths, " "), "url client_id prefix keep_alive session max_backoff timeout"; got != want {
		t.Errorf("problems at %q, want %q", got, want)
	}
	if _, err := Open(t.Context(), Config{}, 1, nil); err == nil || !strings.Contains(err.Error(), "url") {
		t.Errorf("error %v does not name the url", err)
	}
}
