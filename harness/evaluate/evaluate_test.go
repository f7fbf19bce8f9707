package evaluate

import (
	"bytes"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

const hour = time.Hour

func TestWhatCounts(t *testing.T) {
	u := &Unit{Until: 100 * hour,
		Failures: []Failure{{Onset: 10 * hour, Failure: 20 * hour, Excused: 22 * hour}, {Onset: 40 * hour, Failure: 44 * hour, Excused: 46 * hour}},
		Sensors:  []SensorFault{{From: 60 * hour, To: 65 * hour, Excused: 66 * hour}, {From: 80 * hour, To: 82 * hour, Excused: 83 * hour}}}
	p, s := func(h float64) Alarm { return Alarm{At: time.Duration(h * float64(hour))} }, func(h float64) Alarm {
		return Alarm{At: time.Duration(h * float64(hour)), Sensor: true}
	}
	for _, c := range []struct {
		name            string
		alarms          []Alarm
		false, forgiven int
		hit             []bool
		delays          []float64
		said            []int
	}{
		{"nothing", nil, 0, 0, []bool{false, false}, []float64{9.5, 3.5}, []int{0, 0, 0, 0}},
		{"before the onset", []Alarm{p(9.9)}, 1, 0, []bool{false, false}, []float64{9.5, 3.5}, []int{0, 0, 0, 0}},
		{"in time", []Alarm{p(12), p(15), p(43)}, 0, 0, []bool{true, true}, []float64{2, 3}, []int{1, 1, 0, 0}},
		{"too late", []Alarm{p(19.6)}, 0, 0, []bool{false, false}, []float64{9.5, 3.5}, []int{1, 0, 0, 0}},
		{"in repair", []Alarm{p(21)}, 0, 0, []bool{false, false}, []float64{9.5, 3.5}, []int{0, 0, 0, 0}},
		{"a sensor is blamed first", []Alarm{s(11), p(13)}, 0, 0, []bool{true, false}, []float64{3, 3.5}, []int{2, 0, 0, 0}},
		{"a lying sensor blamed", []Alarm{s(61), s(81)}, 0, 0, []bool{false, false}, []float64{9.5, 3.5}, []int{0, 0, 2, 2}},
		{"the machine blamed while a sensor lies", []Alarm{p(61), p(65.5)}, 2, 2, []bool{false, false}, []float64{9.5, 3.5}, []int{0, 0, 1, 0}},
		{"a sensor blamed for nothing", []Alarm{s(70)}, 1, 0, []bool{false, false}, []float64{9.5, 3.5}, []int{0, 0, 0, 0}},
	} {
		got := count(u, c.alarms, 30*time.Minute)
		if got.false != c.false || got.forgiven != c.forgiven || !slices.Equal(got.hit, c.hit) || !slices.Equal(got.delays, c.delays) || !slices.Equal(got.said, c.said) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
	if w := u.healthy() * 7 * 24; math.Abs(w-82) > 1e-9 {
		t.Errorf("%g healthy hours, want 82", w)
	}
}

// The remission times of Freireich et al. (1963), the textbook case: 21 patients,
// 9 relapses; the median is 23 weeks.
func TestKaplanMeierByTheBook(t *testing.T) {
	times := []float64{6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35}
	hit := []bool{true, true, true, false, true, false, true, false, false, true, true, false, false, false, true, true, false, false, false, false, false}
	if got := quantileKM(times, hit, 0.5); got != 23 {
		t.Errorf("median %g, want 23", got)
	}
	if got := quantileKM(times, hit, 0.1); got != 6 { // S(6) is 0.857
		t.Errorf("first tenth %g, want 6", got)
	}
	if got := quantileKM(times, hit, 0.9); !math.IsInf(got, 1) {
		t.Errorf("nine tenths %g, want never", got)
	}
}

// Without censoring it is the quantile of the sample, whatever the order.
func TestKaplanMeierWithoutCensoring(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 100 {
		n := 1 + rng.IntN(40)
		var times []float64
		hit := make([]bool, n)
		for i := range n {
			times, hit[i] = append(times, float64(rng.IntN(20))), true
		}
		p := rng.Float64()
		sorted := slices.Sorted(slices.Values(times))
		want := sorted[max(0, int(math.Ceil(p*float64(n)-1e-9))-1)]
		if got := quantileKM(times, hit, p); got != want {
			t.Fatalf("quantile %g of %v: %g, want %g", p, times, got, want)
		}
	}
}

func TestMacroF1ByHand(t *testing.T) {
	m := [2][saids]int{{1, 7, 2}, {3, 1, 6}} // truth process, sensor by said nothing, process, sensor
	if got, want := macroF1(m), (2*7./(10+8)+2*6./(10+8))/2; math.Abs(got-want) > 1e-12 {
		t.Errorf("macro-F1 %g, want %g", got, want)
	}
	if got := balancedAccuracy(m); math.Abs(got-0.65) > 1e-12 {
		t.Errorf("balanced accuracy %g, want 0.65", got)
	}
	if got := macroF1([2][saids]int{{0, 5, 0}, {0, 0, 5}}); got != 1 {
		t.Errorf("all right gives %g", got)
	}
}

// exam makes machines whose scores tell all, or nothing.
func exam(seed uint64, tells float64) *Exam {
	rng := rand.New(rand.NewPCG(seed, 2))
	e := &Exam{Lead: 10 * time.Minute, Rule: Rule{Persist: 3, Clear: 30, HoldOff: 10 * time.Minute}, Seed: seed, Resamples: 200}
	for range 20 {
		u := &Unit{Until: 100 * hour, Failures: []Failure{{Mode: "wear", Onset: 40 * hour, Failure: 50 * hour, Excused: 52 * hour}}, Ages: []float64{1000 * rng.Float64()}, Replaced: []int{0}}
		for s := int32(10); time.Duration(s)*time.Second < u.Until; s += 10 {
			h := float64(s) / 3600
			own, blind := math.Abs(rng.NormFloat64()), math.Abs(rng.NormFloat64())
			if h >= 42 && h < 50 {
				own += tells
			}
			u.At = append(u.At, s)
			u.Own = append(u.Own, float32(own))
			u.Scores[Shewhart] = append(u.Scores[Shewhart], float32(blind))
			u.Scores[LastValue] = append(u.Scores[LastValue], float32(blind))
		}
		u.Alarms = e.Rule.starts(u.At, u.Own, 5)
		e.Units = append(e.Units, u)
	}
	return e
}

func find(t *testing.T, table Table, name string) Row {
	t.Helper()
	for _, r := range table.Rows {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("no row %q", name)
	return Row{}
}

func TestTableTellsTheGoodFromTheBlind(t *testing.T) {
	table := exam(1, 10).Table()
	own := find(t, table, Shipped)
	if *own.Recall.Value != 1 || own.False != 0 || math.Abs(*own.DelayMedianH.Value-2) > 0.1 || math.Abs(*own.DelayMedian.Value-0.2) > 0.01 || *own.VUSPR.Value < 0.75 {
		t.Errorf("%+v", own)
	}
	for _, name := range []string{"shewhart", "last value", "age only", "random", "always, rationed", "never"} {
		if r := find(t, table, name); !r.BeatenRecall || !r.BeatenDelay {
			t.Errorf("%s is not beaten: recall %s, delay %s", name, show(r.Recall, 2), show(r.DelayMedian, 2))
		}
	}
	// What alarms all the time misses nothing, and has a rate that nobody bears.
	if r := find(t, table, "always"); *r.Recall.Value != 1 || *r.FalsePerWeek.Value < 10000 || r.BeatenRecall {
		t.Errorf("always: %+v", r)
	}
	if r := find(t, table, "never"); *r.Recall.Value != 0 || r.DelayMedian.Value != nil || r.False != 0 {
		t.Errorf("never: %+v", r)
	}
	var b bytes.Buffer
	if err := table.Print(&b); err != nil || !strings.Contains(b.String(), "20 failures") {
		t.Errorf("%v:\n%s", err, b.String())
	}
	if again := exam(1, 10).Table(); !reflect.DeepEqual(table, again) {
		t.Error("the same again gives another table")
	}
}

// One blind detector does not beat another.
func TestTheBlindBeatNobody(t *testing.T) {
	table := exam(2, 0).Table()
	for _, name := range []string{"shewhart", "last value"} {
		if r := find(t, table, name); r.BeatenRecall || r.BeatenDelay {
			t.Errorf("%s is beaten by a detector that sees nothing", name)
		}
	}
	if v := *find(t, table, Shipped).VUSPR.Value; v > 0.3 { // what is labelled is a tenth
		t.Errorf("VUS-PR %.2f of scores that say nothing", v)
	}
}

// Limits of trivial rows are such that they are allowed no more than asked.
func TestAtRateKeepsTheRate(t *testing.T) {
	e := exam(3, 3)
	weeks := make([]float64, len(e.Units))
	var everyone []int
	exposure := 0.0
	for i, u := range e.Units {
		weeks[i] = u.healthy()
		exposure += weeks[i]
		everyone = append(everyone, i)
	}
	limits, tallies := e.curve(Shewhart)
	for i := 1; i < len(limits); i++ {
		if limits[i] >= limits[i-1] {
			t.Fatalf("rungs %d and %d are %g and %g", i-1, i, limits[i-1], limits[i])
		}
	}
	falses := func(k int) (n int) {
		for i := range everyone {
			n += tallies[i][k].false
		}
		return n
	}
	for _, rate := range []float64{0, 0.3, 1, 10} {
		k := atRate(tallies, everyone, weeks, rate, false)
		if float64(falses(k)) > rate*exposure {
			t.Errorf("rate %g: %d false alarms in %g weeks", rate, falses(k), exposure)
		}
		if k+1 < len(limits) && float64(falses(k+1)) <= rate*exposure {
			t.Errorf("rate %g: the next rung would do as well", rate)
		}
	}
}

// Of 60 hits in 60 resampling knows nothing but 60 of 60; the interval is Wilson's
// then, and never narrower than it.
func TestRecallIntervalIsNoPoint(t *testing.T) {
	one, zero, a, b := 1.0, 0.0, 0.1, 0.9
	for _, c := range []struct {
		f       Figure
		hits, n int
		lo, hi  float64
	}{
		{Figure{&one, [2]*float64{&one, &one}}, 60, 60, 0.9398, 1},
		{Figure{&zero, [2]*float64{&zero, &zero}}, 0, 60, 0, 0.0602},
		{Figure{&one, [2]*float64{&a, &b}}, 30, 60, 0.1, 0.9},
		{Figure{&one, [2]*float64{&b, &b}}, 5, 10, 0.2366, 0.9},
	} {
		got := widen(c.f, c.hits, c.n)
		if math.Abs(*got.CI95[0]-c.lo) > 1e-4 || math.Abs(*got.CI95[1]-c.hi) > 1e-4 {
			t.Errorf("%d of %d: [%.4f, %.4f], want [%.4f, %.4f]", c.hits, c.n, *got.CI95[0], *got.CI95[1], c.lo, c.hi)
		}
	}
	if got := widen(Figure{}, 1, 2); got.CI95[0] != nil {
		t.Error("no interval became one")
	}
}
