package pipeline

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/plantbed/plantbed/sim/signal"
)

// TestDeadband holds the stage against looking back through everything passed.
func TestDeadband(t *testing.T) {
	bands := map[signal.ID]float64{"a": 2, "b": 0}
	for seed := range uint64(50) {
		all := []float64{0, 1}[seed%2]
		in := random(rand.New(rand.NewPCG(seed, 5)), 60)
		var want []signal.Sample
		for _, x := range in {
			band, own := bands[x.ID]
			if !own {
				band = all
			}
			keep := true
			for i := len(want) - 1; i >= 0 && band > 0; i-- {
				if want[i].ID == x.ID {
					keep = math.Abs(x.Value-want[i].Value) > band || x.Quality.Code() != want[i].Quality.Code()
					break
				}
			}
			if keep {
				want = append(want, x)
			}
		}
		if len(want) == len(in) {
			t.Fatal("nothing to drop: the test tests nothing")
		}
		check(t, func() Stage { return NewDeadband(all, bands) }, in, want)
	}
}
