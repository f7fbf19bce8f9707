// Package mqtt is the gateway's way out: it takes what is durable from the
// buffer and publishes it over MQTT 5 with QoS 1 or 2, in order.
//
//	p, err := mqtt.New(cfg, mqtt.Options{Gateway: "edge-1", Store: buf, Seed: seed})
//	p.Status("plc-1", false, "connection refused") // retained, any goroutine
//	err = p.Run(ctx)                               // until ctx ends or the store does
//
//	store ──TryNext──► publish stages ──► encode ──► window of 4 ──► broker
//	  ▲                                                  │
//	  └──────────────── Ack, oldest first ◄──── PUBACK ──┘
//
// Several messages are on their way at a time, unless Inflight is 1. They are acknowledged to the
// store in order, and when anything goes wrong (no acknowledgement in time, a
// refusal, a broken connection) the connection is given up, and the next one
// begins with the oldest that is not acknowledged. So the broker sees every
// sample at least once and, but for repetitions, in order; the dedup key of a
// sample is (stream, number) in the buffer.
//
// One thing can upset that order: a broker that refuses or forgets one message
// and takes those behind it. It costs the order of one window: after a refusal
// or a silence messages go one at a time until a hundred in a row are taken.
// With Inflight 1 the order is strict always.
package mqtt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eclipse/paho.golang/paho"

	"go.opentelemetry.io/otel/trace"

	"github.com/plantbed/plantbed/gateway/pipeline"
	"github.com/plantbed/plantbed/gateway/sparkplug"
	"github.com/plantbed/plantbed/internal/payload"
	"github.com/plantbed/plantbed/sim/signal"
)

// ErrKilled as the cause of Run's context makes Run end as a killed process
// does: its connection is reset, nobody is told anything.
var ErrKilled = errors.New("killed")

// Store is what a publisher needs of a buffer; see gateway/buffer.
type Store interface {
	Stream() string
	TryNext(max int) (first uint64, samples []signal.Sample, appended time.Time, err error)
	Ready() <-chan struct{}
	Ack(upto uint64)
	Rewind()
	Online(up bool)
	Last() uint64
	Depth() int
}

// Options are what a publisher needs beyond its Config. The functions may be
// nil; they are called from any goroutine and must not block.
type Options struct {
	Gateway string // its name
	Seed    uint64
	Store   Store
	Log     *slog.Logger
	// Tags are known from the start; a Sparkplug birth names them.
	Tags []signal.ID
	// BdSeq is what Sparkplug goes on with after a restart, and KeepBdSeq is told
	// the next one, to be kept, before each connection.
	BdSeq     uint64
	KeepBdSeq func(next uint64)
	// Origins are the spans that samples with these numbers come from; a
	// message's span links to them.
	Origins func(first, upto uint64) []trace.Link
	// Stages change what is published, after the buffer.
	Stages []pipeline.Stage

	OnUp        func(up bool, why string)
	OnPublished func(samples int)
	OnAcked     func(samples int)
	OnDrop      func(reason string, samples int)

	// Subscribe are topics whose messages OnMessage is told, on a goroutine of
	// its own; it must not keep text.
	Subscribe []string
	OnMessage func(topic string, text []byte)
}

func (o *Options) defaults() {
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if o.OnUp == nil {
		o.OnUp = func(bool, string) {}
	}
	if o.OnPublished == nil {
		o.OnPublished = func(int) {}
	}
	if o.OnAcked == nil {
		o.OnAcked = func(int) {}
	}
	if o.OnDrop == nil {
		o.OnDrop = func(string, int) {}
	}
	if o.KeepBdSeq == nil {
		o.KeepBdSeq = func(uint64) {}
	}
	if o.OnMessage == nil {
		o.OnMessage = func(string, []byte) {}
	}
}

// Publisher is made by New and used by one Run.
type Publisher struct {
	cfg    Config
	opt    Options
	link   *link
	status statuses
	topic  string
	tracer tracer
	codec  *payload.Codec

	// The rest is Run's own.
	terms   terms // of the connection in use
	window  int
	aliased string // the topic that goes by a number
	upSince time.Time
	worked  bool     // something was acknowledged on it
	flying  []flight // oldest first
	sent    uint64   // newest number sent on this connection
	timer   *time.Timer
	armed   bool
	acks    []ack
	text    []byte
	rest    []part // of the batch read last, to be sent next
	careful int    // messages to be sent one at a time
	poison  poison
	live    *live           // with a BackfillShare less than 1
	node    *sparkplug.Node // with Format sparkplug
	nodeMu  sync.Mutex
	rebirth atomic.Bool // a host asks for one
	checked time.Time   // when the TLS files were looked at
	renew   bool        // they are others: a new connection once nothing is on its way
}

// New checks what can be checked without a broker.
func New(cfg Config, opt Options) (*Publisher, error) {
	cfg.Defaults()
	opt.defaults()
	l, err := newLink(cfg, opt.Gateway, opt.Seed)
	if err != nil {
		return nil, err
	}
	codec, err := payload.NewCodec(cfg.Encoding, cfg.Compression)
	if err != nil {
		return nil, fmt.Errorf("mqtt: %w", err)
	}
	p := &Publisher{codec: codec, cfg: cfg, opt: opt, link: l, status: statuses{kick: make(chan struct{}, 1)},
		topic: payload.DataTopic(cfg.Prefix, opt.Gateway), tracer: newTracer(opt.Origins)}
	if cfg.Format == FormatSparkplug {
		p.node = sparkplug.NewNode(cfg.Group, opt.Gateway, opt.Tags)
		p.node.Resume(opt.BdSeq)
		p.opt.Subscribe = append(slices.Clip(opt.Subscribe), p.node.Topic("NCMD"))
	}
	if cfg.BackfillShare < 1 && len(opt.Stages) == 0 {
		p.live = &live{}
	}
	l.will = p.will
	p.Status("", true, "")
	return p, nil
}

// Status tells whether a source (or with an empty name the gateway itself) is
// up. It is published retained, after the samples that were there before it,
// and again at every connect.
func (p *Publisher) Status(source string, up bool, why string) {
	after := uint64(0)
	if !up {
		after = p.opt.Store.Last()
	}
	s := payload.Status{Gateway: p.opt.Gateway, Source: source, Up: up, Why: why}
	p.status.set(payload.StatusTopic(p.cfg.Prefix, p.opt.Gateway, source), payload.AppendStatus(nil, s), after)
}

// Say publishes the latest word on a topic, retained, and again at every
// connect; any goroutine.
func (p *Publisher) Say(topic string, text []byte) { p.status.set(topic, text, 0) }

// Run publishes until ctx ends, which is no error, or the store fails.
func (p *Publisher) Run(ctx context.Context) error {
	if err := p.link.start(ctx, p.opt.Gateway, func(err error) {
		p.opt.Log.Warn("mqtt: no connection", "broker", p.link.url.Redacted(), "err", err)
		p.opt.OnUp(false, err.Error())
	}, p.heard); err != nil {
		return fmt.Errorf("mqtt: %w", err)
	}
	defer p.link.end()
	p.timer = time.NewTimer(time.Hour)
	p.timer.Stop()
	defer p.timer.Stop()
	var err error
	for err == nil && ctx.Err() == nil {
		select {
		case <-p.link.changed:
			err = p.serve(ctx)
		case <-ctx.Done():
		}
	}
	if context.Cause(ctx) == ErrKilled {
		p.link.kill()
	}
	return err
}

// serve uses one connection until it breaks or ctx ends. An error is the store's.
func (p *Publisher) serve(ctx context.Context) error {
	if p.terms = p.link.session.use(); !p.terms.up {
		return nil
	}
	p.window, p.aliased = min(p.cfg.Inflight, p.terms.quota), ""
	p.upSince, p.flying, p.rest, p.worked = time.Now(), p.flying[:0], p.rest[:0], false
	p.renew, p.checked = false, time.Now()
	p.link.begin()
	p.opt.Log.Info("mqtt: connected", "broker", p.link.url.Redacted())
	p.opt.OnUp(true, "")
	p.opt.Store.Online(true)
	p.opt.Store.Rewind()
	p.sent = p.opt.Store.Last() - uint64(p.opt.Store.Depth())
	if p.live != nil {
		p.live.begin(p.opt.Store.Last(), p.opt.Store.Depth() > 0)
	}
	p.status.all()
	p.subscribe(ctx)
	if p.node != nil {
		p.birth()
	}
	err := p.loop(ctx)
	if err == nil && ctx.Err() != nil && context.Cause(ctx) != ErrKilled {
		p.farewell()
	}
	for _, f := range p.flying {
		if f.span != nil {
			endSpan(f.span, p.link.why())
		}
	}
	p.opt.Store.Online(false)
	if !p.worked {
		p.link.failed(p.link.why())
	}
	p.opt.OnUp(false, p.link.why().Error())
	if ctx.Err() == nil {
		p.opt.Log.Warn("mqtt: connection lost", "err", p.link.why(), "unacknowledged", len(p.flying))
	}
	return err
}

// subscribe asks for what Options name. A broker that refuses is told of and
// keeps getting samples.
func (p *Publisher) subscribe(ctx context.Context) {
	if len(p.opt.Subscribe) == 0 {
		return
	}
	s := &paho.Subscribe{}
	for _, t := range p.opt.Subscribe {
		s.Subscriptions = append(s.Subscriptions, paho.SubscribeOptions{Topic: t, QoS: 1})
	}
	if _, err := p.link.cm.Subscribe(ctx, s); err != nil {
		p.opt.Log.Error("mqtt: cannot subscribe", "topics", p.opt.Subscribe, "err", err)
	}
}

// loop is the main loop: acknowledge, send statuses that are due, send samples,
// and wait for something to do.
func (p *Publisher) loop(ctx context.Context) error {
	p.link.hold(true)
	defer p.link.hold(false)
	for ctx.Err() == nil {
		if err := p.settle(); err != nil {
			p.worked = false
			p.link.drop(err)
			p.untilLost(ctx)
		}
		if !p.link.session.alive(p.terms.life) {
			return nil
		}
		p.lookAtFiles()
		busy, err := p.send(ctx)
		if err != nil {
			return err
		}
		if !busy {
			p.wait(ctx)
		}
	}
	return nil
}

var errRenewed = errors.New("certificates were renewed")

// lookAtFiles goes to a new connection when the TLS files were renewed.
func (p *Publisher) lookAtFiles() {
	if secure(p.link.url) && time.Since(p.checked) >= p.cfg.CertificateCheck.D() {
		p.checked = time.Now()
		p.renew = p.link.renewed()
	}
	if p.renew && len(p.flying) == 0 {
		p.worked = true // it is no failure
		p.link.drop(errRenewed)
	}
}

// wait blocks until there may be something to do.
func (p *Publisher) wait(ctx context.Context) {
	ready := p.opt.Store.Ready()
	if p.full() {
		ready = nil
	}
	p.arm()
	p.link.hold(false)
	defer p.link.hold(true)
	select {
	case <-p.link.session.acks:
	case <-ready:
	case <-p.status.kick:
	case <-p.timer.C:
		p.armed = false
	case <-ctx.Done():
	}
}

// untilLost waits until the connection that was dropped is known to be gone:
// until then there is nothing to do, and its timers have run out.
func (p *Publisher) untilLost(ctx context.Context) {
	for p.link.session.alive(p.terms.life) {
		select {
		case <-p.link.session.acks: // told of the end too
		case <-ctx.Done():
			return
		}
	}
}

// arm sets the timer for the oldest message, if there is one. It is left to
// fire when the message is acknowledged in time, so that there is one timer per
// PublishTimeout and not one per message.
func (p *Publisher) arm() {
	if p.armed || len(p.flying) == 0 {
		return
	}
	p.armed = true
	p.timer.Reset(time.Until(p.flying[0].at.Add(p.cfg.PublishTimeout.D())))
}
