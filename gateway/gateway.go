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
	"sync/atomic"
	"time"

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
	// Reload brings other configs while the gateway runs.
	Reload <-chan Reload

	sources []source // of a test, beside the configured ones
	more    func(Config) []source
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
	cfg  any // what it was made of; equal means the same
	run  func(ctx context.Context, sink pipeline.Sink, status pipeline.StatusFunc) error
}

// sources is the table of what a gateway can read.
func sources(cfg Config, fs disk.FS, log *slog.Logger, writes func(source string) <-chan pipeline.Write) (out []source) {
	for _, c := range cfg.OPCUA {
		out = append(out, source{c.Name, c, func(ctx context.Context, sink pipeline.Sink, status pipeline.StatusFunc) error {
			return opcua.RunWriting(ctx, c, cfg.Seed, log, sink, status, writes(c.Name))
		}})
	}
	for _, c := range cfg.Modbus {
		out = append(out, source{c.Name, c, func(ctx context.Context, sink pipeline.Sink, status pipeline.StatusFunc) error {
			return modbus.RunWriting(ctx, c, cfg.Seed, log, sink, status, writes(c.Name))
		}})
	}
	for _, c := range cfg.MQTTIn {
		out = append(out, source{c.Name, c, func(ctx context.Context, sink pipeline.Sink, status pipeline.StatusFunc) error {
			return mqtt.RunSource(ctx, c, cfg.Seed, log, birthsOf(fs, c.Name, log), sink, status)
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
	opts      Options
	sources   []source
	stages    []pipeline.Stage
	turn      chan struct{} // holds one token: whose turn it is in the pipeline
	buffer    buffer.Buffer
	publisher atomic.Pointer[mqtt.Publisher]
	metrics   *admin.Metrics
	observe   Observe
	desires   *desires
	alarms    alarms
	last      lastUsable
	weights   *priorities
	tracing   *tracing
	damaged   atomic.Int64    // samples, in this life
	life      context.Context // ends with the gateway
	outCtx    context.Context // ends when the sources have
	failed    func(error)     // ends the gateway
	in, out   sync.WaitGroup
	running   map[string]*running // sources, by name
	stopMQTT  func()              // ends the publisher, and waits for it
	stopAdmin func()
	unlock    func() // lets go of the buffer's folder

	mu     sync.Mutex
	states map[string]string // last status told, for the log
	drops  map[string]drops  // by reason
}

// drops are what was dropped since the log spoke of it.
type drops struct {
	samples int
	said    time.Time
}

func open(cfg Config, opts Options) (*gateway, error) {
	cfg.Defaults()
	g := &gateway{cfg: cfg, log: opts.Log, observe: opts.Observe, life: context.Background(), turn: make(chan struct{}, 1), states: map[string]string{}, drops: map[string]drops{},
		opts: opts, running: map[string]*running{}, tracing: newTracing(), unlock: func() {}}
	if cfg.Unreachable == UnreachableSamples {
		g.last = lastUsable{}
	}
	if g.log == nil {
		g.log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if g.opts.FS == nil && cfg.Buffer.Kind == buffer.KindDisk {
		var err error
		if g.opts.FS, err = disk.OS(cfg.Buffer.Dir); err != nil {
			return nil, fmt.Errorf("buffer: the folder cannot be made: %w", err)
		}
		if g.unlock, err = disk.Lock(cfg.Buffer.Dir); err != nil {
			return nil, fmt.Errorf("buffer: %w", err)
		}
	}
	if err := g.prepare(); err != nil {
		g.unlock()
		return nil, err
	}
	return g, nil
}

// prepare opens what run starts.
func (g *gateway) prepare() (err error) {
	cfg, opts := g.cfg, g.opts
	if g.desires, err = newDesires(g, opts.FS); err != nil {
		return err
	}
	g.sources = g.sourcesOf(cfg)
	var names []string
	for _, s := range g.sources {
		names = append(names, s.name)
	}
	g.metrics = admin.NewMetrics(names)
	if g.buffer, err = buffer.Open(cfg.Buffer, g.bufferOptions(opts)); err != nil {
		return err
	}
	g.stages = append([]pipeline.Stage{pipeline.NewRepeat(g.buffer.Latest()...), pipeline.NewValidate(), nil, nil}, opts.Stages...)
	g.setStages(cfg)
	g.metrics.Depth, g.metrics.Bytes = g.buffer.Depth, g.buffer.Bytes
	p, err := mqtt.New(cfg.MQTT, g.mqttOptions(cfg, opts))
	if err != nil {
		g.buffer.Close()
		return err
	}
	g.publisher.Store(p)
	p.Status("", true, g.alarms.text()) // what was found at the opening
	return nil
}

// run starts everything and ends it in the order in which samples flow. What
// fails first ends the rest.
func (g *gateway) run(ctx context.Context) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	first := make(chan error, 1)
	g.life, g.failed = ctx, func(err error) {
		select {
		case first <- err:
		default:
		}
		fail(err)
	}
	outCtx, stopOut := context.WithCancelCause(context.WithoutCancel(ctx))
	g.outCtx = outCtx
	g.startPublisher()
	g.startAdmin(nil)
	g.start(g.desires.run)
	if len(g.cfg.certificates()) > 0 {
		g.start(g.watchCertificates)
	}
	for _, s := range g.sources {
		g.startSource(s, false)
	}
	g.reloads(ctx)
	if context.Cause(ctx) != ErrKilled {
		g.in.Wait()
	}
	stopOut(context.Cause(ctx))
	g.out.Wait()
	g.in.Wait()
	err := g.buffer.Close()
	g.unlock()
	select {
	case err = <-first:
	default:
	}
	if context.Cause(ctx) == ErrKilled {
		return ErrKilled
	}
	return err
}
