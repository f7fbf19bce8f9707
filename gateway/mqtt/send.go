package mqtt

import (
	"context"
	"slices"
	"time"

	"github.com/eclipse/paho.golang/paho"

	"github.com/plantbed/plantbed/gateway/pipeline"
	"github.com/plantbed/plantbed/internal/payload"
)

// DropTooLarge is the reason of a sample that alone is more than the broker takes.
const DropTooLarge = "mqtt-too-large"

// DropRefused is the reason of a sample that the broker will not take however
// often it is sent: it says that the payload is invalid, or too large.
const DropRefused = "mqtt-refused"

// part is a message to be sent, and the number to acknowledge with it.
type part struct {
	payload.Batch
	upto uint64
	live bool // sent ahead of its turn: acknowledged by its own numbers
}

func (m part) flight() flight {
	return flight{first: m.First, upto: m.upto, samples: len(m.Samples), live: m.live}
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
	if p.sendLive() {
		p.sendPart(ctx)
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
		if p.live != nil && !p.live.waiting() {
			p.live.close()
		}
		return p.idle(), nil
	}
	upto := first + uint64(len(samples)) - 1
	b := payload.Batch{Gateway: p.opt.Gateway, Stream: p.opt.Store.Stream(), First: first, Samples: samples,
		Backfill: appended.Before(p.upSince) || time.Since(appended) > p.cfg.BackfillAfter.D()}
	p.sent = upto
	switch {
	case len(p.opt.Stages) > 0:
		p.change(b, upto)
	case p.live != nil:
		p.leaveOut(b, upto)
	default:
		p.rest = append(p.rest, part{Batch: b, upto: upto})
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
		p.rest = append(p.rest, part{Batch: m, upto: done})
	}
}

// sendPart sends the first part of the rest, or as many halves of it as the
// broker takes at a time.
func (p *Publisher) sendPart(ctx context.Context) {
	for len(p.rest) > 0 {
		m := p.rest[0]
		if len(m.Samples) == 0 { // all of it went ahead
			p.rest = slices.Delete(p.rest, 0, 1)
			p.skip(m.flight())
			return
		}
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
			p.opt.Log.Error("mqtt: a sample is larger than the broker takes", "id", m.Samples[0].ID, "max", p.terms.maxPacket)
			p.skip(m.flight())
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
	return p.terms.maxPacket > 0 && bytes+len(p.topic)+overhead > p.terms.maxPacket
}

// publish sends p.text, which is m.
func (p *Publisher) publish(ctx context.Context, topic string, m part) {
	span, props := p.tracer.begin(context.WithoutCancel(ctx), &m.Batch)
	topic, props = p.properties(topic, props)
	f := m.flight()
	f.span = span
	p.transmit(&paho.Publish{QoS: byte(p.cfg.QoS), Topic: topic, Payload: p.text, Properties: props}, f)
	p.opt.OnPublished(len(m.Samples))
}

// properties adds what the batch is written in, and puts a number in the place
// of its topic.
func (p *Publisher) properties(topic string, props *paho.PublishProperties) (string, *paho.PublishProperties) {
	packed := p.node == nil && (p.cfg.Encoding != payload.JSON || p.cfg.Compression != payload.None)
	alias := p.cfg.TopicAlias && p.terms.aliases > 0 && (p.aliased == "" || p.aliased == topic)
	if !packed && !alias {
		return topic, props
	}
	if props == nil {
		props = &paho.PublishProperties{}
	}
	if packed {
		props.ContentType = p.codec.ContentType()
	}
	if alias {
		props.TopicAlias = paho.Uint16(1)
		if p.aliased == topic {
			return "", props
		}
		p.aliased = topic
	}
	return topic, props
}

func (p *Publisher) publishWord(w word) {
	p.transmit(&paho.Publish{QoS: 1, Retain: true, Topic: w.topic, Payload: w.text}, flight{})
}
