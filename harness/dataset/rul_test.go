package dataset

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/plantbed/plantbed/sim/physics"
)

// The truth lies within the 5 % and 95 % quantiles nine times of ten, and below
// the median every other time, whatever the law and the age: what is written
// down of the law is what makes the damage.
func TestQuantilesCover(t *testing.T) {
	const lo, hi, n = 1800.0, 14400.0, 800
	for _, law := range []physics.Law{physics.Spall, physics.Abrasion, physics.Diffusion, physics.Erosion, physics.Crack, physics.Flank, physics.Wander, physics.Corrosion} {
		rng := rand.New(rand.NewPCG(1, 2))
		b := bridgeOf(law)
		for _, age := range []float64{60, 400, 1500} {
			inside, below := 0, 0
			for range n {
				life := lo * math.Pow(hi/lo, rng.Float64())
				q := b.remaining(law.Course(0, life, rng).At(age), age, lo, hi)
				if left := life - age; q[0] <= left && left <= q[2] {
					inside++
				}
				if life-age < q[1] {
					below++
				}
			}
			// Four standard deviations of a share of n, and the grid's own error.
			if got := float64(inside) / n; math.Abs(got-0.9) > 4*math.Sqrt(0.09/n)+0.005 {
				t.Errorf("%s after %v s: %.3f within the 90 %% interval", law.Name, age, got)
			}
			if got := float64(below) / n; math.Abs(got-0.5) > 4*math.Sqrt(0.25/n)+0.005 {
				t.Errorf("%s after %v s: %.3f below the median", law.Name, age, got)
			}
		}
	}
}

// At the onset nothing is known but the bounds.
func TestQuantilesAtTheOnset(t *testing.T) {
	q := bridgeOf(physics.Spall).remaining(physics.IncipientDamage, 0, 1000, 4000)
	if math.Abs(q[1]-2000) > 1e-9 || math.Abs(q[0]-1000*math.Pow(4, 0.05)) > 1e-9 {
		t.Errorf("%v", q)
	}
}

// The more is worn, the less is left.
func TestQuantilesAreOrdered(t *testing.T) {
	for _, law := range physics.Laws {
		for _, age := range []float64{10, 100, 1000, 3000} {
			last := math.Inf(1)
			for _, d := range []float64{0.011, 0.03, 0.1, 0.4, 0.9} {
				q := bridgeOf(law).remaining(d, age, 1800, 14400)
				if !(q[0] >= 0 && q[0] <= q[1] && q[1] <= q[2]) || q[1] > last*1.02 {
					t.Errorf("%s: damage %v at %v s: %v after a median of %v", law.Name, d, age, q, last)
				}
				last = q[1]
			}
		}
	}
}
