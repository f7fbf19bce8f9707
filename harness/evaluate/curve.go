package evaluate

import (
	"math"
	"slices"
	"time"
)

// Rule is how rows over a limit become episodes, the same for all detectors
// with a threshold.
type Rule struct {
	Persist, Clear int
	HoldOff        time.Duration
}

// start finds the starts of episodes: Persist rows in a row over the limit; the
// next one after Clear rows in a row under it and the hold-off.
func (r Rule) starts(at []int32, score []float32, limit float64) []Alarm {
	var out []Alarm
	over, under, active := 0, 0, false
	quiet := time.Duration(math.MinInt64)
	for i, s := range score {
		if float64(s) > limit {
			over, under = over+1, 0
		} else {
			over, under = 0, under+1
		}
		t := time.Duration(at[i]) * time.Second
		switch {
		case active && under >= r.Clear:
			active, quiet = false, t+r.HoldOff
		case !active && over >= r.Persist && t >= quiet:
			active = true
			out = append(out, Alarm{At: t})
		}
	}
	return out
}

// ladder is thresholds from blunt to sharp: quantiles of the scores on healthy
// rows, dense where a false alarm is rare.
func ladder(units []*Unit, which int) []float64 {
	var all []float32
	for _, u := range units {
		for i, s := range u.Scores[which] {
			if at := time.Duration(u.At[i]) * time.Second; !u.sick(at) {
				all = append(all, s)
			}
		}
	}
	if len(all) == 0 {
		return []float64{math.Inf(1)}
	}
	slices.Sort(all)
	top := float64(all[len(all)-1])
	out := []float64{2 * top, 1.4 * top, 1.1 * top, top}
	// From one row in all down to one in a hundred.
	for k := 0; ; k++ {
		n := int(math.Pow(1.17, float64(k)))
		if n > len(all)/100 {
			break
		}
		if v := float64(all[len(all)-1-n]); v < out[len(out)-1] {
			out = append(out, v)
		}
	}
	return out
}

// curve has a tally for each unit and each rung of the ladder.
func (e *Exam) curve(which int) (limits []float64, tallies [][]tally) {
	limits = ladder(e.Units, which)
	for _, u := range e.Units {
		row := make([]tally, len(limits))
		for k, limit := range limits {
			row[k] = count(u, e.Rule.starts(u.At, u.Scores[which], limit), e.Lead)
		}
		tallies = append(tallies, row)
	}
	return limits, tallies
}

// atRate is the sharpest rung at which units (indices, with repetition) raise no
// more than rate false alarms per healthy week. Rungs below one that is over the
// rate are not looked at.
func atRate(tallies [][]tally, units []int, weeks []float64, rate float64, lenient bool) int {
	best := 0
	exposure := 0.0
	for _, u := range units {
		exposure += weeks[u]
	}
	for k := range tallies[0] {
		n := 0
		for _, u := range units {
			n += tallies[u][k].false
			if lenient {
				n -= tallies[u][k].forgiven
			}
		}
		if float64(n) > rate*exposure {
			break
		}
		best = k
	}
	return best
}
