package faults

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/plantbed/plantbed/internal/strict"
)

var names = Names{
	Links:    []string{"broker", "plc-fill", "plc-pack"},
	Knobs:    []string{"filler/bearing-de", "filler/bearing-nde"},
	Channels: []string{"filler/motor/current", "filler/motor/temperature"},
	Switches: []string{"plc-fill", "plc-pack"},
	Hosts:    []string{"gateway"},
	OPCUA:    []string{"plc-fill"},
	Secured:  []string{"plc-fill"},
	Brokers:  []string{"broker"},
	Machines: []string{"filler", "packer"},
	States:   []string{"Idle", "Execute"},
	Framed:   map[string]string{"broker": "mqtt", "plc-pack": "modbus"},
}

// Every bad case is a file that ends with the problems it must cause; a line
// that ends in "is not" stands for all that goes on like it.
func TestBadConfigs(t *testing.T) {
	files, _ := filepath.Glob("testdata/bad/*.toml")
	if len(files) < 25 {
		t.Fatalf("only %d files", len(files))
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			cfgs, src, got := load(t, path)
			for i, c := range cfgs {
				got = append(got, src.Locate(c.Validate(names).Under(fmt.Sprintf("fault[%d]", i)))...)
			}
			_, late := Resolve(cfgs, 2*time.Hour, 1)
			for _, p := range src.Locate(late) { // says again what Validate has said
				if !slices.Contains(got, p) {
					got = append(got, p)
				}
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for line := range strings.Lines(string(text)) {
				if w, ok := strings.CutPrefix(line, "# want: "); ok {
					want = append(want, strings.TrimSuffix(w, "\n"))
				}
			}
			var lines []string
			for _, p := range got {
				lines = append(lines, p.String())
			}
			slices.Sort(lines)
			slices.Sort(want)
			if !slices.EqualFunc(lines, want, func(l, w string) bool { return l == w || strings.HasSuffix(w, "is not") && strings.HasPrefix(l, w) }) {
				t.Errorf("problems:\n%s\nwant:\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// full is a good config of each kind, from the examples of its keys.
func full(t *testing.T, k Kind) Config {
	t.Helper()
	text := fmt.Sprintf("[[fault]]\nkind = %q\nat = \"1m\"\ntarget = %q\n", k.Name, names.of(k.Seam)[0])
	for _, key := range k.Keys {
		text += fmt.Sprintf("%s = %s\n", key.Name, key.Example)
	}
	var file struct {
		Fault []Config `toml:"fault"`
	}
	if _, ps := strict.Decode("scenario.toml", []byte(text), &file); len(ps) > 0 {
		t.Fatalf("%s\n%s", ps.Err(), text)
	}
	return file.Fault[0]
}

// needed are keys that others of the same example need.
var needed = map[string]bool{"link.down mode": true, "link.frame delay": true, "gateway.kill on": true}

// The table is complete and true: every example is valid, every required key
// is missed, every kind can be scheduled, and every field belongs to some kind.
func TestKinds(t *testing.T) {
	known := map[string]bool{}
	for _, k := range Kinds() {
		c := full(t, k)
		if err := c.Validate(names).Err(); err != nil {
			t.Errorf("%s: its own examples do not do: %v", k.Name, err)
		}
		if k.Doc == "" || k.Class == "" || k.Seam == "" {
			t.Errorf("%s: no doc, class or seam", k.Name)
		}
		for _, key := range k.Keys {
			known[key.Name] = true
			without := c
			eachKey(reflect.ValueOf(&without).Elem(), func(name string, v reflect.Value) {
				if name == key.Name {
					v.SetZero()
				}
			})
			if needed[k.Name+" "+key.Name] {
				continue
			}
			if ok := without.Validate(names).Err() == nil; ok == key.Required {
				t.Errorf("%s without %s: valid is %v, required is %v", k.Name, key.Name, ok, key.Required)
			}
		}
	}
	eachKey(reflect.ValueOf(Config{}), func(key string, _ reflect.Value) {
		if !known[key] && !slices.Contains(common, key) {
			t.Errorf("no kind knows the key %s", key)
		}
	})
	for i, key := range WhenKeys {
		if key.Name != whenKeys[i] {
			t.Errorf("the %dth key of a schedule is %s, and %s for people", i, whenKeys[i], key.Name)
		}
	}
}

// What a resolved scenario spells out reads back as the same faults.
func TestRoundTrip(t *testing.T) {
	type file struct {
		Fault []Config `toml:"fault"`
	}
	var out file
	for _, k := range Kinds() {
		out.Fault = append(out.Fault, full(t, k).WithDefaults(), Config{Kind: k.Name}.WithDefaults())
	}
	var b strings.Builder
	if err := toml.NewEncoder(&b).Encode(out); err != nil {
		t.Fatal(err)
	}
	var back file
	if _, ps := strict.Decode("x", []byte(b.String()), &back); len(ps) > 0 {
		t.Fatalf("%s\n%s", ps.Err(), b.String())
	}
	if !reflect.DeepEqual(out, back) {
		t.Errorf("read back:\n%+v\nwritten:\n%+v", back, out)
	}
	if strings.Contains(b.String(), `"0s"`) && !strings.Contains(b.String(), `at = "0s"`) || strings.Contains(b.String(), "factor = 0") {
		t.Errorf("what is not used is spelled out:\n%s", b.String())
	}
}

func TestQuantities(t *testing.T) {
	for _, tc := range []struct {
		q    quantity
		text string
		want float64
		ok   bool
	}{
		{percent, "5 %", 0.05, true},
		{percent, "-5%", -0.05, true},
		{percent, "+1.5e1 %", 0.15, true},
		{percent, "5", 0, false},
		{percent, "%", 0, false},
		{percent, "", 0, false},
		{percent, "5 % ", 0, false},
		{percent, "0x10 %", 0, false},
		{percent, "1_0 %", 0, false},
		{percent, "Inf %", 0, false},
		{percent, "1e999 %", 0, false},
		{percentRate, "36 %/h", 1e-4, true},
		{percentRate, "60 %/min", 0.01, true},
		{percentRate, "864 %/d", 1e-4, true},
		{percentRate, "1 %/s", 0.01, true},
		{percentRate, "1 %", 0, false},
		{bandwidth, "64 KiB/s", 65536, true},
		{bandwidth, "8 Mbit/s", 1e6, true},
		{bandwidth, "1 kB/s", 1000, true},
		{bandwidth, "1 KB/s", 0, false},
		{bandwidth, "1e308 Mbit/s", 0, false},
		{ppm, "50 ppm", 50e-6, true},
		{ppm, "-86.4 s/d", -1e-3, true},
	} {
		got, err := tc.q.parse(tc.text)
		if (err == nil) != tc.ok || got < tc.want-1e-12 || got > tc.want+1e-12 {
			t.Errorf("%s %q: %v, %v; want %v, %v", tc.q.noun, tc.text, got, err, tc.want, tc.ok)
		}
	}
}

func FuzzQuantity(f *testing.F) {
	f.Add("5 %")
	f.Add("-1e3 %/h")
	f.Fuzz(func(t *testing.T, text string) {
		for _, q := range []quantity{percent, percentRate, bandwidth, ppm} {
			if v, err := q.parse(text); err != nil && v != 0 || math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("%q: %v, %v", text, v, err)
			}
		}
	})
}
