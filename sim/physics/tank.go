package physics

// Tank is a vessel with a make-up valve that a level switch opens at the low
// and closes at the high mark.
type Tank struct {
	CapacityL   float64
	LowL, HighL float64
	MakeUpLPS   float64
	VolumeL     float64 // state
	Filling     bool    // state
}

// Step runs the balance for dtS seconds with an outflow in l/s; the switch
// acts at the step's end, as a controller's cycle does.
func (t *Tank) Step(outLPS, dtS float64) {
	in := 0.0
	if t.Filling {
		in = t.MakeUpLPS
	}
	t.VolumeL = min(max(t.VolumeL+(in-outLPS)*dtS, 0), t.CapacityL)
	switch {
	case t.VolumeL <= t.LowL:
		t.Filling = true
	case t.VolumeL >= t.HighL:
		t.Filling = false
	}
}

// Share is how full the tank is, 0 to 1.
func (t *Tank) Share() float64 { return t.VolumeL / t.CapacityL }
