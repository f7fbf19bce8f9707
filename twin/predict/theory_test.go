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

// samples are rows ten seconds apart, as a trainer keeps them.
func samples(rows [][]float64) (out []sample) {
	for i, r := range rows {
		s := sample{at: time.Unix(int64(10*i), 0), mean: r, spread: make([]float64, len(r)), running: [len(runningS)]float64{1, 1}}
		for k := range r {
			s.spread[k] = math.Inf(-1)
		}
		out = append(out, s)
	}
	return out
}

func (s *sample) row() *row { return &row{mean: s.mean, spread: s.spread, running: s.running} }

// The statistics against the definitions, by loops over everything.
func TestStatisticsAgainstTheDefinitions(t *testing.T) {
	const p = 6
	rows := samples(normal(1, 900, p))
	m, err := fit(rows, letters(p), Options{Lambda: 0.3, Slow: 0.05})
	if err != nil {
		t.Fatal(err)
	}
	mon := newMonitor(m)
	feat := newFeatures(p)
	var e [scales][p]float64
	judged := 0
	for i, r := range rows {
		got := mon.step(r.at, r.row())
		z := make([]float64, p)
		for k := range p {
			z[k] = (r.mean[k] - m.Mean[k]) / m.Scale[k]
		}
		x := feat.step(r.at, z, r.running)
		if !got.Judged {
			continue
		}
		judged++
		score := 0.0
		for s, lambda := range []float64{0.3, 0.05} {
			for k := range p {
				left := z[k]
				for f, w := range m.Whole.Weights[k] {
					left -= w * x[f]
				}
				left = max(-m.Whole.Bound[k], min(m.Whole.Bound[k], left))
				e[s][k] = (1-lambda)*e[s][k] + lambda*left
			}
			t2 := 0.0
			for a := range p {
				for b := range p {
					t2 += m.Whole.Scales[s].Precision[a][b] * e[s][a] * e[s][b] * (2 - lambda) / lambda
				}
			}
			if math.Abs(got.T2[s]-t2) > 1e-9*(1+t2) {
				t.Fatalf("row %d: T2 %g on scale %d, want %g", i, got.T2[s], s, t2)
			}
			score = max(score, t2/m.Whole.Scales[s].Limit)
		}
		if math.Abs(got.Score-score) > 1e-9 || got.Over != (score > 1) {
			t.Fatalf("row %d: score %g over %v, want %g", i, got.Score, got.Over, score)
		}
	}
	if judged < 800 {
		t.Errorf("%d rows judged", judged)
	}
}

// Channels that are a line and a parabola of others are predicted, and a channel
// is predicted by nothing that was made of itself.
func TestRegressionFindsWhatIsThere(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	var rows [][]float64
	a, b := 0.0, 0.0
	for range 3000 {
		a, b = 0.95*a+0.3*rng.NormFloat64(), 0.95*b+0.3*rng.NormFloat64()
		rows = append(rows, []float64{a, b, 3*a - 2*b + 0.01*rng.NormFloat64(), a*a + 0.01*rng.NormFloat64()})
	}
	m, err := fit(samples(rows), letters(4), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for k, least := range []float64{0.99, 0.99, 0.999, 0.99} {
		if m.Redundancy[k] < least || m.Redundancy[k] > 1 {
			t.Errorf("channel %d: redundancy %.4f, want at least %g", k, m.Redundancy[k], least)
		}
		for f, w := range m.Whole.Weights[k] {
			if of := madeOf(f, 4); of == k && w != 0 {
				t.Errorf("channel %d is predicted by its own feature %d", k, f)
			}
			for j, v := range m.Without {
				if j == k {
					continue
				}
				if of := madeOf(f, 4); (of == k || of == j) && v.Weights[k][f] != 0 {
					t.Errorf("without %d, channel %d is predicted by feature %d", j, k, f)
				}
			}
		}
	}
	// With nothing in common there is nothing to predict.
	m, err = fit(samples(white(9, 3000, 3)), letters(3), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for k, r := range m.Redundancy {
		if r > 0.02 {
			t.Errorf("independent channel %d: redundancy %.3f", k, r)
		}
	}
}

// Without a channel, that channel may be anything.
func TestWithoutAChannel(t *testing.T) {
	const p = 5
	rows := samples(normal(5, 600, p))
	m, err := fit(rows, letters(p), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for k := range p {
		true_, lie := newMonitor(m), newMonitor(m)
		for i, r := range rows[:200] {
			true_.step(r.at, r.row())
			r.mean = slices.Clone(r.mean)
			r.mean[k] += m.Scale[k] * 0.01 * float64(i) // too slow for a jump
			lie.step(r.at, r.row())
		}
		a, _ := true_.without(k)
		b, _ := lie.without(k)
		if math.Abs(a-b) > 1e-9*(1+a) {
			t.Errorf("without channel %d the machine is odd by %g, and by %g while that lies", k, a, b)
		}
		if lie.top() != k {
			t.Errorf("channel %d lies, and %d is named", k, lie.top())
		}
	}
}

func white(seed uint64, n, p int) [][]float64 {
	rng := rand.New(rand.NewPCG(seed, 5))
	rows := make([][]float64, n)
	for i := range rows {
		for range p {
			rows[i] = append(rows[i], rng.NormFloat64())
		}
	}
	return rows
}

// Without smoothing T2 of normal data is about chi-squared with as many degrees
// of freedom as there are channels.
func TestT2IsChiSquared(t *testing.T) {
	const p, n = 4, 20000
	rows := samples(white(7, n, p))
	m, err := fit(rows, letters(p), Options{Lambda: 1, Slow: 1})
	if err != nil {
		t.Fatal(err)
	}
	mon := newMonitor(m)
	var t2 []float64
	for _, r := range rows {
		if res := mon.step(r.at, r.row()); res.Judged {
			t2 = append(t2, res.T2[0])
		}
	}
	chi := distuv.ChiSquared{K: p}
	for _, q := range []float64{0.5, 0.9, 0.99} {
		over := 0
		for _, v := range t2 {
			if v > chi.Quantile(q) {
				over++
			}
		}
		want := (1 - q) * float64(len(t2))
		if e := 4*math.Sqrt(want*q) + 0.02*want; math.Abs(float64(over)-want) > e {
			t.Errorf("quantile %g: %d rows over, want %.0f within %.0f", q, over, want, e)
		}
	}
	// The limit lies beyond every healthy row, near where chi-squared has one in
	// twice 60,480 rows, with margin and the allowance for a short record.
	weekly := chi.Quantile(1 - 0.5/m.Options.rowsPerWeek())
	if l := m.Whole.Scales[0].Limit; l <= slices.Max(t2) || l < weekly || l > 3*weekly {
		t.Errorf("limit %.1f, healthy maximum %.1f, chi-squared %.1f", l, slices.Max(t2), weekly)
	}
}

// A machine that is worked otherwise jumps in several channels; a sensor alone.
func TestUnrest(t *testing.T) {
	m := &Model{Use: []int{0, 1, 2}, Switch: []bool{false, false, true}, Step: []float64{0.1, 0.1, 0.1}, Options: Options{}.defaults()}
	at := func(row int) time.Time { return time.Unix(int64(1000+10*row), 0) }
	for _, c := range []struct {
		name  string
		z     func(row int) []float64
		rest  string // . calm, x not
		alone bool   // channel 0 jumped alone, by what it is off in the end
	}{
		{"calm", func(row int) []float64 { return []float64{0.3, 0.5, 0} }, "............", false},
		{"a switch", func(row int) []float64 { return []float64{0.3, 0.5, float64(row % 2)} }, "............", false},
		{"one", func(row int) []float64 { return []float64{when(row > 2, 2), 0.5, 0} }, "...xxxxxx...", true},
		{"one, half in a window", func(row int) []float64 { return []float64{when(row > 2, 1) + when(row > 3, 1), 0.5, 0} }, "...xxxxxxx..", true},
		{"both", func(row int) []float64 { return []float64{when(row > 2, 2), when(row > 2, 2), 0} }, "...xxxxxx...", false},
		{"one after the other", func(row int) []float64 { return []float64{when(row > 2, 2), when(row > 4, 2), 0} }, "...xxxxxxxx.", false},
		{"a small one", func(row int) []float64 { return []float64{when(row > 2, 0.9), 0.5, 0} }, "...xxxxxx...", false},
	} {
		u := newUnrest(m)
		got := ""
		for row := range 12 {
			mark := "."
			if u.step(at(row), c.z(row)) {
				mark = "x"
			}
			got += mark
		}
		if got != c.rest {
			t.Errorf("%s: %s, want %s", c.name, got, c.rest)
		}
		if u.jumpedAlone(0, 2, at(12)) != c.alone {
			t.Errorf("%s: jumped alone is not %v", c.name, c.alone)
		}
	}
	// What jumps all the time hides nothing for long.
	u := newUnrest(m)
	calm := 0
	for row := range 360 {
		if !u.step(at(row), []float64{float64(row % 2), 0, 0}) {
			calm++
		}
	}
	if calm < 300 {
		t.Errorf("judged in %d rows of 360", calm)
	}
}

func when(on bool, v float64) float64 {
	if on {
		return v
	}
	return 0
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
