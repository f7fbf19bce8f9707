package physics

import "math"

// How far an instrument may be off, by its class: what an installed bias and
// gain are drawn within. Temperatures are in degC, currents in mA.

// PT100ClassB of IEC 60751, in K.
func PT100ClassB(tC float64) float64 { return 0.30 + 0.005*math.Abs(tC) }

// TypeKClass1 is a thermocouple by IEC 60584, in K.
func TypeKClass1(tC float64) float64 { return max(1.5, 0.004*math.Abs(tC)) }

// Shares of the reading, or of full scale where it says so.
const (
	AccelerometerShare = 0.05   // of sensitivity
	PressureShareFS    = 0.0025 // of full scale
	CoriolisShare      = 0.0015
	MagneticFlowShare  = 0.005
	CurrentClass05     = 0.005
	CurrentClass1      = 0.01
)

// LoopFault tells what a current of a 4 to 20 mA loop means by NAMUR NE 43:
// below 3.6 or above 21 mA the transmitter says that it has failed.
func LoopFault(mA float64) bool { return mA < 3.6 || mA > 21 }

// LoopValue is what a good current says, as a share of the span.
func LoopValue(mA float64) float64 { return (mA - 4) / 16 }
