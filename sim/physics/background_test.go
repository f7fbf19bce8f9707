package physics

import (
	"math"
	"math/rand/v2"
	"testing"
)

// A line follows the cosine, without one per sample.
func TestTone(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	phase := 2 * math.Pi * rand.New(rand.NewPCG(1, 2)).Float64()
	line := newTone(123.4, 0.7, 12_800, rng)
	for i := range 1 << 16 {
		want := 0.7 * math.Cos(phase+2*math.Pi*123.4/12_800*float64(i))
		if got := line.next(); math.Abs(got-want) > 1e-6 {
			t.Fatalf("sample %d: %v, want %v", i, got, want)
		}
	}
}

// Whatever is in a background, it has the RMS that it is to have, and nothing
// in it is no number.
func TestBackgroundsHaveTheirRMS(t *testing.T) {
	for key := range uint64(200) {
		rng := rand.New(rand.NewPCG(key, 9))
		g := DrawBackground(rng)
		b := Burst{Geometry: SKF6205, ShaftHz: 5 + 50*rng.Float64(), RateHz: 1000 + 25_000*rng.Float64(), BackgroundG: 0.2, Modes: HousingModes(key), Around: &g}
		x := make([]float64, 512)
		b.Record(x, rng)
		sum := 0.0
		for _, v := range x {
			sum += v * v / float64(len(x))
		}
		if math.Abs(math.Sqrt(sum)-0.2) > 1e-9 {
			t.Fatalf("background %d: RMS %v g", key, math.Sqrt(sum))
		}
	}
}

// Each part of a background is heard where it should be.
func TestBackgroundParts(t *testing.T) {
	level := func(g Background, hz float64) float64 {
		b := Burst{Geometry: SKF6205, ShaftHz: 30, RateHz: 12_800, BackgroundG: 1, Modes: HousingModes(3), Around: &g}
		x := make([]float64, 1<<14)
		b.Record(x, rand.New(rand.NewPCG(5, 7)))
		re, im := 0.0, 0.0
		for i, v := range x {
			w := 2 * math.Pi * hz / b.RateHz * float64(i)
			re, im = re+v*math.Cos(w), im+v*math.Sin(w)
		}
		return 2 * math.Hypot(re, im) / float64(len(x))
	}
	quiet := Background{Flat: 0.5}
	for _, c := range []struct {
		name string
		hz   float64
		with Background
	}{
		{"shaft", 30, Background{Flat: 0.5, Lines: 1, Fade: 0.5}},
		{"mesh", 19 * 30, Background{Flat: 0.5, Mesh: 1, Teeth: 19}},
		{"hum", 100, Background{Flat: 0.5, Hum: 0.5}},
		{"next door", 77, Background{Flat: 0.5, Next: 1, NextHz: 77}},
	} {
		if with, without := level(c.with, c.hz), level(quiet, c.hz); with < 5*without {
			t.Errorf("%s: %.3f g at %v Hz, %.3f without", c.name, with, c.hz, without)
		}
	}
}
