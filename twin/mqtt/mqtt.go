// Package mqtt is the twin's way in from an MQTT 5 broker: batches and statuses
// of gateways, one at a time, acknowledged when they have been dealt with.
//
//	in, err := mqtt.Open(ctx, cfg, seed, log)
//	defer in.Close()
//	for {
//		select {
//		case m := <-in.Messages():
//			switch m.Kind {
//			case mqtt.Batch:  twin.Apply(m.Batch, m.At)
//			case mqtt.Status: twin.Status(m.Status, m.At)
//			case mqtt.Link:   // our own subscription stands, or the connection is lost
//			}
//			in.Done() // only now is it acknowledged at the broker
//		case <-ctx.Done():
//			return
//		}
//	}
//
// The session outlives the connection: what the broker takes for us while we
// are away comes later. What it sent and we did not acknowledge comes again, so
// whoever reads must know a repeated batch when it sees one.
package mqtt

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"

	"github.com/plantbed/plantbed/internal/backoff"
	"github.com/plantbed/plantbed/internal/payload"
)

// Kind says what a Message is.
type Kind uint8

// The kinds of Message.
const (
	Batch Kind = iota + 1
	Status
	Link
)

// Message is one thing that happened, in the order in which it did.
type Message struct {
	Kind   Kind
	Batch  payload.Batch
	Status payload.Status
	// Up tells a Link message's direction: our subscription stands, so that from
	// here on the broker keeps everything for us; or the connection is lost.
	Up bool
	// At is the instant at which it was handed to us.
	At time.Time
	// Context carries the span "twin.apply" where the sender sent a trace along.
	Context context.Context
}

// Stats are counts since Open.
type Stats struct {
	Batches, Statuses int64
	// Undecodable payloads were dropped, and said so in the log.
	Undecodable int64
	Connects    int64
}

// Conn is an open way in.
type Conn struct {
	cfg  Config
	log  *slog.Logger
	ctx  context.Context
	stop context.CancelFunc
	cm   *autopaho.ConnectionManager
	wg   sync.WaitGroup // subscribe goroutines

	out  chan Message
	done chan struct{}

	socket  atomic.Pointer[net.Conn] // the connection of the moment
	decoder payload.Decoder
	rng     *rand.Rand // of the pauses

	batches, statuses, undecodable, connects atomic.Int64
}

// Open starts to connect and returns at once; it goes on trying until ctx ends
// or Close is called.
func Open(ctx context.Context, cfg Config, seed uint64, log *slog.Logger) (*Conn, error) {
	cfg.Defaults()
	if ps := cfg.Validate(); len(ps) > 0 {
		return nil, fmt.Errorf("twin mqtt: %s: %s", ps[0].Path, ps[0].Msg)
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &Conn{cfg: cfg, log: log, out: make(chan Message), done: make(chan struct{})}
	c.rng = backoff.Rand(seed, cfg.ClientID+"/backoff")
	c.ctx, c.stop = context.WithCancel(ctx)
	cm, err := autopaho.NewConnection(c.ctx, c.client())
	if err != nil {
		c.stop()
		return nil, fmt.Errorf("twin mqtt: %s: %w", cfg.URL, err)
	}
	c.cm = cm
	return c, nil
}

// Messages gives one message; the next comes after Done.
func (c *Conn) Messages() <-chan Message { return c.out }

// Done says that the message is dealt with. It must be called once for each.
func (c *Conn) Done() { c.done <- struct{}{} }

// Close ends the connection and waits until nothing of it is left. Whoever
// reads Messages must have called Done for what it took.
func (c *Conn) Close() error {
	c.stop()
	<-c.cm.Done()
	c.wg.Wait()
	return nil
}

// Stats may be called at any time.
func (c *Conn) Stats() Stats {
	return Stats{Batches: c.batches.Load(), Statuses: c.statuses.Load(),
		Undecodable: c.undecodable.Load(), Connects: c.connects.Load()}
}

// hand passes a message to the reader and waits until it is dealt with; false
// when we are closing instead.
func (c *Conn) hand(m Message) bool {
	select {
	case c.out <- m:
		<-c.done
		return true
	case <-c.ctx.Done():
		return false
	}
}

// received is called by the library for one PUBLISH after the other; it
// acknowledges when received returns.
func (c *Conn) received(p paho.PublishReceived) (bool, error) {
	m, err := c.decode(p.Packet)
	if err != nil {
		n := c.undecodable.Add(1)
		if n <= 10 || n%1000 == 0 { // loud, but a flood must not fill the log
			c.log.Error("payload dropped", "topic", p.Packet.Topic, "bytes", len(p.Packet.Payload), "cause", err, "dropped", n)
		}
		return true, nil
	}
	end := c.trace(&m, p.Packet)
	applied := c.hand(m)
	end(applied)
	if !applied {
		// The library acknowledges when we return. On a dead line that reaches
		// nobody, and the broker keeps what was never applied.
		if s := c.socket.Load(); s != nil {
			(*s).Close()
		}
	}
	return true, nil
}

func (c *Conn) decode(p *paho.Publish) (Message, error) {
	m := Message{At: time.Now(), Context: c.ctx}
	var err error
	switch rest := strings.TrimPrefix(p.Topic, c.cfg.Prefix+"/"); {
	case c.cfg.Foreign != nil && c.cfg.Foreign.Takes(p.Topic):
		m.Kind = Batch
		m.Batch, err = c.cfg.Foreign.Decode(p.Topic, p.Payload, m.At)
		c.batches.Add(1)
	case strings.HasSuffix(rest, "/data"):
		m.Kind = Batch
		m.Batch, err = c.decoder.Decode(p.Payload)
		c.batches.Add(1)
	case len(p.Payload) == 0:
		err = fmt.Errorf("the retained status was cleared")
	default:
		m.Kind = Status
		m.Status, err = payload.DecodeStatus(p.Payload)
		c.statuses.Add(1)
	}
	return m, err
}
