package mqtt

import (
	"fmt"
	"time"

	"github.com/eclipse/paho.golang/paho"

	"github.com/plantbed/plantbed/gateway/sparkplug"
	"github.com/plantbed/plantbed/internal/payload"
)

// will is what the broker says when this connection breaks.
func (p *Publisher) will() *paho.WillMessage {
	if p.node != nil {
		p.nodeMu.Lock()
		defer p.nodeMu.Unlock()
		text := p.node.Death()
		p.opt.KeepBdSeq(p.node.Next())
		return &paho.WillMessage{QoS: 1, Topic: p.node.Topic("NDEATH"), Payload: text}
	}
	return &paho.WillMessage{QoS: 1, Retain: true, Topic: payload.StatusTopic(p.cfg.Prefix, p.opt.Gateway, ""),
		Payload: payload.AppendStatus(nil, payload.Status{Gateway: p.opt.Gateway, Why: "connection lost"})}
}

// heard takes a message from the broker.
func (p *Publisher) heard(topic string, text []byte) {
	if p.node != nil && topic == p.node.Topic("NCMD") {
		if sparkplug.WantsRebirth(text) {
			p.rebirth.Store(true)
			poke(p.status.kick)
		}
		return
	}
	p.opt.OnMessage(topic, text)
}

// birth is the first message of an edge node on every connection.
func (p *Publisher) birth() {
	p.rebirth.Store(false)
	p.nodeMu.Lock()
	text := p.node.Birth(time.Now())
	p.nodeMu.Unlock()
	p.transmit(&paho.Publish{QoS: 1, Topic: p.node.Topic("NBIRTH"), Payload: text}, flight{})
}

// encode puts a part into p.text. A tag that the hosts do not know is born
// first. The parts that a batch was cut into have one UUID each.
func (p *Publisher) encode(m part) (topic string) {
	if p.node == nil {
		p.text = p.codec.Append(p.text[:0], m.Batch)
		return p.topic
	}
	p.nodeMu.Lock()
	known := p.node.Knows(m.Samples)
	p.nodeMu.Unlock()
	if !known {
		p.birth()
	}
	uuid := ""
	if m.Stream != "" {
		uuid = fmt.Sprintf("%s/%d", m.Stream, m.First)
	}
	p.nodeMu.Lock()
	defer p.nodeMu.Unlock()
	p.text = p.node.Data(p.text[:0], m.Samples, m.Backfill, uuid, time.Now())
	return p.node.Topic("NDATA")
}

// takeBack is for what encode made and is not sent.
func (p *Publisher) takeBack() {
	if p.node != nil {
		p.nodeMu.Lock()
		defer p.nodeMu.Unlock()
		p.node.Back()
	}
}

// lastWord is said before the connection is closed in good order.
func (p *Publisher) lastWord() {
	if p.node != nil {
		p.nodeMu.Lock()
		text := p.node.Farewell()
		p.nodeMu.Unlock()
		p.transmit(&paho.Publish{QoS: 1, Topic: p.node.Topic("NDEATH"), Payload: text}, flight{})
		return
	}
	p.publishWord(word{payload.StatusTopic(p.cfg.Prefix, p.opt.Gateway, ""), payload.AppendStatus(nil, payload.Status{Gateway: p.opt.Gateway, Why: "stopped"})})
}
