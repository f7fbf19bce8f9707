package predict

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// What lies jumps or goes straight; what wears goes ever faster, or comes through
// heat that creeps. Each is told after two and a half hours, whenever it began and
// to whichever side it goes; noise is neither.
func TestCourse(t *testing.T) {
	for _, c := range []struct {
		name  string
		shape func(h float64) float64 // from its beginning on
		want  float64
	}{
		{"bias", func(float64) float64 { return 2 }, -1},
		{"small bias", func(float64) float64 { return 0.3 }, -1},
		{"drift", func(h float64) float64 { return h }, -1},
		{"slow drift", func(h float64) float64 { return 0.3 * h }, -1},
		{"wear within hours", func(h float64) float64 { return 0.1 * math.Exp(1.2*h) }, 1},
		{"wear within a day", func(h float64) float64 { return 0.5 * math.Exp(0.25*h) }, 1},
		{"heat", func(h float64) float64 { return 2 * (1 - math.Exp(-h/0.9)) }, 1},
		{"heat, and wear goes on", func(h float64) float64 { return math.Exp(0.3*h) - math.Exp(-h/0.6) }, 1},
		{"nothing", func(float64) float64 { return 0 }, 0},
	} {
		for seed := range uint64(20) {
			rng := rand.New(rand.NewPCG(seed, 8))
			began, sign := -2.6+0.3*rng.Float64(), math.Copysign(1, rng.Float64()-0.5)
			var ts, ys []float64
			for i := range 210 {
				at := float64(i-210) / 60
				y := 0.03 * rng.NormFloat64()
				if at >= began {
					y += sign * c.shape(at-began)
				}
				ts, ys = append(ts, at), append(ys, y)
			}
			got := course(ts, ys)
			if c.want > 0 && got < wears || c.want < 0 && got > 0 || c.want == 0 && math.Abs(got) > wears {
				t.Errorf("%s, seed %d: %.2f", c.name, seed, got)
			}
		}
	}
	if got := course([]float64{-2, -1, 0}, []float64{1, 2, 4}); got != 0 {
		t.Errorf("three minutes are a course: %g", got)
	}
}

// The best multiple of a shape is found as by trying them all.
func TestUnexplained(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		ts, ys := make([]float64, 40), make([]float64, 40)
		for i := range ts {
			ts[i], ys[i] = float64(i)/10, rng.NormFloat64()+float64(i)*rng.Float64()/10
		}
		from := rng.Float64() * 3
		least := math.Inf(1)
		for a := -5.0; a < 5; a += 0.001 {
			sum := 0.0
			for i := range ts {
				e := ys[i]
				if ts[i] >= from {
					e -= a * (ts[i] - from)
				}
				sum += e * e
			}
			least = min(least, sum)
		}
		got := unexplained(ts, ys, from, func(h float64) float64 { return h })
		if math.Abs(got-least) > 1e-3*least {
			t.Errorf("%g, by trying %g", got, least)
		}
	}
	if got := unexplained([]float64{1, 2}, []float64{3, 4}, 9, math.Exp); got != 25 {
		t.Errorf("a shape that has not begun explains something: %g", got)
	}
}

// The past is the means of minutes, of the last hours only, as a plain list has it.
func TestPast(t *testing.T) {
	p := newPast(2)
	rng := rand.New(rand.NewPCG(3, 4))
	start, at := time.Unix(5000, 0), time.Unix(5000, 0)
	var begun []time.Time
	var means [][2]float64
	var open [][2]float64
	for range 5000 {
		r := [2]float64{rng.NormFloat64(), rng.NormFloat64()}
		if len(open) > 0 && at.Sub(begun[len(begun)-1]) >= time.Minute {
			var m [2]float64
			for _, o := range open {
				m[0] += o[0] / float64(len(open))
				m[1] += o[1] / float64(len(open))
			}
			means, open = append(means, m), nil
		}
		if len(open) == 0 {
			begun = append(begun, at)
		}
		open = append(open, r)
		p.add(at, r[:])
		if at = at.Add(10 * time.Second); rng.IntN(200) == 0 {
			at = at.Add(time.Duration(rng.IntN(3000)) * time.Second)
		}
	}
	for k := range 2 {
		for _, from := range []time.Time{start, at.Add(-2 * time.Hour), at} {
			var ts, ys []float64
			for i := max(0, len(means)-pastRows); i < len(means); i++ {
				if !begun[i].Before(from) {
					ts, ys = append(ts, begun[i].Sub(at).Hours()), append(ys, means[i][k])
				}
			}
			gt, gy := p.of(k, from, at)
			if len(gt) != len(ts) {
				t.Fatalf("%d minutes, want %d", len(gt), len(ts))
			}
			for i := range gt {
				if math.Abs(gt[i]-ts[i]) > 1e-12 || math.Abs(gy[i]-ys[i]) > 1e-9 {
					t.Fatalf("minute %d is %g at %g, want %g at %g", i, gy[i], gt[i], ys[i], ts[i])
				}
			}
		}
	}
}
