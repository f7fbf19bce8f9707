package physics

import "math"

// A motor's current tells of its faults by lines beside that of the mains
// (motor current signature analysis; Benbouzid 2000).

// BrokenBarHz are the sidebands of a broken rotor bar in the stator current.
func BrokenBarHz(mainsHz, slip float64) (low, high float64) {
	return mainsHz * (1 - 2*slip), mainsHz * (1 + 2*slip)
}

// BrokenBarDB is the level of the lower sideband over the mains line: below
// -54 dB with a sound rotor, -45 with one broken bar, towards -35 with several.
func BrokenBarDB(bars float64) float64 {
	if bars <= 1 {
		return -56 + 11*max(0, bars)
	}
	return -35 - 10/bars
}

// BearingCurrentHz are the k-th lines of a bearing's defect in the current.
func BearingCurrentHz(mainsHz, defectHz float64, k int) (low, high float64) {
	return math.Abs(mainsHz - float64(k)*defectHz), mainsHz + float64(k)*defectHz
}

// EccentricityHz are the k-th lines of a rotor that runs out of centre; pole
// pairs are half of the poles.
func EccentricityHz(mainsHz, slip float64, polePairs, k int) (low, high float64) {
	d := float64(k) * (1 - slip) / float64(polePairs)
	return math.Abs(mainsHz * (1 - d)), mainsHz * (1 + d)
}

// CurrentUnbalance is what an unbalance of the phases' voltages makes of that
// of their currents: 6 to 10 times as much, more of it under little load.
func CurrentUnbalance(voltageUnbalance, load float64) float64 {
	return voltageUnbalance * (10 - 4*min(max(load, 0), 1))
}

// Derating is the share of its rated load that a motor can bear under an
// unbalance of voltage in %: nothing is lost up to 1 %, a quarter at 5 % (NEMA MG 1).
func Derating(voltageUnbalancePct float64) float64 {
	u := min(max(voltageUnbalancePct-1, 0), 4)
	return 1 - 0.04*u - 0.005625*u*u
}

// Line of a spectrum: its amplitude is relative to what the fault makes at 1.
type Line struct{ Hz, Amplitude float64 }

// UnbalanceForceN of a mass whose centre is off by eccentricity: once per turn.
func UnbalanceForceN(massKg, eccentricityM, shaftHz float64) float64 {
	w := 2 * math.Pi * shaftHz
	return massKg * eccentricityM * w * w
}

// ResidualUnbalanceUM is the permissible offset of the centre of mass in
// micrometres for a balance grade in mm/s (ISO 21940: G6.3 for pumps and motors).
func ResidualUnbalanceUM(gradeMMPerS, rpm float64) float64 {
	return gradeMMPerS * 1000 / (2 * math.Pi * rpm / 60)
}

// UnbalanceLines, MisalignmentLines and LoosenessLines are what each makes of
// a shaft: one line; a strong second beside the first, which grows with the
// angle; half a turn and ten harmonics.
func UnbalanceLines(shaftHz float64) []Line { return []Line{{shaftHz, 1}} }

// MisalignmentLines are described at UnbalanceLines; severity goes from 0 to 1.
func MisalignmentLines(shaftHz, severity float64) []Line {
	return []Line{{shaftHz, 1}, {2 * shaftHz, 0.5 + 1.5*severity}, {3 * shaftHz, 0.3 * severity}}
}

// LoosenessLines are described at UnbalanceLines.
func LoosenessLines(shaftHz float64) []Line {
	out := []Line{{0.5 * shaftHz, 0.4}}
	for k := 1; k <= 10; k++ {
		out = append(out, Line{float64(k) * shaftHz, 1 / float64(k)})
	}
	return out
}

// BeltHz is how often a belt goes round, which a worn one shows with harmonics.
func BeltHz(pulleyM, shaftHz, beltM float64) float64 { return math.Pi * pulleyM * shaftHz / beltM }

// GearLines are the line of the tooth mesh and its sidebands one shaft speed
// away, which wear from 0 to 1 raises. A broken tooth knocks once a turn:
// sidebands of all orders.
func GearLines(teeth int, shaftHz, wear float64, broken bool) []Line {
	mesh := float64(teeth) * shaftHz
	out := []Line{{mesh, 1}}
	orders, share := 2, 0.12+0.6*wear
	if broken {
		orders, share = 8, 0.9
	}
	for k := 1; k <= orders; k++ {
		a := share * math.Pow(0.8, float64(k-1))
		out = append(out, Line{mesh - float64(k)*shaftHz, a}, Line{mesh + float64(k)*shaftHz, a})
	}
	return out
}
