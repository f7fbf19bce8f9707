package admin

import (
	"fmt"
	"net"

	"github.com/plantbed/plantbed/internal/strict"
)

// Config is the table [admin].
type Config struct {
	// Listen is "host:port", as in "127.0.0.1:9100"; empty means no listener.
	Listen string `toml:"listen"`
}

// Validate checks the form; whether the port is free shows at the start.
func (c Config) Validate() strict.Problems {
	var ps strict.Problems
	if c.Listen == "" {
		return nil
	}
	if _, port, err := net.SplitHostPort(c.Listen); err != nil || port == "" {
		ps.Add("listen", fmt.Sprintf("%q is no address; write it as \"127.0.0.1:9100\"", c.Listen))
	}
	return ps
}
