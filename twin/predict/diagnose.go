package predict

// leastRedundancy is how much of a channel the others must predict in health
// before a deviation of it alone is blamed on its sensor. A channel that nothing
// else speaks for may be the only witness of a real fault.
const leastRedundancy = 0.5

const (
	// othersWeight forgets in about ten rows: one odd row in health, of which
	// there is one in a thousand, must not turn the diagnosis.
	othersWeight = 0.1
	// mostOdd is the share of odd rows from which on the others count as affected.
	mostOdd = 0.5
)

// Whose fault is it? The distance D2 = s' S^-1 s of a smoothed row, with S the
// covariance of smoothed rows in health, weighs every direction by how quiet it
// is in health. Taking channel k out of it, by the marginal distribution of the
// others, leaves D2 - (S^-1 s)_k^2 / (S^-1)_kk: the second term is what channel
// k has to answer for, and unlike a residual of the components it does not smear
// over its neighbours.

// distance is D2 of the last row.
func (mon *Monitor) distance() float64 { return dot(mon.weighed, mon.s) }

func (mon *Monitor) weigh() {
	for i, row := range mon.m.Precision {
		mon.weighed[i] = dot(row, mon.s)
	}
}

// contribution of channel k (an index into Use) to the distance.
func (mon *Monitor) contribution(k int) float64 {
	return mon.weighed[k] * mon.weighed[k] / mon.m.Precision[k][k]
}

// without is the distance of the other channels alone.
func (mon *Monitor) without(k int) float64 {
	return max(0, mon.distance()-mon.contribution(k))
}

// top is the index into Use of the largest contribution.
func (mon *Monitor) top() int {
	best := 0
	for k := range mon.weighed {
		if mon.contribution(k) > mon.contribution(best) {
			best = k
		}
	}
	return best
}

// watchOthers keeps, for each channel, the recent share of rows in which the other
// channels did not look as they do in health.
func (mon *Monitor) watchOthers() {
	for k := range mon.others {
		odd := 0.0
		if mon.without(k) > mon.m.Rest[k] {
			odd = 1
		}
		mon.others[k] += othersWeight * (odd - mon.others[k])
	}
}

// Diagnose says whether one sensor explains what was seen lately: the channel
// that contributes most is one that the others predict, and without it the
// others have mostly looked as they do in health. Anything else is the process.
func (mon *Monitor) Diagnose() string {
	k := mon.top()
	if mon.m.Redundancy[k] >= leastRedundancy && mon.others[k] < mostOdd {
		return Sensor
	}
	return Process
}

// othersOver tells whether the machine is, even without one channel (an index
// into Names), further out than all of it gets in a week of health.
func (mon *Monitor) othersOver(channel int) bool {
	for k, j := range mon.m.Use {
		if j == channel {
			return mon.without(k) > mon.m.LimitRest
		}
	}
	return false
}
