package plc

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/plantbed/plantbed/sim"
	"github.com/plantbed/plantbed/sim/signal"
)

// flow is a noisy instrument: 0 to 100, noise 0.1.
func flow() Tag {
	return Tag{ID: "pump/flow", Unit: "l/min", Lo: 0, Hi: 100, Type: Float64, Scale: 1, Noise: 0.1}
}

// still is the same without noise and bias.
func still() Tag { t := flow(); t.Noise = 0; return t }

func channelOf(seed uint64, t Tag) *Channel {
	if t.Scale == 0 {
		t.Scale = 1
	}
	return newChannel(&t, 0, func(part string) *rand.Rand { return sim.Rand(seed, string(t.ID)+part) })
}

// readings are n readings of x, one a second.
func readings(c *Channel, n int, x float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i], _ = c.read(time.Duration(i)*time.Second, x)
	}
	return out
}

func mean(v []float64) (m float64) {
	for _, x := range v {
		m += x / float64(len(v))
	}
	return m
}

func sd(v []float64) float64 {
	m, s := mean(v), 0.0
	for _, x := range v {
		s += (x - m) * (x - m)
	}
	return math.Sqrt(s / float64(len(v)-1))
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %v, want %v within %v", what, got, want, tolerance)
	}
}

func TestHealthyNoise(t *testing.T) {
	const n = 100_000
	v := readings(channelOf(1, flow()), n, 50)
	near(t, "mean", mean(v), 50, 5*0.1/math.Sqrt(n))
	near(t, "standard deviation", sd(v), 0.1, 5*0.1/math.Sqrt(2*n))
}

func TestSameSeedSameNoise(t *testing.T) {
	a, b, other := readings(channelOf(1, flow()), 50, 50), readings(channelOf(1, flow()), 50, 50), readings(channelOf(2, flow()), 50, 50)
	same := 0
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("reading %d differs under one seed: %v and %v", i, a[i], b[i])
		}
		if a[i] == other[i] {
			same++
		}
	}
	if same > 0 {
		t.Errorf("%d of 50 readings agree under two seeds", same)
	}
}

// A drift has no step and no kink where it starts, and its slope afterwards.
func TestDrift(t *testing.T) {
	c := channelOf(1, still())
	c.Drift(100*time.Second, 0.01)
	v := readings(c, 1000, 50)
	for i := range 101 {
		if v[i] != 50 {
			t.Fatalf("reading %d before the drift is %v", i, v[i])
		}
	}
	for i := 161; i < len(v); i++ {
		near(t, "slope", v[i]-v[i-1], 0.01, 1e-9)
	}
	for i := 102; i < len(v); i++ {
		if bend := (v[i] - v[i-1]) - (v[i-1] - v[i-2]); bend < -1e-9 || bend > 0.01/60+1e-9 {
			t.Fatalf("at %d s the slope changes by %v within a second", i, bend)
		}
	}
	near(t, "drift after 900 s", v[999]-50, 0.01*(899-30), 1e-9)
}

func TestBiasAndGain(t *testing.T) {
	c := channelOf(1, still())
	c.SetBias(2)
	near(t, "biased", readings(c, 1, 50)[0], 52, 0)
	c.SetGain(0.5)
	near(t, "biased with gain", readings(c, 1, 50)[0], 27, 0)
	c.Clear()
	near(t, "cleared", readings(c, 1, 50)[0], 50, 0)
}

func TestNoiseFactor(t *testing.T) {
	const n = 20_000
	c := channelOf(1, flow())
	c.SetNoise(5)
	near(t, "standard deviation", sd(readings(c, n, 50)), 0.5, 5*0.5/math.Sqrt(2*n))
}

func TestStuckHasNoVariance(t *testing.T) {
	c := channelOf(1, flow())
	last := readings(c, 10, 50)[9]
	c.Stuck(true)
	for i := range 1000 {
		v, q := c.read(time.Duration(i)*time.Second, 50+float64(i%7))
		if v != last || q != signal.Good {
			t.Fatalf("reading %d is %v %v, want %v Good", i, v, q, last)
		}
	}
	c.Stuck(false)
	if v, _ := c.read(0, 50); v == last {
		t.Error("still stuck")
	}
	fresh := channelOf(1, flow())
	fresh.Stuck(true)
	if v, _ := fresh.read(0, 50); math.Abs(v-50) > 1 {
		t.Errorf("stuck from the start at %v, want the first reading", v)
	}
}

func TestSpikes(t *testing.T) {
	const n, rate = 200_000, 0.01
	c := channelOf(1, still())
	c.Spike(rate, 7)
	up, down := 0, 0
	for i, v := range readings(c, n, 50) {
		switch v {
		case 57:
			up++
		case 43:
			down++
		case 50:
		default:
			t.Fatalf("reading %d is %v", i, v)
		}
	}
	tolerance := 5 * math.Sqrt(n*rate/2)
	near(t, "spikes up", float64(up), n*rate/2, tolerance)
	near(t, "spikes down", float64(down), n*rate/2, tolerance)
}

// The share of bad readings and the mean length of a burst are those of the
// two-state chain: toBad/(toBad+toGood) and 1/toGood.
func TestDropoutIsGilbertElliott(t *testing.T) {
	const n, toBad, toGood = 400_000, 0.01, 0.05
	c := channelOf(1, flow())
	c.Dropout(toBad, toGood)
	bad, bursts, was := 0, 0, false
	last := 0.0
	for i := range n {
		v, q := c.read(time.Duration(i), 50)
		if is := q == signal.BadSensorFailure; is {
			if bad++; !was {
				bursts++
			}
			if v != last {
				t.Fatalf("a bad reading is %v, want the last value %v", v, last)
			}
		}
		was, last = q.IsBad(), v
	}
	near(t, "share of bad readings", float64(bad)/n, toBad/(toBad+toGood), 0.01)
	near(t, "length of a burst", float64(bad)/float64(bursts), 1/toGood, 1)
	c.Dropout(0, 1)
	if _, q := c.read(0, 50); q != signal.Good {
		t.Errorf("after the dropout: %v", q)
	}
}

func TestCutCable(t *testing.T) {
	c := channelOf(1, flow())
	last := readings(c, 1, 50)[0]
	c.Dropout(1, 0)
	for range 100 {
		if v, q := c.read(0, 60); v != last || q != signal.BadSensorFailure {
			t.Fatalf("got %v %v", v, q)
		}
	}
}

func TestSaturation(t *testing.T) {
	for _, c := range []struct {
		x, want float64
		quality signal.Quality
	}{
		{100, 100, signal.Good}, {103, 100, signal.Good}, {104, 100, signal.UncertainSensorNotAccurate},
		{0, 0, signal.Good}, {-1, 0, signal.Good}, {-2, 0, signal.UncertainSensorNotAccurate},
		{math.Inf(1), 100, signal.UncertainSensorNotAccurate}, {math.NaN(), 0, signal.BadSensorFailure},
	} {
		if v, q := channelOf(1, still()).read(0, c.x); v != c.want || q != c.quality {
			t.Errorf("%v reads %v %v, want %v %v", c.x, v, q, c.want, c.quality)
		}
	}
}

func TestQuantisation(t *testing.T) {
	for _, c := range []struct {
		typ     Type
		scale   float64
		x, want float64
	}{
		{Int16, 0.1, 12.34, 12.3}, {Int16, 0.1, -12.36, -12.4}, {Int16, 0.1, 1e9, 3276.7}, {Int16, 1, -0.3, 0},
		{UInt16, 0.5, 12.3, 12.5}, {UInt16, 1, -5, 0}, {UInt16, 1, 1e9, 65535},
		{Int32, 1e-3, 1.2344, 1.234}, {UInt32, 1, 5e9, math.MaxUint32},
		{Float32, 1, 0.1, float64(float32(0.1))}, {Float64, 1, 0.1, 0.1},
		{Bool, 1, 0.5, 1}, {Bool, 1, 0.4, 0}, {Bool, 1, 7, 1},
	} {
		tag := Tag{Type: c.typ, Scale: c.scale}
		v, _ := channelOf(1, tag).read(0, c.x)
		if math.Abs(v-c.want) > 1e-12*math.Abs(c.want) || math.Signbit(v) && v == 0 {
			t.Errorf("%v with scale %v: %v reads %v, want %v", c.typ, c.scale, c.x, v, c.want)
		}
		if c.typ.IsInteger() && float64(tag.Raw(v))*c.scale != v {
			t.Errorf("%v with scale %v: %v is no whole count", c.typ, c.scale, v)
		}
		if tag.quantise(v) != v {
			t.Errorf("%v with scale %v: %v does not stay as it is", c.typ, c.scale, v)
		}
	}
}

// Faults shift neither another channel's noise nor, once cleared, their own.
func TestFaultsLeaveNoiseAlone(t *testing.T) {
	other := flow()
	other.ID = "pump/pressure"
	healthy, healthyOther := channelOf(1, flow()), channelOf(1, other)
	faulty, beside := channelOf(1, flow()), channelOf(1, other)
	faulty.SetBias(3)
	faulty.SetNoise(4)
	faulty.Spike(0.3, 9)
	faulty.Dropout(0.2, 0.3)
	faulty.Stuck(true)
	for i := range 200 {
		now := time.Duration(i) * time.Second
		if i == 100 {
			faulty.Clear()
		}
		a, _ := healthy.read(now, 50)
		b, _ := faulty.read(now, 50)
		c, _ := healthyOther.read(now, 50)
		d, _ := beside.read(now, 50)
		if c != d {
			t.Fatalf("reading %d of the other channel is %v beside a fault, %v without", i, d, c)
		}
		if i >= 100 && a != b {
			t.Fatalf("reading %d after Clear is %v, want %v", i, b, a)
		}
	}
}

func TestReadingAllocatesNothing(t *testing.T) {
	c, x := channelOf(1, flow()), 50.0
	if n := testing.AllocsPerRun(1000, func() { c.read(0, x) }); n != 0 {
		t.Errorf("%v allocations per healthy reading", n)
	}
	c.Drift(0, 1)
	c.Spike(0.1, 1)
	c.Dropout(0.1, 0.1)
	if n := testing.AllocsPerRun(1000, func() { c.read(time.Second, x) }); n != 0 {
		t.Errorf("%v allocations per faulty reading", n)
	}
}

func BenchmarkHealthyReading(b *testing.B) {
	tag := flow()
	tag.Type, tag.Scale = Int16, 0.01
	c := channelOf(1, tag)
	b.ReportAllocs()
	for i := range b.N {
		c.read(time.Duration(i), 50)
	}
}
