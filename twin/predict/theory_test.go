package predict

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"gonum.org/v1/gonum/stat/distuv"
)

// Three sigma on one independent normal channel: an alarm in 370.4 rows.
func TestShewhartARL0(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	s := Shewhart{Use: []int{0}, Mean: []float64{5}, Scale: []float64{2}}
	const rows = 2_000_000
	alarms := 0
	for range rows {
		if s.Step([]float64{5 + 2*rng.NormFloat64()}).Over {
			alarms++
		}
	}
	want := 1 / math.Erfc(3/math.Sqrt2)
	if math.Abs(want-370.4) > 0.1 {
		t.Fatalf("theory gives %.1f", want)
	}
	got := rows / float64(alarms)
	if e := 4 * want / math.Sqrt(rows/want); math.Abs(got-want) > e {
		t.Errorf("ARL0 = %.1f, want %.1f within %.1f", got, want, e)
	}
}

// An EWMA with lambda 0.1 and limits of 2.814 of its own sigmas: about 500
// (Montgomery; Lucas and Saccucci 1990), and 10.3 after a shift of one sigma.
func TestEWMARunLengths(t *testing.T) {
	for _, c := range []struct {
		shift, want float64
		runs        int
	}{{0, 500, 3000}, {1, 10.3, 3000}} {
		rng := rand.New(rand.NewPCG(2, 2))
		sum, sum2 := 0.0, 0.0
		for range c.runs {
			e := newEWMA(0.1, 1)
			n := 1
			for ; math.Abs(e.step([]float64{c.shift + rng.NormFloat64()})[0]) <= 2.814; n++ {
			}
			sum += float64(n)
			sum2 += float64(n) * float64(n)
		}
		mean := sum / float64(c.runs)
		sd := math.Sqrt((sum2/float64(c.runs) - mean*mean) / float64(c.runs))
		if math.Abs(mean-c.want) > 4*sd+0.01*c.want {
			t.Errorf("shift %g: run length %.1f +- %.1f, want %.1f", c.shift, mean, sd, c.want)
		}
	}
}

// normal is rows of p channels with two hidden factors.
func normal(seed uint64, n, p int) [][]float64 {
	rng := rand.New(rand.NewPCG(seed, 3))
	rows := make([][]float64, n)
	for i := range rows {
		a, b := rng.NormFloat64(), rng.NormFloat64()
		for k := range p {
			x := a*math.Sin(float64(k)+1) + b*math.Cos(2*float64(k)) + 0.4*rng.NormFloat64()
			rows[i] = append(rows[i], 100*float64(k)+float64(k+1)*x)
		}
	}
	return rows
}

func letters(p int) (out []string) {
	for k := range p {
		out = append(out, string(rune('a'+k)))
	}
	return out
}

// The statistics against the definitions, by loops over everything.
func TestStatisticsAgainstTheDefinitions(t *testing.T) {
	const p = 6
	rows := normal(1, 500, p)
	m, err := Fit(rows, letters(p), Options{Lambda: 0.3})
	if err != nil {
		t.Fatal(err)
	}
	z := make([][]float64, len(rows))
	for i, r := range rows {
		for k := range p {
			z[i] = append(z[i], (r[k]-m.Mean[k])/m.Scale[k])
		}
	}
	// Components are eigenvectors of the correlation matrix, orthonormal, and
	// explain what they must, with none too many.
	explained, last := 0.0, 0.0
	for a, c := range m.Components {
		for b, d := range m.Components {
			want := 0.0
			if a == b {
				want = 1
			}
			if math.Abs(dot(c, d)-want) > 1e-9 {
				t.Errorf("components %d and %d: product %g", a, b, dot(c, d))
			}
		}
		for k := range p {
			cv := 0.0
			for j := range p {
				for i := range z {
					cv += z[i][k] * z[i][j] * c[j] / float64(len(z)-1)
				}
			}
			if math.Abs(cv-m.Variance[a]*c[k]) > 1e-6 {
				t.Errorf("component %d is no eigenvector: %g, want %g", a, cv, m.Variance[a]*c[k])
			}
		}
		explained, last = explained+m.Variance[a], m.Variance[a]
	}
	if explained < 0.9*p || explained-last >= 0.9*p {
		t.Errorf("%d components explain %.3f of %d", len(m.Components), explained, p)
	}
	mon := NewMonitor(m)
	s := make([]float64, p)
	for i, r := range rows {
		got := mon.Step(r)
		for k := range p {
			s[k] = 0.7*s[k] + 0.3*z[i][k]
		}
		scale := math.Sqrt(1.7 / 0.3)
		t2, spe := 0.0, 0.0
		for a, c := range m.Components {
			t2 += math.Pow(scale*dot(c, s), 2) / m.Variance[a]
		}
		for k := range p {
			e := s[k]
			for _, c := range m.Components {
				e -= dot(c, s) * c[k]
			}
			spe += math.Pow(scale*e, 2)
		}
		if math.Abs(got.T2-t2) > 1e-9*(1+t2) || math.Abs(got.SPE-spe) > 1e-9*(1+spe) {
			t.Fatalf("row %d: T2 %g SPE %g, want %g %g", i, got.T2, got.SPE, t2, spe)
		}
		if want := max(t2/m.LimitT2, spe/m.LimitSPE); math.Abs(got.Score-want) > 1e-9 || got.Over != (want > 1) {
			t.Fatalf("row %d: score %g over %v, want %g", i, got.Score, got.Over, want)
		}
	}
}

// Taking a channel out of the distance is the distance of the others: the
// formula against the inverse of the smaller matrix, here for two of two.
func TestWithoutAChannel(t *testing.T) {
	rows := normal(5, 400, 2)
	m, err := Fit(rows, letters(2), Options{})
	if err != nil {
		t.Fatal(err)
	}
	mon := NewMonitor(m)
	for _, r := range rows[:50] {
		mon.Step(r)
	}
	p := m.Precision
	det := p[0][0]*p[1][1] - p[0][1]*p[1][0]
	// The covariance is the inverse of the precision; of one channel it is a number.
	for k, variance := range []float64{p[1][1] / det, p[0][0] / det} {
		other := 1 - k
		want := mon.s[k] * mon.s[k] / variance
		if got := mon.without(other); math.Abs(got-want) > 1e-9*(1+want) {
			t.Errorf("without %d: %g, want %g", other, got, want)
		}
	}
}

// Without smoothing T2 of normal data is about chi-squared with as many degrees
// of freedom as there are components.
func TestT2IsChiSquared(t *testing.T) {
	const p, n = 5, 20000
	rows := normal(7, n, p)
	m, err := Fit(rows, letters(p), Options{Lambda: 1})
	if err != nil {
		t.Fatal(err)
	}
	mon := NewMonitor(m)
	var t2 []float64
	for _, r := range rows {
		t2 = append(t2, mon.Step(r).T2)
	}
	chi := distuv.ChiSquared{K: float64(len(m.Components))}
	for _, q := range []float64{0.5, 0.9, 0.99} {
		over := 0
		for _, v := range t2 {
			if v > chi.Quantile(q) {
				over++
			}
		}
		want := (1 - q) * n
		if e := 4*math.Sqrt(want*q) + 0.01*want; math.Abs(float64(over)-want) > e {
			t.Errorf("quantile %g: %d rows over, want %.0f within %.0f", q, over, want, e)
		}
	}
	// The limit lies beyond every healthy row, near where chi-squared has one in
	// twice 60,480 rows, with margin and the allowance for a short record.
	weekly := chi.Quantile(1 - 0.5/m.Options.rowsPerWeek())
	if m.LimitT2 <= slices.Max(t2) || m.LimitT2 < weekly || m.LimitT2 > 2.5*weekly {
		t.Errorf("limit %.1f, healthy maximum %.1f, chi-squared %.1f", m.LimitT2, slices.Max(t2), weekly)
	}
}

// The return level of independent exponential values is known: rate^-1 rows see
// one value over -ln(rate).
func TestReturnLevel(t *testing.T) {
	const rate = 1e-5
	short := 0
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 4))
		x := make([]float64, 8640) // one day of rows for a week of promise
		for i := range x {
			x[i] = rng.ExpFloat64()
		}
		got, want := returnLevel(x, rate, 0), -math.Log(rate)
		if got > 1.8*want {
			t.Errorf("seed %d: level %.2f, truth %.2f: too blunt", seed, got, want)
		}
		if got < want {
			short++
		}
		if got < slices.Max(x) {
			t.Errorf("seed %d: level %.2f is below what was seen", seed, got)
		}
	}
	if short > 6 { // 5 % of 40 are two
		t.Errorf("the level is too low in %d of 40 records", short)
	}
}

// Rows against means of the middle six of ten, taken by hand, with stops and
// unknown values in between.
func TestWindowAgainstMeansByHand(t *testing.T) {
	opt := Options{Settle: 5 * time.Second}.defaults()
	rng := rand.New(rand.NewPCG(1, 9))
	w := newWindow(opt, 1)
	var open []float64
	running, stopped, settle := 0, 0, 5
	for k := range 20000 {
		at := time.Unix(int64(k), 41)
		state, x := 6.0, rng.NormFloat64()
		switch rng.IntN(40) {
		case 0:
			state = 2
		case 1:
			x = Missing
		}
		r, ok := w.push(at, state, []float64{x})
		switch {
		case state != 6:
			running = 0
			stopped++
		case running == 0: // as long again as it stood
			running, settle, stopped = 1, 5+stopped, 0
		default:
			running++
		}
		if running <= settle || math.IsNaN(x) {
			open = nil
			if ok {
				t.Fatalf("second %d: a row while the machine is not steady", k)
			}
			continue
		}
		if full := len(open) == 10; ok != full {
			t.Fatalf("second %d: row %v with %d values open", k, ok, len(open))
		} else if full {
			slices.Sort(open)
			sum := 0.0
			for _, v := range open[2:8] {
				sum += v
			}
			if math.Abs(r.mean[0]-sum/6) > 1e-12 {
				t.Fatalf("second %d: mean %g, want %g", k, r.mean[0], sum/6)
			}
			open = nil
		}
		open = append(open, x)
	}
}
