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
	// Class is Sensor or Process while it is over.
	Class string
}

// Monitor runs a Model over the rows of one machine.
type Monitor struct {
	m       *Model
	smooth  *ewma
	z       []float64 // standardised row
	s       []float64 // smoothed
	resid   []float64 // what the components leave
	weighed []float64 // the precision matrix times s
	others  []float64 // how odd the others look, for each channel
}

// NewMonitor starts at the mean.
func NewMonitor(m *Model) *Monitor {
	p := len(m.Use)
	return &Monitor{m: m, smooth: newEWMA(m.Options.Lambda, p), z: make([]float64, p),
		resid: make([]float64, p), weighed: make([]float64, p), others: make([]float64, p)}
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
		r.T2 += t * t / m.Variance[a]
		for i := range mon.resid {
			mon.resid[i] -= t * c[i]
		}
	}
	r.SPE = dot(mon.resid, mon.resid)
	r.Score = max(ratio(r.T2, m.LimitT2), ratio(r.SPE, m.LimitSPE))
	r.Over = r.Score > 1
	mon.weigh()
	if len(m.Rest) > 0 { // not so while it is calibrated
		mon.watchOthers()
	}
	r.Top = m.Use[mon.top()]
	return r
}

// ratio of a statistic to its limit. A limit of 0 is one that is not there: a
// single channel has no residual.
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
