package score

import (
	"math"
	"slices"
)

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(v))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

// wilson is the 95 % score interval of a proportion (Wilson 1927), which
// stays inside [0, 1] and is honest at 0 of n and n of n.
func wilson(k, n int) *[2]float64 {
	const z = 1.959963984540054
	p, N := float64(k)/float64(n), float64(n)
	centre := (p + z*z/(2*N)) / (1 + z*z/N)
	half := z / (1 + z*z/N) * math.Sqrt(p*(1-p)/N+z*z/(4*N*N))
	lo, hi := max(0, centre-half), min(1, centre+half)
	if k == 0 {
		lo = 0 // what rounding would leave a hair off
	}
	if k == n {
		hi = 1
	}
	return &[2]float64{lo, hi}
}

// figure is a metric that rests on n things; without any it has no value.
func figure(name string, v float64, n int) Metric {
	m := Metric{Unit: unitOf(name), N: n}
	if n > 0 && !math.IsNaN(v) && !math.IsInf(v, 0) {
		m.Value = &v
	}
	return m
}
