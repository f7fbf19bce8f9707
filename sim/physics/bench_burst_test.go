package physics

import (
	"math/rand/v2"
	"testing"
)

// What a healthy recording of a data set costs.
func BenchmarkBurstAround(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	x := make([]float64, 2048)
	for i := range b.N {
		g := DrawBackground(rand.New(rand.NewPCG(uint64(i%50), 1)))
		burst := Burst{Geometry: SKF6205, ShaftHz: 25, RateHz: 12_800, BackgroundG: 0.1, StrayHz: 0.5, Around: &g, Modes: HousingModes(3)}
		burst.Record(x, rng)
	}
}
