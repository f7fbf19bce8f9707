package predict

// Result is one row as a Monitor sees it.
type Result struct {
	// T2 (Hotelling) measures how far the machine is from its mean within what
	// the components describe; SPE (squared prediction error, Q) how far it is
	// from what they describe. Both are of smoothed values.
	T2, SPE float64
	// Score is the larger of the two in units of its limit.
	Score float64
	Over  bool
	// Top is the index into Names of the channel that contributes most.
	Top int
}

// Monitor runs a Model over the rows of one machine.
type Monitor struct {
	m      *Model
	smooth *ewma
	z      []float64 // standardised row
	s      []float64 // smoothed
	scores []float64 // along the components
	resid  []float64 // what the components leave
	grad   []float64 // the combined index's matrix times s
	phi    [][]float64
}

// NewMonitor starts at the mean.
func NewMonitor(m *Model) *Monitor {
	p := len(m.Use)
	mon := &Monitor{m: m, smooth: newEWMA(m.Options.Lambda, p), z: make([]float64, p),
		scores: make([]float64, len(m.Components)), resid: make([]float64, p), grad: make([]float64, p)}
	if m.LimitSPE > 0 || m.LimitT2 > 0 {
		mon.phi = m.phi()
	}
	return mon
}

// Step takes a row with a value for each of the model's Names.
func (mon *Monitor) Step(row []float64) Result {
	m := mon.m
	m.standardise(mon.z, row)
	mon.s = mon.smooth.step(mon.z)
	var r Result
	copy(mon.resid, mon.s)
	for a, c := range m.Components {
		t := dot(c, mon.s)
		mon.scores[a] = t
		r.T2 += t * t / m.Variance[a]
		for i := range mon.resid {
			mon.resid[i] -= t * c[i]
		}
	}
	r.SPE = dot(mon.resid, mon.resid)
	if mon.phi == nil {
		return r
	}
	r.Score = max(ratio(r.T2, m.LimitT2), ratio(r.SPE, m.LimitSPE))
	r.Over = r.Score > 1
	mon.gradient()
	r.Top = m.Use[mon.top()]
	return r
}

// ratio of a statistic to its limit; a statistic that is always zero in health
// (one channel has no residual) is never over.
func ratio(v, limit float64) float64 {
	if limit <= 0 {
		return 0
	}
	return v / limit
}

func dot(a, b []float64) float64 {
	s := 0.0
	for i, v := range a {
		s += v * b[i]
	}
	return s
}
