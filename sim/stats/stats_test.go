package stats_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/plantbed/plantbed/sim/stats"
)

func ExampleMean() {
	i := stats.Mean([]float64{61.2, 60.8, 61.9, 61.1, 61.5}, 0.95)
	fmt.Println(i, i.Contains(61))
	// Output: 61.3 ± 0.52 true
}

func ExampleSequential() {
	i, err := stats.Sequential(stats.Goal{Relative: 0.01}, func(rep int) float64 {
		r := rand.New(rand.NewPCG(uint64(rep), 1)) // a model, run under its own seed
		return 100 + 5*r.NormFloat64()
	})
	fmt.Println(i, err)
	// Output: 99.57 ± 0.99 <nil>
}

func stream(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 42)) }

func TestTallyAgainstTheDefinition(t *testing.T) {
	r := stream(1)
	var tally stats.Tally
	var xs []float64
	for range 1000 {
		x := 1e6 + r.NormFloat64()
		xs = append(xs, x)
		tally.Add(x)
	}
	var sum, squares float64
	for _, x := range xs {
		sum += x
	}
	for _, x := range xs {
		squares += (x - sum/1000) * (x - sum/1000)
	}
	if math.Abs(tally.Mean()-sum/1000) > 1e-8 || math.Abs(tally.Variance()-squares/999) > 1e-6 {
		t.Errorf("mean %v, want %v; variance %v, want %v", tally.Mean(), sum/1000, tally.Variance(), squares/999)
	}
}

func TestTooLittleToSay(t *testing.T) {
	for _, xs := range [][]float64{nil, {1}} {
		if i := stats.Mean(xs, 0.95); !math.IsInf(i.Half, 1) || i.N != len(xs) {
			t.Errorf("of %v: %+v, want an infinite half-width", xs, i)
		}
	}
	if i := stats.OverlappingBatchMeans([]float64{1, 2, 3}, 2, 0.95); !math.IsInf(i.Half, 1) {
		t.Errorf("of three: %+v, want an infinite half-width", i)
	}
}

// An interval at level 0.9 misses the truth in a tenth of the cases. Of 1000
// cases that is 100, with a standard deviation of 9.5.
func TestMeanCoversAsOftenAsItSays(t *testing.T) {
	r := stream(2)
	missed := 0
	for range 1000 {
		xs := make([]float64, 8)
		for i := range xs {
			xs[i] = 3 + 2*r.NormFloat64()
		}
		if !stats.Mean(xs, 0.9).Contains(3) {
			missed++
		}
	}
	if missed < 70 || missed > 130 {
		t.Errorf("missed %d of 1000, want about 100", missed)
	}
}

// autoregressive is a series about level, each value 0.8 of the one before
// and a tenth of noise, from where it starts.
func autoregressive(r *rand.Rand, n int, start, level float64) []float64 {
	xs := make([]float64, n)
	x := start - level
	for i := range xs {
		x = 0.8*x + r.NormFloat64()
		xs[i] = level + x
	}
	return xs
}

func TestBatchMeansCoverWhereTheNaiveIntervalDoesNot(t *testing.T) {
	r := stream(3)
	missed, naive := 0, 0
	for range 400 {
		xs := autoregressive(r, 6000, 5, 5)
		if !stats.OverlappingBatchMeans(xs, 0, 0.95).Contains(5) {
			missed++
		}
		if !stats.Mean(xs, 0.95).Contains(5) {
			naive++
		}
	}
	if missed < 6 || missed > 40 { // 20, sd 4.4, and a little for the bias of batches
		t.Errorf("overlapping batch means missed %d of 400, want about 20", missed)
	}
	if naive < 150 {
		t.Errorf("the naive interval missed %d of 400; the series is too tame to test anything", naive)
	}
}

// The batches summed window by window, as the definition says.
func TestBatchMeansAgainstTheDumbSum(t *testing.T) {
	r := stream(4)
	xs := autoregressive(r, 500, 0, 0)
	const m = 20
	all, squares := 0.0, 0.0
	for _, x := range xs {
		all += x / 500
	}
	for i := 0; i+m <= len(xs); i++ {
		sum := 0.0
		for _, x := range xs[i : i+m] {
			sum += x
		}
		squares += (sum/m - all) * (sum/m - all)
	}
	e := math.Sqrt(m * squares / (500 - m + 1) / (500 - m))
	const t36 = 2.028094 // Student's 97.5 % quantile at 1.5 * (25 - 1) degrees of freedom
	if got := stats.OverlappingBatchMeans(xs, m, 0.95); math.Abs(got.Half-t36*e) > 1e-6 {
		t.Errorf("half-width %v, want %v", got.Half, t36*e)
	}
}

func TestMSER5FindsTheWarmUp(t *testing.T) {
	r := stream(5)
	for range 50 {
		// From 40 down to 5 by 0.8 a step: within the noise after some 15 to 30.
		cut, ok := stats.MSER5(autoregressive(r, 2000, 45, 5))
		if !ok || cut < 5 || cut > 400 {
			t.Errorf("warm-up of %d, %v; want a little over 10", cut, ok)
		}
	}
	ramp := make([]float64, 1000)
	for i := range ramp {
		ramp[i] = float64(i)
	}
	if cut, ok := stats.MSER5(ramp); ok {
		t.Errorf("a ramp never settles, but is said to after %d", cut)
	}
	if _, ok := stats.MSER5(ramp[:19]); ok {
		t.Error("19 observations are said to be enough")
	}
}

// The quick MSER5 against the definition.
func TestMSER5AgainstTheDumbSearch(t *testing.T) {
	r := stream(6)
	for range 100 {
		xs := autoregressive(r, 20+r.IntN(300), 20, 0)
		n := len(xs) / 5
		best, want := math.Inf(1), 0
		for d := 0; d <= n/2; d++ {
			var tally stats.Tally
			for b := d; b < n; b++ {
				sum := 0.0
				for _, x := range xs[5*b : 5*b+5] {
					sum += x
				}
				tally.Add(sum / 5)
			}
			m := float64(n - d)
			if v := tally.Variance() * (m - 1) / (m * m); v < best-1e-12 {
				best, want = v, 5*d
			}
		}
		if got, _ := stats.MSER5(xs); got != want {
			t.Fatalf("warm-up of %d, want %d", got, want)
		}
	}
}

func TestSequentialStopsAtTheGoalWhateverTheCores(t *testing.T) {
	run := func(rep int) float64 { return 10 + stream(uint64(rep)).NormFloat64() }
	i, err := stats.Sequential(stats.Goal{Half: 0.2}, run)
	if err != nil || i.Half > 0.2 || i.N < 50 || !i.Contains(10) {
		t.Errorf("%+v, %v; want a half-width of 0.2 after some 100", i, err)
	}
	// The dumb way: one more, and look.
	for n := 10; ; n++ {
		var xs []float64
		for rep := range n {
			xs = append(xs, run(rep))
		}
		if want := stats.Mean(xs, 0.95); want.Half <= 0.2 {
			if want != i {
				t.Errorf("got %+v, want %+v", i, want)
			}
			break
		}
	}
	if i, err := stats.Sequential(stats.Goal{Half: 0.001, Max: 30}, run); err == nil || i.N != 30 {
		t.Errorf("%+v, %v; want an error after 30", i, err)
	}
	if _, err := stats.Sequential(stats.Goal{}, run); err == nil {
		t.Error("no goal, and no error")
	}
}

func TestReplicateKeepsTheOrder(t *testing.T) {
	for i, x := range stats.Replicate(1000, func(rep int) float64 { return float64(rep) }) {
		if x != float64(i) {
			t.Fatalf("replication %d is at place %d", int(x), i)
		}
	}
}
