package plc_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim"
	"github.com/plantbed/plantbed/sim/plc"
)

func TestNewRefuses(t *testing.T) {
	read := func(time.Duration) float64 { return 0 }
	good := plc.Tag{ID: "a", Type: plc.Int16, Read: read}
	with := func(change func(*plc.Tag)) []plc.Tag { t := good; change(&t); return []plc.Tag{t} }
	cfg := plc.Config{Name: "p", Protocol: "opcua"}
	fast := cfg
	fast.FastScan, fast.FastTags = strict.Duration(time.Second), []string{"pump/curent"}
	for _, c := range []struct {
		cfg  plc.Config
		tags []plc.Tag
		want string
	}{
		{cfg, with(func(t *plc.Tag) { t.ID = "" }), "without an ID"},
		{cfg, with(func(t *plc.Tag) { t.Type = 0 }), "no wire type"},
		{cfg, with(func(t *plc.Tag) { t.Type = 99 }), "no wire type"},
		{cfg, with(func(t *plc.Tag) { t.Scale = -1 }), "scale"},
		{cfg, with(func(t *plc.Tag) { t.Scale = math.NaN() }), "scale"},
		{cfg, with(func(t *plc.Tag) { t.Type, t.Scale = plc.Float32, 2 }), "scale"},
		{cfg, with(func(t *plc.Tag) { t.Noise = -1 }), "noise"},
		{cfg, with(func(t *plc.Tag) { t.Read = nil }), "read"},
		{cfg, with(func(t *plc.Tag) { t.Lo, t.Hi = 1e6, 2e6 }), "span"},
		{cfg, with(func(t *plc.Tag) { t.Hi = math.NaN() }), "span"},
		{cfg, []plc.Tag{good, good}, "twice"},
		{fast, []plc.Tag{{ID: "pump/current", Type: plc.Bool, Read: read}}, `the nearest is "pump/current"`},
		{plc.Config{Protocol: "opcua"}, nil, "name"},
	} {
		_, err := plc.New(sim.New(1), c.cfg, start, c.tags)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want something about %q", err, c.want)
		}
	}
}

func TestConfigValidate(t *testing.T) {
	far := 0.5
	for _, c := range []struct {
		cfg  plc.Config
		want string // paths of the problems
	}{
		{config(), ""},
		{plc.Config{Name: "p", Protocol: "modbus"}, ""},
		{plc.Config{}, "name protocol"},
		{plc.Config{Name: "p", Protocol: "profinet", Scan: 5, Unit: 248, InstallBias: &far}, "protocol scan unit install_bias"},
		{plc.Config{Name: "p", Protocol: "opcua", Scan: -1}, "scan"},
		{plc.Config{Name: "p", Protocol: "opcua", FastTags: []string{"a", "a"}}, "fast_scan fast_tags[1]"},
		{plc.Config{Name: "p", Protocol: "opcua", FastScan: 7}, "fast_scan"},
		{plc.Config{Name: "p", Protocol: "opcua", FastScan: strict.Duration(time.Second)}, "fast_tags"},
	} {
		var paths []string
		for _, p := range c.cfg.Validate() {
			paths = append(paths, p.Path)
		}
		if got := strings.Join(paths, " "); got != c.want {
			t.Errorf("%+v: problems at %q, want %q", c.cfg, got, c.want)
		}
	}
}

func TestParseType(t *testing.T) {
	for _, name := range []string{"bool", "int16", "uint16", "int32", "uint32", "float", "double"} {
		if typ, err := plc.ParseType(name); err != nil || typ.String() != name {
			t.Errorf("%s: %v %v", name, typ, err)
		}
	}
	if _, err := plc.ParseType("int61"); err == nil || !strings.Contains(err.Error(), `"int16"`) {
		t.Errorf("int61: %v", err)
	}
}
