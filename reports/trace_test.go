package reports

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/plantbed/plantbed/harness/score"
)

// paint fills a band's path step by step, as slowly as can be, and returns
// the upper and lower edge of each step; none where the path is not.
func paintBand(t *testing.T, d string, n int) [][2]int {
	t.Helper()
	out := make([][2]int, n)
	for i := range out {
		out[i] = [2]int{math.MaxInt, math.MinInt}
	}
	x, y := 0, 0
	see := func(at int) {
		out[at][0], out[at][1] = min(out[at][0], y), max(out[at][1], y)
	}
	for len(d) > 0 {
		c := d[0]
		d = d[1:]
		var v [2]int
		for k := 0; c == 'M' && k < 2 || c != 'z' && k < 1; k++ {
			end := 0
			for end < len(d) && (d[end] == '-' && end == 0 || d[end] >= '0' && d[end] <= '9') {
				end++
			}
			n, err := strconv.Atoi(d[:end])
			if err != nil {
				t.Fatalf("%v before %.20q", err, d)
			}
			v[k], d = n, d[end:]
			if k == 0 && c == 'M' {
				d = d[1:]
			}
		}
		switch c {
		case 'M':
			x, y = v[0], v[1]
		case 'v':
			y += v[0]
		case 'h':
			for ; v[0] > 0; v[0]-- {
				see(x)
				x++
			}
			for ; v[0] < 0; v[0]++ {
				x--
				see(x)
			}
		}
	}
	return out
}

// The short path holds exactly the ranges that it was made of.
func TestBandHoldsTheRanges(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		rs := make([]score.Range, r.IntN(40))
		for i := range rs {
			a, b := float64(r.IntN(5)), float64(r.IntN(5))
			rs[i] = score.Range{Min: min(a, b), Max: max(a, b)}
			switch r.IntN(8) {
			case 0:
				rs[i] = score.Range{Min: math.Inf(1), Max: math.Inf(-1)}
			case 1:
				rs[i].Max = math.NaN()
			}
		}
		got := paintBand(t, band(rs, func(v float64) int { return int(10 - v) }), len(rs))
		for i, x := range rs {
			want := [2]int{int(10 - x.Max), int(10 - x.Min)}
			if x.None() || math.IsNaN(x.Max) {
				want = [2]int{math.MaxInt, math.MinInt}
			}
			if got[i] != want {
				t.Fatalf("step %d of %v: %v, want %v", i, rs, got[i], want)
			}
		}
	}
}

// Joining steps loses no peak.
func TestJoinedRangesKeepPeaks(t *testing.T) {
	var in []score.Range
	for i := range 100 {
		in = append(in, score.Range{Min: -float64(i % 7), Max: float64(i * 13 % 31)})
	}
	for k := 1; k < 12; k++ {
		out := joinRanges(in, k)
		for i, x := range in {
			if o := out[i/k]; x.Min < o.Min || x.Max > o.Max {
				t.Errorf("%d joined: step %d was %v, is in %v", k, i, x, o)
			}
		}
		lo, hi := bounds(out)
		if lo != -6 || hi != 30 {
			t.Errorf("%d joined: %v to %v", k, lo, hi)
		}
	}
}

// What a fault was aimed at comes first, and after an unmet expectation about
// the twin the tag that was furthest off.
func TestTracesInOrder(t *testing.T) {
	r := full()
	order := func() (out []string) {
		plots, _ := traces(r)
		for _, p := range plots {
			out = append(out, p.Tag)
		}
		return out
	}
	if got, want := fmt.Sprint(order()), "[oven/zone-1/temperature filler/valve-03/position pump/motor/current]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	r.Card.Expectations = append(r.Card.Expectations, score.Expectation{Metric: "twin.divergence", Verdict: score.Fail})
	if got := order()[0]; got != "filler/valve-03/position" {
		t.Errorf("%s comes first", got)
	}
}
