package faults

import "testing"

func TestPLCNodeGone(t *testing.T) {
	runs(t, []Config{
		fault("plc.node_gone", "s", 10, 20, func(c *Config) { c.Tags = []string{"a/b"} }),
		fault("plc.node_gone", "s", 20, 20, func(c *Config) { c.Tags = []string{"a/c", "a/d"} }),
	},
		"10s s Gone([a/b])",
		"20s s Gone([a/b a/c a/d])",
		"30s s Gone([a/c a/d])",
		"40s s Gone([])",
		"40s s Clear()",
	)
}

func TestPLCNodeGoneNamesTags(t *testing.T) {
	c := fault("plc.node_gone", "s", 10, 20, func(c *Config) { c.Tags = []string{"pump/flow", "pump/flaw"} })
	ps := c.Validate(Names{Switches: []string{"s"}, Channels: []string{"pump/flow"}})
	if len(ps) != 1 || ps[0].Path != "tags[1]" {
		t.Errorf("%v", ps)
	}
}

// A controller can only lose a tag that it has, as far as that is known.
func TestPLCNodeGoneOfAnother(t *testing.T) {
	names := Names{Switches: []string{"a", "b"}, Channels: []string{"m/x", "n/x"}, Tags: map[string][]string{"a": {"m/x"}, "b": {"n/x"}}}
	for target, want := range map[string]int{"a": 0, "b": 1} {
		c := Config{Kind: "plc.node_gone", Target: target, Tags: []string{"m/x"}}
		if ps := c.Validate(names); len(ps) != want {
			t.Errorf("on %s: %v", target, ps)
		}
	}
}
