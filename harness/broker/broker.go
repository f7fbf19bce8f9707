// Package broker is the MQTT broker between gateway and twin: an embedded one,
// or a stranger's that is watched by its URL.
//
//	b, err := broker.Start(broker.Config{Listen: "127.0.0.1:0"}, broker.Options{
//		OnPublish: func(topic string, payload []byte, at time.Time) { ... }, // the tap
//		Accept:    link.IsUpstream,                                          // who comes through the link
//		OnBypass:  func(remote net.Addr, client string) { ... },
//	})
//	defer b.Close()
//	fmt.Println(b.URL()) // mqtt://127.0.0.1:40123
//
//	// or, for a broker that is there already
//	err := broker.Watch(ctx, "mqtt://broker.lan:1883", "plantbed", opts)
//
// The tap sees every PUBLISH that a client sends, a repeated one again, before
// it is passed on to anybody; and every will, once it is.
//
// What the embedded broker holds, and drops beyond: per session Inflight
// messages that are not acknowledged (those for a client that is away count
// here), per connection Pending messages that are not yet written. Both are
// counted in Stats, because a broker that drops must not pass for a gateway
// that loses. Nothing is kept on disk: what survives Stop is what Start is told
// to keep.
//
// Trouble (trouble.go): Stop and Start, Quota, Revoke, Intrude.
package broker

import (
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
)

// Config of the embedded broker, or of a stranger's.
type Config struct {
	// Listen is host:port; port 0 takes a free one.
	Listen string `toml:"listen"`
	// URL of an external broker, such as "mqtt://broker.lan:1883". When it is
	// set nothing is started.
	URL string `toml:"url"`
	// Prefix of the topics, as gateway and twin use it.
	Prefix string `toml:"prefix"`
	// Inflight is the most unacknowledged messages per session, 1 to 65535.
	Inflight int `toml:"inflight"`
	// Pending is the most unwritten messages per connection; the queue takes
	// 8 bytes each from the start.
	Pending int `toml:"pending"`
	// ReceiveMaximum is the most unacknowledged messages that a publisher may
	// have under way, 1 to 65535.
	ReceiveMaximum int `toml:"receive_maximum"`
}

// Defaults fills in what is not set.
func (c *Config) Defaults() {
	set(&c.Listen, "127.0.0.1:0")
	set(&c.Prefix, "plantbed")
	set(&c.Inflight, 65535)
	set(&c.Pending, 65536)
	set(&c.ReceiveMaximum, 1024)
}

// set gives *p its default where it is zero.
func set[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

// Options are what the harness hangs on to the broker. Every field may be nil.
type Options struct {
	Log *slog.Logger
	// OnPublish is the tap. Calls do not overlap; payload must not be changed.
	OnPublish func(topic string, payload []byte, at time.Time)
	// Accept tells whether a connection comes from the gateway's link. It is
	// asked when the client has said who it is, so a link has had time to note
	// the address it called from. Nil means that nothing is checked.
	Accept func(remote net.Addr) bool
	// Direct are the prefixes of client ids that may connect without the link;
	// nil means "twin-".
	Direct []string
	// OnBypass is told of a client that did neither; it is served all the same.
	OnBypass func(remote net.Addr, client string)
}

func (o *Options) defaults() {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Direct == nil {
		o.Direct = []string{"twin-"}
	}
}

// bypassed tells whether this client should have come through the link.
func (o *Options) bypassed(remote net.Addr, client string) bool {
	return o.Accept != nil && !o.Accept(remote) && !o.direct(client)
}

// direct tells that a client belongs on this side of the link.
func (o *Options) direct(client string) bool {
	for _, p := range o.Direct {
		if strings.HasPrefix(client, p) {
			return true
		}
	}
	return false
}

// Stats are counts since Start.
type Stats struct {
	Published int64 // PUBLISH packets received from clients
	// DroppedInflight were refused by a full session, DroppedPending by a full
	// connection queue: messages that the broker itself lost.
	DroppedInflight, DroppedPending int64
	Bypassed                        int64
	Panics                          int64 // connections closed because handling them panicked
}

// Broker is a running embedded broker.
type Broker struct {
	cfg       Config
	server    *mqtt.Server
	door      *door
	opts      Options
	tap       sync.Mutex
	trouble   trouble
	order     order
	published atomic.Int64
	bypassed  atomic.Int64
	closed    sync.Once
}

// Start listens and serves.
func Start(cfg Config, opts Options) (*Broker, error) {
	cfg.Defaults()
	opts.defaults()
	if ps := cfg.Validate(); len(ps) > 0 {
		return nil, fmt.Errorf("broker: %s: %s", ps[0].Path, ps[0].Msg)
	}
	ln, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("broker: cannot listen on %s: %w", cfg.Listen, err)
	}
	b := &Broker{cfg: cfg, opts: opts}
	if err := b.open(ln); err != nil {
		return nil, err
	}
	return b, nil
}

// open serves with no session and no retained message.
func (b *Broker) open(ln net.Listener) error {
	b.door, b.server = newDoor(ln, b.opts.Log), mqtt.New(serverOptions(b.cfg))
	for _, err := range []error{b.server.AddHook(&hook{b: b}, nil), b.server.AddListener(b.door)} {
		if err != nil {
			ln.Close()
			return fmt.Errorf("broker: %w", err)
		}
	}
	if err := b.server.Serve(); err != nil {
		ln.Close()
		return fmt.Errorf("broker: %w", err)
	}
	return nil
}

// Addr is host:port as it is listened on.
func (b *Broker) Addr() string { return b.address() }

// URL is what a client dials.
func (b *Broker) URL() string { return "mqtt://" + b.Addr() }

// Stats may be called at any time.
func (b *Broker) Stats() Stats {
	info := b.serving().Info.Clone()
	return Stats{
		Published:       b.published.Load(),
		DroppedInflight: info.InflightDropped,
		DroppedPending:  info.MessagesDropped,
		Bypassed:        b.bypassed.Load(),
		Panics:          b.panics(),
	}
}

// Close ends every connection and waits for them; it may be called again.
func (b *Broker) Close() error {
	var err error
	b.closed.Do(func() { err = b.end() })
	return err
}
