package evaluate

import (
	"math"
	"slices"
	"time"
)

// VUS-PR (Paparrizos et al., PVLDB 15(11), 2022) is the volume under the surface
// of precision over recall over the width of a buffer around each failure, in
// which labels fade: no threshold is chosen, and an alarm a little beside the
// label is not all wrong. It is over rows of one minute.

const (
	vusLevels = 100         // thresholds: quantiles of the scores
	vusWidth  = 3600.0      // widest buffer, s
	vusSteps  = 5           // widths from 0 to vusWidth
	vusRow    = time.Minute // rows are the largest score within this
)

// surface is what a unit adds to the sums at each width and threshold.
type surface struct {
	hard, soft [vusSteps]float64 // sums of labels
	segments   float64
	caught     [vusSteps][vusLevels]float64 // sum of soft labels over the threshold
	found      [vusSteps][vusLevels]float64 // failures with a row over it
	flagged    [vusLevels]float64           // rows over it
}

// minutes thins a unit's rows out to one a minute, and leaves those out in which
// the machine is in repair or settling.
func minutes(u *Unit, score []float32) (at []float64, out []float32) {
	last := int64(-1)
	for i, s := range score {
		t := time.Duration(u.At[i]) * time.Second
		if slices.ContainsFunc(u.Failures, func(f Failure) bool { return t >= f.Failure && t < f.Excused }) {
			continue
		}
		if m := int64(t / vusRow); m != last {
			last = m
			at, out = append(at, t.Seconds()), append(out, s)
		} else {
			out[len(out)-1] = max(out[len(out)-1], s)
		}
	}
	return at, out
}

// soft is the label at a distance in seconds from a failure's window.
func soft(distance, width float64) float64 {
	switch {
	case distance <= 0:
		return 1
	case distance >= width:
		return 0
	}
	return math.Sqrt(1 - distance/width)
}

// surfaces takes each unit's scores.
func surfaces(units []*Unit, scores func(*Unit) []float32) []*surface {
	ats, values := make([][]float64, len(units)), make([][]float32, len(units))
	var all []float32
	for i, u := range units {
		ats[i], values[i] = minutes(u, scores(u))
		all = append(all, values[i]...)
	}
	slices.Sort(all)
	var levels [vusLevels]float32 // from sharp to blunt
	for k := range levels {
		if len(all) > 0 {
			// Denser towards the top, where it matters.
			q := 1 - math.Pow(float64(vusLevels-k)/vusLevels, 3)
			levels[vusLevels-1-k] = all[int((1-q)*float64(len(all)-1))]
		}
	}
	slices.Sort(levels[:])
	slices.Reverse(levels[:])
	var out []*surface
	for i, u := range units {
		out = append(out, surfaceOf(u, ats[i], values[i], levels))
	}
	return out
}

func surfaceOf(u *Unit, at []float64, score []float32, levels [vusLevels]float32) *surface {
	s := &surface{segments: float64(len(u.Failures))}
	best := make([][vusSteps]float32, len(u.Failures))
	for i := range best {
		for w := range best[i] {
			best[i][w] = float32(math.Inf(-1))
		}
	}
	for r, v := range score {
		level := 0 // the first that the row is not under
		for level < vusLevels && v < levels[level] {
			level++
		}
		for k := level; k < vusLevels; k++ {
			s.flagged[k]++
		}
		for i, f := range u.Failures {
			distance := max(f.Onset.Seconds()-at[r], at[r]-f.Failure.Seconds())
			if distance >= vusWidth {
				continue
			}
			for w := range vusSteps {
				label := soft(distance, vusWidth*float64(w)/(vusSteps-1))
				if label == 0 {
					continue
				}
				if distance <= 0 {
					s.hard[w]++
				}
				s.soft[w] += label
				best[i][w] = max(best[i][w], v)
				for k := level; k < vusLevels; k++ {
					s.caught[w][k] += label
				}
			}
		}
	}
	for i := range best {
		for w, v := range best[i] {
			for k, l := range levels {
				if v >= l {
					s.found[w][k]++
				}
			}
		}
	}
	return s
}

// volume adds units (indices, with repetition) up.
func volume(all []*surface, units []int) float64 {
	sum := 0.0
	for w := range vusSteps {
		var hard, softSum, segments float64
		for _, u := range units {
			hard += all[u].hard[w]
			softSum += all[u].soft[w]
			segments += all[u].segments
		}
		if segments == 0 {
			return math.NaN()
		}
		before := 0.0
		for k := range vusLevels {
			var caught, found, flagged float64
			for _, u := range units {
				caught += all[u].caught[w][k]
				found += all[u].found[w][k]
				flagged += all[u].flagged[k]
			}
			if flagged == 0 {
				continue
			}
			recall := min(1, caught/((hard+softSum)/2)) * found / segments
			sum += max(0, recall-before) * min(1, caught/flagged) / vusSteps
			before = max(before, recall)
		}
	}
	return sum
}
