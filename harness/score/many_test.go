package score_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/plantbed/plantbed/harness/score"
)

func cardWith(seed uint64, name string, v float64, n int, x score.Expectation) score.Card {
	c := score.Card{Scenario: "x", Seed: seed, Verdict: score.Pass, Metrics: map[string]score.Metric{name: {Value: &v, N: n}}, Expectations: []score.Expectation{x}}
	if x.Op == "<=" && v > x.Want || x.Op == ">=" && v < x.Want {
		c.Verdict = score.Fail
	}
	return c
}

func ensemble(name string, x score.Expectation, n int, values ...float64) score.Ensemble {
	var cards []score.Card
	for i, v := range values {
		cards = append(cards, cardWith(uint64(i), name, v, n, x))
	}
	return score.Together(cards, make([]string, len(cards)))
}

// The verdict rests on the interval's bound: inside, outside, across.
func TestEnsembleVerdict(t *testing.T) {
	at := func(max float64) score.Expectation {
		return score.Expectation{Metric: "latency.p99_ms", Op: "<=", Want: max}
	}
	for max, want := range map[float64]score.Verdict{200: score.Pass, 103: score.Unknown, 50: score.Fail} {
		e := ensemble("latency.p99_ms", at(max), 1, 98, 101, 104, 99, 107)
		if e.Verdict != want {
			t.Errorf("at most %v: %s, want %s (%v)", max, e.Verdict, want, e.Why)
		}
	}
	if e := ensemble("latency.p99_ms", at(50), 1, 98, 40, 104); e.Runs[e.Worst].Verdict != score.Fail {
		t.Errorf("the worst run is %+v", e.Runs[e.Worst])
	}
}

// Shares are pooled: 3 of 3 in each of ten runs is 30 of 30.
func TestEnsemblePoolsShares(t *testing.T) {
	e := ensemble("detect.recall", score.Expectation{Metric: "detect.recall", Op: ">=", Want: 0.8}, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
	s := e.Metrics["detect.recall"]
	if s.Of != 30 || s.Method != "wilson" || math.Abs(s.CI95[0]-0.8865) > 0.001 || s.CI95[1] != 1 || e.Verdict != score.Pass {
		t.Errorf("%+v %v, %s", s, s.CI95, e.Verdict)
	}
}

// Student's interval covers the truth as often as it says: 95 % of 2,000
// ensembles of five normal runs, within four standard errors.
func TestEnsembleIntervalCovers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	const trials = 2000
	hits := 0
	for range trials {
		v := make([]float64, 5)
		for i := range v {
			v[i] = 10 + 3*r.NormFloat64()
		}
		ci := ensemble("latency.p50_ms", score.Expectation{Metric: "latency.p50_ms", Op: "<=", Want: 1}, 1, v...).Metrics["latency.p50_ms"].CI95
		if ci[0] <= 10 && 10 <= ci[1] {
			hits++
		}
	}
	if got := float64(hits) / trials; math.Abs(got-0.95) > 4*math.Sqrt(0.95*0.05/trials) {
		t.Errorf("covers %.3f of the time", got)
	}
}

// A seed that could not be run makes the whole unknown, and the others are
// judged all the same.
func TestEnsembleWithABrokenRun(t *testing.T) {
	x := score.Expectation{Metric: "latency.p99_ms", Op: "<=", Want: 200}
	cards := []score.Card{{Scenario: "x", Seed: 1, Verdict: score.Unknown, Why: []string{"the worker died"}}}
	for i, v := range []float64{98, 101, 104} {
		cards = append(cards, cardWith(uint64(i+2), x.Metric, v, 1, x))
	}
	e := score.Together(cards, make([]string, len(cards)))
	if e.Verdict != score.Unknown || len(e.Expectations) != 1 || e.Expectations[0].Verdict != score.Pass || e.Expectations[0].N != 3 || e.Worst != 0 {
		t.Errorf("%s, worst %d, %+v", e.Verdict, e.Worst, e.Expectations)
	}
}
