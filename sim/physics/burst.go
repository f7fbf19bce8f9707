package physics

import (
	"math"
	"math/rand/v2"
)

// Race is where a rolling bearing is damaged; each place is rolled over at a
// rate of its own.
type Race int

// The places.
const (
	NoRace Race = iota
	OuterRace
	InnerRace
	Ball
)

func (r Race) String() string {
	return [...]string{"none", "outer", "inner", "ball"}[r]
}

// Burst is a short recording of an accelerometer on a bearing's housing: a
// background of noise and shaft lines, and the train of impacts of a local
// defect (McFadden & Smith 1984; Randall, Antoni & Chobsaard 2001).
//
//	b := physics.Burst{Geometry: physics.SKF6205, ShaftHz: 25, RateHz: 12_800, Race: physics.OuterRace,
//		BackgroundG: 0.1, ImpactG: 0.05, Modes: physics.HousingModes(unit)}
//	b.Record(x, rng)
type Burst struct {
	Geometry BearingGeometry
	ShaftHz  float64 // speed; below 1 Hz nothing but sensor noise is left
	RateHz   float64 // samples per second
	Race     Race
	// BackgroundG and ImpactG are the RMS of the two parts, in g.
	BackgroundG, ImpactG float64
	// Slip is the standard deviation of the time between two impacts, relative
	// to it. It adds up from impact to impact, so that high harmonics smear.
	Slip  float64
	Modes []Mode
	// SpallMM is how long the spall is: a ball goes in softly and comes out
	// with the blow, so that each impact has a weaker one before it. 0 is none.
	SpallMM float64
	// RoughG is the RMS of noise that comes with the rolling over a race which
	// is rough all over, late in a life.
	RoughG float64
	// StrayHz is how often something else knocks, at random.
	StrayHz float64
	// Around is what else there is to hear; nil is noise, a third of whose
	// power rings the same modes, and weak lines of the shaft.
	Around *Background
}

// Mode is a resonance that an impact rings.
type Mode struct {
	Hz      float64
	Damping float64 // share of critical
	Share   float64 // of the response
}

// HousingModes are the three resonances of a housing. They differ widely from
// unit to unit, as the key says, for so do real ones.
func HousingModes(key uint64) []Mode {
	rng := rand.New(rand.NewPCG(key, 0x6d6f646573))
	within := func(lo, hi float64) float64 { return lo + (hi-lo)*rng.Float64() }
	return []Mode{
		{Hz: within(700, 1600), Damping: within(0.03, 0.08), Share: within(0.2, 0.8)},
		{Hz: within(1900, 3500), Damping: within(0.015, 0.05), Share: 1},
		{Hz: within(3800, 5400), Damping: within(0.01, 0.04), Share: within(0.2, 0.9)},
	}
}

// DefectHz is how often the damaged place is struck.
func (b Burst) DefectHz() float64 {
	f := b.Geometry.DefectHz(b.ShaftHz)
	switch b.Race {
	case OuterRace:
		return f.Outer
	case InnerRace:
		return f.Inner
	case Ball:
		return f.Ball
	}
	return 0
}

// standing is the speed in Hz below which a bearing makes no vibration.
const standing = 1.0

// Record fills x, in g.
func (b Burst) Record(x []float64, rng *rand.Rand) {
	clear(x)
	if b.ShaftHz < standing {
		for i := range x {
			x[i] = 0.001 * rng.NormFloat64()
		}
		return
	}
	if f := b.DefectHz(); f > 0 && b.ImpactG > 0 {
		b.strike(x, f, rng)
		b.ring(x)
		rescale(x, b.ImpactG)
	}
	if b.StrayHz > 0 {
		b.stray(x, rng)
	}
	if f := b.DefectHz(); f > 0 && b.RoughG > 0 {
		b.roughen(x, f, rng)
	}
	b.background(x, rng)
}

// stray adds knocks of others, a Poisson number of them, each some times the
// background.
func (b Burst) stray(x []float64, rng *rand.Rand) {
	var knocks []float64 // most recordings have none
	for t := rng.ExpFloat64() / b.StrayHz; ; t += rng.ExpFloat64() / b.StrayHz {
		i := int(t * b.RateHz)
		if i >= len(x) {
			break
		}
		if knocks == nil {
			knocks = make([]float64, len(x))
		}
		knocks[i] += b.BackgroundG * (2 + 6*rng.ExpFloat64())
	}
	b.ring(knocks)
	for i, v := range knocks {
		x[i] += v
	}
}

// roughen adds noise whose strength goes up and down with the rolling over.
func (b Burst) roughen(x []float64, defectHz float64, rng *rand.Rand) {
	rough := make([]float64, len(x))
	at, turn := phasor(2*math.Pi*rng.Float64()), phasor(2*math.Pi*defectHz/b.RateHz)
	for i := range rough {
		rough[i] = (1 + 0.8*real(at)) * rng.NormFloat64()
		at *= turn
	}
	rescale(rough, b.RoughG)
	for i := range x {
		x[i] += rough[i]
	}
}

// strike puts the impacts into x, modulated by the load on the damaged place.
func (b Burst) strike(x []float64, defectHz float64, rng *rand.Rand) {
	depth, turnHz := 0.25*rng.Float64(), b.ShaftHz // the outer race stands still in the load zone
	switch b.Race {
	case InnerRace:
		depth = 0.6 + rng.Float64()
	case Ball:
		depth, turnHz = 0.6+rng.Float64(), b.Geometry.DefectHz(b.ShaftHz).Cage
	}
	phase := 2 * math.Pi * rng.Float64()
	scatter := 0.05 + 0.2*rng.Float64()
	weak := 0.2 + 0.8*rng.Float64() // every second impact of a ball is on the other race
	t := rng.Float64() / defectHz
	early := int(b.Geometry.SpallS(b.SpallMM, b.ShaftHz) * b.RateHz)
	for n := 0; ; n++ {
		i := int(t * b.RateHz)
		if i >= len(x) {
			return
		}
		a := max(0, 1+depth*math.Cos(2*math.Pi*turnHz*t+phase)) * (1 + scatter*rng.NormFloat64())
		if b.Race == Ball && n%2 == 1 {
			a *= weak
		}
		if i >= 0 {
			x[i] += a
		}
		if early > 0 && i >= early {
			x[i-early] += 0.3 * a
		}
		t += (1 + b.Slip*rng.NormFloat64()) / defectHz
	}
}

// ring passes x through the modes side by side, each a damped oscillator in
// its exact discrete form.
func (b Burst) ring(x []float64) {
	var c1, c2, c0, y1, y2 [4]float64
	n := 0
	for _, m := range b.Modes {
		if m.Hz >= 0.45*b.RateHz || n == len(c1) {
			continue // beyond what the recorder hears
		}
		w := 2 * math.Pi * m.Hz / b.RateHz
		r := math.Exp(-m.Damping * w)
		wd := w * math.Sqrt(1-m.Damping*m.Damping)
		c1[n], c2[n], c0[n] = 2*r*math.Cos(wd), -r*r, m.Share*r*math.Sin(wd)
		n++
	}
	in := 0.0
	for i, next := range x {
		sum := 0.0
		for k := range n {
			y := c1[k]*y1[k] + c2[k]*y2[k] + c0[k]*in
			y2[k], y1[k] = y1[k], y
			sum += y
		}
		x[i], in = sum, next
	}
}

func phasor(angle float64) complex128 {
	s, c := math.Sincos(angle)
	return complex(c, s)
}

// rescale gives x a root mean square.
func rescale(x []float64, rms float64) {
	sum := 0.0
	for _, v := range x {
		sum += v * v
	}
	if sum == 0 {
		return
	}
	f := rms / math.Sqrt(sum/float64(len(x)))
	for i := range x {
		x[i] *= f
	}
}
