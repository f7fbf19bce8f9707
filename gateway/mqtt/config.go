package mqtt

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/plantbed/plantbed/internal/payload"
	"github.com/plantbed/plantbed/internal/strict"
)

// Config is the table [mqtt].
type Config struct {
	// URL of the broker: "mqtt://host:1883", or "mqtts://host:8883" for TLS;
	// a user and password may stand before the host.
	URL string `toml:"url"`
	// CA is a PEM file with the roots that TLS trusts; empty means the system's.
	CA string `toml:"ca"`
	// Certificate and Key are PEM files with what the gateway proves itself by,
	// in a TLS handshake. All three files are read at every connect and looked at
	// every CertificateCheck, default 5 s: when one was renewed, what is on its
	// way is waited for, and the next connection goes by the new ones.
	Certificate      string          `toml:"certificate"`
	Key              string          `toml:"key"`
	CertificateCheck strict.Duration `toml:"certificate_check"`
	// User and PasswordFile take the place of those in the URL.
	User         string `toml:"user"`
	PasswordFile string `toml:"password_file"`
	// ClientID, default the gateway's name.
	ClientID string `toml:"client_id"`
	// Prefix of all topics, default "plantbed".
	Prefix string `toml:"prefix"`
	// Format is "plantbed" (default), JSON with dedup keys, or "sparkplug", an
	// edge node after Sparkplug B in the group Group, default "plantbed". Where
	// Sparkplug asks for QoS 0, which loses, its data and births go with QoS 1.
	Format string `toml:"format"`
	Group  string `toml:"group"`
	// Encoding of a batch is "json" (default), "cbor" or "protobuf" (see
	// internal/payload), Compression "none" (default), "zstd" or "gzip". A reader
	// tells them apart by the first byte; the content type names them too.
	Encoding    string `toml:"encoding"`
	Compression string `toml:"compression"`
	// QoS of samples is 1 (default) or 2. With 2 the broker takes a message once
	// as long as the connection lasts; across a new one it is the dedup keys that
	// tell what came twice, as with 1.
	QoS int `toml:"qos"`
	// TopicAlias names the topic once a connection and a number from then on,
	// where the broker allows it.
	TopicAlias bool `toml:"topic_alias"`
	// Batch is the most samples in a message, default 500.
	Batch int `toml:"batch"`
	// Inflight is how many messages may be unacknowledged at a time, default 4;
	// the broker's receive maximum may lower it. With 1 the order is strict even
	// at a broker that refuses one message and takes the next.
	Inflight int `toml:"inflight"`
	// PublishTimeout is how long an acknowledgement may take before the
	// connection counts as broken, default 5.013 s.
	PublishTimeout strict.Duration `toml:"publish_timeout"`
	// ConnectTimeout bounds one attempt to connect, default 5.027 s.
	ConnectTimeout strict.Duration `toml:"connect_timeout"`
	// MaxBackoff is the longest pause between two attempts, default 2 s.
	MaxBackoff strict.Duration `toml:"max_backoff"`
	// KeepAlive is in whole seconds, default 20 s.
	KeepAlive strict.Duration `toml:"keep_alive"`
	// BackfillAfter is the age in the buffer from which a message is marked as
	// backfill, default 5 s; whatever was there before the connection came up
	// is marked too.
	BackfillAfter strict.Duration `toml:"backfill_after"`
	// BackfillShare is how much of the way, in samples, what waited for the broker
	// may take while live samples wait, more than 0; default 1, which is strict
	// order: oldest first, whatever waits. Less lets live samples go ahead; order
	// then holds among live ones and among those that waited, each for itself.
	BackfillShare float64 `toml:"backfill_share"`
}

// Formats.
const (
	FormatPlantbed  = "plantbed"
	FormatSparkplug = "sparkplug"
)

// Defaults fills in what is not set; ClientID is filled in by Run.
func (c *Config) Defaults() {
	orElse(&c.Prefix, "plantbed")
	orElse(&c.Format, FormatPlantbed)
	orElse(&c.Group, "plantbed")
	orElse(&c.Encoding, payload.JSON)
	orElse(&c.Compression, payload.None)
	orElse(&c.QoS, 1)
	orElse(&c.Batch, 500)
	orElse(&c.CertificateCheck, strict.Duration(5*time.Second))
	orElse(&c.Inflight, 4)
	orElse(&c.PublishTimeout, strict.Duration(5013*time.Millisecond))
	orElse(&c.ConnectTimeout, strict.Duration(5027*time.Millisecond))
	orElse(&c.MaxBackoff, strict.Duration(2*time.Second))
	orElse(&c.KeepAlive, strict.Duration(20*time.Second))
	orElse(&c.BackfillShare, 1)
	orElse(&c.BackfillAfter, strict.Duration(5*time.Second))
}

func orElse[T comparable](v *T, other T) {
	var zero T
	if *v == zero {
		*v = other
	}
}

// Validate expects Defaults to have been called.
func (c Config) Validate() strict.Problems {
	var ps strict.Problems
	if _, err := c.broker(); err != nil {
		ps.Add("url", err.Error())
	}
	if strings.ContainsAny(c.Prefix, "#+\x00") || strings.HasPrefix(c.Prefix, "$") {
		ps.Add("prefix", fmt.Sprintf("%q cannot begin a topic that is published to", c.Prefix))
	}
	if u, err := c.broker(); err == nil && !secure(u) && c.CA+c.Certificate+c.Key != "" {
		ps.Add("url", "ca, certificate and key are for TLS; write it as \"mqtts://host:8883\"")
	}
	if c.Format != FormatPlantbed && c.Format != FormatSparkplug {
		ps.Add("format", fmt.Sprintf("%q is neither \"plantbed\" nor \"sparkplug\"", c.Format))
	}
	if !slices.Contains(payload.Encodings, c.Encoding) {
		ps.AddName("encoding", fmt.Sprintf("%q is no encoding", c.Encoding), c.Encoding, payload.Encodings)
	}
	if !slices.Contains(payload.Compressions, c.Compression) {
		ps.AddName("compression", fmt.Sprintf("%q is no compression", c.Compression), c.Compression, payload.Compressions)
	}
	if c.Format == FormatSparkplug && (c.Encoding != payload.JSON || c.Compression != payload.None) {
		ps.Add("encoding", "sparkplug has its own encoding, and no compression")
	}
	if !(c.BackfillShare > 0 && c.BackfillShare <= 1) {
		ps.Add("backfill_share", fmt.Sprintf("%v is not more than 0 and at most 1", c.BackfillShare))
	}
	if c.QoS != 1 && c.QoS != 2 {
		ps.Add("qos", fmt.Sprintf("%d is neither 1 nor 2; 0 would lose", c.QoS))
	}
	if strings.ContainsAny(c.Group, "/+#\x00") {
		ps.Add("group", fmt.Sprintf("%q cannot be a level of an MQTT topic; leave out /, + and #", c.Group))
	}
	if (c.Certificate == "") != (c.Key == "") {
		ps.Add("certificate", "certificate and key go together")
	}
	if (c.User == "") != (c.PasswordFile == "") {
		ps.Add("user", "user and password_file go together")
	}
	if c.Batch < 1 || c.Batch > 100_000 {
		ps.Add("batch", fmt.Sprintf("%d is not between 1 and 100000", c.Batch))
	}
	if c.Inflight < 1 || c.Inflight > 1000 {
		ps.Add("inflight", fmt.Sprintf("%d is not between 1 and 1000", c.Inflight))
	}
	for _, d := range []struct {
		path        string
		v           strict.Duration
		least, most time.Duration
	}{
		{"publish_timeout", c.PublishTimeout, 10 * time.Millisecond, time.Hour},
		{"connect_timeout", c.ConnectTimeout, 10 * time.Millisecond, time.Hour},
		{"certificate_check", c.CertificateCheck, time.Millisecond, 1000 * time.Hour},
		{"max_backoff", c.MaxBackoff, time.Millisecond, time.Hour},
		{"keep_alive", c.KeepAlive, time.Second, 65_535 * time.Second},
		{"backfill_after", c.BackfillAfter, time.Millisecond, 1000 * time.Hour},
	} {
		if d.v.D() < d.least || d.v.D() > d.most {
			ps.Add(d.path, fmt.Sprintf("%v is not between %v and %v", d.v, d.least, d.most))
		}
	}
	return ps
}

// broker takes the URL apart and puts the default port in.
func (c Config) broker() (*url.URL, error) {
	u, err := url.Parse(c.URL)
	if err != nil || c.URL == "" {
		return nil, fmt.Errorf("%q is no broker; write it as \"mqtt://host:1883\"", c.URL)
	}
	port := map[string]string{"mqtt": "1883", "tcp": "1883", "mqtts": "8883", "tls": "8883", "ssl": "8883"}[u.Scheme]
	if port == "" || u.Hostname() == "" {
		return nil, fmt.Errorf("%q is no broker; the scheme is mqtt or mqtts, and a host must follow, as in \"mqtt://host:1883\"", c.URL)
	}
	if u.Port() == "" {
		u.Host += ":" + port
	}
	return u, nil
}

func secure(u *url.URL) bool { return u.Scheme == "mqtts" || u.Scheme == "tls" || u.Scheme == "ssl" }
