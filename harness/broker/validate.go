package broker

import (
	"net"
	"net/url"
	"strings"

	"github.com/plantbed/plantbed/internal/strict"
)

// Validate reports everything that is wrong; it opens nothing.
func (c *Config) Validate() strict.Problems {
	var ps strict.Problems
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		ps.Add("listen", "\""+c.Listen+"\" is not host:port, such as \"127.0.0.1:1883\"")
	}
	if c.URL != "" {
		if u, err := url.Parse(c.URL); err != nil || u.Host == "" {
			ps.Add("url", "\""+c.URL+"\" is not a broker's URL, such as \"mqtt://broker.lan:1883\"")
		}
	}
	if c.Prefix == "" || strings.ContainsAny(c.Prefix, "+#") {
		ps.Add("prefix", "must be a topic without the wildcards + and #")
	}
	if c.Inflight < 1 || c.Inflight > 65535 {
		ps.Add("inflight", "must be 1 to 65535 messages per session")
	}
	if c.Pending < 1 || c.Pending > 1<<24 {
		ps.Add("pending", "must be 1 to 16777216 messages per connection")
	}
	if c.ReceiveMaximum < 1 || c.ReceiveMaximum > 65535 {
		ps.Add("receive_maximum", "must be 1 to 65535 messages")
	}
	return ps
}
