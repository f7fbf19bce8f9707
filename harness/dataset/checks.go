package dataset

import (
	"math"
	"slices"
	"strings"
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
		if math.IsNaN(value) || math.IsInf(value, 0) { // of nothing there is no figure, and JSON has none
			value, unknown = 0, true
		}
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
	add("healthy.share", healthy, "> 0.9", healthy > 0.9, false, "machine-hours without damage to speak of, under 1 %")
	lives := t.Lives - t.hidden
	censored := ratio(float64(t.Censored-t.hidden), float64(lives))
	add("censored.share", censored, "0.05 to 0.7", censored >= 0.05 && censored <= 0.7, lives < fewestEvents,
		"lives that show or end, and that the end of the run or maintenance cuts off: neither none nor most")
	faults := float64(lives + t.Lies)
	look := ratio(float64(t.Changes), faults)
	add("changes.per_fault", look, ">= 10", look >= 10, faults == 0, "operating changes for each fault: nobody learns that change means damage")
	alike := ratio(float64(t.LookAlikes), float64(lives))
	add("look_alikes.per_life", alike, ">= 1", alike >= 1, lives < fewestEvents, "benign look-alikes for each life: something else moves the same signals, and nothing is wrong")
	modes := modesWithLookAlike(t)
	add("modes.with_look_alike", modes, ">= 0.9", modes >= 0.9, t.Lives < fewestEvents, "components that wore out, of which a look-alike of the very same one happens somewhere")
	lead := median(t.leads)
	add("lead.share", lead, "0.02 to 0.98", lead >= 0.02 && lead <= 0.98, len(t.leads) < fewestEvents,
		"median share of the growth of damage that lies between where it shows and the failure: to show is not to fail, and not to begin")
	add("lives.misordered", float64(t.misordered), "= 0", t.misordered == 0, t.Lives == 0, "lives that are not onset, then detectable, then failure")
	spread, which := unitSpread(sums, lay, machines)
	add("unit.spread", spread, "0.05 to 0.4", spread >= 0.05 && spread <= 0.4, len(sums) < 8,
		"variation from unit to unit of a healthy vibration ("+which+"): a limit in g that suits one unit does not suit the next, so each is normalised by its own healthy time")
	points := operatingSpread(sums, lay)
	add("operating.spread", points, ">= 0.01", points >= 0.01, len(sums) < 8, "variation of the motors' currents within healthy runs: no fixed operating point")
	overlap, which := bestAUC(sums, lay, machines)
	add("row.auc", overlap, "< 0.99", overlap < 0.99, few, "area under the ROC curve of the single channel that separates damaged minutes from healthy ones best ("+which+"): classes overlap")
	return append(out, waveChecks(sums)...)
}

// modesWithLookAlike is the share of worn components that something benign
// looks like.
func modesWithLookAlike(t totals) float64 {
	with := 0
	for mode := range t.ByMode { // counts, so that the order does not matter
		if component, _, _ := strings.Cut(mode, ":"); t.AlikeBy[component] > 0 {
			with++
		}
	}
	return float64(with) / float64(max(1, len(t.ByMode)))
}

func median(x []float32) float64 {
	if len(x) == 0 {
		return 0
	}
	x = slices.Clone(x)
	slices.Sort(x)
	return float64(x[len(x)/2])
}
