package predict

import (
	"math"
	"slices"
)

// tailFrom is the quantile above which the tail of a statistic is looked at.
const tailFrom = 0.95

// returnLevel extrapolates the level that a statistic exceeds once in 1/rate
// rows, from a healthy record that is usually much shorter than that.
//
// It is peaks over threshold: the excursions above the 95 % quantile, merged
// where they are at most apart rows from each other so that they are about
// independent, have maxima whose excess is taken to be exponential with mean beta. T2 and
// SPE are (sums of) squares of about normal values, whose tails are of that
// form. Then level = u + beta ln(excursions per row / rate).
//
// What it is worth: two hours hold some 700 rows and perhaps ten excursions, a
// week of running 60,000 rows; the logarithm then stands for a factor of 100 in
// time and about 4 beta. The error of beta, 1/sqrt(n) of it, is therefore added
// at its one-sided 95 % bound: a short record gives a high, blunt limit, never a
// brave one. It holds for operating conditions like those of the record, and for
// no others: a load that never occurred there is news, and is reported as such.
func returnLevel(x []float64, rate float64, apart int) float64 {
	if len(x) == 0 {
		return math.Inf(1)
	}
	sorted := slices.Clone(x)
	slices.Sort(sorted)
	u := quantile(sorted, tailFrom)
	peaks := excursions(x, u, apart)
	top := sorted[len(sorted)-1]
	if len(peaks) == 0 {
		return top
	}
	beta := 0.0
	for _, p := range peaks {
		beta += (p - u) / float64(len(peaks))
	}
	n := float64(len(peaks))
	beta *= 1 + 1.645/math.Sqrt(n)
	return max(top, u+beta*math.Log(max(n/float64(len(x))/rate, 1)))
}

// excursions are the maxima of the runs above u.
func excursions(x []float64, u float64, apart int) []float64 {
	var peaks []float64
	last := -apart - 1
	for i, v := range x {
		if v <= u {
			continue
		}
		if i-last > apart {
			peaks = append(peaks, v)
		} else {
			peaks[len(peaks)-1] = max(peaks[len(peaks)-1], v)
		}
		last = i
	}
	return peaks
}

// quantile of sorted values, by linear interpolation.
func quantile(sorted []float64, p float64) float64 {
	at := p * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}
