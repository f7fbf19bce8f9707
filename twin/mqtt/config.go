package mqtt

import (
	"net/url"
	"strings"
	"time"

	"github.com/plantbed/plantbed/internal/payload"
	"github.com/plantbed/plantbed/internal/strict"
)

// Config of the way in.
type Config struct {
	// URL of the broker: mqtt://host:1883 or mqtts://host:8883, with
	// user:password@ where it asks for them.
	URL string `toml:"url"`
	// ClientID names the session at the broker; two twins must differ.
	ClientID string `toml:"client_id"`
	// Prefix of the topics, as the gateways have it.
	Prefix string `toml:"prefix"`
	// KeepAlive in whole seconds; a dead line is noticed within twice that.
	KeepAlive strict.Duration `toml:"keep_alive"`
	// Session is how long the broker keeps messages for us while we are away.
	Session strict.Duration `toml:"session"`
	// MaxBackoff bounds the pause between attempts to connect.
	MaxBackoff strict.Duration `toml:"max_backoff"`
	// Timeout for connecting and for an answer of the broker.
	Timeout strict.Duration `toml:"timeout"`
	// Foreign are the payloads of other makers' gateways, nil for none.
	Foreign *Foreign `toml:"-"`
}

// Foreign takes messages that are not this project's own.
type Foreign struct {
	// Topics are the topic filters to subscribe to besides our own.
	Topics []string
	// Takes tells whether a topic is theirs, Decode reads a message of one; both
	// are called from one goroutine. A batch without samples is passed over.
	Takes  func(topic string) bool
	Decode func(topic string, payload []byte, at time.Time) (payload.Batch, error)
}

// Defaults fills in what is not set; URL has none.
func (c *Config) Defaults() {
	set(&c.ClientID, "twin-1")
	set(&c.Prefix, "plantbed")
	set(&c.KeepAlive, strict.Duration(20*time.Second))
	set(&c.Session, strict.Duration(24*time.Hour))
	set(&c.MaxBackoff, strict.Duration(2*time.Second))
	set(&c.Timeout, strict.Duration(5*time.Second))
}

func set[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

// Validate reports everything that is wrong; it opens nothing.
func (c *Config) Validate() strict.Problems {
	var ps strict.Problems
	u, err := url.Parse(c.URL)
	switch {
	case c.URL == "":
		ps.Add("url", "must be set, such as \"mqtt://broker.lan:1883\"")
	case err != nil || u.Host == "":
		ps.Add("url", "\""+c.URL+"\" is not a broker's URL, such as \"mqtt://broker.lan:1883\"")
	case !strings.Contains(" mqtt tcp mqtts tls ssl ", " "+u.Scheme+" "):
		ps.AddName("url", "unknown scheme \""+u.Scheme+"\"", u.Scheme, []string{"mqtt", "mqtts"})
	}
	if c.ClientID == "" {
		ps.Add("client_id", "must not be empty: the session goes by it")
	}
	if c.Prefix == "" || strings.ContainsAny(c.Prefix, "+#") {
		ps.Add("prefix", "must be a topic without the wildcards + and #")
	}
	if d := c.KeepAlive.D(); d < time.Second || d > 65535*time.Second || d%time.Second != 0 {
		ps.Add("keep_alive", "must be whole seconds, 1s to 65535s")
	}
	if d := c.Session.D(); d < time.Second || d.Seconds() > 4294967294 {
		ps.Add("session", "must be 1s or more")
	}
	if c.MaxBackoff.D() < 100*time.Millisecond {
		ps.Add("max_backoff", "must be 100ms or more")
	}
	if c.Timeout.D() < 100*time.Millisecond {
		ps.Add("timeout", "must be 100ms or more")
	}
	return ps
}
