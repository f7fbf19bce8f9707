package pipeline

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/plantbed/plantbed/sim/signal"
)

// TestRepeat holds the filter against looking back through everything passed.
func TestRepeat(t *testing.T) {
	for seed := range uint64(50) {
		in := random(rand.New(rand.NewPCG(seed, 4)), 60)
		in = append(in, signal.Sample{ID: "a", Seq: 999, SourceTime: t0}, signal.Sample{ID: "a", Seq: 999, SourceTime: t0.In(time.FixedZone("x", 3600))},
			signal.Sample{ID: "a", Seq: 999, SourceTime: t0.Add(1)})
		var want []signal.Sample
		for _, x := range in {
			keep := true
			for i := len(want) - 1; i >= 0; i-- {
				if want[i].ID == x.ID {
					keep = want[i].Seq != x.Seq || !want[i].SourceTime.Equal(x.SourceTime)
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
		check(t, func() Stage { return NewRepeat() }, in, want)
	}
}
