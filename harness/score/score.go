// Package score says what a run was worth. It is pure: a record in, a card
// out, and the same record gives the same card, byte for byte.
//
//	log, err := record.Load("runs/first-light-42/record")
//	result := score.Score(log)
//	fmt.Println(result.Card.Verdict, *result.Card.Metrics["loss.count"].Value)
//
// Truth and observation meet here and nowhere else: the walk is
//
//	index truth by tag → tie server and wire taps to it → judge what is owed
//	→ tie what broker and twin saw → judge polls → count → expectations
package score

import (
	"time"

	"github.com/plantbed/plantbed/harness/record"
)

// Score is the main line; each step is one file.
func Score(l *record.Log) Result {
	l = struck(l)
	m := l.Meta
	until := int64(m.Duration)
	if l.End != nil && l.End.Reached < m.Duration {
		until = int64(l.End.Reached)
	}
	tracks := index(l)
	outs := findOutages(m)
	walkWires(l, tracks)
	judge(m, outs, tracks)
	id, broker, twin, unknown := join(l, outs, tracks)
	for _, t := range tracks {
		if !t.subscribed {
			judgePolls(m, outs, t)
		}
	}
	forgive(outs, tracks)
	sum := count(m, outs, tracks, broker, twin, unknown)
	recs := recoveries(m, outs, tracks, until, int64(m.Contract.Recover))
	fid := watchTwin(l, m, outs, tracks, until)
	ocs := occurrences(l, until)

	machines := make([]string, len(m.Machines))
	for i, mc := range m.Machines {
		machines[i] = mc.Name
	}
	card := Card{Schema: CardSchema, Scenario: m.Scenario, Seed: m.Seed, Gear: m.Gear, Identity: id.level(),
		DurationS: time.Duration(until).Seconds(), Metrics: map[string]Metric{}, Baselines: map[string]map[string]Metric{}}
	sum.fill(card.Metrics, id)
	fill(card.Metrics, l, recs, fid, until)
	own := detectAll(l, m, ocs, machines, until, &card)
	card.ByTag = sum.byTag
	card.ByFault = byFault(m, outs, tracks, recs, ocs, own, until)
	card.Digest = digest(l, tracks)
	judgeCard(&card, l, sum, id)
	story := tell(l, outs, tracks, card, ocs, until)
	story.Unobtainable = sum.causes
	return Result{Card: card, Story: story}
}

// detectAll scores the shipped detector into the card's metrics and everybody
// else into its baselines.
func detectAll(l *record.Log, m record.Meta, ocs []occurrence, machines []string, until int64, card *Card) detection {
	if len(m.Detectors) == 0 {
		for name, v := range detect(ocs, nil, nil, until).metrics(ocs) {
			v.N, v.Value, v.CI95 = 0, nil, nil
			card.Metrics[name] = v
		}
		return detect(ocs, nil, nil, until)
	}
	own := detect(ocs, alarmsOf(l, m.Detectors[0]), machines, until)
	for name, v := range own.metrics(ocs) {
		card.Metrics[name] = v
	}
	for name, alarms := range trivial(m.Seed, machines, own.episodes, until) {
		card.Baselines[name] = detect(ocs, alarms, machines, until).metrics(ocs)
	}
	for _, name := range m.Detectors[1:] {
		card.Baselines[name] = detect(ocs, alarmsOf(l, name), machines, until).metrics(ocs)
	}
	return own
}

// fill writes the figures that rest on rows. Where too many matches were
// ambiguous, nothing that rests on them has a value.
func (c *tally) fill(ms map[string]Metric, id identity) {
	set := func(name string, v float64, n int) { ms[name] = figure(name, v, n) }
	lost := c.lost[stagePLC] + c.lost[stageLink] + c.lost[stageEdge] + c.lost[stageNorth]
	nOwed := c.owed
	if id.unclear() {
		nOwed = 0
	}
	set("samples.owed", float64(c.owed), c.owed)
	set("samples.delivered", float64(c.delivered), nOwed)
	set("samples.unobtainable", float64(c.unobtainable), c.owed+c.unobtainable)
	set("loss.count", float64(lost), nOwed)
	set("loss.ratio", ratio(lost, c.owed), nOwed)
	for _, s := range []string{stagePLC, stageLink, stageEdge, stageNorth} {
		set("loss."+s, float64(c.lost[s]), nOwed)
	}
	set("dup.marked", float64(c.marked), c.seenBroker)
	set("dup.unmarked", float64(c.unmarked), c.seenBroker)
	set("dup.applied", float64(c.applied), c.seenTwin)
	set("order.violations", float64(c.reordered), c.seenBroker)
	set("corrupt.count", float64(c.corrupt), c.seenBroker)
	set("orphan.count", float64(c.orphan), c.seenBroker+c.orphan)
	set("late.count", float64(c.late), c.live+c.late+c.backfilled)
	set("backfill.count", float64(c.backfilled), c.live+c.late+c.backfilled)
	for name, q := range map[string]float64{"latency.p50_ms": 50, "latency.p95_ms": 95, "latency.p99_ms": 99, "latency.p999_ms": 99.9, "latency.max_ms": 100} {
		set(name, float64(c.latency.ValueAtQuantile(q))/1000, c.live)
	}
}

// fill writes the figures that rest on time.
func fill(ms map[string]Metric, l *record.Log, recs []recovery, f fidelity, until int64) {
	set := func(name string, v float64, n int) { ms[name] = figure(name, v, n) }
	worst, n := recoverMax(recs, until, int64(l.Meta.Contract.Recover))
	set("recover.max_s", float64(worst)/1e9, n)
	set("twin.divergence", f.divergence, f.n)
	set("twin.state_wrong_s", f.stateWrong, f.machines*f.n)
	set("twin.false_fresh_s", f.false, f.n)
	set("twin.stale_s", f.stale, f.n)
	set("twin.converge_s", f.converge, b2i(f.converged))
	set("rul.rmse_h", 0, 0)
	set("rul.coverage90", 0, 0)
	for name, v := range map[string]*float64{"oee.truth": f.oeeTruth, "oee.twin": f.oeeTwin} {
		set(name, 0, 0)
		if v != nil {
			set(name, *v, 1)
		}
	}
	set("clock.lag_max_ms", 0, 0)
	if l.End != nil {
		set("clock.lag_max_ms", float64(l.End.LagMax)/1e6, 1)
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func seconds(ns int64) float64 { return float64(ns) / 1e9 }
