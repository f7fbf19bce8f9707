package physics

import (
	"math"
	"math/rand/v2"
)

// Paris constants by sort of steel, in m/cycle and MPa sqrt(m) (Barsom & Rolfe).
var (
	FerriticPearlitic = Paris{C: 6.9e-12, M: 3, Geometry: 1.12}
	Martensitic       = Paris{C: 1.35e-10, M: 2.25, Geometry: 1.12}
	Austenitic        = Paris{C: 5.6e-12, M: 3.25, Geometry: 1.12}
)

// Draw is the steel of one part: ln C scatters by 0.25 from part to part.
func (p Paris) Draw(rng *rand.Rand) Paris {
	p.C *= math.Exp(0.25 * rng.NormFloat64())
	return p
}

// Rate is da/dN in m per cycle; below the threshold of dK, 2 to 5 MPa sqrt(m),
// a crack does not grow.
func (p Paris) Rate(aM, stressMPa, thresholdMPaRootM float64) float64 {
	dk := p.RangeMPaRootM(aM, stressMPa)
	if dk < thresholdMPaRootM {
		return 0
	}
	return p.C * math.Pow(dk, p.M)
}

// CriticalM is the crack length in m at which what is left breaks, for a
// fracture toughness in MPa sqrt(m) and the greatest stress.
func (p Paris) CriticalM(toughness, stressMPa float64) float64 {
	r := toughness / (p.Geometry * stressMPa)
	return r * r / math.Pi
}

// CrackedHz is the natural frequency of a shaft that a crack of a share of its
// diameter makes softer; c is about 1.
func CrackedHz(hz, c, share float64) float64 { return hz * (1 - 0.5*c*share*share) }

// WoehlerCurve is N = A s^-K: cycles to failure at a stress range in MPa. K is
// 3 for welds, 5 to 10 for machined parts.
type WoehlerCurve struct{ A, K float64 }

// Cycles to failure.
func (w WoehlerCurve) Cycles(rangeMPa float64) float64 { return w.A * math.Pow(rangeMPa, -w.K) }

// StressCycle is a closed or half-closed loop of a stress history.
type StressCycle struct {
	Range, Mean float64
	Count       float64 // 1, or 0.5 for a half
}

// Rainflow counts the cycles of a history (ASTM E1049, 5.4.4). Values between
// two turning points do not matter.
func Rainflow(history []float64) (cycles []StressCycle) {
	var open []float64
	count := func(a, b, n float64) {
		cycles = append(cycles, StressCycle{math.Abs(a - b), (a + b) / 2, n})
	}
	for _, v := range turningPoints(history) {
		open = append(open, v)
		for n := len(open); n >= 3; n = len(open) {
			x, y := math.Abs(open[n-1]-open[n-2]), math.Abs(open[n-2]-open[n-3])
			if x < y {
				break
			}
			if n == 3 { // y holds the start of the history
				count(open[0], open[1], 0.5)
				open = open[1:]
				continue
			}
			count(open[n-2], open[n-3], 1)
			open = append(open[:n-3], open[n-1])
		}
	}
	for i := 1; i < len(open); i++ {
		count(open[i-1], open[i], 0.5)
	}
	return cycles
}

// turningPoints are where a history goes from up to down or back, and its ends.
func turningPoints(history []float64) (out []float64) {
	for _, v := range history {
		n := len(out)
		switch {
		case n > 0 && v == out[n-1]:
		case n > 1 && (v > out[n-1]) == (out[n-1] > out[n-2]):
			out[n-1] = v
		default:
			out = append(out, v)
		}
	}
	return out
}

// MinerDamage is the share of a part's life that cycles use up, whatever
// their order (Palmgren 1924, Miner 1945); at 1 it fails.
func MinerDamage(cycles []StressCycle, w WoehlerCurve) (damage float64) {
	for _, c := range cycles {
		damage += c.Count / w.Cycles(c.Range)
	}
	return damage
}
