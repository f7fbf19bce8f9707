package score_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/plantbed/plantbed/harness/score"
)

func cardsOf(name string, values ...float64) (cards []score.Card) {
	for i, v := range values {
		cards = append(cards, cardWith(uint64(i), name, v, 1, score.Expectation{}))
	}
	return cards
}

// What a seed brings is common to both settings: a change of 1 shows between
// runs that lie 100 apart, and shows not where the pairs are mixed up.
func TestSweepSeesThroughSeeds(t *testing.T) {
	const name = "latency.p99_ms"
	first := cardsOf(name, 100, 200, 300, 400)
	paired, mixed := cardsOf(name, 101.1, 200.9, 301.2, 400.8), cardsOf(name, 400.8, 301.2, 200.9, 101.1)
	for _, c := range []struct {
		cards []score.Card
		shown bool
	}{{paired, true}, {mixed, false}} {
		s := score.NewSetting(nil, c.cards, make([]string, 4))
		s.Against(first, c.cards)
		got := s.Changes[name]
		if got.N != 4 || math.Abs(got.Mean-1) > 1e-9 || got.Shown != c.shown {
			t.Errorf("%+v %v, want shown %v", got, *got.CI95, c.shown)
		}
	}
}

// A run without a value takes its pair with it, and one pair has no interval.
func TestSweepLeavesOutWhatIsMissing(t *testing.T) {
	const name = "rul.rmse_h"
	first, other := cardsOf(name, 1, 2), cardsOf(name, 5, 7)
	first[0].Metrics = nil
	s := score.NewSetting(nil, other, make([]string, 2))
	s.Against(first, other)
	if c := s.Changes[name]; c.N != 1 || c.Mean != 5 || c.CI95 != nil || c.Shown {
		t.Errorf("%+v", c)
	}
	if _, ok := s.Changes["loss.count"]; ok {
		t.Error("a change of what no run has")
	}
}

// Where a setting changes nothing, a change shows in one sweep of twenty: 2,000
// of them, within four standard errors.
func TestSweepShowsWhatIsNotThereOneTimeInTwenty(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	const trials, name = 2000, "latency.p99_ms"
	shown := 0
	for range trials {
		a, b := make([]float64, 5), make([]float64, 5)
		for i := range a {
			seed := 50 * r.NormFloat64()
			a[i], b[i] = seed+r.NormFloat64(), seed+r.NormFloat64()
		}
		first, other := cardsOf(name, a...), cardsOf(name, b...)
		s := score.NewSetting(nil, other, make([]string, 5))
		s.Against(first, other)
		if s.Changes[name].Shown {
			shown++
		}
	}
	if se := math.Sqrt(0.05 * 0.95 / trials); math.Abs(float64(shown)/trials-0.05) > 4*se {
		t.Errorf("%d of %d", shown, trials)
	}
}
