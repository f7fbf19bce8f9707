package physics

// VibrationZone is how ISO 20816-3 judges a machine by the velocity of its
// bearing housings, RMS of 10 to 1000 Hz: A as of a new machine, B good for
// ever, C good for a while, D harmful.
type VibrationZone byte

// VibrationLimits are the velocities in mm/s between the zones. The figures
// are common knowledge; whoever claims conformity buys the standard.
type VibrationLimits struct{ AB, BC, CD float64 }

// Limits by power and foundation. Group 1 is above 300 kW, group 2 from 15 kW;
// smaller machines are taken for group 2.
var (
	Group1Rigid    = VibrationLimits{2.3, 4.5, 7.1}
	Group1Flexible = VibrationLimits{3.5, 7.1, 11.0}
	Group2Rigid    = VibrationLimits{1.4, 2.8, 4.5}
	Group2Flexible = VibrationLimits{2.3, 4.5, 7.1}
)

// LimitsFor a machine of that power.
func LimitsFor(kW float64, flexible bool) VibrationLimits {
	switch {
	case kW > 300 && flexible:
		return Group1Flexible
	case kW > 300:
		return Group1Rigid
	case flexible:
		return Group2Flexible
	}
	return Group2Rigid
}

// Zone of a velocity in mm/s, 'A' to 'D'; a limit itself belongs to the better one.
func (l VibrationLimits) Zone(mmPerS float64) VibrationZone {
	switch {
	case mmPerS <= l.AB:
		return 'A'
	case mmPerS <= l.BC:
		return 'B'
	case mmPerS <= l.CD:
		return 'C'
	}
	return 'D'
}

// AlarmMMPerS is where an alarm is to stand: a quarter of the limit of zone B
// above what is usual for this machine, and no higher than 1.25 times the limit.
func (l VibrationLimits) AlarmMMPerS(usual float64) float64 {
	return min(usual+0.25*l.BC, 1.25*l.BC)
}

// TripMMPerS is where a machine is to be switched off at the latest.
func (l VibrationLimits) TripMMPerS() float64 { return 1.25 * l.CD }
