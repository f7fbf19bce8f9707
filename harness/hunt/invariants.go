package hunt

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/harness/score"
	"github.com/plantbed/plantbed/scenarios"
)

// invariant is what must hold of every run of a correct stack, as the bound of
// a metric.
type invariant struct {
	metric string
	// where is what TagCount.Where calls the stage to blame, if it says one.
	where string
	// most is the bound under a plan; not ok where it says nothing.
	most func(terms) (float64, bool)
}

// invariants, the gravest first: of several that a plan breaks the first is
// shrunk first, and often explains the others.
var invariants = []invariant{
	{"loss.edge", "", never},
	{"loss.north", "", never},
	{"loss.plc", "", never},
	{"loss.link", "", never},
	{"dup.applied", "dup", never},
	{"dup.unmarked", "dup", never},
	{"dup.marked", "dup", neverUnprovoked},
	{"corrupt.count", "corrupt", never},
	{"orphan.count", "", never},
	{"order.violations", "order", never},
	{"late.count", "late", never},
	{"recover.max_s", "", terms.recover},
	{"twin.converge_s", "", terms.converge},
	{"twin.false_fresh_s", "", terms.falseFresh},
}

// Breaches of no metric: the run itself did not end as runs do.
const (
	invariantAlive = "alive" // the stack died
	invariantEnds  = "ends"  // the run hung
)

func never(terms) (float64, bool) { return 0, true }

// neverUnprovoked: a stack that is cut off from its broker may send again, if
// it says so; one that nothing disturbs may not.
func neverUnprovoked(t terms) (float64, bool) { return 0, !t.disturbed }

// terms are what the bounds depend on: the contract and the plan, never what
// the stack did.
type terms struct {
	contract  scenarios.Contract
	disturbed bool
	// cut says that something is away for a time, whatever a stack does.
	cut bool
	// outages counts the windows that may cut a PLC off, once for each PLC.
	outages int
	// stands is for how long scans stand, late by how much answers come late.
	stands, late time.Duration
	// unreachable is for how long a PLC may look fresh that some plan calls away.
	unreachable time.Duration
}

// whole are the faults through which nothing passes for as long as they last.
// Others that cut may let a new connection through, or what was under way.
var whole = []string{"link.down", "link.stall", "gateway.pause", "gateway.kill", "plc.restart", "broker.stop"}

func termsOf(sc *scenarios.Scenario) terms {
	t := terms{contract: sc.Gateway.Contract}
	fresh := freshWithin(sc)
	protocol := map[string]string{}
	for _, p := range sc.PLCs {
		protocol[p.Name] = p.Protocol
	}
	for _, c := range sc.Faults {
		area, _, _ := strings.Cut(c.Kind, ".")
		if area == "sensor" || area == "asset" {
			continue
		}
		t.disturbed = true
		e := c.Effect(protocol[c.Target])
		t.cut = t.cut || e.Cut || c.Kind == "gateway.kill" || area == "broker"
		t.late += e.Late
		if c.Kind == "plc.stop" {
			t.stands += c.For.D()
		}
		behind := 1
		if _, isPLC := protocol[c.Target]; !isPLC {
			behind = len(sc.PLCs)
		}
		if cutsOff(c, e) {
			t.outages += behind
			t.unreachable += time.Duration(behind) * fresh
			if !slices.Contains(whole, c.Kind) || c.Way != "" {
				t.unreachable += time.Duration(behind) * c.For.D()
			}
		}
	}
	return t
}

// cutsOff tells that a correct client may be without its PLC for a while.
func cutsOff(c faults.Config, e faults.Effect) bool {
	e.Gone, e.Brittle, e.Jerky = nil, false, false
	if c.Kind == "gateway.disk_slow" {
		return false // late, but there
	}
	return !reflect.ValueOf(e).IsZero() || c.Kind == "gateway.kill" || strings.HasPrefix(c.Kind, "broker.")
}

// freshWithin is the time after which the twin must know that a source is gone.
// Where every scan or poll is sent that is five of its periods, at least 3 s;
// where silence means nothing it is the time in which a broker misses a client,
// one and a half keep-alives. A second goes by until it is looked at, and one
// more until it is published.
func freshWithin(sc *scenarios.Scenario) time.Duration {
	c := sc.Gateway.Contract
	least := 3 * time.Second
	for _, p := range sc.PLCs {
		switch {
		case sc.Twin.StaleAfter > 0:
			least = max(least, sc.Twin.StaleAfter.D())
		case p.Protocol == "modbus":
			least = max(least, 5*c.Modbus.Poll.D())
		case c.OPCUA.Trigger == "status-value-timestamp":
			least = max(least, 5*c.OPCUA.Publishing.D(), 5*c.OPCUA.Sampling.D())
		default:
			least = max(least, sc.Gateway.MQTT.KeepAlive.D()*3/2)
		}
	}
	return least + 2*time.Second
}

// roundTrips is how many answers a client waits for until it is back.
const roundTrips = 10

// back is until when a stack has a first fresh sample after an outage.
func (t terms) back() time.Duration {
	return (t.contract.Recover + t.contract.Deadline).D() + t.stands + roundTrips*t.late
}

func (t terms) recover() (float64, bool) { return t.back().Seconds(), t.cut }

func (t terms) converge() (float64, bool) {
	return (t.back() + t.contract.Deadline.D()).Seconds(), t.cut
}

func (t terms) falseFresh() (float64, bool) { return t.unreachable.Seconds(), true }

// Expectations are the invariants as a scenario states them.
func Expectations(sc *scenarios.Scenario) []scenarios.Expect {
	one := 1.
	out := []scenarios.Expect{{Metric: "samples.owed", Min: &one}}
	t := termsOf(sc)
	for _, inv := range invariants {
		if most, ok := inv.most(t); ok {
			out = append(out, scenarios.Expect{Metric: inv.metric, Max: &most})
		}
	}
	return out
}

// Breach is an invariant that a run broke.
type Breach struct {
	// Invariant is a metric, or alive or ends.
	Invariant string `json:"invariant"`
	// Stage is where, as far as the card says: plc, link, edge, north.
	Stage string `json:"stage,omitempty"`
	// Why is one line for people. It is no part of what a breach is.
	Why string `json:"why"`
}

func (b Breach) same(o Breach) bool { return b.Invariant == o.Invariant && b.Stage == o.Stage }

// Outcome is what became of one run.
type Outcome struct {
	Broken []Breach
	// Unknown is why the run cannot be judged; empty if it can.
	Unknown string
	Digest  string
}

func (o Outcome) breaks(b Breach) bool { return slices.ContainsFunc(o.Broken, b.same) }

// Judge reads a card.
func Judge(c score.Card) Outcome {
	o := Outcome{Digest: c.Digest}
	missing := ""
	for _, e := range c.Expectations {
		switch e.Verdict {
		case score.Fail:
			o.Broken = append(o.Broken, Breach{Invariant: e.Metric, Stage: stageOf(c, e.Metric), Why: e.Why})
		case score.Unknown:
			missing = cmp.Or(missing, e.Why)
		}
	}
	failed := len(o.Broken) > 0
	// The card is unknown in spite of a failure where the run itself is void.
	switch {
	case c.Verdict == score.Unknown && failed:
		o.Broken, o.Unknown = nil, strings.Join(c.Why, "; ")
	case c.Verdict == score.Unknown:
		o.Unknown = cmp.Or(strings.Join(c.Why, "; "), missing)
	}
	return o
}

// stageOf is the stage of a metric's name, or the one that most tags blame.
func stageOf(c score.Card, metric string) string {
	if stage, ok := strings.CutPrefix(metric, "loss."); ok {
		return stage
	}
	i := slices.IndexFunc(invariants, func(v invariant) bool { return v.metric == metric })
	if i < 0 || invariants[i].where == "" {
		return ""
	}
	votes := map[string]int{}
	for _, t := range c.ByTag {
		if s := t.Where[invariants[i].where]; s != "" {
			votes[s]++
		}
	}
	best := ""
	for _, s := range []string{"plc", "link", "edge", "north"} {
		if votes[s] > votes[best] {
			best = s
		}
	}
	return best
}
