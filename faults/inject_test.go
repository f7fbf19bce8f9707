package faults

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim"
)

// injections is a plant, its kernel and an injector that writes down its edges.
type injections struct {
	k     *sim.Kernel
	plant *fake
	in    *Injector
	notes []string
}

func newInjections() *injections {
	k := sim.New(1)
	x := &injections{k: k, plant: newFake(k)}
	x.in = NewInjector(k, x.plant, func(w Window, started bool) {
		x.notes = append(x.notes, fmt.Sprintf("%v %d %s %v", k.Now().Truncate(time.Second), w.Index, w.Kind, started))
	})
	return x
}

// at does something at a second of the run.
func (x *injections) at(second int, f func()) { x.k.AtVisible(sec(second).D(), f) }

func TestInject(t *testing.T) {
	x := newInjections()
	inject := func(c Config) func() {
		return func() {
			if _, err := x.in.Inject(c); err != nil {
				t.Error(err)
			}
		}
	}
	x.at(10, inject(fault("link.down", "l", 99, 20)))                                              // at does not matter
	x.at(15, inject(fault("link.down", "l", 0, 0, func(c *Config) { c.Mode = "blackhole" })))      // endless
	x.at(20, inject(fault("sensor.bias", "c", 0, 5, func(c *Config) { c.Bias = "10 %" })))         // ends by itself
	x.at(22, inject(fault("sensor.stuck", "c", 0, 0)))                                             //
	x.at(23, inject(fault("asset.bearing_wear", "k", 0, 0, func(c *Config) { c.Life = sec(60) }))) //
	x.at(35, func() {
		var open []string
		for _, w := range x.in.Active() {
			open = append(open, fmt.Sprint(w.Index, w.Kind, w.Open))
		}
		if got := strings.Join(open, " "); got != "2link.downtrue 4sensor.stucktrue 5asset.bearing_wearfalse" {
			t.Errorf("open: %s", got)
		}
	})
	for second, index := range map[int]int{40: 2, 41: 4, 42: 5, 43: 7} {
		x.at(second, func() {
			if w, ok := x.in.Clear(index); ok != (index != 7) || ok && w.Index != index {
				t.Errorf("clear %d: %v, %v", index, w, ok)
			}
		})
	}
	x.k.Run(3 * time.Minute)
	want := []string{
		"10s l Down(rst)",
		"15s l Down(blackhole)",
		"20s c SetBias(20)",
		"22s c Stuck(true)",
		"23s k Wear(23s, 1m23s)",
		"25s c SetBias(0)", // and no Clear: it is stuck
		"40s l Up()",
		"41s c Stuck(false)",
		"41s c Clear()",
		"42s k Clear()",
	}
	if !slices.Equal(x.plant.calls, want) {
		t.Errorf("calls:\n\t%s\nwant:\n\t%s", strings.Join(x.plant.calls, "\n\t"), strings.Join(want, "\n\t"))
	}
	if n := len(x.notes); n != 10 || x.notes[0] != "10s 1 link.down true" || x.notes[9] != "42s 5 asset.bearing_wear false" {
		t.Errorf("notes: %q", x.notes)
	}
	if len(x.in.Active()) != 0 {
		t.Errorf("still open: %v", x.in.Active())
	}
}

// What is refused leaves nothing behind, neither a window nor a turned seam.
func TestInjectRefuses(t *testing.T) {
	x := newInjections()
	x.plant.wear = fmt.Errorf("is worn already")
	for _, c := range []struct {
		cfg  Config
		want string
	}{
		{fault("link.gone", "l", 0, 0), `no fault kind "link.gone"`},
		{fault("link.down", "x", 0, 0), `no link "x"`},
		{fault("link.latency", "l", 0, 0), "delay: is missing"},
		{fault("link.down", "l", 0, -5), "for: -5s is negative"},
		{fault("asset.bearing_wear", "k", 0, 0, func(c *Config) { c.Life = sec(60) }), "asset.bearing_wear on k: is worn already"},
	} {
		if w, err := x.in.Inject(c.cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, %v, want %s", c.cfg, w, err, c.want)
		}
	}
	x.k.Run(2 * time.Minute)
	if len(x.in.Active()) != 0 || len(x.notes) != 0 || len(x.plant.calls) != 1 {
		t.Errorf("open %v, notes %q, calls %q", x.in.Active(), x.notes, x.plant.calls)
	}
}

// Injected one by one or planned before, faults turn a seam to the same state.
func TestInjectLikeSchedule(t *testing.T) {
	for seed := uint64(0); seed < 50; seed++ {
		rng := sim.Rand(seed, "inject")
		var cfgs []Config
		for range 6 {
			cfgs = append(cfgs, fault("link.latency", "l", 1+rng.IntN(40), 1+rng.IntN(30), func(c *Config) { c.Delay = strict.Duration(1 + rng.IntN(1e9)) }))
		}
		k := sim.New(seed)
		planned := newFake(k)
		plan, _ := Resolve(cfgs, 2*time.Minute, seed)
		if err := Schedule(k, plan, cfgs, planned, nil); err != nil {
			t.Fatal(err)
		}
		x := newInjections()
		for _, c := range cfgs {
			x.k.AtVisible(c.At.D(), func() { x.in.Inject(c) })
		}
		for s := 1; s < 90; s++ {
			at := sec(s).D() + 500*time.Millisecond
			k.Run(at)
			x.k.Run(at)
			a, b := planned.links["l"], x.plant.links["l"]
			if a != nil && b != nil && total(a.toServer) != total(b.toServer) {
				t.Fatalf("seed %d at %v: planned %v, injected %v", seed, at, a.toServer, b.toServer)
			}
		}
	}
}

func TestDecodeJSON(t *testing.T) {
	c, ps := DecodeJSON([]byte(`{"kind": "sensor.noise", "target": "c", "for": "45s", "factor": 5}`))
	want := Config{Kind: "sensor.noise", Target: "c", For: sec(45), Factor: 5}
	if len(ps) > 0 || fmt.Sprint(c) != fmt.Sprint(want) {
		t.Errorf("%+v, %v", c, ps)
	}
	if c, ps = DecodeJSON([]byte(`{"kind": "plc.node_gone", "tags": ["a", "b"]}`)); len(ps) > 0 || !slices.Equal(c.Tags, []string{"a", "b"}) {
		t.Errorf("%+v, %v", c, ps)
	}
	for text, want := range map[string]string{
		`{"kind": "link.down", "taget": "l"}`: `taget: unknown key (did you mean "target"?)`,
		`{"for": "45"}`:                       `for: "45" is not a duration`,
		`{"for": 45}`:                         "for: ",
		`{"factor": "5"}`:                     "factor: ",
		`{"kind": {"a": 1}}`:                  `"kind" is neither text`,
		`{"kind": null}`:                      `"kind" is neither text`,
		`{"tags": [1]}`:                       `"tags" is not a list of texts`,
		`null`:                                "null is no object",
		``:                                    "not a JSON object",
		`[]`:                                  "not a JSON object",
		`{} {}`:                               "something stands behind",
		`{"factor": 1e999}`:                   "",
	} {
		if _, ps := DecodeJSON([]byte(text)); len(ps) == 0 || !strings.Contains(ps.Error(), want) {
			t.Errorf("%s: %v, want %s", text, ps, want)
		}
	}
}

func FuzzDecodeJSON(f *testing.F) {
	f.Add([]byte(`{"kind": "link.down", "for": "5s", "tags": ["a"], "factor": 1e5, "once": true}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		x := newInjections()
		if c, ps := DecodeJSON(text); len(ps) == 0 {
			_, _ = x.in.Inject(c)
			x.k.Run(time.Second)
		}
	})
}

func total(s Shape) (sum time.Duration) {
	for _, d := range s.Delays {
		sum += d.Delay
	}
	return sum
}

// What is injected begins now: it has numbers and no schedule.
func TestInjectHasNoSchedule(t *testing.T) {
	c, ps := DecodeJSON([]byte(`{"kind": "link.frame", "target": "l", "frame": "response", "action": "drop", "nth": 2, "count": 3}`))
	if len(ps) > 0 || c.Nth != 2 || c.Count != 3 {
		t.Errorf("%+v, %v", c, ps)
	}
	x := newInjections()
	for _, text := range []string{
		`{"kind": "link.stall", "target": "l", "every": "10s"}`,
		`{"kind": "link.stall", "target": "l", "while": "m is Execute"}`,
		`{"kind": "link.stall", "target": "l", "follows": "cut"}`,
	} {
		c, ps := DecodeJSON([]byte(text))
		if len(ps) > 0 {
			t.Errorf("%s: %v", text, ps)
		}
		if _, err := x.in.Inject(c); err == nil || !strings.Contains(err.Error(), "has no schedule") {
			t.Errorf("%s: %v", text, err)
		}
	}
	if w, err := x.in.Inject(Config{Kind: "broker.restart"}); err != nil || w.Open || w.To <= w.From {
		t.Errorf("an instant: %+v, %v", w, err)
	}
	x.k.Run(time.Second)
	if len(x.in.Active()) != 0 || len(x.plant.calls) != 2 {
		t.Errorf("open %v, calls %v", x.in.Active(), x.plant.calls)
	}
}
