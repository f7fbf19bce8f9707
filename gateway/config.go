package gateway

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/plantbed/plantbed/gateway/admin"
	"github.com/plantbed/plantbed/gateway/buffer"
	"github.com/plantbed/plantbed/gateway/modbus"
	"github.com/plantbed/plantbed/gateway/mqtt"
	"github.com/plantbed/plantbed/gateway/opcua"
	"github.com/plantbed/plantbed/gateway/pipeline"
	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/signal"
)

// Config is a gateway as its file describes it.
type Config struct {
	// Name of the gateway, a level of its MQTT topics; default "gateway".
	Name string `toml:"name"`
	// Seed of its pauses and phases; two gateways at one broker or device do
	// well to have two.
	Seed uint64 `toml:"seed"`
	// Unreachable says how a reader learns that a source cannot be reached:
	// "status" (default), by the source's retained status; or "samples", by an
	// uncertain sample of each tag as well.
	Unreachable string `toml:"unreachable"`
	// CertificateWarning is how long before a certificate runs out the gateway
	// raises an alarm, default 720 h.
	CertificateWarning strict.Duration `toml:"certificate_warning"`
	OPCUA              []opcua.Config  `toml:"opcua"`
	Modbus             []modbus.Config `toml:"modbus"`
	// MQTTIn are brokers that devices publish to.
	MQTTIn []mqtt.SourceConfig `toml:"mqtt_in"`
	// Deadband of every tag that has none of its own, in the tag's unit; 0
	// passes every sample.
	Deadband float64       `toml:"deadband"`
	Tags     []Tag         `toml:"tag"`
	Buffer   buffer.Config `toml:"buffer"`
	MQTT     mqtt.Config   `toml:"mqtt"`
	Admin    admin.Config  `toml:"admin"`
}

// Tag is how one tag is treated on its way.
type Tag struct {
	ID signal.ID `toml:"id"`
	// Factor and Offset turn what the source delivers into the tag's unit:
	// value*Factor + Offset. Factor 0 means 1.
	Factor float64 `toml:"factor"`
	Offset float64 `toml:"offset"`
	// Deadband takes the place of the gateway's, 0 included.
	Deadband *float64 `toml:"deadband"`
	// Writable opens the tag for desired values, between Min and Max where set.
	// Without it a tag is read-only.
	Writable bool     `toml:"writable"`
	Min      *float64 `toml:"min"`
	Max      *float64 `toml:"max"`
	// Priority is the tag's weight under the buffer's policy by-priority, default
	// 0; more is more.
	Priority int `toml:"priority"`
	// Safety refuses every desired value, whatever else is said.
	Safety bool `toml:"safety"`
}

// Defaults fills in what is not set.
func (c *Config) Defaults() {
	if c.Name == "" {
		c.Name = "gateway"
	}
	if c.Unreachable == "" {
		c.Unreachable = UnreachableStatus
	}
	if c.CertificateWarning == 0 {
		c.CertificateWarning = strict.Duration(30 * 24 * time.Hour)
	}
	for i := range c.OPCUA {
		c.OPCUA[i].Defaults()
	}
	for i := range c.Modbus {
		c.Modbus[i].Defaults()
	}
	for i := range c.MQTTIn {
		c.MQTTIn[i].Defaults()
	}
	for i := range c.Tags {
		if c.Tags[i].Factor == 0 {
			c.Tags[i].Factor = 1
		}
	}
	c.Buffer.Defaults()
	c.MQTT.Defaults()
	c.Admin.Defaults()
}

// Validate reports everything that is wrong and opens nothing; it expects
// Defaults to have been called.
func (c Config) Validate() strict.Problems {
	var ps strict.Problems
	if strings.ContainsAny(c.Name, "/+#\x00") {
		ps.Add("name", fmt.Sprintf("%q cannot be a level of an MQTT topic; leave out /, + and #", c.Name))
	}
	if c.Unreachable != UnreachableStatus && c.Unreachable != UnreachableSamples {
		ps.Add("unreachable", fmt.Sprintf("%q is neither \"status\" nor \"samples\"", c.Unreachable))
	}
	if c.CertificateWarning < 0 {
		ps.Add("certificate_warning", fmt.Sprintf("%v is negative", c.CertificateWarning))
	}
	names, ids := unique{}, unique{}
	if len(c.OPCUA)+len(c.Modbus)+len(c.MQTTIn) == 0 {
		ps.Add("", "a gateway needs a source: a table [[opcua]], [[modbus]] or [[mqtt_in]]")
	}
	for i, s := range c.OPCUA {
		at := fmt.Sprintf("opcua[%d]", i)
		ps = append(ps, s.Validate().Under(at)...)
		names.check(&ps, at, "name", s.Name)
		for k, t := range s.Tags {
			ids.check(&ps, at, fmt.Sprintf("tag[%d].id", k), string(t.ID))
		}
	}
	for i, s := range c.Modbus {
		at := fmt.Sprintf("modbus[%d]", i)
		ps = append(ps, s.Validate().Under(at)...)
		names.check(&ps, at, "name", s.Name)
		s.IDs(func(id signal.ID, path string) { ids.check(&ps, at, path, string(id)) })
	}
	for i, s := range c.MQTTIn {
		at := fmt.Sprintf("mqtt_in[%d]", i)
		ps = append(ps, s.Validate().Under(at)...)
		names.check(&ps, at, "name", s.Name)
	}
	ps = append(ps, c.validateTags(ids)...)
	ps = append(ps, c.Buffer.Validate().Under("buffer")...)
	ps = append(ps, c.MQTT.Validate().Under("mqtt")...)
	return append(ps, c.Admin.Validate().Under("admin")...)
}

func (c Config) validateTags(ids unique) strict.Problems {
	var ps strict.Problems
	band := func(path string, v float64) {
		if !(v >= 0) {
			ps.Add(path, fmt.Sprintf("%v is no deadband; it is 0 or more", v))
		}
	}
	band("deadband", c.Deadband)
	seen := unique{}
	for i, t := range c.Tags {
		at := fmt.Sprintf("tag[%d]", i)
		if _, ok := ids[string(t.ID)]; !ok && !c.picks() {
			ps.AddName(at+".id", fmt.Sprintf("no source has a tag %q", t.ID), string(t.ID), ids.names())
		}
		seen.check(&ps, at, "id", string(t.ID))
		if t.Factor-t.Factor != 0 || t.Offset-t.Offset != 0 {
			ps.Add(at, "factor and offset must be finite")
		}
		if t.Deadband != nil {
			band(at+".deadband", *t.Deadband)
		}
	}
	return ps
}

// ids are the tags that are known without browsing, in the order of the config.
func (c Config) ids() (out []signal.ID) {
	for _, s := range c.OPCUA {
		for _, t := range s.Tags {
			out = append(out, t.ID)
		}
	}
	for _, s := range c.Modbus {
		s.IDs(func(id signal.ID, _ string) { out = append(out, id) })
	}
	return out
}

// sourceOf is the source that a tag comes from and that takes writes, empty if
// none is known to: one that browses takes what no other has.
func (c Config) sourceOf(id signal.ID) (name string) {
	for _, s := range c.Modbus {
		s.IDs(func(other signal.ID, _ string) {
			if other == id {
				name = s.Name
			}
		})
	}
	if name != "" {
		return name
	}
	for _, s := range c.OPCUA {
		if slices.ContainsFunc(s.Tags, func(t opcua.Tag) bool { return t.ID == id }) {
			return s.Name
		}
		if len(s.Picks) > 0 {
			name = s.Name
		}
	}
	return name
}

// picks tells that some tags are known only once a server was browsed, or a
// device was heard.
func (c Config) picks() bool {
	return len(c.MQTTIn) > 0 || slices.ContainsFunc(c.OPCUA, func(s opcua.Config) bool { return len(s.Picks) > 0 })
}

// unique remembers where a name was first.
type unique map[string]place

type place struct{ table, path string }

// check complains about a name of another table; within one, the table does.
func (u unique) check(ps *strict.Problems, table, field, name string) {
	here := place{table, table + "." + field}
	first, ok := u[name]
	switch {
	case name == "":
	case !ok:
		u[name] = here
	case first.table != table:
		ps.Add(here.path, fmt.Sprintf("%q is already %s", name, first.path))
	}
}

func (u unique) names() []string { return slices.Sorted(maps.Keys(u)) }

// scale and bands are the pipeline's part of Tags.
func (c Config) scale() map[signal.ID]pipeline.Linear {
	out := map[signal.ID]pipeline.Linear{}
	for _, t := range c.Tags {
		if t.Factor != 1 || t.Offset != 0 {
			out[t.ID] = pipeline.Linear{Factor: t.Factor, Offset: t.Offset}
		}
	}
	return out
}

func (c Config) bands() map[signal.ID]float64 {
	out := map[signal.ID]float64{}
	for _, t := range c.Tags {
		if t.Deadband != nil {
			out[t.ID] = *t.Deadband
		}
	}
	return out
}
