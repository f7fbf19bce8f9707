package gateway

import (
	"context"
	"sync"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/plantbed/plantbed/gateway/pipeline"
)

// tracing makes a span "gateway.batch" for every batch of a source, from its
// arrival through the stages until it is durable. The span "gateway.publish" of
// a message links to those of the batches whose samples it carries. Without a
// provider it costs a call.
type tracing struct {
	tracer trace.Tracer

	mu     sync.Mutex
	recent []origin // oldest first, at most maxOrigins
}

// origin is where some numbers of the buffer come from.
type origin struct {
	first, upto uint64
	span        trace.SpanContext
}

const maxOrigins = 4096

func newTracing() *tracing {
	return &tracing{tracer: otel.Tracer("github.com/plantbed/plantbed/gateway")}
}

// begin starts the span of a batch and has its Done end it. What it returns is
// to be told when the stages have had it.
func (t *tracing) begin(b *pipeline.Batch) (staged func(kept int, last uint64)) {
	_, span := t.tracer.Start(context.Background(), "gateway.batch")
	if !span.IsRecording() {
		return func(int, uint64) {}
	}
	span.SetAttributes(attribute.String("source", b.Source), attribute.Int("samples", len(b.Samples)))
	done := b.Done
	b.Done = func(err error) {
		if err != nil {
			span.SetStatus(codes.Error, err.Error())
		}
		span.End()
		if done != nil {
			done(err)
		}
	}
	return func(kept int, last uint64) {
		first := last + 1 - uint64(kept)
		span.AddEvent("stages", trace.WithAttributes(attribute.Int("kept", kept), attribute.Int64("first", int64(first))))
		if kept == 0 {
			return
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		if len(t.recent) >= maxOrigins {
			t.recent = append(t.recent[:0], t.recent[maxOrigins/2:]...)
		}
		t.recent = append(t.recent, origin{first, last, span.SpanContext()})
	}
}

// links are to the batches that some numbers come from.
func (t *tracing) links(first, upto uint64) (out []trace.Link) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, o := range t.recent {
		if o.first <= upto && o.upto >= first {
			out = append(out, trace.Link{SpanContext: o.span})
		}
	}
	return out
}
