package pipeline

import (
	"math"

	"github.com/plantbed/plantbed/sim/signal"
)

// Deadband passes a sample of a tag that has a band only when its value is more
// than the band away from the last one passed, or when its quality is another
// (OPC UA Part 8, 6.2, absolute deadband). Tags without a band pass.
type Deadband struct {
	bands map[signal.ID]float64 // in the tag's engineering unit
	last  map[signal.ID]passed
}

type passed struct {
	value   float64
	quality signal.Quality
}

// NewDeadband keeps bands.
func NewDeadband(bands map[signal.ID]float64) *Deadband {
	return &Deadband{bands: bands, last: map[signal.ID]passed{}}
}

// Name is "deadband".
func (*Deadband) Name() string { return "deadband" }

// Process is Stage.Process.
func (d *Deadband) Process(in []signal.Sample) []signal.Sample {
	if len(d.bands) == 0 {
		return in
	}
	out := in[:0]
	for _, s := range in {
		if band, ok := d.bands[s.ID]; ok && !d.leaves(s, band) {
			continue
		}
		out = append(out, s)
	}
	return out
}

func (d *Deadband) leaves(s signal.Sample, band float64) bool {
	l, ok := d.last[s.ID]
	if ok && l.quality.Code() == s.Quality.Code() && math.Abs(s.Value-l.value) <= band {
		return false
	}
	d.last[s.ID] = passed{s.Value, s.Quality}
	return true
}
