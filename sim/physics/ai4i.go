package physics

import (
	"math"
	"math/rand/v2"
)

// MillRow is one part made on the milling machine of the AI4I 2020 data set
// (Matzka 2020), whose rules were checked against its rows.
type MillRow struct {
	Type         byte    // 'L', 'M' or 'H' quality
	AirK         float64 // of the hall
	ProcessK     float64
	RPM          float64
	TorqueNm     float64
	WearMin      float64 // of the tool
	ToolFails    bool    // a random end of a tool's life
	FailsAnyway  bool    // one part in a thousand, for no reason that is seen
	ToolReplaced bool    // behind this part
}

// PowerW of the spindle.
func (r MillRow) PowerW() float64 { return r.TorqueNm * 2 * math.Pi * r.RPM / 60 }

// HeatFailure: too little goes off, at little difference and low speed.
func (r MillRow) HeatFailure() bool { return r.ProcessK-r.AirK < 8.6 && r.RPM < 1380 }

// PowerFailure: outside of 3500 to 9000 W.
func (r MillRow) PowerFailure() bool { return r.PowerW() < 3500 || r.PowerW() > 9000 }

// OverstrainFailure: torque on a worn tool, by quality of the part.
func (r MillRow) OverstrainFailure() bool {
	return r.TorqueNm*r.WearMin > map[byte]float64{'L': 11_000, 'M': 12_000, 'H': 13_000}[r.Type]
}

// Fails is any of them. In the published file some random failures are not
// labelled as failures and some failures have no mode; here labels are true.
func (r MillRow) Fails() bool {
	return r.HeatFailure() || r.PowerFailure() || r.OverstrainFailure() || r.ToolFails || r.FailsAnyway
}

// Mill makes rows one after the other.
//
//	m := physics.NewMill(rng)
//	row := m.Next()
type Mill struct {
	rng          *rand.Rand
	air, process float64 // stationary random walks, in standard deviations
	wear, end    float64
}

// NewMill has a new tool.
func NewMill(rng *rand.Rand) *Mill {
	m := &Mill{rng: rng, air: rng.NormFloat64(), process: rng.NormFloat64()}
	m.newTool()
	return m
}

func (m *Mill) newTool() { m.wear, m.end = 0, 198+55*m.rng.Float64() }

// walk is a step of a random walk that is held to a standard deviation of 1.
func (m *Mill) walk(x float64) float64 {
	const keep = 0.998
	return keep*x + math.Sqrt(1-keep*keep)*m.rng.NormFloat64()
}

// Next part. Speed goes with torque to the power of -0.42, which gives the
// file's median power, its correlation of -0.875 and its extremes.
func (m *Mill) Next() MillRow {
	m.air, m.process = m.walk(m.air), m.walk(m.process)
	r := MillRow{Type: 'L', AirK: 300 + 2*m.air, FailsAnyway: m.rng.Float64() < 0.001, WearMin: m.wear}
	r.ProcessK = r.AirK + 10 + m.process
	use := 2.0
	switch u := m.rng.Float64(); {
	case u < 0.1:
		r.Type, use = 'H', 5
	case u < 0.4:
		r.Type, use = 'M', 3
	}
	for r.TorqueNm <= 3 {
		r.TorqueNm = 40 + 10*m.rng.NormFloat64()
	}
	r.RPM = 1500 * math.Pow(40/r.TorqueNm, 0.42) * (1 + 0.05*m.rng.NormFloat64())
	if m.wear += use; m.wear >= m.end {
		// Half of the tools that come so far fail, the others are replaced.
		r.ToolFails = m.rng.Float64() < 0.5
		r.ToolReplaced = !r.ToolFails
		m.newTool()
	}
	return r
}
