package plant

import "math"

// detectableS is the first instant between two at which a course of damage
// to one component shows by one standard deviation (d' = 1) in some signal:
// of two machines, alike but for the damage and at the usual operating point,
// one signal differs by more than its sensor chain and its process scatter.
// Slow parts take their time: a clogged motor is hot only when it has warmed up.
func (m *Machine) detectableS(component int, damage func(tS float64) float64, fromS, toS float64) (tS float64, ok bool) {
	in := inputs{state: Execute, drawing: true, bowl: 1, steady: true}
	m.surround.at(fromS, &in)
	healthy := m.model.fork()
	settle(healthy, in)
	worn := healthy.fork()
	noise := m.noise(healthy, in)
	want, got := make([]float64, len(noise)), make([]float64, len(noise))
	const steps = 1000
	stepS := (toS - fromS) / steps
	for i := range steps {
		tS = fromS + float64(i)*stepS
		m.surround.at(tS, &in)
		in.damage[component] = 0
		healthy.measure(&in, 0, want)
		healthy.advance(&in, stepS)
		in.damage[component] = damage(tS)
		worn.measure(&in, 0, got)
		worn.advance(&in, stepS)
		for j := range noise {
			if math.Abs(got[j]-want[j]) > noise[j] {
				return tS, true
			}
		}
	}
	return 0, false
}

// noise is the standard deviation of each signal of a healthy machine at one
// operating point: of the process as it varies with time, and of the sensor
// chain.
func (m *Machine) noise(healthy model, in inputs) []float64 {
	const looks = 200
	n := len(m.y)
	base, y, sum, squares := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	healthy.measure(&in, 0, base)
	for i := range looks {
		m.surround.at(float64(i)*53.7, &in)
		healthy.measure(&in, 0, y)
		for j := range y {
			d := y[j] - base[j] // small, so that the squares do not cancel
			sum[j] += d
			squares[j] += d * d
		}
	}
	noise := make([]float64, n)
	for j := range noise {
		mean := sum[j] / looks
		process := math.Sqrt(max(0, squares[j]/looks-mean*mean))
		noise[j] = math.Hypot(process, m.signals[m.def.flow()+j].Noise)
	}
	return noise
}
