package stats

import (
	"math"
)

// MSER5 is the number of observations at the start of a run to leave out as
// its warm-up: the truncation that minimizes the standard error of what
// remains, over means of five (White, Cobb and Spratt 2000). At most half of
// the run is left out; ok is false where the minimum lies at that border or
// the series is shorter than 20, for then the run is too short to tell.
func MSER5(xs []float64) (warmup int, ok bool) {
	const batch = 5
	n := len(xs) / batch
	if n < 4 {
		return 0, false
	}
	// From the end on: sum and sum of squares of the batches d..n-1, about the
	// last one, which spares digits.
	last := mean(xs[(n-1)*batch : n*batch])
	var sum, squares float64
	best, bestAt := math.Inf(1), 0
	for d := n - 1; d >= 0; d-- {
		y := mean(xs[d*batch:(d+1)*batch]) - last
		sum += y
		squares += y * y
		m := float64(n - d)
		if d > n/2 {
			continue
		}
		if v := (squares - sum*sum/m) / (m * m); v <= best {
			best, bestAt = v, d
		}
	}
	return bestAt * batch, bestAt < n/2
}

// OverlappingBatchMeans is the interval of the mean of one long stationary
// series, whose observations depend on each other: all windows of size
// observations count as batches (Meketon and Schmeiser 1984). The size must
// be long beside the correlation; 0 chooses a thirtieth of the series, which
// leaves 43 degrees of freedom.
func OverlappingBatchMeans(xs []float64, size int, level float64) Interval {
	n := len(xs)
	if size <= 0 {
		size = max(1, n/30)
	}
	all := mean(xs)
	if n < 2*size {
		return Interval{Mean: all, Half: math.Inf(1), Level: level, N: n}
	}
	var window, squares float64 // of xs - all
	for i, x := range xs {
		window += x - all
		if i >= size {
			window -= xs[i-size] - all
		}
		if i >= size-1 {
			m := window / float64(size)
			squares += m * m
		}
	}
	b, windows := float64(n)/float64(size), float64(n-size+1)
	variance := squares * float64(size) / windows / float64(n-size) // of the mean
	freedom := math.Floor(1.5 * (b - 1))
	return student(all, math.Sqrt(variance), freedom, level, n)
}

func mean(xs []float64) float64 {
	sum := 0.0
	for _, x := range xs {
		sum += x
	}
	return sum / float64(len(xs))
}
