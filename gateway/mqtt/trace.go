package mqtt

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/eclipse/paho.golang/paho"

	"github.com/plantbed/plantbed/internal/payload"
)

// tracer makes one span per message, from sending to acknowledgement, and
// hands its context on as the MQTT user property "traceparent" (W3C Trace
// Context). Without a provider it costs a call.
type tracer struct {
	t       trace.Tracer
	origins func(first, upto uint64) []trace.Link
}

func newTracer(origins func(first, upto uint64) []trace.Link) tracer {
	return tracer{otel.Tracer("github.com/plantbed/plantbed/gateway/mqtt"), origins}
}

func (t tracer) begin(ctx context.Context, b *payload.Batch) (trace.Span, *paho.PublishProperties) {
	ctx, span := t.t.Start(ctx, "gateway.publish", trace.WithSpanKind(trace.SpanKindProducer))
	if !span.SpanContext().IsValid() {
		return span, nil
	}
	if span.IsRecording() {
		if t.origins != nil && b.Stream != "" {
			for _, l := range t.origins(b.First, b.First+uint64(len(b.Samples))-1) {
				span.AddLink(l)
			}
		}
		span.SetAttributes(attribute.Int("samples", len(b.Samples)), attribute.Int64("first", int64(b.First)), attribute.Bool("backfill", b.Backfill))
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	var user paho.UserProperties
	for _, key := range []string{"traceparent", "tracestate"} {
		if v := carrier.Get(key); v != "" {
			user.Add(key, v)
		}
	}
	return span, &paho.PublishProperties{User: user}
}

func endSpan(span trace.Span, err error) {
	if err != nil {
		span.SetStatus(codes.Error, err.Error())
	}
	span.End()
}
