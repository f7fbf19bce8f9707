package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/sdk/trace"
)

// startTrace has every OpenTelemetry span of this process written to a file,
// one JSON object after the other, until stop is called.
func startTrace(file string) (stop func() error, err error) {
	f, err := os.Create(file)
	if err != nil {
		return nil, fmt.Errorf("cannot write traces: %w", err)
	}
	exp, err := stdouttrace.New(stdouttrace.WithWriter(f))
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	// The queue holds what a catching-up gateway sends in one instant of
	// virtual time.
	tp := trace.NewTracerProvider(trace.WithBatcher(exp, trace.WithMaxQueueSize(1<<16)))
	otel.SetTracerProvider(tp)
	return func() error { return errors.Join(tp.Shutdown(context.Background()), f.Close()) }, nil
}
