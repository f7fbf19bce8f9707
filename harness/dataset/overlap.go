package dataset

import (
	"math"
	"slices"
)

// unitSpread is the coefficient of variation over units of the first
// vibration signal's mean while the machine is healthy.
func unitSpread(sums []summary, lay *layout, machines []string) (float64, string) {
	col, name := sensorLike(lay, func(c Column) bool { return c.Unit == "g" || c.Unit == "mm/s" })
	machine := slices.Index(machines, owner(name))
	if col < 0 || machine < 0 {
		return 0, "none"
	}
	byUnit := map[int][]float32{}
	last := -1
	for i := range sums {
		s := &sums[i]
		last = max(last, s.Unit)
		for b, v := range s.Means[col] {
			if isNull(float64(s.Damage[machine][b])) && !s.Lying[machine][b] {
				byUnit[s.Unit] = append(byUnit[s.Unit], v)
			}
		}
	}
	var x []float64
	for u := range last + 1 {
		if v := meanOf(byUnit[u]); !isNull(v) {
			x = append(x, v)
		}
	}
	m, sd := moments(x)
	return sd / math.Abs(m), name
}

// operatingSpread is the mean over runs of the variation of motor currents
// within a run.
func operatingSpread(sums []summary, lay *layout) float64 {
	total, n := 0.0, 0
	for i := range sums {
		at := -1
		for _, c := range lay.columns {
			if c.Role != "sensor" {
				continue
			}
			at++
			if c.Unit != "A" {
				continue
			}
			var x []float64
			for _, v := range sums[i].Means[at] {
				if !isNull(float64(v)) {
					x = append(x, float64(v))
				}
			}
			if m, sd := moments(x); len(x) > 10 && m != 0 {
				total, n = total+sd/math.Abs(m), n+1
			}
		}
	}
	return total / float64(max(1, n))
}

func sensorLike(lay *layout, ok func(Column) bool) (int, string) {
	at := -1
	for _, c := range lay.columns {
		if c.Role != "sensor" {
			continue
		}
		at++
		if ok(c) {
			return at, c.Name
		}
	}
	return -1, ""
}

func moments(x []float64) (mean, sd float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		sd += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(sd / float64(max(1, len(x)-1)))
}

// bestAUC over all channels of a machine: how well one channel alone, as it
// stands, tells damaged minutes of that machine from healthy ones.
func bestAUC(sums []summary, lay *layout, machines []string) (float64, string) {
	best, which := 0.5, "none"
	at := -1
	for _, c := range lay.columns {
		if c.Role != "sensor" {
			continue
		}
		at++
		m := slices.Index(machines, owner(c.Name))
		if m < 0 {
			continue
		}
		var healthy, damaged []float64
		for i := range sums {
			for b, v := range sums[i].Means[at] {
				switch {
				case isNull(float64(v)):
				case isNull(float64(sums[i].Damage[m][b])):
					healthy = append(healthy, float64(v))
				default:
					damaged = append(damaged, float64(v))
				}
			}
		}
		if a := auc(healthy, damaged); max(a, 1-a) > best {
			best, which = max(a, 1-a), c.Name
		}
	}
	return best, which
}

// auc is the chance that a value of b is above one of a, ties counting half.
func auc(a, b []float64) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0.5
	}
	slices.Sort(a)
	slices.Sort(b)
	below, equal, sum := 0, 0, 0.0
	for _, v := range b {
		for below < len(a) && a[below] < v {
			below++
		}
		equal = max(equal, below)
		for equal < len(a) && a[equal] == v {
			equal++
		}
		sum += float64(below) + float64(equal-below)/2
	}
	return sum / float64(len(a)) / float64(len(b))
}
