package evaluate

import (
	"math"
	"math/rand/v2"
	"time"
)

// Exam is all that a benchmark has seen.
type Exam struct {
	Units []*Unit
	// Lead is how long before the failure an alarm must come to be of use.
	Lead time.Duration
	Rule Rule
	Seed uint64 // of the random row and of the bootstrap
	// Resamples of the bootstrap over machines.
	Resamples int
}

// Figure is a value with its 95 % interval; nil stands for never.
type Figure struct {
	Value *float64    `json:"value"`
	CI95  [2]*float64 `json:"ci95"`
}

// Row is one detector.
type Row struct {
	Name string `json:"name"`
	// False is how many false alarms it raised, Forgiven how many of them while a
	// sensor lay.
	False    int `json:"false"`
	Forgiven int `json:"forgiven"`
	Hits     int `json:"hits"`
	// FalsePerWeek is per healthy machine-week.
	FalsePerWeek Figure `json:"false_per_week"`
	Recall       Figure `json:"recall"`
	// Delays from onset, Kaplan and Meier with misses censored: hours, and as a
	// share of the span from onset to failure.
	DelayMedianH  Figure `json:"delay_median_h"`
	DelayP90H     Figure `json:"delay_p90_h"`
	DelayMedian   Figure `json:"delay_median_share"`
	DelayP90      Figure `json:"delay_p90_share"`
	VUSPR         Figure `json:"vus_pr"`
	BeatenRecall  bool   `json:"beaten_in_recall,omitempty"`
	BeatenDelay   bool   `json:"beaten_in_delay,omitempty"`
	AtSameRate    bool   `json:"at_same_rate"`
	RecallByModes []Mode `json:"by_mode,omitempty"`
}

// Mode is recall by failure mode.
type Mode struct {
	Mode  string `json:"mode"`
	Hits  int    `json:"hits"`
	Count int    `json:"count"`
}

// Table is the outcome.
type Table struct {
	Units        int     `json:"units"`
	Failures     int     `json:"failures"`
	SensorFaults int     `json:"sensor_faults"`
	HealthyWeeks float64 `json:"healthy_machine_weeks"`
	LeadMin      float64 `json:"lead_min"`
	Rows         []Row   `json:"rows"`
	// Confusion counts first alarms: truth process, sensor by said nothing,
	// process, sensor.
	Confusion        [2][saids]int `json:"confusion"`
	Said             []Said        `json:"said"`
	MacroF1          Figure        `json:"macro_f1"`
	BalancedAccuracy Figure        `json:"balanced_accuracy"`
}

// Said is what the first alarms called the faults of a kind.
type Said struct {
	Truth   string `json:"truth"` // process or sensor
	Kind    string `json:"kind"`
	Nothing int    `json:"nothing"`
	Process int    `json:"process"`
	Sensor  int    `json:"sensor"`
}

// Shipped is the name of the first row.
const Shipped = "shipped"

// contender gives a unit's tally for a resample: which rung it is on may hang on
// the resample.
type contender struct {
	name    string
	tallies [][]tally // by unit and rung
	same    bool      // compared at the shipped one's rate
	rate    float64   // or at this one, where it is not 0
	lenient bool
	surface []*surface
}

// figures of one resample.
type figures struct{ falseRate, recall, median, p90, medianS, p90S, vus float64 }

// Table judges all detectors.
func (e *Exam) Table() Table {
	weeks := make([]float64, len(e.Units))
	t := Table{Units: len(e.Units), LeadMin: e.Lead.Minutes()}
	for i, u := range e.Units {
		weeks[i] = u.healthy()
		t.HealthyWeeks += weeks[i]
		t.Failures += len(u.Failures)
		t.SensorFaults += len(u.Sensors)
	}
	own := make([][]tally, len(e.Units))
	for i, u := range e.Units {
		own[i] = []tally{count(u, u.Alarms, e.Lead)}
	}
	all := e.contenders(own, weeks)
	everyone := make([]int, len(e.Units))
	for i := range everyone {
		everyone[i] = i
	}
	samples := e.resamples()
	for _, c := range all {
		t.Rows = append(t.Rows, e.row(c, own, weeks, everyone, samples))
	}
	for i := range t.Rows[1:] {
		r := &t.Rows[i+1]
		r.BeatenRecall = apart(r.Recall, t.Rows[0].Recall)
		r.BeatenDelay = apart(t.Rows[0].DelayMedian, r.DelayMedian) && apart(t.Rows[0].DelayMedianH, r.DelayMedianH)
	}
	e.diagnosis(&t, own, everyone, samples)
	return t
}

// apart tells that all of a's interval is below all of b's.
func apart(a, b Figure) bool { return high(a) < low(b) }

func high(f Figure) float64 { return orInf(f.CI95[1]) }
func low(f Figure) float64  { return orInf(f.CI95[0]) }

func orInf(p *float64) float64 {
	if p == nil {
		return math.Inf(1)
	}
	return *p
}

func (e *Exam) contenders(own [][]tally, weeks []float64) []contender {
	fixed := func(alarms func(i int, u *Unit) []Alarm) [][]tally {
		var out [][]tally
		for i, u := range e.Units {
			out = append(out, []tally{count(u, alarms(i, u), e.Lead)})
		}
		return out
	}
	n, exposure := 0, 0.0
	for i := range own {
		n += own[i][0].false
		exposure += weeks[i]
	}
	// With no false alarm at all the rate is not zero but less than one in all.
	rate := max(float64(n), 1) / exposure
	rng := rand.New(rand.NewPCG(e.Seed, 0x72616e646f6d))
	scores := func(which int) func(*Unit) []float32 {
		return func(u *Unit) []float32 { return u.Scores[which] }
	}
	_, shewhart := e.curve(Shewhart)
	_, last := e.curve(LastValue)
	age := e.ageCurve()
	shewhartS, lastS := surfaces(e.Units, scores(Shewhart)), surfaces(e.Units, scores(LastValue))
	out := []contender{
		{name: Shipped, tallies: own, surface: surfaces(e.Units, func(u *Unit) []float32 { return u.Own })},
		{name: "shewhart", tallies: shewhart, same: true, surface: shewhartS},
		{name: "last value", tallies: last, same: true, surface: lastS},
		{name: "age only", tallies: age, same: true},
		{name: "random", tallies: fixed(func(_ int, u *Unit) []Alarm { return random(u, rate, rng) })},
		{name: "always, rationed", tallies: fixed(func(i int, u *Unit) []Alarm {
			return every(u, (float64(i)+0.5)/float64(len(e.Units)), time.Duration(float64(week)/rate))
		})},
		{name: "never", tallies: fixed(func(int, *Unit) []Alarm { return nil })},
		{name: "always", tallies: fixed(func(_ int, u *Unit) []Alarm { return always(u) })},
	}
	for i, t := range [][][]tally{shewhart, last, age} {
		name := []string{"shewhart", "last value", "age only"}[i]
		out = append(out, contender{name: name + ", 1 per week", tallies: t, rate: 1},
			contender{name: name + ", lenient", tallies: t, same: true, lenient: true})
	}
	return out
}

// row finds a contender's figures and their intervals.
func (e *Exam) row(c contender, own [][]tally, weeks []float64, everyone []int, samples [][]int) Row {
	one := func(units []int) (figures, []tally) {
		k := 0
		switch {
		case c.rate > 0:
			k = atRate(c.tallies, units, weeks, c.rate, c.lenient)
		case c.same:
			n, exposure := 0, 0.0
			for _, u := range units {
				n += own[u][0].false
				if c.lenient {
					n -= own[u][0].forgiven
				}
				exposure += weeks[u]
			}
			k = atRate(c.tallies, units, weeks, float64(n)/exposure+1e-12, c.lenient)
		}
		picked := make([]tally, len(units))
		for i, u := range units {
			picked[i] = c.tallies[u][k]
		}
		f := figure(picked, units, weeks)
		f.vus = math.NaN()
		if c.surface != nil {
			f.vus = volume(c.surface, units)
		}
		return f, picked
	}
	f, picked := one(everyone)
	r := Row{Name: c.name, AtSameRate: c.same}
	for i, t := range picked {
		r.False += t.false
		r.Forgiven += t.forgiven
		for j, h := range t.hit {
			if h {
				r.Hits++
			}
			r.RecallByModes = tick(r.RecallByModes, e.Units[i].Failures[j].Mode, h)
		}
	}
	boot := make([]figures, len(samples))
	for i, s := range samples {
		boot[i], _ = one(s)
	}
	put := func(get func(figures) float64) Figure {
		v := make([]float64, len(boot))
		for i, b := range boot {
			v[i] = get(b)
		}
		return newFigure(get(f), v)
	}
	r.FalsePerWeek = put(func(f figures) float64 { return f.falseRate })
	r.Recall = widen(put(func(f figures) float64 { return f.recall }), r.Hits, len(e.failures()))
	r.DelayMedianH = put(func(f figures) float64 { return f.median })
	r.DelayP90H = put(func(f figures) float64 { return f.p90 })
	r.DelayMedian = put(func(f figures) float64 { return f.medianS })
	r.DelayP90 = put(func(f figures) float64 { return f.p90S })
	if c.surface != nil {
		r.VUSPR = put(func(f figures) float64 { return f.vus })
	}
	return r
}

// failures of all units.
func (e *Exam) failures() (all []Failure) {
	for _, u := range e.Units {
		all = append(all, u.Failures...)
	}
	return all
}

func newFigure(v float64, resampled []float64) Figure {
	f := Figure{Value: finite(v)}
	if len(resampled) > 0 {
		s := span95(resampled)
		f.CI95 = [2]*float64{finite(s[0]), finite(s[1])}
	}
	return f
}

func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

func tick(modes []Mode, mode string, hit bool) []Mode {
	i := 0
	for i < len(modes) && modes[i].Mode != mode {
		i++
	}
	if i == len(modes) {
		modes = append(modes, Mode{Mode: mode})
	}
	modes[i].Count++
	if hit {
		modes[i].Hits++
	}
	return modes
}

func figure(picked []tally, units []int, weeks []float64) (f figures) {
	var delays, shares []float64
	var hit []bool
	exposure, hits, wrong := 0.0, 0, 0
	for i, t := range picked {
		exposure += weeks[units[i]]
		wrong += t.false
		delays, shares, hit = append(delays, t.delays...), append(shares, t.share...), append(hit, t.hit...)
	}
	for _, h := range hit {
		if h {
			hits++
		}
	}
	f.falseRate = float64(wrong) / exposure
	f.recall = math.NaN()
	if len(hit) > 0 {
		f.recall = float64(hits) / float64(len(hit))
	}
	f.median, f.p90 = quantileKM(delays, hit, 0.5), quantileKM(delays, hit, 0.9)
	f.medianS, f.p90S = quantileKM(shares, hit, 0.5), quantileKM(shares, hit, 0.9)
	return f
}

// resamples draws machines with repetition.
func (e *Exam) resamples() [][]int {
	rng := rand.New(rand.NewPCG(e.Seed, 0x626f6f74))
	out := make([][]int, e.Resamples)
	for i := range out {
		for range e.Units {
			out[i] = append(out[i], rng.IntN(len(e.Units)))
		}
	}
	return out
}
