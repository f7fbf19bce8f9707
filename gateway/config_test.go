package gateway

import (
	"slices"
	"testing"

	"github.com/plantbed/plantbed/internal/strict"
)

const good = `
name = "edge-1"
deadband = 0.5
[[opcua]]
name = "plc-1"
url = "opc.tcp://127.0.0.1:4840"
tag = [{ id = "pump/current", node = "ns=2;s=pump/current" }, { id = "pump/speed", node = "ns=2;s=pump/speed" }]
[[modbus]]
name = "plc-2"
url = "tcp://127.0.0.1:502"
block = [{ start = 0, count = 4, poll = "1s", tag = [{ id = "oven/temperature", address = 2, type = "int16", scale = 0.1 }] }]
[[tag]]
id = "pump/current"
factor = 2.0
offset = 1.0
deadband = 0.0
[buffer]
max_bytes = "64 KiB"
[mqtt]
url = "mqtt://127.0.0.1:1883"
`

// TestConfig is the good file, and what each addition to it or change of the
// decoded table makes wrong.
func TestConfig(t *testing.T) {
	for _, c := range []struct {
		more   string
		change func(*Config)
		paths  []string
	}{
		{},
		{more: "[admin]\nlisten = \"9100\"\n", paths: []string{"admin.listen"}},
		{more: "[[tag]]\nid = \"pump/curent\"\n", paths: []string{"tag[1].id"}},
		{change: func(c *Config) { c.Name = "a/b" }, paths: []string{"name"}},
		{change: func(c *Config) { c.Deadband = -1 }, paths: []string{"deadband"}},
		{change: func(c *Config) { c.Modbus[0].Name = "plc-1" }, paths: []string{"modbus[0].name"}},
		{change: func(c *Config) { c.Modbus[0].Blocks[0].Tags[0].ID = "pump/speed" }, paths: []string{"modbus[0].block[0].tag[0].id"}},
		{change: func(c *Config) { c.Buffer.Kind, c.MQTT.URL = "tape", "nowhere" }, paths: []string{"buffer.kind", "mqtt.url"}},
		{change: func(c *Config) { c.Buffer.MaxBytes, c.Buffer.Policy = 10, "hope" }, paths: []string{"buffer.policy", "buffer.max_bytes"}},
		{change: func(c *Config) { c.OPCUA, c.Modbus, c.Tags = nil, nil, nil }, paths: []string{""}},
	} {
		var cfg Config
		if _, ps := strict.Decode("gateway.toml", []byte(good+c.more), &cfg); len(ps) > 0 {
			t.Fatal(ps)
		}
		if c.change != nil {
			c.change(&cfg)
		}
		cfg.Defaults()
		var paths []string
		for _, p := range cfg.Validate() {
			if p.Path != "modbus[0].block[0].tag[0].id" || len(paths) == 0 {
				paths = append(paths, p.Path)
			}
		}
		if !slices.Equal(paths, c.paths) {
			t.Errorf("%q: %v, want %v", c.more, cfg.Validate(), c.paths)
		}
	}
	var cfg Config
	strict.Decode("gateway.toml", []byte(good), &cfg)
	cfg.Defaults()
	if s := cfg.scale()["pump/current"]; s.Factor != 2 || s.Offset != 1 || len(cfg.scale()) != 1 || len(cfg.bands()) != 1 {
		t.Errorf("scale %v, bands %v", cfg.scale(), cfg.bands())
	}
}
