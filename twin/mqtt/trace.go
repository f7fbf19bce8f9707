package mqtt

import (
	"github.com/eclipse/paho.golang/paho"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// tracerName is the instrumentation scope of our spans.
const tracerName = "github.com/plantbed/plantbed/twin/mqtt"

// carrier reads W3C trace context from MQTT 5 user properties.
type carrier struct{ props paho.UserProperties }

func (c carrier) Get(key string) string { return c.props.Get(key) }
func (c carrier) Set(string, string)    {}
func (c carrier) Keys() []string        { return []string{"traceparent", "tracestate"} }

// trace continues the sender's trace with the span "twin.apply", from receipt
// until the message is applied. Without a traceparent it costs a comparison.
func (c *Conn) trace(m *Message, p *paho.Publish) (end func(applied bool)) {
	if p.Properties == nil || p.Properties.User.Get("traceparent") == "" {
		return func(bool) {}
	}
	ctx := propagation.TraceContext{}.Extract(m.Context, carrier{p.Properties.User})
	ctx, span := otel.Tracer(tracerName).Start(ctx, "twin.apply", trace.WithSpanKind(trace.SpanKindConsumer))
	m.Context = ctx
	if span.IsRecording() {
		span.SetAttributes(
			attribute.String("messaging.destination.name", p.Topic),
			attribute.String("plantbed.stream", m.Batch.Stream),
			attribute.Int64("plantbed.first", int64(m.Batch.First)),
			attribute.Int("plantbed.samples", len(m.Batch.Samples)),
			attribute.Bool("plantbed.backfill", m.Batch.Backfill))
	}
	return func(applied bool) {
		if !applied {
			span.SetStatus(codes.Error, "the twin is closing")
		}
		span.End()
	}
}
