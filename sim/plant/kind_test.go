package plant

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestKindTablesAreSound(t *testing.T) {
	size := map[string]float64{"float": math.Inf(1), "double": math.Inf(1), "int16": 32767, "uint16": 65535, "int32": math.MaxInt32, "uint32": math.MaxUint32, "bool": 1}
	total, fast := 0, 0
	for _, k := range Kinds() {
		names := map[string]bool{}
		for _, s := range k.Signals {
			at := k.Name + "/" + s.Name
			if names[s.Name] {
				t.Errorf("%s is there twice", at)
			}
			names[s.Name] = true
			total++
			if s.Fast {
				fast++
			}
			counts := math.Max(math.Abs(s.Lo), s.Hi) / s.Resolution
			if s.Unit == "" || s.Doc == "" || !(s.Lo < s.Hi) || s.Resolution <= 0 || s.Noise < 0 || counts > size[s.Type] {
				t.Errorf("%s: %+v", at, s)
			}
			if (s.Type == "float" || s.Type == "double") && counts > 32767 {
				t.Errorf("%s does not fit 16 bits at its resolution: %g counts", at, counts)
			}
		}
		params := map[string]bool{}
		for _, p := range k.Params {
			if d, _ := unit(p.Unit); d == "" || params[p.Name] || !(p.Min <= p.Default && p.Default <= p.Max) || p.Doc == "" || strings.Trim(p.Name, "abcdefghijklmnopqrstuvwxyz_") != "" {
				t.Errorf("%s: parameter %+v", k.Name, p)
			}
			params[p.Name] = true
		}
		if len(k.Components) == 0 || len(k.Components) > maxComponents {
			t.Errorf("%s has %d components", k.Name, len(k.Components))
		}
		for _, c := range k.Components {
			if !names[c.Shows] || c.Law.Name == "" || c.LookAlike.Doc == "" || c.Doc == "" || c.Mode == "" {
				t.Errorf("%s: %+v", k.Name, c)
			}
		}
		if len(k.Regimes) < 2 {
			t.Errorf("%s works in %d regimes", k.Name, len(k.Regimes))
		}
	}
	if total < 66 || fast < 6 {
		t.Errorf("one of each kind has %d signals, %d of them fast; want 66 and 6", total, fast)
	}
	if Kinds()[0].Signals[3].Name = "changed"; Kinds()[0].Signals[3].Name == "changed" {
		t.Error("Kinds hands out its own table")
	}
}

// Healthy or worn, running or broken: every value stays within its span.
func TestSignalsStayInSpan(t *testing.T) {
	k, p := build(t, 5, bottling())
	for i, m := range p.Machines() {
		for j, name := range m.Knobs() {
			from := time.Duration(10+7*i+29*j) * time.Minute
			wearOut(t, p, m.Name, name, from, from+25*time.Minute)
		}
	}
	p.Start()
	for at := 137 * time.Millisecond; at < 3*time.Hour; at += 1717 * time.Millisecond {
		k.Run(at)
		for _, m := range p.Machines() {
			for _, s := range m.Signals() {
				if v := s.Read(at); !(v >= s.Lo && v <= s.Hi) {
					t.Fatalf("%v: %s/%s = %g is not from %g to %g", at, m.Name, s.Name, v, s.Lo, s.Hi)
				}
			}
		}
	}
}

// With every parameter at either end of its range, where that is allowed,
// every value is finite and within its span.
func TestExtremeParametersStayFinite(t *testing.T) {
	for _, kd := range Kinds() {
		for _, p := range kd.Params {
			for _, v := range []float64{p.Min, p.Max} {
				cfg := Config{Machines: []MachineConfig{{Name: "m", Kind: kd.Name, Params: map[string]string{p.Name: p.show(v)}}}}
				if len(cfg.Validate()) > 0 {
					continue // ruled out by another parameter's default
				}
				k, pl := build(t, 1, cfg)
				pl.Start()
				for _, w := range pl.machines[0].wears {
					if err := w.Set(0.9); err != nil {
						t.Fatal(err)
					}
				}
				for at := time.Duration(0); at < 2*time.Minute; at += 7 * time.Second {
					k.Run(at)
					for _, s := range pl.machines[0].Signals() {
						if got := s.Read(at); !(got >= s.Lo && got <= s.Hi) {
							t.Fatalf("%s with %s = %s: %s = %g at %v, span %g to %g", kd.Name, p.Name, p.show(v), s.Name, got, at, s.Lo, s.Hi)
						}
					}
				}
			}
		}
	}
}

// A machine that has just been built is in its steady state already.
func TestStartsWarm(t *testing.T) {
	k, p := build(t, 3, bottling())
	p.Start()
	m := p.Machine("pump")
	first := value(t, m, "motor/winding-temp", 0)
	k.Run(40 * time.Minute)
	later := value(t, m, "motor/winding-temp", k.Now())
	if math.Abs(later-first) > 4 || first < 50 {
		t.Errorf("winding at %.1f degC at the start, %.1f after 40 min", first, later)
	}
}

// The seed is the day, the configuration is the plant: the same unit has the
// same constants under every seed, another serial number is another unit.
func TestUnitsScatterBySerialNotBySeed(t *testing.T) {
	healthy := func(seed, serial uint64) float64 {
		k, p := build(t, seed, Config{Machines: []MachineConfig{{Name: "pump", Kind: "pump-skid", Serial: serial}}})
		p.Start()
		sum := 0.0
		for range 600 {
			k.Run(k.Now() + time.Second)
			sum += value(t, p.Machine("pump"), "motor/bearing-de/vibration", k.Now()) / 600
		}
		return sum
	}
	one := healthy(1, 0)
	if again := healthy(2, 0); math.Abs(again/one-1) > 0.01 {
		t.Errorf("one unit shakes by %g g on one day and by %g g on another", one, again)
	}
	low, high := one, one
	for serial := range uint64(8) {
		v := healthy(1, serial)
		low, high = min(low, v), max(high, v)
	}
	if high/low < 1.05 || high/low > 1.6 {
		t.Errorf("eight units shake by %g to %g g", low, high)
	}
}
