package gateway

import (
	"context"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/plantbed/plantbed/gateway/pipeline"
	"github.com/plantbed/plantbed/internal/disk"
)

// TestTraceFollowsABatch: every batch has a span with the stages in it, which
// ends when it is durable, and every message links to the batches that it
// carries: together to all of them.
func TestTraceFollowsABatch(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	before := otel.GetTracerProvider()
	otel.SetTracerProvider(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)))
	defer otel.SetTracerProvider(before)
	l := &ledger{}
	broker, addr := l.open(t, "")
	defer shut(broker)
	cfg := Config{Name: "edge-1"}
	cfg.MQTT.URL, cfg.MQTT.Batch = "mqtt://"+addr, 10
	cfg.Defaults()
	const batches = 20
	durable := make(chan struct{}, batches)
	run := func(ctx context.Context, sink pipeline.Sink, _ pipeline.StatusFunc) error {
		for i := range batches {
			sink(ctx, pipeline.Batch{Source: "s", Samples: values(uint64(i + 1)), Done: func(error) { durable <- struct{}{} }})
		}
		<-ctx.Done()
		return nil
	}
	g := start(cfg, Options{FS: disk.NewModel(disk.Model{Sync: -1}), sources: []source{{name: "s", run: run}}})
	for range batches {
		<-durable
	}
	for end := time.Now().Add(10 * time.Second); len(l.values("m/t-0")) < batches && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	g.stop(nil)
	<-g.end
	want, linked := map[trace.SpanID]bool{}, map[trace.SpanID]bool{}
	for _, s := range spans.Ended() {
		switch s.Name() {
		case "gateway.batch":
			want[s.SpanContext().SpanID()] = true
			if e := s.Events(); len(e) != 1 || e[0].Name != "stages" {
				t.Errorf("events %v", e)
			}
		case "gateway.publish":
			for _, l := range s.Links() {
				linked[l.SpanContext.SpanID()] = true
			}
		}
	}
	for id := range want {
		if !linked[id] {
			t.Errorf("no message links to batch %v", id)
		}
	}
	if len(want) != batches {
		t.Errorf("%d spans of %d batches", len(want), batches)
	}
}
