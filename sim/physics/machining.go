package physics

import (
	"math"
	"math/rand/v2"
)

// ToolMaterial is a row of Taylor's constants, v in m/min and life in min
// (Groover, for steel).
type ToolMaterial struct{ N, C float64 }

// Tool materials.
var (
	HighSpeedSteel  = ToolMaterial{0.125, 70}
	UncoatedCarbide = ToolMaterial{0.25, 500}
	CoatedCarbide   = ToolMaterial{0.25, 700}
	Cermet          = ToolMaterial{0.25, 600}
	Ceramic         = ToolMaterial{0.6, 3000}
)

// LifeMin of a tool by Taylor's law with feed and depth of cut, each over what
// C holds for; x is 0.4 to 0.8 and y 0.1 to 0.3.
func (m ToolMaterial) LifeMin(vMPerMin, feed, depth, x, y float64) float64 {
	return TaylorLifeMin(m.N, m.C, vMPerMin) * math.Pow(feed, -x) * math.Pow(depth, -y)
}

// DrawLifeMin is one tool of many: lognormal about a life, by 20 %.
func DrawLifeMin(lifeMin float64, rng *rand.Rand) float64 {
	return lifeMin * math.Exp(0.2*rng.NormFloat64())
}

// ArchardMM3 is the volume that sliding wears off: k is 1e-7 to 1e-4, the
// hardness in N/mm2.
func ArchardMM3(k, forceN, slideMM, hardness float64) float64 { return k * forceN * slideMM / hardness }

// UsuiMMPerMin is the wear of a tool by the stress on it, the speed of the
// chip and the temperature in K: dW/dt = A sigma v exp(-B/theta).
func UsuiMMPerMin(a, b, stressMPa, vMPerMin, tK float64) float64 {
	return a * stressMPa * vMPerMin * math.Exp(-b/tK)
}

// CuttingPowerKW for a force and a speed, through a drive of that efficiency.
func CuttingPowerKW(forceN, vMPerMin, efficiency float64) float64 {
	return forceN * vMPerMin / 60 / efficiency / 1000
}
