// Package gateway is an edge gateway: it reads PLCs, keeps every sample in a
// durable buffer, and publishes over MQTT. It knows no simulator and stands on
// its own.
//
//	var cfg gateway.Config               // strict.Decode(file, text, &cfg)
//	cfg.Defaults()
//	if ps := cfg.Validate(); len(ps) > 0 { ... }
//	err := gateway.Run(ctx, cfg, gateway.Options{Log: log})   // until ctx ends
//
//	opcua ──┐
//	opcua ──┼─► sink: repeat ─► validate ─► scale ─► deadband ─► (Stages) ─► buffer.Append
//	modbus ─┘     ▲                                                             │ one Sync per group
//	  │           └── Done(nil) once the samples are durable ◄──────────────────┤
//	  │ up, down                                                                ▼
//	  └─────────────► mqtt: status, retained    mqtt: data ◄─ (PublishStages) ◄─ buffer.Next
//	                                              │
//	                                              └─ PUBACK ─► buffer.Ack
//
// Back-pressure goes the same way back: a buffer whose disk refuses makes sink
// wait, and sources read no further.
package gateway

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"github.com/plantbed/plantbed/gateway/admin"
	"github.com/plantbed/plantbed/gateway/buffer"
	"github.com/plantbed/plantbed/gateway/modbus"
	"github.com/plantbed/plantbed/gateway/mqtt"
	"github.com/plantbed/plantbed/gateway/opcua"
	"github.com/plantbed/plantbed/gateway/pipeline"
	"github.com/plantbed/plantbed/internal/disk"
)

// ErrKilled as the cause of Run's context (context.WithCancelCause) makes Run
// end as a killed process does: the connection to the broker is reset and nobody
// is told. What the disk forgets is the disk's matter: kill a disk.ModelFS first.
var ErrKilled = mqtt.ErrKilled

// Options are what is no matter of the config file; all may be zero.
type Options struct {
	// FS is the buffer's disk; nil is the folder Config.Buffer.Dir.
	FS  disk.FS
	Log *slog.Logger
	// Stages come last before the buffer, PublishStages before publishing.
	// They are for tests that plant a defect.
	Stages, PublishStages []pipeline.Stage
	Observe               Observe

	sources []source // of a test, beside the configured ones
}

// Observe are hooks for whoever watches a run; they may be called from any
// goroutine and must neither block nor call the gateway.
type Observe struct {
	// OnDrop tells that samples are lost, and why.
	OnDrop func(reason string, n int)
	// OnDepth tells how many samples the broker has not acknowledged.
	OnDepth func(depth int)
}

// source is a configured source, ready to run until its context ends.
type source struct {
	name string
	run  func(ctx context.Context, sink pipeline.Sink, status pipeline.StatusFunc) error
}

// sources is the table of what a gateway can read.
func sources(cfg Config, log *slog.Logger) (out []source) {
	for _, c := range cfg.OPCUA {
		out = append(out, source{c.Name, func(ctx context.Context, sink pipeline.Sink, status pipeline.StatusFunc) error {
			return opcua.Run(ctx, c, cfg.Seed, log, sink, status)
		}})
	}
	for _, c := range cfg.Modbus {
		out = append(out, source{c.Name, func(ctx context.Context, sink pipeline.Sink, status pipeline.StatusFunc) error {
			return modbus.Run(ctx, c, cfg.Seed, log, sink, status)
		}})
	}
	return out
}

// Run is the gateway. It returns nil when ctx ends, and an error when it
// cannot start or its disk is gone.
func Run(ctx context.Context, cfg Config, opts Options) error {
	g, err := open(cfg, opts)
	if err != nil {
		return fmt.Errorf("gateway %s: %w", cfg.Name, err)
	}
	if err := g.run(ctx); err != nil {
		return fmt.Errorf("gateway %s: %w", cfg.Name, err)
	}
	return nil
}

// gateway is one life of it.
type gateway struct {
	cfg       Config
	log       *slog.Logger
	sources   []source
	stages    []pipeline.Stage
	turn      chan struct{} // holds one token: whose turn it is in the pipeline
	buffer    buffer.Buffer
	publisher *mqtt.Publisher
	metrics   *admin.Metrics
	observe   Observe
	life      context.Context // ends with the gateway

	mu     sync.Mutex
	states map[string]string // last status told, for the log
}

func open(cfg Config, opts Options) (*gateway, error) {
	cfg.Defaults()
	g := &gateway{cfg: cfg, log: opts.Log, observe: opts.Observe, life: context.Background(), turn: make(chan struct{}, 1), states: map[string]string{}}
	if g.log == nil {
		g.log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	g.sources = append(sources(cfg, g.log), opts.sources...)
	var names []string
	for _, s := range g.sources {
		names = append(names, s.name)
	}
	g.metrics = admin.NewMetrics(names)
	var err error
	if g.buffer, err = buffer.Open(cfg.Buffer, g.bufferOptions(opts)); err != nil {
		return nil, err
	}
	g.stages = append([]pipeline.Stage{pipeline.NewRepeat(g.buffer.Latest()...), pipeline.NewValidate(), pipeline.NewScale(cfg.scale()),
		pipeline.NewDeadband(cfg.Deadband, cfg.bands())}, opts.Stages...)
	g.metrics.Depth, g.metrics.Bytes = g.buffer.Depth, g.buffer.Bytes
	if g.publisher, err = mqtt.New(cfg.MQTT, g.mqttOptions(opts)); err != nil {
		g.buffer.Close()
		return nil, err
	}
	return g, nil
}

// run starts everything and ends it in the order in which samples flow. What
// fails first ends the rest.
func (g *gateway) run(ctx context.Context) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	g.life = ctx
	first := make(chan error, 1)
	start := func(wg *sync.WaitGroup, ctx context.Context, f func(context.Context) error) {
		wg.Go(func() {
			if err := f(ctx); err != nil && context.Cause(ctx) == nil {
				select {
				case first <- err:
				default:
				}
				fail(err)
			}
		})
	}
	var in, out sync.WaitGroup
	outCtx, stopOut := context.WithCancelCause(context.WithoutCancel(ctx))
	start(&out, outCtx, g.publisher.Run)
	start(&out, outCtx, func(ctx context.Context) error { return admin.Serve(ctx, g.cfg.Admin, g.metrics, g.log) })
	for _, s := range g.sources {
		start(&in, ctx, func(ctx context.Context) error { return s.run(ctx, g.sink, g.status) })
	}
	<-ctx.Done()
	if context.Cause(ctx) != ErrKilled {
		in.Wait()
	}
	stopOut(context.Cause(ctx))
	out.Wait()
	in.Wait()
	err := g.buffer.Close()
	select {
	case err = <-first:
	default:
	}
	if context.Cause(ctx) == ErrKilled {
		return ErrKilled
	}
	return err
}
