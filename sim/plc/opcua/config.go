package opcua

import (
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/signal"
)

// Config is what a user may set. The zero value of a field stands for its
// default.
type Config struct {
	// Listen is the address; default 127.0.0.1:0, any free port of this machine.
	Listen string `toml:"listen"`
	// ApplicationURI names the server; default urn:plantbed:<plc>:server.
	ApplicationURI string `toml:"application_uri"`
	// Limits are the sizes beyond which the server refuses.
	Limits Limits `toml:"limits"`
	// History is how far back values can be read as history; default 0, none.
	History strict.Duration `toml:"history"`
	// Alarms are raised when a tag leaves its limits.
	Alarms []plc.Alarm `toml:"-"`
	// Variables are the controller's own, beside its tags.
	Variables []plc.Variable `toml:"-"`
	// Machines are described as the companion models have it.
	Machines []Machine `toml:"-"`
	// Models are shown too, with all that they build on among them; Bind has
	// nodes of theirs, by their ids, show tags.
	Models []*Model          `toml:"-"`
	Bind   map[string]string `toml:"-"`
	start  time.Time         // from which values count that nobody has written
	// Methods are what clients can call besides setting writable tags.
	Methods []Method `toml:"-"`
	// Users are who may come in; the zero Users is anybody, who stays anonymous.
	Users Users `toml:"-"`
	// Security adds signed and encrypted endpoints; it is set in code alone.
	Security Security `toml:"-"`
}

// Limits bound what clients can ask for. A zero stands for the default.
type Limits struct {
	Connections   int `toml:"connections"`   // 256
	Sessions      int `toml:"sessions"`      // 100
	Subscriptions int `toml:"subscriptions"` // 100 per session
	Items         int `toml:"items"`         // 100000 monitored items per subscription
	Queue         int `toml:"queue"`         // 10000 values per monitored item
	Publish       int `toml:"publish"`       // 20 publish requests waiting per session
	Retransmit    int `toml:"retransmit"`    // 40 sent, unacknowledged messages per subscription
	Operations    int `toml:"operations"`    // 10000 nodes or items per request
	References    int `toml:"references"`    // 10000 references per browse result
	Continuations int `toml:"continuations"` // 10 open continuation points per session
	MessageSize   int `toml:"message_size"`  // 4 MiB per request
	Outbox        int `toml:"outbox"`        // 64 MiB of bytes that wait for a slow client

	// Handshake is how long a connection may take until it has a session; 10 s.
	Handshake strict.Duration `toml:"handshake"`
	// Write is how long a client may leave its receive window closed; 20 s.
	Write strict.Duration `toml:"write"`
	// MinPublishing is the shortest publishing interval; 10 ms.
	MinPublishing strict.Duration `toml:"min_publishing"`
	// MinSession and MaxSession bound the session time-out; 1 s and 1 h.
	MinSession strict.Duration `toml:"min_session"`
	MaxSession strict.Duration `toml:"max_session"`
	// MaxChannel bounds the life of a secure channel's token; 1 h.
	MaxChannel strict.Duration `toml:"max_channel"`
}

// Options are what the program around the server hands in. All may be nil.
type Options struct {
	Log *slog.Logger
	// Tap is called right before the bytes of a message that carries samples
	// are written: conn is the number that Accept gave, offset the position in
	// the server-to-client stream at which the message will end, items what
	// is in it. It must not block nor keep items.
	Tap func(conn int, offset int64, at time.Time, items []Ref)
	// Accept is asked who connects, before the first byte is read. A
	// connection that is not ok is served all the same. Nil counts from 0.
	Accept func(remote net.Addr) (conn int, ok bool)
	// Seed draws authentication tokens and the first ids, so that a restarted
	// server with another seed does not know the ids of the one before.
	Seed uint64
}

// Ref names one sample in a message.
type Ref struct {
	Tag         signal.ID
	Seq         uint64 // the scan
	Task, Index int32  // the same tag as a place in Image.Tasks
}

// WithDefaults spells out what was left out; plc is the name of the device.
func (c Config) WithDefaults(plc string) Config {
	fill(&c.Listen, "127.0.0.1:0")
	fill(&c.ApplicationURI, "urn:plantbed:"+plc+":server")
	l := &c.Limits
	fill(&l.Connections, 256)
	fill(&l.Sessions, 100)
	fill(&l.Subscriptions, 100)
	fill(&l.Items, 100_000)
	fill(&l.Queue, 10_000)
	fill(&l.Publish, 20)
	fill(&l.Retransmit, 40)
	fill(&l.Operations, 10_000)
	fill(&l.References, 10_000)
	fill(&l.Continuations, 10)
	fill(&l.MessageSize, 4<<20)
	fill(&l.Outbox, 64<<20)
	fill(&l.Handshake, strict.Duration(10*time.Second))
	fill(&l.Write, strict.Duration(20*time.Second))
	fill(&l.MinPublishing, strict.Duration(10*time.Millisecond))
	fill(&l.MinSession, strict.Duration(time.Second))
	fill(&l.MaxSession, strict.Duration(time.Hour))
	fill(&l.MaxChannel, strict.Duration(time.Hour))
	return c
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Validate reports every problem at once.
func (c Config) Validate() strict.Problems {
	var ps strict.Problems
	c = c.WithDefaults("plc")
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		ps.Add("listen", fmt.Sprintf("%q is no host:port", c.Listen))
	}
	if c.History < 0 {
		ps.Add("history", fmt.Sprintf("%v is negative", c.History))
	}
	l := c.Limits
	for _, n := range []struct {
		name  string
		value int
	}{
		{"connections", l.Connections}, {"sessions", l.Sessions}, {"subscriptions", l.Subscriptions}, {"items", l.Items},
		{"queue", l.Queue}, {"publish", l.Publish}, {"retransmit", l.Retransmit}, {"operations", l.Operations},
		{"references", l.References}, {"continuations", l.Continuations}, {"message_size", l.MessageSize}, {"outbox", l.Outbox},
		{"handshake", int(l.Handshake)}, {"write", int(l.Write)}, {"min_publishing", int(l.MinPublishing)},
		{"min_session", int(l.MinSession)}, {"max_session", int(l.MaxSession)}, {"max_channel", int(l.MaxChannel)},
	} {
		if n.value < 0 {
			ps.Add("limits."+n.name, "a limit cannot be negative")
		}
	}
	if l.MinSession > l.MaxSession {
		ps.Add("limits.min_session", fmt.Sprintf("%v is more than max_session, %v", l.MinSession, l.MaxSession))
	}
	return ps
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}
