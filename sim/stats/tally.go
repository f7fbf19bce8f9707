// Package stats makes statements of simulation runs: means with confidence
// intervals, from independent replications or from one long run.
//
//	xs := stats.Replicate(20, func(rep int) float64 {
//		k := sim.New(uint64(rep))          // its own seed, its own kernel
//		... build, warm up, run ...
//		return line.Throughput()
//	})
//	fmt.Println(stats.Mean(xs, 0.95))          // 61.3 ± 0.4
//
// Until the half-width is small enough: Sequential. Where a run starts empty
// and must warm up: MSER5. From one long run: OverlappingBatchMeans. To
// compare two designs: run both on the same random numbers, that is the same
// seeds and names of streams, and take the mean of their differences, Paired.
//
// The functions are pure; they know nothing of the kernel.
package stats

import "math"

// Tally collects single observations, such as waiting times, without keeping
// them. The zero Tally is empty. (A value that holds for a time, such as a
// queue's length, is for sim.Monitor.)
type Tally struct {
	n        int
	mean, m2 float64
	min, max float64
}

// Add takes one observation in, by Welford's recurrence.
func (t *Tally) Add(x float64) {
	if t.n == 0 {
		t.min, t.max = x, x
	}
	t.n++
	d := x - t.mean
	t.mean += d / float64(t.n)
	t.m2 += d * (x - t.mean)
	if x < t.min {
		t.min = x
	}
	if x > t.max {
		t.max = x
	}
}

// N is the number of observations.
func (t *Tally) N() int { return t.n }

// Mean is NaN where there is no observation.
func (t *Tally) Mean() float64 {
	if t.n == 0 {
		return math.NaN()
	}
	return t.mean
}

// Variance is the sample variance, with n - 1; NaN under two observations.
func (t *Tally) Variance() float64 {
	if t.n < 2 {
		return math.NaN()
	}
	return t.m2 / float64(t.n-1)
}

// Min is 0 where there is no observation.
func (t *Tally) Min() float64 { return t.min }

// Max is 0 where there is no observation.
func (t *Tally) Max() float64 { return t.max }

// Interval is the confidence interval of the mean, for observations that are
// independent of each other. Those of one run hardly ever are.
func (t *Tally) Interval(level float64) Interval {
	return student(t.Mean(), math.Sqrt(t.Variance()/float64(t.n)), float64(t.n-1), level, t.n)
}
