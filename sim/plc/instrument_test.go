package plc

import (
	"math"
	"testing"
	"time"
)

// A lagging instrument answers a step as a first-order lag does, whatever the
// times at which it is read.
func TestLagFollowsAStep(t *testing.T) {
	tag := still()
	tag.LagS = 20
	c := channelOf(1, tag)
	if v, _ := c.read(0, 10); v != 10 {
		t.Errorf("it starts at %v", v)
	}
	at := time.Duration(0)
	for i := range 60 {
		at += time.Duration(1+i%3) * 700 * time.Millisecond
		v, _ := c.read(at, 50)
		near(t, "step response", v, 50-40*math.Exp(-at.Seconds()/20), 1e-9)
	}
	if _, q := c.read(at+1, math.NaN()); !q.IsBad() {
		t.Error("no number reads well")
	}
	if v, _ := c.read(at+2, 50); math.IsNaN(v) {
		t.Error("it does not come back from no number")
	}
}

// 1/f noise has its variance, is correlated over many time scales, and much
// more so than white noise.
func TestFlicker(t *testing.T) {
	tag := still()
	tag.Flicker = 0.3
	var all []float64
	var near1, near100 float64
	const runs, n = 60, 3000
	for seed := range uint64(runs) {
		v := readings(channelOf(seed, tag), n, 50)
		for i := range v {
			v[i] -= 50
		}
		all = append(all, v...)
		for i := range n - 100 {
			near1 += v[i] * v[i+1] / (n - 100) / runs
			near100 += v[i] * v[i+100] / (n - 100) / runs
		}
	}
	near(t, "standard deviation", sd(all), 0.3, 0.03)
	near(t, "correlation after 1 s", near1/0.09, 0.87, 0.1)
	// The slow third alone is left, and takes three readings a turn.
	near(t, "correlation after 100 s", near100/0.09, (math.Exp(-0.1)+math.Exp(-100./30))/3, 0.1)
}

// The order of the chain: what lags is the true value, gain acts before the
// offset, the span clips what noise adds, and a spike comes after all that.
func TestOrderOfTheChain(t *testing.T) {
	tag := still()
	tag.LagS = 10
	c := channelOf(1, tag)
	c.gain = 1.1
	c.read(0, 50)
	c.SetBias(5)
	v, _ := c.read(10*time.Second, 80)
	near(t, "lag, gain, bias", v, 1.1*(80-30*math.Exp(-1))+5, 1e-9)
	c.SetBias(500)
	if v, _ := c.read(11*time.Second, 80); v != 100 {
		t.Errorf("%v beyond the span", v)
	}
	c.Spike(1, 7)
	if v, _ := c.read(12*time.Second, 80); v != 107 && v != 93 {
		t.Errorf("a spike of 7 on a saturated 100 reads %v", v)
	}
}

// A fault's lag leaves no trace: cleared, the channel is bit for bit what one
// without is.
func TestClearedLagLeavesNoTrace(t *testing.T) {
	tag := flow()
	tag.LagS, tag.Flicker = 5, 0.05
	healthy, faulty := channelOf(1, tag), channelOf(1, tag)
	for i := range 300 {
		now, x := time.Duration(i)*time.Second, 50+10*math.Sin(float64(i)/7)
		switch i {
		case 50:
			faulty.SetLag(60)
			faulty.SetGain(1.2)
		case 200:
			faulty.Clear()
		}
		a, _ := healthy.read(now, x)
		b, _ := faulty.read(now, x)
		if (i < 50 || i >= 200) && a != b {
			t.Fatalf("reading %d is %v, want %v", i, b, a)
		}
		if i == 190 && math.Abs(a-b) < 1 {
			t.Error("a lag of a minute does not show")
		}
	}
}

// A full chain: lag, gain, noise and 1/f noise.
func BenchmarkFullChainReading(b *testing.B) {
	tag := flow()
	tag.Type, tag.Scale, tag.LagS, tag.Flicker = Int16, 0.01, 5, 0.05
	c := channelOf(1, tag)
	c.gain = 1.002
	b.ReportAllocs()
	for i := range b.N {
		c.read(time.Duration(i)*time.Second, 50)
	}
}
