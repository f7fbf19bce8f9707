package wire

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// The spreads have the moments and quantiles that theory gives them.
func TestSpreads(t *testing.T) {
	const n = 400_000
	mean, dev := 100*time.Millisecond, 20*time.Millisecond
	for _, tc := range []struct {
		spread    string
		mean, dev float64             // in ms; a dev of 0 is not looked at
		quantiles map[float64]float64 // in ms
	}{
		{Uniform, 100, 20 / math.Sqrt(3), map[float64]float64{0.25: 90, 0.75: 110}},
		{Normal, 100, 20, map[float64]float64{0.1587: 80, 0.5: 100, 0.9772: 140}},
		// ln X is normal with variance ln(1.04) and median 100/sqrt(1.04).
		{LogNormal, 100, 20, map[float64]float64{0.5: 100 / math.Sqrt(1.04), 0.8413: 100 / math.Sqrt(1.04) * math.Exp(math.Sqrt(math.Log(1.04)))}},
		// Pareto I with minimum 100 and exponent 6: mean 120, median 100 * 2^(1/6).
		{Pareto, 120, 100 * math.Sqrt(6./4) / 5, map[float64]float64{0: 100, 0.5: 100 * math.Pow(2, 1./6), 0.99: 100 * math.Pow(100, 1./6)}},
	} {
		rng := rand.New(rand.NewPCG(1, 2))
		d := Delay{Delay: mean, Jitter: dev, Spread: tc.spread}
		x := make([]float64, n)
		var sum, square float64
		for i := range x {
			x[i] = float64(d.at(rng.Float64()*2-1)) / 1e6
			sum += x[i]
			square += x[i] * x[i]
		}
		m := sum / n
		near(t, tc.spread+" mean", m, tc.mean, 0.3)
		near(t, tc.spread+" deviation", math.Sqrt(square/n-m*m), tc.dev, 0.5)
		slices.Sort(x)
		for p, want := range tc.quantiles {
			near(t, tc.spread+" quantile", x[int(p*(n-1))], want, 0.4+want/200)
		}
	}
	for _, spread := range Spreads() { // whatever the figures, between nothing and for ever
		for _, d := range []Delay{{}, {Jitter: mean}, {Delay: 1, Jitter: time.Hour}, {Delay: time.Hour, Jitter: 1}} {
			d.Spread = spread
			for _, u := range []float64{-1, 0, 1 - 1e-16} {
				if got := d.at(u); got < 0 || got > 101*time.Hour {
					t.Errorf("%+v at %v: %v", d, u, got)
				}
			}
		}
	}
}

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if !(math.Abs(got-want) <= within) {
		t.Errorf("%s: %.3f, want %.3f", what, got, want)
	}
}
