package physics_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/plantbed/plantbed/sim/physics"
)

func source(n uint64) *rand.Rand { return rand.New(rand.NewPCG(n, 77)) }

func moments(n int, draw func(i int) float64) (mean, sd float64) {
	var s, q float64
	for i := range n {
		x := draw(i)
		s += x
		q += x * x
	}
	mean = s / float64(n)
	return mean, math.Sqrt(q/float64(n) - mean*mean)
}

func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s: %g, want %g within %g", what, got, want, tol)
	}
}

func TestKeyedNumbers(t *testing.T) {
	mean, sd := moments(200_000, func(i int) float64 { return physics.KeyedNormal(3, int64(i)-100_000) })
	near(t, "normal mean", mean, 0, 0.01)
	near(t, "normal sd", sd, 1, 0.01)
	mean, sd = moments(200_000, func(i int) float64 { return physics.KeyedUniform(3, int64(i)) })
	near(t, "uniform mean", mean, 0.5, 0.003)
	near(t, "uniform sd", sd, 1/math.Sqrt(12), 0.003)
}

func TestDriftIsStationaryAndSmooth(t *testing.T) {
	d := physics.Drift{Key: 9, TauS: 10}
	for _, phase := range []float64{0, 0.25, 0.5, 0.8} {
		mean, sd := moments(20_000, func(i int) float64 { return d.At((float64(i) + phase) * 10) })
		near(t, "mean", mean, 0, 0.04)
		near(t, "sd", sd, 1, 0.03)
	}
	for i := range 10_000 {
		at := float64(i) * 0.37
		if step := math.Abs(d.At(at+1e-4) - d.At(at)); step > 1e-3 {
			t.Fatalf("at %g s it jumps by %g in 0.1 ms", at, step)
		}
	}
}

// Two half steps are one whole, for every exact step.
func TestStepsCompose(t *testing.T) {
	near(t, "lag", physics.Settle(physics.Settle(3, 9, 2, 7), 9, 5, 7), physics.Settle(3, 9, 7, 7), 1e-12)
	one, two := physics.NewMotor(7.5, 1500).Thermal(), physics.NewMotor(7.5, 1500).Thermal()
	one.Step(600, 1.2, 500)
	two.Step(600, 1.2, 123)
	two.Step(600, 1.2, 377)
	near(t, "frame", one.FrameK, two.FrameK, 1e-9)
	near(t, "winding", one.WindingK, two.WindingK, 1e-9)
	one.Step(800, 1, 1e6)
	near(t, "rise at rated loss", one.FrameK+one.WindingK, 80, 1e-3)
}

// The closed-loop step is held against ten thousand small Euler steps.
func TestHeatedZoneAgainstEuler(t *testing.T) {
	z := physics.HeatedZone{LossWPerK: 30, HeatJPerK: 60_000, GainWPerK: 400, MaxW: 9000, SetpointC: 150, TempC: 120, CapacityOf: 1}
	want := z
	for range 2000 {
		z.Step(22, 2000, 0.5)
	}
	for range 100_000 {
		p := want.PowerW(22, 2000)
		want.TempC += (p - 2000 - want.LossWPerK*(want.TempC-22)) / want.HeatJPerK * 0.01
	}
	near(t, "temperature", z.TempC, want.TempC, 0.05)
	z.Step(22, 2000, 1e6)
	near(t, "settles at the set point", z.TempC, 150, 1e-6)
	z.CapacityOf = 0.5
	for range 10 {
		z.Step(22, 2000, 1e6)
	}
	near(t, "a weak element saturates", z.TempC, 22+(4500-2000)/30.0, 1e-6)
}

func TestPathHitsTheFailure(t *testing.T) {
	for seed := range uint64(50) {
		p := physics.NewPath(100, 900, physics.IncipientDamage, source(seed))
		last := 0.0
		for at := 100.0; at <= 900; at += 0.5 {
			d := p.At(at)
			if d < last || d < physics.IncipientDamage*(1-1e-9) || d > 1 {
				t.Fatalf("seed %d: D(%g) = %g after %g", seed, at, d, last)
			}
			last = d
		}
		if p.At(99.999) != 0 || p.At(900) != 1 || p.At(1e9) != 1 {
			t.Fatalf("seed %d: ends %g %g", seed, p.At(99.999), p.At(900))
		}
		near(t, "just before the failure", p.At(899.999), 1, 1e-3)
		for _, level := range []float64{0.005, 0.01, 0.03, 0.2, 0.99, 1} {
			at := p.Reach(level)
			if p.At(at+1e-6) < level*(1-1e-6) || (at > 100.001 && p.At(at-1e-3) >= level) {
				t.Errorf("seed %d: level %g reached at %g, where D is %g", seed, level, at, p.At(at))
			}
		}
	}
	plain := physics.NewPath(0, 1000, 0.01, nil)
	for at := 0.0; at < 1000; at += 7 {
		near(t, "without noise", plain.At(at), physics.ExpGrowth(0.01, at, 1000), 1e-9)
	}
}

func TestPathIsMildlyUneven(t *testing.T) {
	_, sd := moments(400, func(i int) float64 {
		return math.Log(physics.NewPath(0, 1, 0.01, source(uint64(i))).At(0.5) / 0.1)
	})
	// Dirichlet: sd of the half-way share is 1/(2 sqrt(4*256+1)), times ln 100.
	near(t, "spread half-way", sd, math.Log(100)/2/math.Sqrt(1025), 0.01)
}

func TestGammaProcessMoments(t *testing.T) {
	g := physics.NewGammaProcess(1000, 1, 0.2)
	rng := source(1)
	mean, sd := moments(20_000, func(int) float64 { return g.Grow(0, 400, rng) + g.Grow(400, 1000, rng) })
	near(t, "mean", mean, 1, 0.01)
	near(t, "sd", sd, 0.2, 0.01)
	// Given both ends, the bridge crosses the middle level about half-way.
	mean, _ = moments(2000, func(int) float64 { return g.Crossing(0, 0, 1000, 1, 0.5, 0.5, rng) })
	near(t, "crossing", mean, 500, 15)
}

func TestWienerFirstHit(t *testing.T) {
	w := physics.Wiener{Mu: 1e-2, Sigma: 0.05 / 10}
	rng := source(2)
	const dt = 2.0
	mean, sd := moments(4000, func(int) float64 {
		d, at := 0.0, 0.0
		for {
			next := w.Step(d, dt, rng)
			at += dt
			if next >= 1 || rng.Float64() < w.Bridge(d, next, dt) {
				return at - dt/2
			}
			d = next
		}
	})
	wantMean, wantSD := w.FirstHit()
	near(t, "mean", mean, wantMean, 0.5)
	near(t, "sd", sd, wantSD, 0.3)
}

func TestWeibullConditional(t *testing.T) {
	rng := source(3)
	// Survivors of 300 among fresh lives have the same mean residual life.
	var sum, n float64
	for range 200_000 {
		if l := physics.WeibullLife(1.8, 700, 0, rng.Float64()); l > 300 {
			sum, n = sum+l-300, n+1
		}
	}
	mean, _ := moments(100_000, func(int) float64 { return physics.WeibullLife(1.8, 700, 300, rng.Float64()) })
	near(t, "mean residual life", mean, sum/n, 5)
}

func TestVibrationGrowsAndKurtosisPeaks(t *testing.T) {
	b := physics.BearingVibration{HealthyG: 0.1, FailedG: 1}
	near(t, "healthy kurtosis", b.Kurtosis(0, 1), 3, 0)
	near(t, "healthy RMS", b.RMSg(0, 1), 0.1, 0)
	near(t, "stopped", b.RMSg(0.5, 0), 0, 0)
	peak, at, last := 0.0, 0.0, 0.0
	for d := 0.0; d <= 1; d += 0.01 {
		if k := b.Kurtosis(d, 1); k > peak {
			peak, at = k, d
		}
		if r := b.RMSg(d, 1); r < last {
			t.Errorf("RMS falls at D %g", d)
		} else {
			last = r
		}
	}
	if peak < 8 || at < 0.1 || at > 0.6 {
		t.Errorf("kurtosis peaks at %g for D %g", peak, at)
	}
	if end := b.Kurtosis(1, 1); end > 4.5 {
		t.Errorf("a rough bearing has kurtosis %g", end)
	}
	if c := b.Crest(0.3, 1); c < 5 || c > 9 {
		t.Errorf("crest %g", c)
	}
	near(t, "friction heat grows fivefold", physics.FrictionHeatW(1000, 25, 25, 1)/physics.FrictionHeatW(1000, 25, 25, 0), 5, 1e-12)
}

// The operating point is held against bisection on the two curves.
func TestDutyAgainstBisection(t *testing.T) {
	p := physics.NewPump(10, 24)
	for _, c := range []struct{ speed, damage, throttle float64 }{{1, 0, 1}, {0.8, 0, 1}, {1, 0.7, 1}, {1, 0, 4}, {0.3, 0, 1}} {
		lo, hi := 0.0, 100.0
		for range 80 {
			q := (lo + hi) / 2
			h := p.ShutoffM*(1-0.15*c.damage)*c.speed*c.speed - p.CurveM*q*q
			if h > p.StaticM+p.SystemM*c.throttle*q*q {
				lo = q
			} else {
				hi = q
			}
		}
		d := p.Duty(c.speed, c.damage, c.throttle)
		near(t, "flow", d.FlowLPS, lo, 1e-9)
		if d.ShaftKW < 0 || math.IsNaN(d.ShaftKW) {
			t.Errorf("%+v: %g kW", c, d.ShaftKW)
		}
	}
	near(t, "stopped pump", p.Duty(0, 0, 1).ShaftKW, 0, 0)
}

func TestTankSwitches(t *testing.T) {
	k := physics.Tank{CapacityL: 1000, LowL: 400, HighL: 800, MakeUpLPS: 3, VolumeL: 500}
	opened, closed := 0, 0
	for range 4000 {
		was := k.Filling
		k.Step(1, 1)
		if k.Filling && !was {
			opened++
			near(t, "opens at", k.VolumeL, 400, 3)
		}
		if was && !k.Filling {
			closed++
			near(t, "closes at", k.VolumeL, 800, 3)
		}
	}
	// 400 l take 400 s to empty at 1 l/s and 200 s to fill at 2 l/s net.
	if opened < 6 || opened > 7 || closed < 6 || closed > 7 {
		t.Errorf("opened %d times, closed %d times", opened, closed)
	}
}

func TestBeltFriction(t *testing.T) {
	b := physics.Belt{BeltKg: 40, Friction: 0.25, DrumM: 0.1}
	near(t, "empty", b.TorqueNm(0, 0.5, 0), 0.25*40*physics.GravityMS2*0.1, 1e-9)
	near(t, "worn", b.TorqueNm(0, 0.5, 1)/b.TorqueNm(0, 0.5, 0), 1.6, 1e-9)
	near(t, "power", b.PowerKW(10, 0.5), 0.05, 1e-12)
	near(t, "standing", b.TorqueNm(10, 0, 0), 0, 0)
}
