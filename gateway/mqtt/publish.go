// Package mqtt is the gateway's way out: it takes what is durable from the
// buffer and publishes it over MQTT 5 with QoS 1, in order.
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

// DropTooLarge is the reason of a sample that alone is more than the broker takes.
const DropTooLarge = "mqtt-too-large"

// DropRefused is the reason of a sample that the broker will not take however
// often it is sent: it says that the payload is invalid, or too large.
const DropRefused = "mqtt-refused"

const (
	// careful is how many messages go one at a time after a refusal.
	careful = 100
	// refusals is how often a message may be refused for what is in it before it
	// is taken apart, and a single sample given up.
	refusals = 3
)

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

	// The rest is Run's own.
	life      int // of the connection in use
	window    int
	maxPacket int
	upSince   time.Time
	worked    bool     // something was acknowledged on it
	flying    []flight // oldest first
	sent      uint64   // newest number sent on this connection
	timer     *time.Timer
	armed     bool
	acks      []ack
	text      []byte
	rest      []part // of the batch read last, to be sent next
	careful   int    // messages to be sent one at a time
	poison    poison
	node      *sparkplug.Node // with Format sparkplug
	nodeMu    sync.Mutex
	rebirth   atomic.Bool // a host asks for one
	checked   time.Time   // when the TLS files were looked at
	renew     bool        // they are others: a new connection once nothing is on its way
}

// part is a message to be sent, and the number to acknowledge with it.
type part struct {
	payload.Batch
	upto uint64
}

// poison is what the broker refuses for its content.
type poison struct {
	first, upto uint64 // numbers of the message
	times       int
}

// single tells whether a number is to be sent alone.
func (x poison) single(n uint64) bool { return x.times >= refusals && n >= x.first && n <= x.upto }

// flight is a message on its way.
type flight struct {
	id      uint16
	first   uint64 // number of the first sample
	upto    uint64 // number to acknowledge, 0 for a status
	samples int
	at      time.Time
	acked   bool
	span    trace.Span // nil for a status
}

// New checks what can be checked without a broker.
func New(cfg Config, opt Options) (*Publisher, error) {
	cfg.Defaults()
	opt.defaults()
	l, err := newLink(cfg, opt.Gateway, opt.Seed)
	if err != nil {
		return nil, err
	}
	p := &Publisher{cfg: cfg, opt: opt, link: l, status: statuses{kick: make(chan struct{}, 1)},
		topic: payload.DataTopic(cfg.Prefix, opt.Gateway), tracer: newTracer()}
	if cfg.Format == FormatSparkplug {
		p.node = sparkplug.NewNode(cfg.Group, opt.Gateway, opt.Tags)
		p.opt.Subscribe = append(slices.Clip(opt.Subscribe), p.node.Topic("NCMD"))
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
	var up bool
	var quota int
	if p.life, quota, p.maxPacket, up = p.link.session.use(); !up {
		return nil
	}
	p.window = min(p.cfg.Inflight, quota)
	p.upSince, p.flying, p.rest, p.worked = time.Now(), p.flying[:0], p.rest[:0], false
	p.renew, p.checked = false, time.Now()
	p.link.begin()
	p.opt.Log.Info("mqtt: connected", "broker", p.link.url.Redacted())
	p.opt.OnUp(true, "")
	p.opt.Store.Online(true)
	p.opt.Store.Rewind()
	p.sent = p.opt.Store.Last() - uint64(p.opt.Store.Depth())
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
	for ctx.Err() == nil {
		if err := p.settle(); err != nil {
			p.worked = false
			p.link.drop(err)
		}
		if !p.link.session.alive(p.life) {
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
	select {
	case <-p.link.session.acks:
	case <-ready:
	case <-p.status.kick:
	case <-p.timer.C:
		p.armed = false
	case <-ctx.Done():
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

// settle takes acknowledgements, hands them to the store oldest first, and
// finds the messages that were refused or forgotten.
func (p *Publisher) settle() error {
	p.acks = p.link.session.take(p.acks[:0])
	for _, a := range p.acks {
		i := slices.IndexFunc(p.flying, func(f flight) bool { return f.id == a.id })
		if i < 0 {
			continue
		}
		if a.reason >= 0x80 {
			p.refused(p.flying[i], a.reason)
			return fmt.Errorf("the broker refuses a message, reason 0x%02X", a.reason)
		}
		p.flying[i].acked = true
		p.careful = max(0, p.careful-1)
		p.worked = true
	}
	done := 0
	for ; done < len(p.flying) && p.flying[done].acked; done++ {
		f := p.flying[done]
		if f.upto > 0 {
			p.opt.OnAcked(f.samples)
			p.opt.Store.Ack(f.upto)
		}
		if f.span != nil {
			endSpan(f.span, nil)
		}
	}
	if p.flying = slices.Delete(p.flying, 0, done); p.worked {
		p.link.worked()
	}
	if len(p.flying) > 0 && time.Since(p.flying[0].at) >= p.cfg.PublishTimeout.D() {
		p.careful = careful
		return fmt.Errorf("no acknowledgement within %v", p.cfg.PublishTimeout)
	}
	return nil
}

// full tells that no more may be on its way.
func (p *Publisher) full() bool {
	return p.renew || len(p.flying) >= p.window || p.careful > 0 && len(p.flying) > 0
}

// refused notes what the broker will not have. Reasons 0x95 and 0x99 (packet
// too large, payload format invalid) speak of the message itself; the others
// pass, or somebody has to see to the broker.
func (p *Publisher) refused(f flight, reason byte) {
	p.careful = careful
	if f.samples == 0 || reason != 0x95 && reason != 0x99 {
		return
	}
	if p.poison.single(f.first) || p.poison.times > 0 && p.poison.first == f.first {
		p.poison.times++
	} else {
		p.poison = poison{first: f.first, upto: f.first + uint64(f.samples) - 1, times: 1}
	}
	if f.samples == 1 && p.poison.times >= refusals {
		p.opt.OnDrop(DropRefused, 1)
		p.opt.Log.Error("mqtt: the broker refuses a sample for good", "number", f.first, "reason", fmt.Sprintf("0x%02X", reason))
		p.opt.Store.Ack(f.first) // a single one that is refused is the oldest
	}
}

// send sends one thing, if there is one and room for it.
func (p *Publisher) send(ctx context.Context) (busy bool, err error) {
	if p.full() {
		return false, nil
	}
	if p.node != nil && p.rebirth.Load() {
		p.birth()
		return true, nil
	}
	if len(p.rest) > 0 {
		p.sendPart(ctx)
		return true, nil
	}
	if s, ok := p.status.due(p.sent); ok {
		p.publishWord(s)
		return true, nil
	}
	most := p.cfg.Batch
	if p.poison.single(p.sent + 1) {
		most = 1
	}
	first, samples, appended, err := p.opt.Store.TryNext(most)
	if err != nil {
		return false, err
	}
	if len(samples) == 0 {
		return p.idle(), nil
	}
	upto := first + uint64(len(samples)) - 1
	b := payload.Batch{Gateway: p.opt.Gateway, Stream: p.opt.Store.Stream(), First: first, Samples: samples,
		Backfill: appended.Before(p.upSince) || time.Since(appended) > p.cfg.BackfillAfter.D()}
	p.sent = upto
	if len(p.opt.Stages) == 0 {
		p.rest = append(p.rest, part{b, upto})
	} else {
		p.change(b, upto)
	}
	p.sendPart(ctx)
	return true, nil
}

// idle notices when there is nothing that a status could wait for.
func (p *Publisher) idle() (more bool) {
	if last := p.opt.Store.Last(); p.sent < last && p.opt.Store.Depth() == 0 {
		p.sent = last
		return true
	}
	return false
}

// change makes parts of what the publish stages make of a batch.
func (p *Publisher) change(b payload.Batch, upto uint64) {
	out := pipeline.Through(p.opt.Stages, slices.Clone(b.Samples))
	messages := rekey(b.Samples, out, b)
	if len(messages) == 0 { // nothing left: acknowledge in its turn
		p.skip(flight{upto: upto, samples: len(b.Samples)})
	}
	for i, m := range messages {
		done := uint64(0)
		if i == len(messages)-1 {
			done = upto
		}
		p.rest = append(p.rest, part{m, done})
	}
}

// skip is for what is not sent after all.
func (p *Publisher) skip(f flight) {
	f.at, f.acked = time.Now(), true
	p.flying = append(p.flying, f)
	poke(p.link.session.acks)
}

// sendPart sends the first part of the rest, or as many halves of it as the
// broker takes at a time.
func (p *Publisher) sendPart(ctx context.Context) {
	for len(p.rest) > 0 {
		m := p.rest[0]
		topic := p.encode(m)
		if !p.tooLarge(len(p.text)) {
			p.rest = slices.Delete(p.rest, 0, 1)
			p.publish(ctx, topic, m)
			return
		}
		p.takeBack()
		n := len(m.Samples)
		if n == 1 {
			p.rest = slices.Delete(p.rest, 0, 1)
			p.opt.OnDrop(DropTooLarge, 1)
			p.opt.Log.Error("mqtt: a sample is larger than the broker takes", "id", m.Samples[0].ID, "max", p.maxPacket)
			p.skip(flight{upto: m.upto})
			return
		}
		head, tail := m, m
		head.Samples, head.upto = m.Samples[:n/2], 0
		tail.Samples, tail.First = m.Samples[n/2:], m.First+uint64(n/2)
		p.rest[0] = head
		p.rest = slices.Insert(p.rest, 1, tail)
	}
}

func (p *Publisher) tooLarge(bytes int) bool {
	const overhead = 200 // bytes of headers and a trace context
	return p.maxPacket > 0 && bytes+len(p.topic)+overhead > p.maxPacket
}

// publish sends p.text, which is m.
func (p *Publisher) publish(ctx context.Context, topic string, m part) {
	span, props := p.tracer.begin(context.WithoutCancel(ctx), &m.Batch)
	p.transmit(&paho.Publish{QoS: 1, Topic: topic, Payload: p.text, Properties: props},
		flight{first: m.First, upto: m.upto, samples: len(m.Samples), span: span})
	p.opt.OnPublished(len(m.Samples))
}

func (p *Publisher) publishWord(w word) {
	p.transmit(&paho.Publish{QoS: 1, Retain: true, Topic: w.topic, Payload: w.text}, flight{})
}

// transmit puts a message on its way. It returns when the message is written;
// if that fails the connection breaks, which the loop notices.
func (p *Publisher) transmit(m *paho.Publish, f flight) {
	f.at = time.Now()
	if _, err := p.link.cm.Publish(context.Background(), m); err != nil {
		p.link.drop(err)
	}
	f.id = p.link.session.last()
	p.flying = append(p.flying, f)
}

// lastWords bounds how long a stop waits for acknowledgements.
const lastWords = 503 * time.Millisecond

// farewell waits for what is on its way and says that the gateway stops.
func (p *Publisher) farewell() {
	deadline := time.NewTimer(lastWords)
	defer deadline.Stop()
	for said := false; ; {
		if p.settle() != nil || !p.link.session.alive(p.life) {
			return
		}
		if len(p.flying) == 0 && said {
			return
		}
		if len(p.flying) < p.window && !said {
			p.lastWord()
			said = true
		}
		select {
		case <-p.link.session.acks:
		case <-deadline.C:
			return
		}
	}
}
