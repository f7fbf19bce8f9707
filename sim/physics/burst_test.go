package physics

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/dsp/fourier"
)

func testBurst(race Race, n int, slip float64, seed uint64) []float64 {
	b := Burst{Geometry: SKF6205, ShaftHz: 29.95, RateHz: 12_800, Race: race, BackgroundG: 0.1, ImpactG: 0.3, Slip: slip, Modes: HousingModes(3)}
	if race == NoRace {
		b.ImpactG = 0
	}
	x := make([]float64, n)
	b.Record(x, rand.New(rand.NewPCG(seed, 7)))
	return x
}

// envelope is the spectrum of the squared signal, free of its mean, and the
// width of a bin in Hz.
func envelope(x []float64, rateHz float64) ([]float64, float64) {
	e := make([]float64, len(x))
	mean := 0.0
	for i, v := range x {
		e[i] = v * v
		mean += v * v / float64(len(x))
	}
	for i := range e {
		e[i] = (e[i] - mean) * (0.5 - 0.5*math.Cos(2*math.Pi*float64(i)/float64(len(e))))
	}
	c := fourier.NewFFT(len(e)).Coefficients(nil, e)
	s := make([]float64, len(c))
	for i := range c {
		s[i] = cmplx.Abs(c[i])
	}
	return s, rateHz / float64(len(x))
}

// peak is the strongest bin between two frequencies, in Hz.
func peak(s []float64, binHz, fromHz, toHz float64) (hz, level float64) {
	for i := int(fromHz / binHz); float64(i)*binHz <= toHz; i++ {
		if s[i] > level {
			hz, level = float64(i)*binHz, s[i]
		}
	}
	return hz, level
}

// The lines of each fault stand at the bearing's kinematic frequencies, which
// for this bearing and speed are published.
func TestBurstLines(t *testing.T) {
	for _, c := range []struct {
		race   Race
		wantHz float64
	}{{OuterRace, 107.36}, {InnerRace, 162.19}, {Ball, 141.17}} {
		for seed := range uint64(5) {
			s, bin := envelope(testBurst(c.race, 1<<16, 0.005, seed), 12_800)
			// Every second impact of a ball is weaker, which has a line of its
			// own at half the rate; the line of the rate is looked for alone.
			hz, level := peak(s, bin, 0.9*c.wantHz, 1.1*c.wantHz)
			if math.Abs(hz-c.wantHz) > 0.015*c.wantHz {
				t.Errorf("%v, seed %d: the line stands at %.2f Hz, want %.2f", c.race, seed, hz, c.wantHz)
			}
			_, floor := peak(s, bin, 1.25*c.wantHz, 1.35*c.wantHz)
			if level < 4*floor {
				t.Errorf("%v, seed %d: the line is %.1f times what stands beside it", c.race, seed, level/floor)
			}
		}
	}
}

// An inner race turns through the load zone: sidebands one shaft speed away.
func TestBurstSidebands(t *testing.T) {
	s, bin := envelope(testBurst(InnerRace, 1<<16, 0.005, 1), 12_800)
	_, side := peak(s, bin, 162.19-31, 162.19-29)
	_, beside := peak(s, bin, 162.19-21, 162.19-19)
	if side < 3*beside {
		t.Errorf("sideband %.1f times its surroundings", side/beside)
	}
}

// A healthy bearing has no such line.
func TestBurstHealthy(t *testing.T) {
	s, bin := envelope(testBurst(NoRace, 1<<16, 0.005, 1), 12_800)
	_, line := peak(s, bin, 105, 110)
	_, beside := peak(s, bin, 130, 160)
	if line > 2*beside {
		t.Errorf("a healthy bearing has a line %.1f times its surroundings", line/beside)
	}
}

// Slip smears the high harmonics, as on real bearings; without it they are as
// sharp as the first.
func TestBurstSlipSmears(t *testing.T) {
	sharpness := func(slip float64) float64 {
		s, bin := envelope(testBurst(OuterRace, 1<<16, slip, 2), 12_800)
		_, first := peak(s, bin, 105, 110)
		_, high := peak(s, bin, 12*107.36-15, 12*107.36+15)
		return high / first
	}
	if with, without := sharpness(0.02), sharpness(0); with > 0.5*without {
		t.Errorf("twelfth harmonic over first: %.3f with slip, %.3f without", with, without)
	}
}

// The two parts have the RMS that they are to have.
func TestBurstRMS(t *testing.T) {
	x := testBurst(OuterRace, 1<<15, 0.01, 3)
	sum := 0.0
	for _, v := range x {
		sum += v * v
	}
	if got, want := math.Sqrt(sum/float64(len(x))), math.Hypot(0.1, 0.3); math.Abs(got-want) > 0.02*want {
		t.Errorf("RMS %.4f g, want %.4f", got, want)
	}
}

func BenchmarkBurst(b *testing.B) {
	for range b.N {
		testBurst(OuterRace, 2048, 0.01, 3)
	}
}

// A rough race has noise that comes and goes with the rolling over: the same
// line, without any impact.
func TestRoughRace(t *testing.T) {
	b := Burst{Geometry: SKF6205, ShaftHz: 29.95, RateHz: 12_800, Race: OuterRace, BackgroundG: 0.1, RoughG: 1, Modes: HousingModes(3)}
	x := make([]float64, 1<<16)
	b.Record(x, rand.New(rand.NewPCG(1, 7)))
	s, bin := envelope(x, b.RateHz)
	hz, level := peak(s, bin, 90, 125)
	_, floor := peak(s, bin, 130, 140)
	if math.Abs(hz-107.36) > 0.5 || level < 5*floor {
		t.Errorf("the line stands at %.2f Hz, %.1f times what is beside it", hz, level/floor)
	}
}

// Where a spall is long, each blow has a weaker one before it, by the time
// that a ball needs across: it shows in the cepstrum, here in the correlation.
func TestSpallHasTwoEdges(t *testing.T) {
	echo := func(spallMM float64) float64 {
		b := Burst{Geometry: SKF6205, ShaftHz: 30, RateHz: 51_200, Race: OuterRace, BackgroundG: 0.001, ImpactG: 1, SpallMM: spallMM,
			Modes: []Mode{{Hz: 9000, Damping: 0.1, Share: 1}}}
		x := make([]float64, 1<<15)
		b.Record(x, rand.New(rand.NewPCG(1, 7)))
		lag := int(SKF6205.SpallS(2, 30) * b.RateHz) // 5.67e-4 s
		sum, all := 0.0, 0.0
		for i := lag; i < len(x); i++ {
			sum, all = sum+x[i]*x[i-lag], all+x[i]*x[i]
		}
		return sum / all
	}
	if with, without := echo(2), echo(0); with < 0.2 || math.Abs(without) > 0.05 {
		t.Errorf("correlation over the spall's time: %.3f with a spall of 2 mm, %.3f with a small one", with, without)
	}
}

// Knocks of others raise the crest of a healthy recording, and no line.
func TestStrayKnocks(t *testing.T) {
	crest := func(hz float64) float64 {
		b := Burst{Geometry: SKF6205, ShaftHz: 30, RateHz: 12_800, BackgroundG: 0.1, StrayHz: hz, Modes: HousingModes(3)}
		x := make([]float64, 1<<16)
		b.Record(x, rand.New(rand.NewPCG(4, 7)))
		most := 0.0
		for _, v := range x {
			most = max(most, math.Abs(v))
		}
		return most / 0.1
	}
	if with, without := crest(2), crest(0); with < 1.5*without {
		t.Errorf("crest %.1f with knocks, %.1f without", with, without)
	}
}
