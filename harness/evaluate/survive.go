package evaluate

import (
	"math"
	"slices"
)

// Quantile is the Kaplan and Meier (1958) estimate of when a share p of the
// failures had been announced: the first time at which the product-limit
// estimate of "not yet" is at most 1-p. A miss is censored where its window
// ends. +Inf where so many never were.
func quantileKM(times []float64, hit []bool, p float64) float64 {
	order := make([]int, len(times))
	for i := range order {
		order[i] = i
	}
	// Of equal times the hits come first: what is censored there was still
	// unannounced.
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case times[a] < times[b]:
			return -1
		case times[a] > times[b]:
			return 1
		case hit[a] && !hit[b]:
			return -1
		case hit[b] && !hit[a]:
			return 1
		}
		return 0
	})
	left := 1.0
	for k, i := range order {
		if !hit[i] {
			continue
		}
		left *= 1 - 1/float64(len(order)-k)
		if left <= 1-p+1e-12 {
			return times[i]
		}
	}
	return math.Inf(1)
}

// widen makes a resampled interval of a proportion at least as wide as Wilson's
// (1927): where all or none were hit, resampling always finds all or none again.
func widen(f Figure, hits, n int) Figure {
	if f.CI95[0] == nil || f.CI95[1] == nil || n == 0 {
		return f
	}
	const z = 1.959964
	p, m := float64(hits)/float64(n), float64(n)
	mid, half := (p+z*z/(2*m))/(1+z*z/m), z/(1+z*z/m)*math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	lo, hi := max(0, min(*f.CI95[0], mid-half)), min(1, max(*f.CI95[1], mid+half))
	f.CI95 = [2]*float64{&lo, &hi}
	return f
}

// span95 is the 2.5 % and the 97.5 % quantile of values, which it sorts.
func span95(v []float64) [2]float64 {
	slices.Sort(v)
	n := float64(len(v) - 1)
	return [2]float64{v[int(math.Floor(0.025*n))], v[int(math.Ceil(0.975*n))]}
}
