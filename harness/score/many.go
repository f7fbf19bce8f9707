package score

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Ensemble is many seeds of one scenario: each metric with its interval, and
// a verdict that rests on the interval's bound and not on a mean that another
// handful of seeds would move.
type Ensemble struct {
	Schema       string            `json:"schema"`
	Scenario     string            `json:"scenario"`
	Gear         string            `json:"gear"`
	Verdict      Verdict           `json:"verdict"`
	Why          []string          `json:"why,omitempty"`
	Runs         []Run             `json:"runs"`
	Metrics      map[string]Spread `json:"metrics"`
	Expectations []Expectation     `json:"expectations"`
	// Passed is the share of runs that passed, with a Wilson interval: after n
	// runs without a failure it still says how often one may hide.
	Passed Spread `json:"passed"`
	// Worst is the index into Runs of the one to look at first.
	Worst int `json:"worst"`
}

// EnsembleSchema names the layout of an ensemble's card.
const EnsembleSchema = "plantbed.ensemble/1"

// Run is one seed's outcome.
type Run struct {
	Seed    uint64   `json:"seed"`
	Dir     string   `json:"dir"`
	Digest  string   `json:"digest"`
	Verdict Verdict  `json:"verdict"`
	Why     []string `json:"why,omitempty"`
}

// Spread is a metric over the runs in which it had a value.
type Spread struct {
	Unit string   `json:"unit"`
	Mean *float64 `json:"mean"`
	Min  *float64 `json:"min"`
	Max  *float64 `json:"max"`
	// N is the number of runs; Of the number of things, where the metric is a
	// share of things that are pooled over the runs.
	N    int         `json:"n"`
	Of   int         `json:"of,omitempty"`
	CI95 *[2]float64 `json:"ci95,omitempty"`
	// Method is "student" for means over runs, "wilson" for pooled shares.
	Method string `json:"method,omitempty"`
}

// pooled are the metrics that are shares of independent things; over several
// runs the things are counted together.
var pooled = map[string]bool{"detect.recall": true, "detect.precision": true, "rul.coverage90": true}

// Together makes the ensemble of some runs' cards, in the order of their
// seeds; dirs says where each run is.
func Together(cards []Card, dirs []string) Ensemble {
	e := Ensemble{Schema: EnsembleSchema, Verdict: Pass, Metrics: map[string]Spread{}}
	if len(cards) == 0 {
		e.Verdict, e.Why = Unknown, []string{"there is no run to judge"}
		return e
	}
	e.Scenario, e.Gear = cards[0].Scenario, cards[0].Gear
	passed := 0
	for i, c := range cards {
		e.Runs = append(e.Runs, Run{Seed: c.Seed, Dir: dirs[i], Digest: c.Digest, Verdict: c.Verdict, Why: c.Why})
		if c.Verdict == Pass {
			passed++
		}
	}
	e.Worst = worstRun(cards)
	for _, m := range Metrics {
		e.Metrics[m.Name] = spread(m.Name, cards)
	}
	share := ratio(passed, len(cards))
	e.Passed = Spread{Unit: "1", Mean: &share, N: len(cards), Of: len(cards), CI95: wilson(passed, len(cards)), Method: "wilson"}
	for _, c := range cards {
		if len(c.Expectations) > 0 { // a run that broke off before it was judged has none
			for _, x := range c.Expectations {
				e.expect(x)
			}
			break
		}
	}
	for i, c := range cards {
		if c.Verdict == Unknown && len(c.Why) > 0 {
			e.Verdict = worse(e.Verdict, Unknown)
			e.Why = append(e.Why, fmt.Sprintf("seed %d is unknown: %s", e.Runs[i].Seed, c.Why[0]))
		}
	}
	return e
}

// worstRun is the run with the worst verdict, and of these the one that fails
// the most expectations.
func worstRun(cards []Card) int {
	rank := func(c Card) int {
		n := 0
		for _, x := range c.Expectations {
			if x.Verdict != Pass {
				n++
			}
		}
		return n + map[Verdict]int{Pass: 0, Unknown: 1000, Fail: 2000}[c.Verdict]
	}
	worst := 0
	for i := range cards {
		if cmp.Compare(rank(cards[i]), rank(cards[worst])) > 0 {
			worst = i
		}
	}
	return worst
}

func spread(name string, cards []Card) Spread {
	s := Spread{Unit: unitOf(name)}
	var values []float64
	hits := 0.0
	for _, c := range cards {
		if m := c.Metrics[name]; m.Value != nil {
			values = append(values, *m.Value)
			hits += *m.Value * float64(m.N)
			s.Of += m.N
		}
	}
	s.N = len(values)
	if s.N == 0 {
		s.Of = 0
		return s
	}
	lo, hi := slices.Min(values), slices.Max(values)
	s.Min, s.Max = &lo, &hi
	if pooled[name] {
		mean := hits / float64(s.Of)
		s.Mean, s.CI95, s.Method = &mean, wilson(int(math.Round(hits)), s.Of), "wilson"
		return s
	}
	s.Of = 0
	mean, ci := student(values)
	s.Mean = &mean
	if ci != nil {
		s.CI95, s.Method = ci, "student"
		if lo >= 0 { // no metric that is not negative has a negative mean
			s.CI95[0] = max(0, s.CI95[0])
		}
	}
	return s
}

// student is the mean of values with Student's 95 % interval; one value has none.
func student(values []float64) (mean float64, ci *[2]float64) {
	mean, sd := stat.MeanStdDev(values, nil)
	n := float64(len(values))
	if n < 2 {
		return mean, nil
	}
	half := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.Quantile(0.975) * sd / math.Sqrt(n)
	return mean, &[2]float64{mean - half, mean + half}
}

// expect judges one bound on the interval: pass when all of it is inside,
// fail when all of it is outside, unknown when the bound lies within.
func (e *Ensemble) expect(x Expectation) {
	s := e.Metrics[x.Metric]
	out := Expectation{Metric: x.Metric, Op: x.Op, Want: x.Want, Got: s.Mean, N: s.N, Verdict: Pass}
	switch {
	case s.Mean == nil || s.CI95 == nil:
		out.Verdict, out.Why = Unknown, fmt.Sprintf("%s is unknown: too few runs have a value", x.Metric)
	default:
		lo, hi := s.CI95[0], s.CI95[1]
		inLo, inHi := lo >= x.Want, hi >= x.Want
		if x.Op == "<=" {
			inLo, inHi = lo <= x.Want, hi <= x.Want
		}
		switch {
		case inLo && inHi:
		case !inLo && !inHi:
			out.Verdict = Fail
			out.Why = fmt.Sprintf("%s is %s (95 %% interval %s to %s over %d runs), expected %s %s", x.Metric, number(*s.Mean), number(lo), number(hi), s.N, x.Op, number(x.Want))
		default:
			out.Verdict = Unknown
			out.Why = fmt.Sprintf("%s: the bound %s lies inside the 95 %% interval %s to %s of %d runs; more runs would tell", x.Metric, number(x.Want), number(lo), number(hi), s.N)
		}
	}
	e.Expectations = append(e.Expectations, out)
	e.Verdict = worse(e.Verdict, out.Verdict)
	if out.Verdict != Pass {
		e.Why = append(e.Why, out.Why)
	}
}
