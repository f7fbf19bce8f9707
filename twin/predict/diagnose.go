package predict

// leastRedundancy is how much of a channel the others must predict in health
// before a deviation of it alone is blamed on its sensor. A channel that nothing
// else speaks for may be the only witness of a real fault.
const leastRedundancy = 0.5

// The combined index phi = T2/limit + SPE/limit = s' M s sees a fault in either
// subspace (Yue and Qin 2001). Reconstructing channel k from the others takes
// (M s)_k^2 / M_kk off it (Alcala and Qin 2009): that is the channel's
// contribution, and unlike a plain residual it does not smear over the
// neighbours.

// phi is the matrix M.
func (m *Model) phi() [][]float64 {
	p := len(m.Use)
	out := make([][]float64, p)
	for i := range out {
		out[i] = make([]float64, p)
		for j := range out[i] {
			spe, t2 := 0.0, 0.0
			if i == j {
				spe = 1
			}
			for a, c := range m.Components {
				spe -= c[i] * c[j]
				t2 += c[i] * c[j] / m.Variance[a]
			}
			out[i][j] = ratio(spe, m.LimitSPE) + ratio(t2, m.LimitT2)
		}
	}
	return out
}

func (mon *Monitor) gradient() {
	for i, row := range mon.phi {
		mon.grad[i] = dot(row, mon.s)
	}
}

// combined is the index of the last row.
func (mon *Monitor) combined() float64 { return dot(mon.grad, mon.s) }

// contribution of channel k (an index into Use) to the combined index.
func (mon *Monitor) contribution(k int) float64 {
	if mon.phi[k][k] <= 0 {
		return 0
	}
	return mon.grad[k] * mon.grad[k] / mon.phi[k][k]
}

// without is the index that is left when channel k is reconstructed.
func (mon *Monitor) without(k int) float64 {
	return max(0, mon.combined()-mon.contribution(k))
}

// top is the index into Use of the largest contribution.
func (mon *Monitor) top() int {
	best := 0
	for k := range mon.phi {
		if mon.contribution(k) > mon.contribution(best) {
			best = k
		}
	}
	return best
}

// Diagnose says of the last row whether one sensor explains it: the channel that
// contributes most is one that the others predict, and without it the others
// look as they do in health. Anything else is the process.
func (mon *Monitor) Diagnose() string {
	k := mon.top()
	if mon.m.Redundancy[k] >= leastRedundancy && mon.without(k) <= mon.m.Rest[k] {
		return Sensor
	}
	return Process
}

// more tells whether the machine would be over its limit even without the
// channel that contributes most.
func (mon *Monitor) more() bool { return mon.without(mon.top()) > mon.m.LimitPhi }
