package dataset

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/plantbed/plantbed/sim/physics"
)

// choir records two bearings of each unit as a data set does: a quarter of the
// recordings are of a damaged one, each at a speed of its own. spoil
// plants a defect in a recording of a unit before it is made.
func choir(spoil func(unit int, v *voice, b *Burst)) []summary {
	const units, each, samples = 40, 16, 2048
	var sums []summary
	for u := range units {
		rng := rand.New(rand.NewPCG(uint64(u), 11))
		s := summary{Run: u, Unit: u}
		var bursts []Burst
		for i := range each {
			b := Burst{Machine: "m", Component: fmt.Sprintf("bearing-%d", i/8), RateHz: 12_800, ShaftHz: 22 + 6*rng.Float64(), Race: "none"}
			race := physics.NoRace
			if i%4 == 0 {
				race, b.Damage = races[rng.IntN(len(races))], 0.1+0.5*rng.Float64()
				b.Race = race.String()
			}
			v := newVoice(uint64(u), b.Component)
			if spoil != nil {
				spoil(u, &v, &b)
			}
			x := make([]float64, samples)
			v.record(x, race, b.Damage, 0.1, b.ShaftHz, b.RateHz, rng)
			for _, g := range x {
				b.Samples = append(b.Samples, float32(g))
			}
			bursts = append(bursts, b)
		}
		s.Heard = hear(bursts)
		sums = append(sums, s)
	}
	return sums
}

// waveDefects are what each check of the waveforms is there to find.
var waveDefects = map[string]func(unit int, v *voice, b *Burst){
	"bursts.healthy_knocks": func(_ int, v *voice, _ *Burst) { v.strayHz, v.around.Knock = 0, 0 },
	"bursts.background_spread": func(_ int, v *voice, _ *Burst) { // all units sound like one
		one := newVoice(1, "one")
		v.around, v.modes = one.around, one.modes
	},
	"bursts.speed_spread": func(_ int, _ *voice, b *Burst) { b.ShaftHz = 25 },
	"bursts.held_out": func(unit int, v *voice, b *Burst) { // half of the units sound like nothing that the others do
		if unit%2 == 1 {
			v.around.Knock, v.around.KnockHz = 5, defectsHz(b.ShaftHz)[0]
		}
	},
	"bursts.defect_line": func(_ int, _ *voice, b *Burst) { // the label names another race
		b.Race = map[string]string{"none": "none", "outer": "ball", "inner": "outer", "ball": "inner"}[b.Race]
	},
	"bursts.razor_lines": func(_ int, v *voice, _ *Burst) { v.slip = 0 },
}

// Every check of the waveforms says yes to good ones, and no to those that
// have the defect that it is there to find.
func TestEveryCheckOfWaveformsFindsItsDefect(t *testing.T) {
	for _, c := range waveChecks(choir(nil)) {
		t.Logf("%s: %v, with its defect %v", c.Name, c.Value, named(waveChecks(choir(waveDefects[c.Name])), c.Name).Value)
		if !c.Holds || c.Unknown {
			t.Errorf("good waveforms: %+v", c)
		}
		if waveDefects[c.Name] == nil {
			t.Errorf("no defect is planted for %s", c.Name)
		}
	}
	for name, plant := range waveDefects {
		if c := named(waveChecks(choir(plant)), name); c.Holds || c.Unknown {
			t.Errorf("the defect is not found: %+v", c)
		}
	}
}

func named(all []Check, name string) Check {
	for _, c := range all {
		if c.Name == name {
			return c
		}
	}
	return Check{Name: name, Unknown: true}
}

// Of recordings that are too short for lines, and of too few units, the checks
// say that they do not know.
func TestTooLittleToHear(t *testing.T) {
	sums := choir(func(_ int, _ *voice, b *Burst) { b.RateHz = 256_000 })
	for _, c := range waveChecks(sums) {
		switch c.Name {
		case "bursts.held_out", "bursts.defect_line", "bursts.razor_lines":
			if !c.Unknown {
				t.Errorf("8 ms: %+v", c)
			}
		}
	}
	for _, c := range waveChecks(choir(nil)[:2]) {
		if !c.Unknown || c.Holds {
			t.Errorf("two units: %+v", c)
		}
	}
	if waveChecks(make([]summary, 3)) != nil {
		t.Error("something is said about waveforms that are not there")
	}
}

// Kurtosis is 3 of noise and 1.5 of a sine.
func TestKurtosis(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	noise, sine := make([]float32, 1<<16), make([]float32, 1<<16)
	for i := range noise {
		noise[i], sine[i] = float32(rng.NormFloat64()), float32(math.Sin(0.1*float64(i)))
	}
	if k := kurtosis(noise); math.Abs(k-3) > 0.1 {
		t.Errorf("noise: %.3f", k)
	}
	if k := kurtosis(sine); math.Abs(k-1.5) > 0.01 {
		t.Errorf("a sine: %.3f", k)
	}
	if k := kurtosis(make([]float32, 8)); k != 0 {
		t.Errorf("silence: %v", k)
	}
}
