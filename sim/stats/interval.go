package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Interval is a mean, and how far it may be from the true one.
type Interval struct {
	Mean  float64
	Half  float64 // half of the width; +Inf where there is too little to say
	Level float64 // such as 0.95
	N     int     // observations behind it
}

// Low is the lower end.
func (i Interval) Low() float64 { return i.Mean - i.Half }

// High is the upper end.
func (i Interval) High() float64 { return i.Mean + i.Half }

// Contains says whether x lies in the interval, ends included.
func (i Interval) Contains(x float64) bool { return i.Low() <= x && x <= i.High() }

func (i Interval) String() string { return fmt.Sprintf("%.4g ± %.2g", i.Mean, i.Half) }

// Mean is the confidence interval of the mean of independent observations,
// such as one figure of each of several replications.
func Mean(xs []float64, level float64) Interval {
	var t Tally
	for _, x := range xs {
		t.Add(x)
	}
	return t.Interval(level)
}

// Paired is the interval of the mean of a - b, observation by observation,
// where both designs were run on common random numbers: what happened to both
// falls out of the difference. The slices have equal lengths.
func Paired(a, b []float64, level float64) Interval {
	if len(a) != len(b) {
		panic(fmt.Sprintf("stats: pairs of %d and %d observations", len(a), len(b)))
	}
	d := make([]float64, len(a))
	for i := range a {
		d[i] = a[i] - b[i]
	}
	return Mean(d, level)
}

// student is the interval by Student's distribution; e is the mean's
// standard error.
func student(mean, e, freedom, level float64, n int) Interval {
	i := Interval{Mean: mean, Half: math.Inf(1), Level: level, N: n}
	if freedom > 0 && !math.IsNaN(e) {
		t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: freedom}
		i.Half = t.Quantile(0.5+level/2) * e
	}
	return i
}
