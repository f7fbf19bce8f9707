package dataset

import "math"

// knock is what the checks keep of a recording.
type knock struct {
	Healthy bool
	// Kurtosis of the signal: 3 of plain noise.
	Kurtosis float64
}

func knockOf(b *Burst) knock { return knock{Healthy: b.Damage == 0, Kurtosis: kurtosis(b.Samples)} }

func kurtosis(x []float32) float64 {
	var m2, m4 float64
	for _, v := range x {
		q := float64(v) * float64(v)
		m2, m4 = m2+q, m4+q*q
	}
	if m2 == 0 {
		return 0
	}
	return m4 * float64(len(x)) / (m2 * m2)
}

// fewestKnocks from which recordings say something.
const fewestKnocks = 30

// knockCheck asks the waveforms, if there are any.
func knockCheck(sums []summary) []Check {
	healthy, knocking := 0, 0
	for i := range sums {
		for _, k := range sums[i].Knocks {
			if k.Healthy {
				healthy++
				if k.Kurtosis > 4 {
					knocking++
				}
			}
		}
	}
	if healthy == 0 {
		return nil
	}
	share := float64(knocking) / float64(healthy)
	few := healthy < fewestKnocks
	return []Check{{"bursts.healthy_knocks", math.Round(share*1e4) / 1e4, "0.01 to 0.5", share >= 0.01 && share <= 0.5 && !few,
		"healthy recordings that something else knocks into (kurtosis above 4): a knock is no defect", few}}
}
