package mqtt

import (
	"fmt"
	"slices"
	"time"

	"github.com/eclipse/paho.golang/paho"
	"go.opentelemetry.io/otel/trace"
)

const (
	// careful is how many messages go one at a time after a refusal.
	careful = 100
	// refusals is how often a message may be refused for what is in it before it
	// is taken apart, and a single sample given up.
	refusals = 3
)

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
	live    bool       // sent ahead of its turn
	span    trace.Span // nil for a status
}

// transmit puts a message on its way: it is written, at the latest when the loop
// has nothing more to send. If that fails the connection breaks, which the loop
// notices.
func (p *Publisher) transmit(m *paho.Publish, f flight) {
	f.at = time.Now()
	var err error
	if f.id, err = p.link.session.send(m.Packet()); err != nil {
		p.link.drop(err)
	}
	p.flying = append(p.flying, f)
}

// skip is for what is not sent after all.
func (p *Publisher) skip(f flight) {
	f.at, f.acked = time.Now(), true
	p.flying = append(p.flying, f)
	poke(p.link.session.acks)
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
		if f.live {
			p.live.acked.add(f.first, f.first+uint64(f.samples))
			p.opt.OnAcked(f.samples)
		}
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
	if f.live { // again in its turn, where it can be given up
		p.live.barred = true
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

// lastWords bounds how long a stop waits for acknowledgements.
const lastWords = 503 * time.Millisecond

// farewell waits for what is on its way and says that the gateway stops.
func (p *Publisher) farewell() {
	deadline := time.NewTimer(lastWords)
	defer deadline.Stop()
	for said := false; ; {
		if p.settle() != nil || !p.link.session.alive(p.terms.life) {
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
