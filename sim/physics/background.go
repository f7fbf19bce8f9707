package physics

import (
	"math"
	"math/rand/v2"
)

// Background is what an accelerometer hears where nothing is wrong. No two
// machines sound alike, and a detector that has learned how one of them sounds
// calls the next one faulty; so the parts of a background and their shares
// differ widely from unit to unit. All are relative to each other: a recording
// is scaled to the RMS that it is to have.
//
//	b.Around = physics.DrawBackground(rand.New(rand.NewPCG(serial, 1)))
type Background struct {
	// Noise: flat, ringing the housing's resonances, and rumble below LowHz.
	Flat, Rung, Low, LowHz float64
	// Lines of the shaft: the first, and each over the one before.
	Lines, Fade float64
	// Mesh of a gear or vanes, Teeth times a turn, with a sideband to each side.
	Mesh  float64
	Teeth int
	// Hum of the mains, at twice their frequency.
	Hum float64
	// Next is a machine next door that turns at NextHz, with two harmonics.
	Next, NextHz float64
	// Knock is the RMS of blows that come KnockHz times a second, nearly
	// regularly: a pump's valves, a packer.
	Knock, KnockHz float64
	// Swell is how far the noise goes up and down with the shaft.
	Swell float64
}

// plain is a background of noise and weak lines, and the one without a name.
var plain = Background{Flat: 0.75, Rung: 0.58, Lines: 0.35, Fade: 0.6, Swell: 0.17}

// DrawBackground makes up a machine's own.
func DrawBackground(rng *rand.Rand) Background {
	within := func(lo, hi float64) float64 { return lo + (hi-lo)*rng.Float64() }
	widely := func(lo, hi float64) float64 { return lo * math.Pow(hi/lo, rng.Float64()) }
	often := func(chance, most float64) float64 {
		if u, v := rng.Float64(), rng.Float64(); u < chance {
			return most * v
		}
		return 0
	}
	return Background{
		Flat: widely(0.05, 1), Rung: widely(0.05, 1), Low: widely(0.03, 1.5), LowHz: widely(150, 2000),
		Lines: within(0.05, 0.9), Fade: within(0.3, 0.9),
		Mesh: often(0.6, 0.8), Teeth: 11 + rng.IntN(60),
		Hum:  often(0.5, 0.5),
		Next: often(0.5, 0.8), NextHz: within(8, 400),
		Knock: often(0.25, 0.6), KnockHz: within(3, 30),
		Swell: within(0, 0.35),
	}
}

// tone is a line on its way: each value follows from the two before.
type tone struct{ twiceCos, last, before float64 }

func newTone(hz, amplitude, rateHz float64, rng *rand.Rand) tone {
	w, phase := 2*math.Pi*hz/rateHz, 2*math.Pi*rng.Float64()
	return tone{2 * math.Cos(w), amplitude * math.Cos(phase-w), amplitude * math.Cos(phase-2*w)}
}

func (t *tone) next() float64 {
	v := t.twiceCos*t.last - t.before
	t.before, t.last = t.last, v
	return v
}

// add the line to x.
func (t tone) add(x []float64) {
	for i := range x {
		x[i] += t.next()
	}
}

// mainsHumHz is twice the frequency of the mains.
const mainsHumHz = 100

// tones of a background; each scatters from recording to recording. What the
// recorder does not hear is left out.
func (g Background) tones(shaftHz, rateHz float64, rng *rand.Rand) []tone {
	out := make([]tone, 0, 12)
	add := func(hz, amplitude float64) {
		if amplitude > 0 && hz < 0.45*rateHz {
			out = append(out, newTone(hz, amplitude, rateHz, rng))
		}
	}
	strength := g.Lines
	for k := 1; k <= 5; k++ {
		add(float64(k)*shaftHz, strength*rng.ExpFloat64())
		strength *= g.Fade
	}
	mesh := g.Mesh * rng.ExpFloat64()
	add(float64(g.Teeth)*shaftHz, mesh)
	add(float64(g.Teeth-1)*shaftHz, 0.3*mesh)
	add(float64(g.Teeth+1)*shaftHz, 0.3*mesh)
	add(mainsHumHz, g.Hum)
	next := g.Next * rng.ExpFloat64()
	for k := 1; k <= 3; k++ {
		add(float64(k)*g.NextHz, next/float64(k))
	}
	return out
}

// background adds it all.
func (b Burst) background(x []float64, rng *rand.Rand) {
	g := plain
	if b.Around != nil {
		g = *b.Around
	}
	noise := make([]float64, len(x))
	for i := range noise {
		noise[i] = rng.NormFloat64()
	}
	rung := append([]float64(nil), noise...)
	b.ring(rung)
	rescale(rung, g.Rung)
	low := lowPass(noise, g.LowHz/b.RateHz)
	rescale(low, g.Low)
	lines := g.tones(b.ShaftHz, b.RateHz, rng)
	swell := newTone(b.ShaftHz, g.Swell, b.RateHz, rng)
	for i := range noise {
		noise[i] = (g.Flat*rng.NormFloat64() + rung[i] + low[i]) * (1 + swell.next())
	}
	for _, line := range lines {
		line.add(noise)
	}
	b.knock(noise, g, rng)
	rescale(noise, b.BackgroundG)
	for i := range x {
		x[i] += noise[i]
	}
}

// lowPass is noise below a corner, as a share of the rate.
func lowPass(noise []float64, corner float64) []float64 {
	out := make([]float64, len(noise))
	a, y := math.Exp(-2*math.Pi*corner), 0.0
	for i, v := range noise {
		y = a*y + (1-a)*v
		out[i] = y
	}
	return out
}

// knock adds nearly regular blows of something else.
func (b Burst) knock(x []float64, g Background, rng *rand.Rand) {
	if g.Knock == 0 {
		return
	}
	blows := make([]float64, len(x))
	struck := false
	for t := rng.Float64() / g.KnockHz; ; t += (1 + 0.05*rng.NormFloat64()) / g.KnockHz {
		i := int(t * b.RateHz)
		if i >= len(x) {
			break
		}
		if i >= 0 {
			blows[i], struck = 0.5+rng.Float64(), true
		}
	}
	if !struck {
		return
	}
	b.ring(blows)
	rescale(blows, g.Knock)
	for i := range x {
		x[i] += blows[i]
	}
}
