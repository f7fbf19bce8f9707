package plc_test

import (
	"strings"
	"testing"
	"time"

	"github.com/plantbed/plantbed/sim"
	"github.com/plantbed/plantbed/sim/plc"
)

func TestOrders(t *testing.T) {
	read := func(time.Duration) float64 { return 0 }
	tags := func() []plc.Tag {
		return []plc.Tag{{ID: "a", Type: plc.Int64, Read: read}, {ID: "b", Type: plc.Float32, Read: read}}
	}
	cfg := plc.Config{Name: "p", Protocol: "modbus", Order: "cdab", TagOrders: map[string]string{"b": "badc"}}
	p, err := plc.New(sim.New(1), cfg, start, tags())
	if err != nil {
		t.Fatal(err)
	}
	if a, b := p.Tasks()[0].Tags[0].Order, p.Tasks()[0].Tags[1].Order; a != plc.CDAB || b != plc.BADC {
		t.Errorf("orders %v and %v", a, b)
	}
	for _, name := range []string{"abcd", "cdab", "badc", "dcba"} {
		if o, err := plc.ParseOrder(name); err != nil || o.String() != name {
			t.Errorf("%s reads as %v, %v", name, o, err)
		}
	}
	for _, c := range []struct {
		change func(*plc.Config)
		want   string
	}{
		{func(c *plc.Config) { c.Order = "acbd" }, `order: "acbd" is no order`},
		{func(c *plc.Config) { c.TagOrders["b"] = "" }, `tag_orders: b: "" is no order`},
		{func(c *plc.Config) { c.TagOrders = map[string]string{"bb": "cdab"} }, `"bb" is no tag`},
		{func(c *plc.Config) { c.Protocol = "opcua" }, "only the registers of Modbus"},
	} {
		cfg := cfg
		cfg.TagOrders = map[string]string{"b": "badc"}
		c.change(&cfg)
		if _, err := plc.New(sim.New(1), cfg, start, tags()); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want something about %s", err, c.want)
		}
	}
}

// A 64-bit count shows every neighbour up to what a float64 can tell apart.
func TestInt64(t *testing.T) {
	v := 0.0
	k := sim.New(1)
	p, err := plc.New(k, plc.Config{Name: "p", Protocol: "modbus"}, start, []plc.Tag{
		{ID: "i", Type: plc.Int64, Read: func(time.Duration) float64 { return v }},
		{ID: "u", Type: plc.UInt64, Read: func(time.Duration) float64 { return v }}})
	if err != nil {
		t.Fatal(err)
	}
	p.Start()
	for _, c := range []struct{ in, i, u float64 }{
		{1<<53 - 1, 1<<53 - 1, 1<<53 - 1}, {-1, -1, 0}, {1e300, 1 << 53, 1 << 53}, {-1e300, -1 << 53, 0}, {0.4, 0, 0},
	} {
		v = c.in
		k.Run(k.Now() + time.Second)
		if b := p.Latest(0); b.Values[0] != c.i || b.Values[1] != c.u {
			t.Errorf("%v shows as %v, want %v and %v", c.in, b.Values, c.i, c.u)
		}
	}
}

func TestListenForm(t *testing.T) {
	for addr, ok := range map[string]bool{"": true, "127.0.0.1:502": true, "[::1]:502": true, "localhost:502": true, ":502": true,
		"502": false, "a:b": false, "a:0": false, "a:65536": false, "tcp://a:502": false, "a b:5": false} {
		ps := plc.Config{Name: "p", Protocol: "modbus", Listen: addr}.Validate()
		if (len(ps) == 0) != ok {
			t.Errorf("%q: %v", addr, ps)
		}
	}
}
