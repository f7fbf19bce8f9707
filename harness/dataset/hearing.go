package dataset

import (
	"math"
	"math/cmplx"
	"slices"

	"gonum.org/v1/gonum/dsp/fourier"

	"github.com/plantbed/plantbed/sim/physics"
)

// heard is what the checks keep of a recording of a shaft that turns.
type heard struct {
	Bearing string // machine/component
	Healthy bool
	// Clear tells that it has a local defect which is well above the background
	// and not yet all over the race.
	Clear   bool
	ShaftHz float64
	// Kurtosis of the signal: 3 of plain noise.
	Kurtosis float64
	// Bands are the levels of the octaves below half the rate, in dB of the
	// whole: a spectrum without its amplitude.
	Bands [bands]float64
	// Line is how far the lines of the bearing stand out of the spectrum of the
	// envelope: of its own defect, or the strongest of all where it is healthy.
	// 0 where the recording does not tell.
	Line float64
	// Razor is how far the high harmonics of its defect stand out of the
	// spectrum itself; 0 as before.
	Razor float64
}

const bands = 6

// clearFrom and clearTo bound the damage of a clear defect.
const clearFrom, clearTo = 0.1, 0.6

// listener has what looking at recordings of one length needs.
type listener struct {
	fft    *fourier.FFT
	window []float64
	x      []float64
	c      []complex128
	level  []float64 // of a spectrum, by bin
	around []float64
}

func newListener(n int) *listener {
	l := &listener{fft: fourier.NewFFT(n), window: make([]float64, n), x: make([]float64, n)}
	for i := range l.window {
		l.window[i] = 0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/float64(n))
	}
	return l
}

// everyHealthy is how many healthy recordings of a bearing are passed over for
// one that is looked at; there are enough of them.
const everyHealthy = 3

// hear looks at the recordings of a run.
func hear(bursts []Burst) []heard {
	var out []heard
	var l *listener
	passed := map[string]int{}
	for i := range bursts {
		b := &bursts[i]
		name := b.Machine + "/" + b.Component
		if b.ShaftHz < turning {
			continue
		}
		if passed[name]++; b.Damage == 0 && passed[name]%everyHealthy != 1 {
			continue
		}
		if l == nil {
			l = newListener(len(b.Samples))
		}
		out = append(out, l.hear(name, b))
	}
	return out
}

// turning is the speed in Hz from which on a shaft is up to it.
const turning = 5

func (l *listener) hear(name string, b *Burst) heard {
	h := heard{Bearing: name, Healthy: b.Damage == 0, ShaftHz: b.ShaftHz, Kurtosis: kurtosis(b.Samples),
		Clear: b.Damage >= clearFrom && b.Damage <= clearTo}
	binHz := b.RateHz / float64(len(b.Samples))
	l.spectrum(b.Samples, false)
	h.Bands = l.octaves()
	lines := defectsHz(b.ShaftHz)
	if lines[0] < 10*binHz || 4*slices.Max(lines) > b.RateHz/2 {
		return h // too short to tell a line from the next, or too slow to hear them
	}
	if h.Clear {
		for i, r := range races {
			if r.String() == b.Race {
				lines = lines[i : i+1]
			}
		}
		h.Razor = l.razor(lines[0], binHz)
	}
	if h.Healthy || h.Clear {
		l.spectrum(b.Samples, true)
		for _, hz := range lines {
			h.Line = max(h.Line, l.train(hz, 1, 3, binHz))
		}
	}
	return h
}

var races = [...]physics.Race{physics.OuterRace, physics.InnerRace, physics.Ball}

// defectsHz is how often each of the races is struck.
func defectsHz(shaftHz float64) []float64 {
	out := make([]float64, len(races))
	for i, r := range races {
		out[i] = physics.Burst{Geometry: geometry, ShaftHz: shaftHz, Race: r}.DefectHz()
	}
	return out
}

// spectrum of the samples, or of their squares: the envelope.
func (l *listener) spectrum(samples []float32, envelope bool) {
	mean := 0.0
	for i, v := range samples {
		l.x[i] = float64(v)
		if envelope {
			l.x[i] *= l.x[i]
		}
		mean += l.x[i] / float64(len(samples))
	}
	for i := range l.x {
		l.x[i] = (l.x[i] - mean) * l.window[i]
	}
	l.c = l.fft.Coefficients(l.c, l.x)
	l.level = slices.Grow(l.level[:0], len(l.c))[:len(l.c)]
	for i, c := range l.c {
		l.level[i] = cmplx.Abs(c)
	}
}

// octaves of the spectrum in dB of the whole, from the highest down.
func (l *listener) octaves() (out [bands]float64) {
	all := 1e-30
	for _, v := range l.level {
		all += v * v
	}
	to := len(l.level)
	for i := range out {
		from := to / 2
		sum := 1e-9 * all
		for _, v := range l.level[from:to] {
			sum += v * v
		}
		out[i], to = 10*math.Log10(sum/all), from
	}
	return out
}

// line is the strongest bin about hz over the median within half of step to
// each side: about 1.5 of noise.
func (l *listener) line(hz, step, binHz float64) float64 {
	at := func(hz float64) int { return min(max(1, int(math.Round(hz/binHz))), len(l.level)-1) }
	best := slices.Max(l.level[at(hz-binHz) : at(hz+binHz)+1])
	l.around = append(l.around[:0], l.level[at(hz-step/2):at(hz+step/2)+1]...)
	slices.Sort(l.around)
	return best / max(l.around[len(l.around)/2], 1e-30)
}

// train is the geometric mean of the lines of a frequency and its harmonics.
func (l *listener) train(hz float64, first, last int, binHz float64) float64 {
	sum := 0.0
	for k := first; k <= last; k++ {
		sum += math.Log(l.line(float64(k)*hz, hz, binHz))
	}
	return math.Exp(sum / float64(last-first+1))
}

// razor looks where housings ring.
func (l *listener) razor(hz, binHz float64) float64 {
	top := 0.8 * binHz * float64(len(l.level))
	first, last := int(0.15*top/hz)+1, int(top/hz)
	if last < first+4 {
		return 0
	}
	return l.train(hz, first, last, binHz)
}

func kurtosis(x []float32) float64 {
	var m2, m4 float64
	for _, v := range x {
		q := float64(v) * float64(v)
		m2, m4 = m2+q, m4+q*q
	}
	if m2 == 0 {
		return 0
	}
	return m4 * float64(len(x)) / (m2 * m2)
}
