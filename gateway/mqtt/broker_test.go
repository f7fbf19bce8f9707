package mqtt

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/plantbed/plantbed/internal/payload"
)

// broker is a real one in the test, which writes down what comes in.
type broker struct {
	mochi.HookBase
	t    *testing.T
	s    *mochi.Server
	addr string

	mu     sync.Mutex
	seen   []packets.Packet
	answer func(n int) error        // for the n-th data message
	refuse func(payload.Batch) bool // as an invalid payload
	data   int
	alias  int // messages that came with a topic alias and no topic
	kick   chan struct{}
}

func (b *broker) ID() string { return "test" }
func (b *broker) Provides(h byte) bool {
	return bytes.Contains([]byte{mochi.OnConnectAuthenticate, mochi.OnACLCheck, mochi.OnPublish, mochi.OnPacketEncode, mochi.OnPacketRead}, []byte{h})
}

func (b *broker) OnConnectAuthenticate(*mochi.Client, packets.Packet) bool { return true }
func (b *broker) OnACLCheck(*mochi.Client, string, bool) bool              { return true }

// OnPacketEncode announces the maximum packet size and the topic aliases, which
// the server goes by but does not tell.
func (b *broker) OnPacketEncode(_ *mochi.Client, pk packets.Packet) packets.Packet {
	if pk.FixedHeader.Type == packets.Connack {
		pk.Properties.TopicAliasMaximum = b.s.Options.Capabilities.TopicAliasMaximum
		pk.Properties.MaximumPacketSize = b.s.Options.Capabilities.MaximumPacketSize
	}
	return pk
}

// OnPacketRead sees a packet before the server puts the topic for the alias.
func (b *broker) OnPacketRead(_ *mochi.Client, pk packets.Packet) (packets.Packet, error) {
	if pk.FixedHeader.Type == packets.Publish && pk.TopicName == "" && pk.Properties.TopicAlias > 0 {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.alias++
	}
	return pk, nil
}

func (b *broker) OnPublish(_ *mochi.Client, pk packets.Packet) (packets.Packet, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer poke(b.kick)
	if pk.TopicName == payload.DataTopic("plantbed", "edge-1") {
		b.data++
		if b.refuse != nil {
			if x, err := payload.Decode(pk.Payload); err != nil || b.refuse(x) {
				return pk, packets.ErrPayloadFormatInvalid
			}
		}
		if b.answer != nil {
			if err := b.answer(b.data); err != nil {
				return pk, err
			}
		}
	}
	b.seen = append(b.seen, pk)
	return pk, nil
}

// startBroker listens on addr, or on a free port if it is empty.
func startBroker(t *testing.T, addr string, change func(*mochi.Capabilities)) *broker {
	t.Helper()
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	c := mochi.NewDefaultServerCapabilities()
	if change != nil {
		change(c)
	}
	b := &broker{t: t, kick: make(chan struct{}, 1)}
	b.s = mochi.New(&mochi.Options{Capabilities: c, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), InlineClient: true})
	l := listeners.NewTCP(listeners.Config{ID: "tcp", Address: addr})
	if err := errors.Join(b.s.AddHook(b, nil), b.s.AddListener(l), b.s.Serve()); err != nil {
		t.Fatal(err)
	}
	b.addr = l.Address()
	t.Cleanup(func() { b.s.Close() })
	return b
}

// cut breaks every connection.
func (b *broker) cut() {
	for _, c := range b.s.Clients.GetAll() {
		if !c.Net.Inline {
			c.Stop(errors.New("cut"))
		}
	}
}

// until waits for a condition over what was seen.
func (b *broker) until(what string, cond func(seen []packets.Packet) bool) {
	b.t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		b.mu.Lock()
		ok := cond(b.seen)
		b.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-b.kick:
		case <-time.After(5 * time.Millisecond):
		case <-deadline:
			b.t.Fatalf("%s: not within 20 s", what)
		}
	}
}

// batches decodes the data messages.
func (b *broker) batches() (out []payload.Batch) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, pk := range b.seen {
		if pk.TopicName != payload.DataTopic("plantbed", "edge-1") {
			continue
		}
		batch, err := payload.Decode(pk.Payload)
		if err != nil {
			b.t.Fatal(err)
		}
		out = append(out, batch)
	}
	return out
}

// statuses decodes the status messages of a source.
func (b *broker) statuses(source string) (out []payload.Status) {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, pk := range b.seen {
		if pk.TopicName != payload.StatusTopic("plantbed", "edge-1", source) {
			continue
		}
		s, err := payload.DecodeStatus(pk.Payload)
		if err != nil || !pk.FixedHeader.Retain {
			b.t.Fatal(err, pk.FixedHeader)
		}
		out = append(out, s)
	}
	return out
}
