package physics

import "math"

// TaylorLifeMin is a tool's life by Taylor's v T^n = C, v in m/min.
func TaylorLifeMin(n, c, vMPerMin float64) float64 { return math.Pow(c/vMPerMin, 1/n) }

// FlankWearMM is the mean flank wear at a share u of the tool's life: quick
// break-in, long steady wear, steep end at 0.3 mm (ISO 3685).
func FlankWearMM(u float64) float64 {
	return 0.3 * (0.2*(1-math.Exp(-u/0.05)) + 0.55*u + 0.25*math.Pow(u, 6))
}

// Paris is the growth of a fatigue crack, da/dN = C dK^m with dK in MPa
// sqrt(m) and a in m (Paris & Erdogan 1963).
type Paris struct {
	C, M     float64
	Geometry float64 // Y, 1.12 for an edge crack
}

// RangeMPaRootM is dK at crack length aM under a stress range.
func (p Paris) RangeMPaRootM(aM, stressMPa float64) float64 {
	return p.Geometry * stressMPa * math.Sqrt(math.Pi*aM)
}

// Cycles from crack length a0M to aM, for M other than 2.
func (p Paris) Cycles(a0M, aM, stressMPa float64) float64 {
	e := 1 - p.M/2
	k := p.C * math.Pow(p.Geometry*stressMPa*math.Sqrt(math.Pi), p.M)
	return (math.Pow(a0M, e) - math.Pow(aM, e)) / (-e * k)
}

// CuttingForceN is Kienzle's force on a tool, chip width and thickness in mm;
// kc11 2220 N/mm2 and mc 0.14 for C45. Worn by vbMM it is up to half as much more.
func CuttingForceN(kc11, mc, widthMM, thickMM, vbMM float64) float64 {
	return kc11 * widthMM * math.Pow(thickMM, 1-mc) * (1 + 0.45*vbMM/0.3)
}

// RoughnessUM is the roughness Ra that a feed in mm and a nose radius in mm
// leave, in micrometres.
func RoughnessUM(feedMM, noseMM, vbMM float64) float64 {
	return 1000 * feedMM * feedMM / (32 * noseMM) * (1 + vbMM/0.3)
}
