package pipeline

import (
	"math"

	"github.com/plantbed/plantbed/sim/signal"
)

// Deadband passes a sample only when its value is more
// than the band away from the last one passed, or when its quality is another
// (OPC UA Part 8, 6.2, absolute deadband). A tag without a band passes whole.
type Deadband struct {
	all   float64               // for tags that are not in bands; negative or 0 is no band
	bands map[signal.ID]float64 // in the tag's engineering unit
	last  map[signal.ID]passed
}

type passed struct {
	value   float64
	quality signal.Quality
}

// NewDeadband applies all to every tag that has no band of its own; 0 is no band.
func NewDeadband(all float64, bands map[signal.ID]float64) *Deadband {
	return &Deadband{all: all, bands: bands, last: map[signal.ID]passed{}}
}

// Name is "deadband".
func (*Deadband) Name() string { return "deadband" }

// Process is Stage.Process.
func (d *Deadband) Process(in []signal.Sample) []signal.Sample {
	if d.all <= 0 && len(d.bands) == 0 {
		return in
	}
	out := in[:0]
	for _, s := range in {
		band, own := d.bands[s.ID]
		if !own {
			band = d.all
		}
		if band > 0 && !d.leaves(s, band) {
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
