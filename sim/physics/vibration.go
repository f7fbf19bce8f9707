package physics

import "math"

// BearingVibration says what an accelerometer on a bearing's housing reads as
// a function of damage, without making a waveform. The signal is the sum of a
// Gaussian background and of the train of impacts of a local defect; their
// mean squares add, and so do their fourth cumulants.
type BearingVibration struct {
	HealthyG float64 // RMS of the background at full speed, g
	FailedG  float64 // RMS of the impacts at damage 1 and full speed, g
}

// backgroundCrest is the peak of a second of Gaussian noise over its RMS.
const backgroundCrest = 3.8

// ImpactG is the RMS of the impacts alone. Its share grows in proportion to
// damage; both shares grow with the square of speed (the energy of an impact).
func (b BearingVibration) ImpactG(damage, speed float64) float64 {
	return b.FailedG * damage * speed * speed
}

// BackgroundG is the RMS without a defect.
func (b BearingVibration) BackgroundG(speed float64) float64 {
	return b.HealthyG * speed * speed
}

// RMSg is the broad-band RMS at a share of full speed.
func (b BearingVibration) RMSg(damage, speed float64) float64 {
	return math.Hypot(b.BackgroundG(speed), b.ImpactG(damage, speed))
}

// Kurtosis is 3 when healthy, rises while single impacts stand out of the
// background and falls again when the whole race is rough.
func (b BearingVibration) Kurtosis(damage, speed float64) float64 {
	i, bg := b.ImpactG(damage, speed), b.BackgroundG(speed)
	total := i*i + bg*bg
	if total == 0 {
		return 3
	}
	share := i * i / total
	return 3 + impactExcess(damage)*share*share
}

// Crest is the peak over the RMS.
func (b BearingVibration) Crest(damage, speed float64) float64 {
	i, bg := b.ImpactG(damage, speed), b.BackgroundG(speed)
	if i == 0 && bg == 0 {
		return backgroundCrest
	}
	// For a train of decaying impacts the peak goes with the root of the excess.
	crest := backgroundCrest + math.Sqrt(impactExcess(damage))
	return math.Hypot(backgroundCrest*bg, crest*i) / math.Hypot(i, bg)
}

// impactExcess is the excess kurtosis of the impacts alone: 17 for one small
// spall, about 1 for generalised roughness.
func impactExcess(damage float64) float64 {
	h := 1 - min(max(damage, 0), 1)
	return 1 + 16*h*h
}

// VelocityMMPerS turns an acceleration line into the velocity that ISO 20816
// looks at; lines only, not broad-band noise.
func VelocityMMPerS(accelG, hz float64) float64 {
	return accelG * 9806.65 / (2 * math.Pi * hz)
}
