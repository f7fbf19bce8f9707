package admin

import (
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
)

// Config is the table [admin].
type Config struct {
	// Listen is "host:port", as in "127.0.0.1:9100"; empty means no listener.
	Listen string `toml:"listen"`
	// OTLP is a collector that metrics are sent to as OTLP over HTTP, such as
	// "http://127.0.0.1:4318/v1/metrics"; empty means none. OTLPEvery is how
	// often, default 10.013717 s.
	OTLP      string          `toml:"otlp"`
	OTLPEvery strict.Duration `toml:"otlp_every"`
}

// Defaults fills in what is not set.
func (c *Config) Defaults() {
	if c.OTLPEvery == 0 {
		c.OTLPEvery = strict.Duration(10*time.Second + 13_717_000)
	}
}

// Validate checks the form; whether the port is free shows at the start.
func (c Config) Validate() strict.Problems {
	var ps strict.Problems
	if u, err := url.Parse(c.OTLP); c.OTLP != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		ps.Add("otlp", fmt.Sprintf("%q is no collector; write it as \"http://127.0.0.1:4318/v1/metrics\"", c.OTLP))
	}
	if c.OTLPEvery < 0 {
		ps.Add("otlp_every", fmt.Sprintf("%v is negative", c.OTLPEvery))
	}
	if c.Listen == "" {
		return ps
	}
	if _, port, err := net.SplitHostPort(c.Listen); err != nil || port == "" {
		ps.Add("listen", fmt.Sprintf("%q is no address; write it as \"127.0.0.1:9100\"", c.Listen))
	}
	return ps
}
