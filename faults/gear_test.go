package faults

import (
	"strings"
	"testing"
)

// What a gear cannot do is refused before a run, with the reason.
func TestGears(t *testing.T) {
	for _, tc := range []struct {
		gear string
		c    Config
		want string
	}{
		{"live", fault("gateway.disk_full", "", 1, 1), ""},
		{"live", fault("gateway.disk_read_only", "", 1, 1), ""},
		{"live", fault("gateway.kill", "", 1, 1, func(c *Config) { c.On = "sync" }), ""},
		{"live", fault("gateway.kill", "", 1, 1), ""},
		{"live", fault("gateway.bit_flip", "", 1, 0), ""},
		{"virtual", fault("gateway.kill", "", 1, 1, func(c *Config) { c.On = "sync" }), ""},
		{"virtual", fault("gateway.clock", "", 1, 1, func(c *Config) { c.Offset = sec(1) }), "gateway.clock needs the live gear: in the virtual gear the gateway shares"},
		{"live", fault("gateway.clock", "", 1, 1, func(c *Config) { c.Offset = sec(1) }), ""},
		{"fast", fault("gateway.clock", "", 1, 1, func(c *Config) { c.Offset = sec(1) }), ""}, // there it is not run at all
	} {
		n := names
		n.Gear = tc.gear
		got := ""
		if err := tc.c.Validate(n).Err(); err != nil {
			got = err.Error()
		}
		if (got == "") != (tc.want == "") || !strings.Contains(got, tc.want) {
			t.Errorf("%s in %s: %q, want %q", tc.c.Kind, tc.gear, got, tc.want)
		}
	}
}
