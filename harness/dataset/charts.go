package dataset

import (
	"cmp"
	"math"
	"slices"
)

// baselineBlocks at the start of a run, in which nothing is wrong yet, are
// what a chart takes its centre line from: each unit is its own reference.
const baselineBlocks = 20

// leadBlocks before the failure an alarm comes too late.
const leadBlocks = 5

// event is a degradation that can be noticed at all: it became detectable well
// before the failure and the end of the run.
type event struct {
	sum      *summary
	machine  int
	from, to int // blocks: [from, to)
	life     life
}

func noticeable(sums []summary, machines []string) []event {
	var out []event
	for i := range sums {
		s := &sums[i]
		for _, l := range s.Lives {
			m := slices.Index(machines, l.Machine)
			if m < 0 || l.DetectableS == 0 {
				continue
			}
			end := len(s.Damage[m])
			e := event{s, m, int(l.OnsetS/blockS) + 1, min(end, int(l.FailureS/blockS)-leadBlocks), l}
			if e.from < e.to && int(l.DetectableS/blockS)+leadBlocks < e.to {
				out = append(out, e)
			}
		}
	}
	return out
}

// chart is the best that one Shewhart chart on one channel can do at one false
// alarm per machine-week.
type chart struct {
	machine     int
	column      string
	found, of   int
	falseAlarms int
	weeks       float64
}

func (c chart) recall() float64 { return float64(c.found) / float64(max(1, c.of)) }

// charts tries every channel of every machine, against the unit's own start
// and against the fleet's mean, and keeps the best of each machine.
func charts(sums []summary, lay *layout, machines []string) []chart {
	events := noticeable(sums, machines)
	var best []chart
	sensor := 0
	byMachine := map[int]chart{}
	for _, c := range lay.columns {
		if c.Role != "sensor" {
			continue
		}
		at := sensor
		sensor++
		m := slices.Index(machines, owner(c.Name))
		if m < 0 || c.Name == machines[m]+"/state" || isCount(c.Name) {
			continue
		}
		for _, own := range []bool{true, false} {
			if ch, ok := shewhart(sums, events, m, at, own); ok {
				ch.column = c.Name
				if old, there := byMachine[m]; !there || ch.found > old.found {
					byMachine[m] = ch
				}
			}
		}
	}
	for m := range machines {
		if ch, ok := byMachine[m]; ok {
			best = append(best, ch)
		}
	}
	return best
}

func isCount(name string) bool {
	_, signal, _ := cutMachine(name)
	return signal == "count/good" || signal == "count/total"
}

func cutMachine(name string) (machine, signal string, ok bool) {
	m := owner(name)
	if len(m) == len(name) {
		return m, "", false
	}
	return m, name[len(m)+1:], true
}

// shewhart sets the limit so that healthy time has one false alarm a week, and
// counts what it finds. False alarms within an hour are one.
func shewhart(sums []summary, events []event, machine, col int, own bool) (chart, bool) {
	const blocksPerHour = 3600 / blockS
	fleet := fleetMean(sums, machine, col)
	residual := func(s *summary) func(b int) float64 {
		centre := fleet
		if own {
			centre = meanOf(s.Means[col][:min(baselineBlocks, len(s.Means[col]))])
		}
		return func(b int) float64 { return math.Abs(float64(s.Means[col][b]) - centre) }
	}
	var peaks []float64
	healthy := 0
	for i := range sums {
		s := &sums[i]
		r := residual(s)
		peak := math.Inf(-1)
		for b := range s.Means[col] {
			if b%blocksPerHour == 0 && peak > math.Inf(-1) {
				peaks, peak = append(peaks, peak), math.Inf(-1)
			}
			if v := r(b); isNull(float64(s.Damage[machine][b])) && !s.Lying[machine][b] && b >= baselineBlocks && !isNull(v) {
				healthy++
				peak = max(peak, v)
			}
		}
		if peak > math.Inf(-1) {
			peaks = append(peaks, peak)
		}
	}
	ch := chart{machine: machine, weeks: float64(healthy) * blockS / (7 * 24 * 3600)}
	if len(peaks) == 0 {
		return ch, false
	}
	slices.SortFunc(peaks, func(a, b float64) int { return cmp.Compare(b, a) })
	ch.falseAlarms = min(int(ch.weeks), len(peaks)-1)
	limit := peaks[ch.falseAlarms]
	for _, e := range events {
		if e.machine != machine {
			continue
		}
		ch.of++
		r := residual(e.sum)
		for b := e.from; b < e.to; b++ {
			if v := r(b); v > limit {
				ch.found++
				break
			}
		}
	}
	return ch, true
}

func fleetMean(sums []summary, machine, col int) float64 {
	sum, n := 0.0, 0
	for i := range sums {
		for b, v := range sums[i].Means[col] {
			if !isNull(float64(v)) && isNull(float64(sums[i].Damage[machine][b])) && !sums[i].Lying[machine][b] {
				sum, n = sum+float64(v), n+1
			}
		}
	}
	return sum / float64(max(1, n))
}

func meanOf(x []float32) float64 {
	sum, n := 0.0, 0
	for _, v := range x {
		if !isNull(float64(v)) {
			sum, n = sum+float64(v), n+1
		}
	}
	if n == 0 {
		return null
	}
	return sum / float64(n)
}

// oracleLevel is the damage at which an observer of the damage itself calls.
// Healthy machines have none, so it never calls in vain.
const oracleLevel = 0.012

func oracle(events []event) (found int) {
	for _, e := range events {
		for b := e.from; b < e.to; b++ {
			if float64(e.sum.Damage[e.machine][b]) >= oracleLevel {
				found++
				break
			}
		}
	}
	return found
}
