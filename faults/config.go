package faults

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
)

// Config is one fault of a scenario. Kind, target and at go with every kind;
// which of the others do is in the kind's row, see Kinds.
type Config struct {
	// Kind is a name such as "link.down".
	Kind string `toml:"kind"`
	// Target is what breaks. Kinds of gateway.* may leave it out.
	Target string `toml:"target,omitempty"`
	// At is when it starts, since the start of the run.
	At strict.Duration `toml:"at"`
	// For is how long it lasts; without it, to the end of the run.
	For strict.Duration `toml:"for,omitzero"`

	When

	Life      strict.Duration `toml:"life,omitzero"`
	Mode      string          `toml:"mode,omitempty"`
	Delay     strict.Duration `toml:"delay,omitzero"`
	Jitter    strict.Duration `toml:"jitter,omitzero"`
	Rate      string          `toml:"rate,omitempty"`
	Bias      string          `toml:"bias,omitempty"`
	Gain      string          `toml:"gain,omitempty"`
	PerKelvin string          `toml:"per_kelvin,omitempty"`
	Factor    float64         `toml:"factor,omitzero"`
	Chance    string          `toml:"chance,omitempty"`
	Amplitude string          `toml:"amplitude,omitempty"`
	Quality   string          `toml:"quality,omitempty"`
	Offset    strict.Duration `toml:"offset,omitzero"`
	Drift     string          `toml:"drift,omitempty"`
	After     strict.Bytes    `toml:"after,omitzero"`
	Sync      strict.Duration `toml:"sync,omitzero"`
	IDs       string          `toml:"ids,omitempty"`
	Once      bool            `toml:"once,omitzero"`
	Code      string          `toml:"code,omitempty"`
	On        string          `toml:"on,omitempty"`
	Scope     string          `toml:"scope,omitempty"`
	Tags      []string        `toml:"tags,omitempty"`
	Scans     uint32          `toml:"scans,omitzero"`
	Way       string          `toml:"way,omitempty"`
	Spread    string          `toml:"spread,omitempty"`
	Good      strict.Duration `toml:"good,omitzero"`
	Bad       strict.Duration `toml:"bad,omitzero"`
	RTO       strict.Duration `toml:"rto,omitzero"`
	Size      strict.Bytes    `toml:"size,omitzero"`
	Gap       strict.Duration `toml:"gap,omitzero"`
	Profile   string          `toml:"profile,omitempty"`
	Action    string          `toml:"action,omitempty"`
	Frame     string          `toml:"frame,omitempty"`
	Nth       int             `toml:"nth,omitzero"`
	Count     int             `toml:"count,omitzero"`
	End       string          `toml:"end,omitempty"`
	Torn      bool            `toml:"torn,omitzero"`
	Place     string          `toml:"place,omitempty"`
	State     string          `toml:"state,omitempty"`
}

// Names are the valid targets of each seam.
type Names struct {
	Links, Knobs, Channels, Switches, Hosts []string
	// OPCUA are the switches of OPC UA controllers, Secured those of them that
	// have a certificate. Nil leaves it to the run to find out.
	OPCUA, Secured []string
	// Brokers are those that faults can reach, Machines and States those that
	// one can wait for.
	Brokers, Machines, States []string
	// Framed is the protocol, "modbus" or "mqtt", of each link whose frames can
	// be told apart; nil leaves it to the run to find out.
	Framed map[string]string
	// Tags are those of each controller; nil leaves it to the run to find out.
	Tags map[string][]string
	// Gear is virtual or live, as far as it is known.
	Gear string
}

// needs reports a controller that cannot have such a fault.
func (n Names) needs(c Config, ps *strict.Problems) {
	with := n.OPCUA
	what := "speaks OPC UA"
	switch c.Kind {
	case "plc.cert_rotated", "plc.cert_expired":
		with, what = n.Secured, "has a certificate (security = \"offered\")"
	case "plc.namespace_moved", "plc.no_republish":
	default:
		return
	}
	if with != nil && slices.Contains(n.Switches, c.Target) && !slices.Contains(with, c.Target) {
		ps.Addf("target", "%s needs a PLC that %s, which %q does not", c.Kind, what, c.Target)
	}
}

func (n Names) of(s Seam) []string {
	switch s {
	case SeamLink:
		return n.Links
	case SeamKnob:
		return n.Knobs
	case SeamChannel:
		return n.Channels
	case SeamSwitch:
		return n.Switches
	case SeamBroker:
		return n.Brokers
	}
	return n.Hosts
}

// common are the keys of every kind: those of what and where, and of when.
var common = append([]string{"kind", "target", "at"}, whenKeys...)

// WithDefaults spells out what was left to the kind.
func (c Config) WithDefaults() Config {
	k, ok := lookup(c.Kind)
	if !ok {
		return c
	}
	if c.Target == "" {
		c.Target = k.target
	}
	if k.Name == "link.down" && c.Mode == "" {
		c.Mode = linkModes[0]
	}
	switch k.Name {
	case "plc.bad_quality":
		fill(&c.Quality, defaultQuality.String())
	case "plc.restart":
		fill(&c.IDs, restartIDs[0])
	case "plc.exception":
		fill(&c.Code, PLCErrors[0])
		fill(&c.Scope, refusalScopes[0])
		fill(&c.Chance, "100 %")
	case "plc.counter_wrap":
		fill(&c.Scans, defaultScans)
	case "link.slice":
		fill(&c.Gap, strict.Duration(100*time.Microsecond))
	case "link.frame":
		fill(&c.Nth, 1)
		fill(&c.Count, 1)
	case "link.half_open":
		fill(&c.End, goneEnds[0])
	case "gateway.kill":
		if c.On != "" {
			fill(&c.Nth, 1)
		}
	case "gateway.bit_flip":
		fill(&c.Place, "50 %")
	case "broker.stop", "broker.restart":
		fill(&c.State, brokerStates[0])
	}
	c.When = c.When.withDefaults()
	return c
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Validate reports everything that is wrong with the fault by itself and with
// its target. Paths are keys of the fault.
func (c Config) Validate(names Names) strict.Problems {
	var ps strict.Problems
	k, ok := lookup(c.Kind)
	if !ok {
		ps.AddName("kind", fmt.Sprintf("there is no fault kind %q", c.Kind), c.Kind, kindNames())
		return ps
	}
	c = c.WithDefaults()
	valid := names.of(k.Seam)
	switch {
	case c.Target == "":
		ps.Addf("target", "is missing: %s needs %s", c.Kind, k.Seam.article())
	case !slices.Contains(valid, c.Target):
		ps.AddName("target", fmt.Sprintf("there is no %s %q", k.Seam, c.Target), c.Target, valid)
	}
	names.needs(c, &ps)
	names.checkGear(c, k, &ps)
	if c.Kind == "link.frame" {
		names.checkFrames(c, &ps)
	}
	names.checkWhile(c, &ps)
	for i, tag := range c.Tags {
		own, ok := names.Tags[c.Target]
		switch {
		case !slices.Contains(names.Channels, tag):
			ps.AddName(fmt.Sprintf("tags[%d]", i), fmt.Sprintf("there is no tag %q", tag), tag, names.Channels)
		case ok && !slices.Contains(own, tag):
			ps.AddName(fmt.Sprintf("tags[%d]", i), fmt.Sprintf("%q is not a tag of %s", tag, c.Target), tag, own)
		}
	}
	return append(ps, c.check(k)...)
}

// check is Validate without the target.
func (c Config) check(k *kind) strict.Problems {
	var ps strict.Problems
	if c.At < 0 {
		ps.Addf("at", "%v is before the start of the run", c.At)
	}
	used := c.used()
	for _, key := range used {
		if !slices.Contains(common, key) && !k.knows(key) {
			ps.Addf(key, "%s does not know this key; it knows %s", c.Kind, k.keyList())
		}
	}
	for _, key := range k.Keys {
		if key.Required && !slices.Contains(used, key.Name) {
			ps.Addf(key.Name, "is missing: %s, such as %s", key.Doc, key.Example)
		}
	}
	if c.For < 0 {
		ps.Addf("for", "%v is negative", c.For)
	}
	c.When.check(c, k, &ps)
	if k.check != nil {
		k.check(c, &ps)
	}
	return ps
}

// checkGear reports what the gear cannot do: whoever shares a process shares its
// clock.
func (n Names) checkGear(c Config, k *kind, ps *strict.Problems) {
	if n.Gear == "" || n.Gear == "fast" || k.Gears == "" || k.Gears == n.Gear {
		return
	}
	ps.Addf("kind", "%s needs the %s gear: in the virtual gear the gateway shares its process, and so its clock, with the plant", c.Kind, k.Gears)
}

// used lists the keys that are set, in the order of the fields.
func (c Config) used() []string {
	var keys []string
	eachKey(reflect.ValueOf(c), func(key string, v reflect.Value) {
		if !v.IsZero() {
			keys = append(keys, key)
		}
	})
	return keys
}

// eachKey goes over the keys of a fault, those of When in their place.
func eachKey(v reflect.Value, f func(key string, v reflect.Value)) {
	for i := range v.NumField() {
		if field := v.Type().Field(i); field.Anonymous {
			eachKey(v.Field(i), f)
		} else {
			f(keyOf(field), v.Field(i))
		}
	}
}

// note is the kind's own keys in words: "delay 50ms, jitter 5ms".
func (c Config) note() string {
	var parts []string
	eachKey(reflect.ValueOf(c), func(key string, v reflect.Value) {
		if !v.IsZero() && key != "for" && !slices.Contains(common, key) {
			parts = append(parts, fmt.Sprintf("%s %v", key, v.Interface()))
		}
	})
	return strings.Join(parts, ", ")
}

func keyOf(f reflect.StructField) string {
	key, _, _ := strings.Cut(f.Tag.Get("toml"), ",")
	return key
}
