package predict

import "math"

// Whose fault is it? A sensor that lies is alone with its story: without its
// channel, the rest of the machine looks as it does in health. But so may a part
// that only one sensor looks at. Then the scatter tells: what turns and rubs
// scatters in proportion to its level, while what is added to a reading on its
// way leaves the scatter as it was. Where neither speaks, a channel that the
// others predict well is put down to its sensor, any other to the machine.

const (
	// leastRedundancy is how much of a channel the others must predict in health
	// before a deviation of it alone is blamed on its sensor.
	leastRedundancy = 0.5
	// follows is the share of a level's change, by logarithms, from which on the
	// scatter counts as following it.
	follows = 0.5
	// leastSlope is how well a scatter must follow its level in health to say
	// anything when it does not.
	leastSlope = 0.5
	// leastLevel is the logarithm of a level that no wear goes down to; near zero a
	// reading is cut off and scatters less for that.
	leastLevel = -0.7
	// clear is how many standard deviations of the scatter's average it must be
	// able to tell apart.
	clearSigmas = 2.5
)

// without is how odd the machine is without a channel: the larger of T2 on the
// scales, in units of what it exceeds in one row of a thousand (odd), and in those
// of the limit (limit).
func (mon *monitor) without(k int) (odd, limit float64) {
	v := &mon.m.Without[k]
	for s := range scales {
		e := residual(mon.scratch, v.Weights, mon.x[s])
		t2 := quadratic(v.Scales[s].Precision, e)
		odd = max(odd, ratio(t2, v.Scales[s].Odd))
		limit = max(limit, ratio(t2, v.Scales[s].Limit))
	}
	return odd, limit
}

// diagnose names the channel (an index into Use) without which the machine is least
// odd, and whose fault it is; that is empty where nothing tells.
func (mon *monitor) diagnose() (best int, class string) {
	best = mon.top()
	for k := range mon.m.Use {
		// Any that may be alone in it and scatters as it should is no sensor's.
		if !mon.m.Switch[k] && mon.scatter(k) > 0 {
			if odd, _ := mon.without(k); odd < 1 {
				return k, Process
			}
		}
	}
	odd, _ := mon.without(best)
	switch {
	case odd > 1:
		return best, Process
	case mon.scatter(best) < 0:
		return best, Sensor
	}
	return best, ""
}

// top is the channel (an index into Use) without which the machine is least odd.
func (mon *monitor) top() int {
	best, least := 0, math.Inf(1)
	for k := range mon.m.Use {
		if mon.m.Switch[k] {
			continue
		}
		if odd, _ := mon.without(k); odd < least {
			best, least = k, odd
		}
	}
	return best
}

// scatter tells whether a channel's scatter follows its level (+1), stays behind
// it (-1), or cannot tell (0).
func (mon *monitor) scatter(k int) int {
	s := mon.m.Spreads[k]
	if !s.Known || s.Slope < leastSlope {
		return 0
	}
	level := mon.level[k]
	if level < leastLevel {
		return -1
	}
	if !(math.Abs(level)*s.Slope*follows > clearSigmas*s.SD) {
		return 0
	}
	if mon.spread[k]/(s.Slope*level) > follows {
		return 1
	}
	return -1
}
