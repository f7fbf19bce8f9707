package mqtt

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"

	"github.com/plantbed/plantbed/gateway/pipeline"
	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/signal"
)

// SourceConfig is a broker that devices publish to, the table [[mqtt_in]].
type SourceConfig struct {
	Name string `toml:"name"`
	// URL, CA, Certificate, Key, User and PasswordFile are as in [mqtt].
	URL          string `toml:"url"`
	CA           string `toml:"ca"`
	Certificate  string `toml:"certificate"`
	Key          string `toml:"key"`
	User         string `toml:"user"`
	PasswordFile string `toml:"password_file"`
	// ClientID, default "plantbed-" and the name; the broker keeps what comes
	// while the gateway is away under it, for Expiry, default 1 h.
	ClientID string          `toml:"client_id"`
	Expiry   strict.Duration `toml:"expiry"`
	Topics   []SourceTopic   `toml:"topic"`
}

// SourceTopic is what to subscribe to, and how to read it.
type SourceTopic struct {
	// Filter may have + and #.
	Filter string `toml:"filter"`
	// Format is "json" (default): any JSON, of which every number and boolean is
	// a sample; "plantbed": batches as this gateway publishes; "sparkplug":
	// Sparkplug B.
	Format string `toml:"format"`
	// Prefix comes before the id: of JSON the topic and the path within the
	// text, of Sparkplug group, node, device and metric.
	Prefix string `toml:"prefix"`
	// Time names the key at the top of a JSON object that holds the source's
	// time, as RFC 3339 or milliseconds since 1970; without it a sample is as old
	// as its arrival.
	Time string `toml:"time"`
}

// FormatJSON is a source's plain JSON.
const FormatJSON = "json"

// Defaults fills in what is not set.
func (c *SourceConfig) Defaults() {
	orElse(&c.ClientID, "plantbed-"+c.Name)
	orElse(&c.Expiry, strict.Duration(time.Hour))
	for i := range c.Topics {
		orElse(&c.Topics[i].Format, FormatJSON)
	}
}

// out is the part of it that a publisher's config has too.
func (c SourceConfig) out() Config {
	o := Config{URL: c.URL, CA: c.CA, Certificate: c.Certificate, Key: c.Key, User: c.User, PasswordFile: c.PasswordFile}
	o.Defaults()
	return o
}

// Validate expects Defaults to have been called.
func (c SourceConfig) Validate() strict.Problems {
	ps := c.out().Validate()
	if c.Name == "" {
		ps.Add("name", "a source needs a name")
	}
	if c.Expiry < 0 {
		ps.Add("expiry", "must not be negative")
	}
	if len(c.Topics) == 0 {
		ps.Add("topic", "a source without topics hears nothing")
	}
	for i, t := range c.Topics {
		at := fmt.Sprintf("topic[%d]", i)
		if t.Filter == "" {
			ps.Add(at+".filter", "a topic needs a filter such as \"shop/+/temp\"")
		}
		if !slices.Contains([]string{FormatJSON, FormatPlantbed, FormatSparkplug}, t.Format) {
			ps.Add(at+".format", fmt.Sprintf("%q is none of \"json\", \"plantbed\", \"sparkplug\"", t.Format))
		}
	}
	return ps
}

// fits tells whether a topic falls under a filter.
func fits(filter, topic string) bool {
	f, t := strings.Split(filter, "/"), strings.Split(topic, "/")
	for i, name := range f {
		switch {
		case name == "#":
			return true
		case i >= len(t) || name != "+" && name != t[i]:
			return false
		}
	}
	return len(f) == len(t)
}

// fullPause is between attempts to hand on what a full buffer turned away.
const fullPause = 211_713_171 * time.Nanosecond

// RunSource hears a broker until ctx ends. A message is acknowledged only when
// its samples are durable, so the broker keeps what the gateway has not; what it
// sends again, and is known, is dropped. births may be nil.
func RunSource(ctx context.Context, cfg SourceConfig, seed uint64, log *slog.Logger, births Births, sink pipeline.Sink, status pipeline.StatusFunc) error {
	if ps := cfg.Validate(); len(ps) > 0 {
		return fmt.Errorf("mqtt source %q: %s: %s", cfg.Name, ps[0].Path, ps[0].Msg)
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	l, err := newLink(cfg.out(), "in/"+cfg.Name, seed)
	if err != nil {
		return fmt.Errorf("mqtt source %q: %w", cfg.Name, err)
	}
	s := &hearer{cfg: cfg, log: log, sink: sink, status: status, link: l, reader: newReader(), known: map[uint64]bool{}, cradle: newCradle(births)}
	return s.run(ctx)
}

// hearer is one life of a source.
type hearer struct {
	cfg    SourceConfig
	log    *slog.Logger
	sink   pipeline.Sink
	status pipeline.StatusFunc
	link   *link
	reader *reader
	known  map[uint64]bool // messages that were handed on, the newest maxKnown
	order  []uint64
	cradle cradle
	// recalled says that births from before a restart were looked for.
	recalled bool
	cm       atomic.Pointer[autopaho.ConnectionManager]
}

func (s *hearer) run(ctx context.Context) error {
	inner, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	password := []byte(nil)
	cfg := autopaho.ClientConfig{
		ServerUrls: []*url.URL{s.link.url}, KeepAlive: 20, SessionExpiryInterval: uint32(s.cfg.Expiry.D() / time.Second),
		ReconnectBackoff: s.link.pause, ConnectTimeout: s.link.cfg.ConnectTimeout.D(), AttemptConnection: s.link.dial,
		OnConnectError: func(err error) { s.link.failed(err); s.status(s.cfg.Name, false, err.Error()) },
		OnConnectionUp: func(cm *autopaho.ConnectionManager, a *paho.Connack) {
			s.cm.Store(cm)
			s.cradle.connected(a)
			go s.subscribe(inner, cm)
		},
		ConnectPacketBuilder: func(c *paho.Connect, _ *url.URL) (*paho.Connect, error) {
			var err error
			if s.cfg.User != "" {
				if password, err = readPassword(s.cfg.PasswordFile); err == nil {
					c.Username, c.UsernameFlag, c.Password, c.PasswordFlag = s.cfg.User, true, password, true
				}
			}
			return c, err
		},
		ClientConfig: paho.ClientConfig{ClientID: s.cfg.ClientID, EnableManualAcknowledgment: true, SendAcksInterval: 17_137_713,
			OnClientError: func(err error) { s.status(s.cfg.Name, false, err.Error()) },
			OnServerDisconnect: func(d *paho.Disconnect) {
				s.status(s.cfg.Name, false, fmt.Sprintf("the broker disconnects, reason 0x%02X", d.ReasonCode))
			},
			OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(m paho.PublishReceived) (bool, error) {
				s.heard(ctx, m)
				return true, nil
			}}},
	}
	if u := s.link.url.User; u != nil {
		p, _ := u.Password()
		cfg.ConnectUsername, cfg.ConnectPassword = u.Username(), []byte(p)
	}
	cm, err := autopaho.NewConnection(inner, cfg)
	if err != nil {
		return fmt.Errorf("mqtt source %q: %w", s.cfg.Name, err)
	}
	<-ctx.Done()
	stop()
	<-cm.Done()
	return nil
}

func (s *hearer) subscribe(ctx context.Context, cm *autopaho.ConnectionManager) {
	sub := &paho.Subscribe{}
	for _, t := range s.cfg.Topics {
		sub.Subscriptions = append(sub.Subscriptions, paho.SubscribeOptions{Topic: t.Filter, QoS: 1})
	}
	if _, err := cm.Subscribe(ctx, sub); err != nil {
		s.status(s.cfg.Name, false, "subscribe: "+err.Error())
		return
	}
	s.link.worked()
	s.status(s.cfg.Name, true, "")
}

// heard takes a message from the broker.
func (s *hearer) heard(ctx context.Context, m paho.PublishReceived) {
	if !s.recalled {
		s.recall(ctx)
	}
	if m.Packet.Duplicate() && s.known[fingerprint(m.Packet)] {
		m.Client.Ack(m.Packet) // the acknowledgement was lost, not the message
		return
	}
	s.take(ctx, m)
}

// take reads a message and hands it on. One of a Sparkplug node whose birth was
// not heard waits for it, unacknowledged.
func (s *hearer) take(ctx context.Context, m paho.PublishReceived) {
	samples, err := s.readText(m.Packet.Topic, m.Packet.Payload)
	if err != nil && !errors.Is(err, errUnborn) {
		s.log.Warn("mqtt: a message that cannot be read", "source", s.cfg.Name, "topic", m.Packet.Topic, "err", err)
	}
	if errors.Is(err, errUnborn) {
		s.askRebirth(ctx, s.cm.Load(), m.Packet.Topic)
		if len(samples) == 0 {
			if !s.await(ctx, m) {
				s.gap(ctx, m)
			}
			return
		}
	}
	if s.births(m.Packet.Topic) {
		defer s.born(ctx, m)
	}
	s.handOn(ctx, m, samples)
}

// births tells that a message is a birth.
func (s *hearer) births(topic string) bool {
	t, ok := s.topicOf(topic)
	return ok && t.Format == FormatSparkplug && isBirth(topic)
}

// topicOf is the first of the configured topics that a message falls under.
func (s *hearer) topicOf(topic string) (SourceTopic, bool) {
	i := slices.IndexFunc(s.cfg.Topics, func(t SourceTopic) bool { return fits(t.Filter, topic) })
	if i < 0 {
		return SourceTopic{}, false
	}
	return s.cfg.Topics[i], true
}

// readText has a message read as the config says.
func (s *hearer) readText(topic string, text []byte) ([]signal.Sample, error) {
	t, ok := s.topicOf(topic)
	if !ok {
		return nil, nil
	}
	return s.reader.read(t, topic, text, time.Now().Round(0))
}

// handOn waits while the buffer is full, and with it the broker. It
// acknowledges the message once the samples are durable.
func (s *hearer) handOn(ctx context.Context, m paho.PublishReceived, samples []signal.Sample) {
	s.remember(fingerprint(m.Packet))
	if len(samples) == 0 {
		m.Client.Ack(m.Packet)
		return
	}
	for ctx.Err() == nil {
		full := false
		s.sink(ctx, pipeline.Batch{Source: s.cfg.Name, Samples: slices.Clone(samples), Keeps: true, Done: func(err error) {
			switch {
			case errors.Is(err, pipeline.ErrFull):
				full = true
			case err == nil:
				m.Client.Ack(m.Packet)
			}
		}})
		if !full {
			return
		}
		select {
		case <-time.After(fullPause):
		case <-ctx.Done():
		}
	}
}

// maxKnown bounds the messages that are recognised when the broker sends them
// again.
const maxKnown = 1 << 16

func (s *hearer) remember(key uint64) {
	if s.known[key] {
		return
	}
	if len(s.order) >= maxKnown {
		delete(s.known, s.order[0])
		s.order = s.order[1:]
	}
	s.known[key] = true
	s.order = append(s.order, key)
}

// fingerprint tells a message that is sent again from another.
func fingerprint(m *paho.Publish) uint64 {
	h := fnv.New64a()
	io.WriteString(h, m.Topic)
	h.Write([]byte{0})
	h.Write(m.Payload)
	return h.Sum64()
}

// batch reads this gateway's own format.
func (r *reader) batch(prefix string, text []byte) ([]signal.Sample, error) {
	b, err := r.own.Decode(text)
	for i := range b.Samples {
		b.Samples[i].ID = signal.ID(prefix) + b.Samples[i].ID
	}
	return b.Samples, err
}
