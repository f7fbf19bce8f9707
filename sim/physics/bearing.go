package physics

import "math"

// BearingGeometry is what the defect frequencies of a rolling bearing follow from.
type BearingGeometry struct {
	Balls      int
	BallMM     float64
	PitchMM    float64
	ContactDeg float64
}

// Bearings whose frequencies are published, for calibration against real records.
var (
	SKF6205 = BearingGeometry{9, 7.94, 39.04, 0}       // CWRU drive end
	SKF6203 = BearingGeometry{8, 6.746, 28.50, 0}      // CWRU fan end
	ZA2115  = BearingGeometry{16, 8.407, 71.50, 15.17} // IMS, two rows
	FEMTO   = BearingGeometry{13, 3.5, 25.6, 0}        // PRONOSTIA
)

// DefectHz are the rates at which a defect is rolled over: outer race, inner
// race, twice the ball spin (a spot on a ball meets both races), and the cage.
type DefectHz struct{ Outer, Inner, Ball, Cage float64 }

// DefectHz at a shaft speed in Hz, without slip.
func (g BearingGeometry) DefectHz(shaftHz float64) DefectHz {
	n := float64(g.Balls)
	r := g.BallMM / g.PitchMM * math.Cos(g.ContactDeg*math.Pi/180)
	return DefectHz{
		Outer: n / 2 * shaftHz * (1 - r),
		Inner: n / 2 * shaftHz * (1 + r),
		Ball:  g.PitchMM / g.BallMM * shaftHz * (1 - r*r),
		Cage:  shaftHz / 2 * (1 - r),
	}
}

// SpallS is the time from a ball's entry into a spall of that length on the
// outer race to its exit (Sawalhi & Randall 2011).
func (g BearingGeometry) SpallS(spallMM, shaftHz float64) float64 {
	return spallMM * g.PitchMM / (math.Pi * shaftHz * (g.PitchMM*g.PitchMM - g.BallMM*g.BallMM))
}

// BallBearingExponent and RollerBearingExponent are the p of ISO 281.
const (
	BallBearingExponent   = 3.0
	RollerBearingExponent = 10.0 / 3
)

// L10Hours is the life that 90 % of bearings reach (ISO 281), for a ratio of
// dynamic capacity to load.
func L10Hours(capacityOverLoad, exponent, rpm float64) float64 {
	return 1e6 / (60 * rpm) * math.Pow(capacityOverLoad, exponent)
}

// BearingLifeHours scatters about L10 with Weibull slope 1.5; u is uniform in (0, 1).
func BearingLifeHours(l10Hours, u float64) float64 {
	return l10Hours * math.Pow(math.Log(1/u)/0.10536, 1/1.5)
}

// FrictionHeatW is what a rolling bearing dissipates: deep groove, mu 0.0015,
// five times that when it has failed.
func FrictionHeatW(loadN, boreMM, shaftHz, damage float64) float64 {
	torqueNm := 0.5 * 0.0015 * (1 + 4*damage) * loadN * boreMM / 1000
	return torqueNm * 2 * math.Pi * shaftHz
}

// ReliabilityFactor is a1 of ISO 281: of L10 hours, the share that this share
// of bearings reaches. 1 at 90 %, 0.64 at 95 %, 0.25 at 99 %; in between by
// their logarithms.
func ReliabilityFactor(reliability float64) float64 {
	points := [][2]float64{{0.10, 1}, {0.05, 0.64}, {0.01, 0.25}}
	x := math.Log(min(max(1-reliability, 0.01), 0.10))
	for i := 1; i < len(points); i++ {
		a, b := points[i-1], points[i]
		if u := (x - math.Log(a[0])) / (math.Log(b[0]) - math.Log(a[0])); u <= 1 {
			return math.Exp((1-u)*math.Log(a[1]) + u*math.Log(b[1]))
		}
	}
	return points[len(points)-1][1]
}

// ModifiedHours is the life with reliability and the condition of the
// lubricant, a factor from 0.1 for a dirty one to 50.
func ModifiedHours(l10Hours, reliability, condition float64) float64 {
	return ReliabilityFactor(reliability) * condition * l10Hours
}

// GreaseFactor is what is left of a grease's life at a temperature: half for
// each 15 K over 70 degC.
func GreaseFactor(tC float64) float64 { return math.Exp2(-max(0, tC-70) / 15) }

// LoadZone is the share of the greatest load that a ball bears at an angle in
// radians from the direction of the force (Stribeck). Epsilon is half the
// projected extent of the zone, 0.5 without clearance; the exponent is 3/2 for
// balls and 10/9 for rollers.
func LoadZone(angle, epsilon, exponent float64) float64 {
	c := math.Cos(angle)
	if c < 1-2*epsilon {
		return 0
	}
	return math.Pow(max(0, 1-(1-c)/(2*epsilon)), exponent)
}
