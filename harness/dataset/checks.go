package dataset

import (
	"cmp"
	"encoding/gob"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/plantbed/plantbed/sim/plant"
)

// Check is one question to the generated data, with its answer.
type Check struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Want  string  `json:"want"`
	Holds bool    `json:"holds"`
	Doc   string  `json:"doc"`
	// Unknown tells that there was too little data to answer.
	Unknown bool `json:"unknown,omitempty"`
}

// checkedRuns are looked at closely; runs are alike, and memory stays flat.
const checkedRuns = 256

// summary is what the checks keep of a run: means over blocks of a minute in
// which the machine executes, NaN for none.
type summary struct {
	Run, Unit int
	Means     [][]float32 // by sensor column, by block
	// Damage by machine, then block: the worst in it, NaN while healthy. Lying
	// tells the blocks in which one of its sensors lies.
	Damage [][]float32
	Lying  [][]bool
	Lives  []life
}

// blockS is the length of a block.
const blockS = 60

func summarise(r *Result, lay *layout, p *plan) summary {
	per := max(1, int(blockS/p.ds.Every.D().Seconds()))
	n := r.Table.Rows / per
	s := summary{Run: r.Run.Index, Unit: r.Run.Unit}
	var side sidecar
	side.add(r, lay, "", 0)
	s.Lives = side.Runs[0].Lives
	for _, m := range p.sc.Machines {
		base, ok := lay.labels[m.Name]
		if !ok {
			s.Damage, s.Lying = append(s.Damage, nil), append(s.Lying, nil)
			continue
		}
		damage, lying := make([]float32, n), make([]bool, n)
		for b := range n {
			damage[b] = float32(null)
			for row := b * per; row < (b+1)*per; row++ {
				if d := r.Table.Values[base+labDamage][row]; !isNull(d) && !(float64(damage[b]) >= d) {
					damage[b] = float32(d)
				}
				lying[b] = lying[b] || !isNull(r.Table.Values[base+labSensorTag][row])
			}
		}
		s.Damage, s.Lying = append(s.Damage, damage), append(s.Lying, lying)
	}
	for i, c := range lay.columns {
		if c.Role == "sensor" {
			s.Means = append(s.Means, means(r.Table, i, lay.stateOf(owner(c.Name)), n, per))
		}
	}
	return s
}

// stateOf is the column of a machine's state, -1 for none.
func (l *layout) stateOf(machine string) int {
	return slices.IndexFunc(l.columns, func(c Column) bool { return c.Name == machine+"/state" })
}

// means over the blocks in which the machine executes all the time, the first
// such block after a stop left out: it still starts.
func means(t *Table, col, state, blocks, per int) []float32 {
	out := make([]float32, blocks)
	ran := false
	for b := range out {
		sum, n, runs := 0.0, 0, true
		for row := b * per; row < (b+1)*per; row++ {
			if v := t.Values[col][row]; !isNull(v) {
				sum, n = sum+v, n+1
			}
			if state >= 0 && t.Values[state][row] != plant.Execute {
				runs = false
			}
		}
		out[b] = float32(null)
		if runs && ran && n > 0 {
			out[b] = float32(sum / float64(n))
		}
		ran = runs
	}
	return out
}

func (p *plan) sumsPath(shard int) string {
	return filepath.Join(p.opts.Dir, workDir, fmt.Sprintf("checks-%05d.gob", shard))
}

func (p *plan) writeSums(shard int, sums []summary) error {
	f, err := os.Create(p.sumsPath(shard))
	if err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	if err := errors.Join(gob.NewEncoder(f).Encode(sums), f.Close()); err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	return nil
}

func (p *plan) readSums() ([]summary, error) {
	var all []summary
	for i := range p.shards() {
		if from, _ := p.runsOf(i); from >= checkedRuns {
			break
		}
		f, err := os.Open(p.sumsPath(i))
		if err != nil {
			return nil, fmt.Errorf("dataset: %w", err)
		}
		var some []summary
		err = gob.NewDecoder(f).Decode(&some)
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, fmt.Errorf("dataset: %w", err)
		}
		all = append(all, some...)
	}
	return all, nil
}

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

func (p *plan) machineNames() []string {
	var names []string
	for _, m := range p.sc.Machines {
		names = append(names, m.Name)
	}
	return names
}

// fewest events from which a recall says something.
const fewestEvents = 20

// checks asks everything.
func checks(sums []summary, lay *layout, t totals, p *plan) []Check {
	machines := p.machineNames()
	events := noticeable(sums, machines)
	found, of := 0, 0
	for _, c := range charts(sums, lay, machines) {
		found, of = found+c.found, of+c.of
	}
	few := len(events) < fewestEvents
	var out []Check
	add := func(name string, value float64, want string, holds, unknown bool, doc string) {
		out = append(out, Check{name, math.Round(value*1e4) / 1e4, want, holds && !unknown, doc, unknown})
	}
	ratio := func(a, b float64) float64 { return a / max(b, 1e-9) }
	shewhart := ratio(float64(found), float64(of))
	add("shewhart.recall", shewhart, "< 0.8", shewhart < 0.8, few,
		"event recall of the best Shewhart chart on a single channel of each machine, at one false alarm per machine-week: not trivial")
	o := ratio(float64(oracle(events)), float64(len(events)))
	add("oracle.recall", o, "> 0.95", o > 0.95, few,
		"event recall of an observer of the latent damage, who has no false alarm: not hopeless, and no label is wrong")
	healthy := ratio(t.HealthyMachineHours, t.MachineHours)
	add("healthy.share", healthy, "> 0.9", healthy > 0.9, false, "machine-hours without damage")
	censored := ratio(float64(t.Censored), float64(t.Lives))
	add("censored.share", censored, "0.05 to 0.7", censored >= 0.05 && censored <= 0.7, t.Lives < fewestEvents,
		"lives that the end of the run cuts off: neither none nor most")
	faults := float64(t.Lives + t.Lies)
	look := ratio(float64(t.Changes), faults)
	add("changes.per_fault", look, ">= 10", look >= 10, faults == 0, "operating changes for each fault: nobody learns that change means damage")
	alike := ratio(float64(t.LookAlikes), float64(t.Lives))
	add("look_alikes.per_life", alike, ">= 1", alike >= 1, t.Lives < fewestEvents, "benign look-alikes for each life: something else moves the same signals, and nothing is wrong")
	add("lives.misordered", float64(t.misordered), "= 0", t.misordered == 0, t.Lives == 0, "lives that are not onset, then detectable, then failure")
	spread, which := unitSpread(sums, lay)
	add("unit.spread", spread, "0.02 to 0.4", spread >= 0.02 && spread <= 0.4, len(sums) < 8,
		"variation from unit to unit of a healthy vibration ("+which+"): its level alone does not transfer")
	points := operatingSpread(sums, lay)
	add("operating.spread", points, ">= 0.01", points >= 0.01, len(sums) < 8, "variation of the load-bearing signals within healthy runs: no fixed operating point")
	overlap, which := bestAUC(sums, lay, machines)
	add("row.auc", overlap, "< 0.99", overlap < 0.99, few, "area under the ROC curve of the single channel that separates damaged minutes from healthy ones best ("+which+"): classes overlap")
	return out
}

// unitSpread is the coefficient of variation over units of the first
// vibration signal's healthy mean.
func unitSpread(sums []summary, lay *layout) (float64, string) {
	col, name := sensorLike(lay, func(c Column) bool { return c.Unit == "g" || c.Unit == "mm/s" })
	if col < 0 {
		return 0, "none"
	}
	byUnit := map[int]float64{}
	for i := range sums {
		if v := meanOf(sums[i].Means[col][:min(baselineBlocks, len(sums[i].Means[col]))]); !isNull(v) {
			byUnit[sums[i].Unit] = v
		}
	}
	var x []float64
	for u := range len(sums) {
		if v, ok := byUnit[u]; ok {
			x = append(x, v)
		}
	}
	m, sd := moments(x)
	return sd / math.Abs(m), name
}

// operatingSpread is the mean over runs of the variation of motor currents
// within a run.
func operatingSpread(sums []summary, lay *layout) float64 {
	total, n := 0.0, 0
	for i := range sums {
		at := -1
		for _, c := range lay.columns {
			if c.Role != "sensor" {
				continue
			}
			at++
			if c.Unit != "A" {
				continue
			}
			var x []float64
			for _, v := range sums[i].Means[at] {
				if !isNull(float64(v)) {
					x = append(x, float64(v))
				}
			}
			if m, sd := moments(x); len(x) > 10 && m != 0 {
				total, n = total+sd/math.Abs(m), n+1
			}
		}
	}
	return total / float64(max(1, n))
}

func sensorLike(lay *layout, ok func(Column) bool) (int, string) {
	at := -1
	for _, c := range lay.columns {
		if c.Role != "sensor" {
			continue
		}
		at++
		if ok(c) {
			return at, c.Name
		}
	}
	return -1, ""
}

func moments(x []float64) (mean, sd float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		sd += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(sd / float64(max(1, len(x)-1)))
}

// bestAUC over all channels of a machine: how well one channel alone, as it
// stands, tells damaged minutes of that machine from healthy ones.
func bestAUC(sums []summary, lay *layout, machines []string) (float64, string) {
	best, which := 0.5, "none"
	at := -1
	for _, c := range lay.columns {
		if c.Role != "sensor" {
			continue
		}
		at++
		m := slices.Index(machines, owner(c.Name))
		if m < 0 {
			continue
		}
		var healthy, damaged []float64
		for i := range sums {
			for b, v := range sums[i].Means[at] {
				switch {
				case isNull(float64(v)):
				case isNull(float64(sums[i].Damage[m][b])):
					healthy = append(healthy, float64(v))
				default:
					damaged = append(damaged, float64(v))
				}
			}
		}
		if a := auc(healthy, damaged); max(a, 1-a) > best {
			best, which = max(a, 1-a), c.Name
		}
	}
	return best, which
}

// auc is the chance that a value of b is above one of a, ties counting half.
func auc(a, b []float64) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0.5
	}
	slices.Sort(a)
	slices.Sort(b)
	below, equal, sum := 0, 0, 0.0
	for _, v := range b {
		for below < len(a) && a[below] < v {
			below++
		}
		equal = max(equal, below)
		for equal < len(a) && a[equal] == v {
			equal++
		}
		sum += float64(below) + float64(equal-below)/2
	}
	return sum / float64(len(a)) / float64(len(b))
}
