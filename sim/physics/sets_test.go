package physics_test

import (
	"math"
	"slices"
	"testing"

	"github.com/plantbed/plantbed/sim/physics"
)

// The rules, row by row: just inside and just outside of each.
func TestMillRules(t *testing.T) {
	good := physics.MillRow{Type: 'L', AirK: 300, ProcessK: 310, RPM: 1500, TorqueNm: 40, WearMin: 100}
	for _, c := range []struct {
		name                    string
		change                  func(*physics.MillRow)
		heat, power, overstrain bool
	}{
		{"good", func(*physics.MillRow) {}, false, false, false},
		{"heat", func(r *physics.MillRow) { r.ProcessK, r.RPM = 308.5, 1379 }, true, false, false},
		{"heat, but fast", func(r *physics.MillRow) { r.ProcessK, r.RPM = 308.5, 1381 }, false, false, false},
		{"fast enough difference", func(r *physics.MillRow) { r.ProcessK, r.RPM = 308.7, 1379 }, false, false, false},
		{"little power", func(r *physics.MillRow) { r.TorqueNm = 3490 / 157.0796 }, false, true, false},
		{"much power", func(r *physics.MillRow) { r.TorqueNm = 9010 / 157.0796 }, false, true, false},
		{"strain on L", func(r *physics.MillRow) { r.WearMin = 276 }, false, false, true},
		{"no strain on M", func(r *physics.MillRow) { r.WearMin, r.Type = 276, 'M' }, false, false, false},
		{"strain on M", func(r *physics.MillRow) { r.WearMin, r.Type = 301, 'M' }, false, false, true},
		{"strain on H", func(r *physics.MillRow) { r.WearMin, r.Type = 326, 'H' }, false, false, true},
	} {
		r := good
		c.change(&r)
		if r.HeatFailure() != c.heat || r.PowerFailure() != c.power || r.OverstrainFailure() != c.overstrain || r.Fails() != (c.heat || c.power || c.overstrain) {
			t.Errorf("%s: %+v: heat %v, power %v, overstrain %v", c.name, r, r.HeatFailure(), r.PowerFailure(), r.OverstrainFailure())
		}
	}
	good.FailsAnyway = true
	if !good.Fails() {
		t.Error("a random failure is none")
	}
}

// Made rows are like the published ones: shares of types, correlation of speed
// and torque, median power, and how often each mode comes, to a factor of two.
func TestMillRows(t *testing.T) {
	const n = 100_000
	m := physics.NewMill(source(1))
	var rpm, torque, power, air []float64
	count := map[string]float64{}
	for range n {
		r := m.Next()
		rpm, torque, power, air = append(rpm, r.RPM), append(torque, r.TorqueNm), append(power, r.PowerW()), append(air, r.AirK)
		for name, is := range map[string]bool{"L": r.Type == 'L', "H": r.Type == 'H', "heat": r.HeatFailure(), "power": r.PowerFailure(),
			"overstrain": r.OverstrainFailure(), "tool": r.ToolFails, "any": r.Fails()} {
			if is {
				count[name] += 1. / n
			}
		}
		if r.ToolFails && (r.WearMin < 190 || r.WearMin > 253) {
			t.Fatalf("a tool fails at %g min", r.WearMin)
		}
	}
	slices.Sort(power)
	if p := power[n/2]; math.Abs(p-6271) > 0.02*6271 {
		t.Errorf("median power %.0f W, want 6271", p)
	}
	if c := correlation(rpm, torque); math.Abs(c+0.875) > 0.02 {
		t.Errorf("correlation of speed and torque %.3f, want -0.875", c)
	}
	if sd := math.Sqrt(covariance(air, air)); math.Abs(sd-2) > 0.3 {
		t.Errorf("air scatters by %.2f K, want 2", sd)
	}
	for name, want := range map[string]float64{"heat": 0.0115, "power": 0.0095, "overstrain": 0.0098, "tool": 0.0046, "any": 0.034} {
		if got := count[name]; got < want/2 || got > 2*want {
			t.Errorf("%s: %.4f of all rows, the file has %.4f", name, got, want)
		}
	}
	if math.Abs(count["L"]-0.6) > 0.01 || math.Abs(count["H"]-0.1) > 0.01 {
		t.Errorf("%.3f are L and %.3f H", count["L"], count["H"])
	}
}

func covariance(a, b []float64) (c float64) {
	ma, mb := mean(a), mean(b)
	for i := range a {
		c += (a[i] - ma) * (b[i] - mb) / float64(len(a))
	}
	return c
}

func mean(x []float64) (m float64) {
	for _, v := range x {
		m += v / float64(len(x))
	}
	return m
}

func correlation(a, b []float64) float64 {
	return covariance(a, b) / math.Sqrt(covariance(a, a)*covariance(b, b))
}

// An engine has no margin left exactly at the end of its life; the lives have
// their law; sensors move two to four times their noise over a life, and a
// regime shifts them by far more.
func TestTurbine(t *testing.T) {
	fleet := physics.NewTurbine()
	rng := source(2)
	var lives []float64
	for range 1000 {
		e := fleet.Draw(rng)
		if m := e.Margin(e.LifeCycles); math.Abs(m) > 1e-9 || e.Margin(0) < 0.98 || e.Margin(e.LifeCycles/2) < 0.5 {
			t.Fatalf("margin %g at the end, %g in the beginning", m, e.Margin(0))
		}
		lives = append(lives, e.LifeCycles)
	}
	if d := kolmogorovSmirnov(lives, func(x float64) float64 { return 1 - (physics.Weibull{Beta: 2.4, Eta: 120}).Survival(x-100) }); d > 1.358/math.Sqrt(1000) {
		t.Errorf("Kolmogorov-Smirnov distance of the lives %.3f", d)
	}
	shift := 0.0
	for k := range physics.TurbineSensors {
		if r := math.Abs(fleet.Slope[k]) / fleet.Sigma[k]; r < 2 || r > 4 {
			t.Errorf("sensor %d moves %.1f times its noise", k, r)
		}
		var base []float64
		for r := range physics.TurbineRegimes {
			base = append(base, fleet.Base[r][k])
		}
		shift += math.Sqrt(covariance(base, base)) / fleet.Sigma[k] / physics.TurbineSensors
	}
	if shift < 10 {
		t.Errorf("a regime shifts sensors by %.1f times their noise", shift)
	}
	// What is read at the start and the end of a life, normalised by regime.
	e := fleet.Draw(rng)
	y := make([]float64, physics.TurbineSensors)
	var first, last []float64
	for range 400 {
		r := e.Record(1, y, rng)
		first = append(first, (y[3]-fleet.Base[r][3])/fleet.Sigma[3])
		r = e.Record(e.LifeCycles, y, rng)
		last = append(last, (y[3]-fleet.Base[r][3])/fleet.Sigma[3])
	}
	if d := math.Abs(mean(last) - mean(first)); d < 0.1 {
		t.Errorf("sensor 3 moves by %.2f of its noise over a life", d)
	}
}
