package reports

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/plantbed/plantbed/harness/score"
)

// explain says in words that need no manual why an expectation did not pass:
// what happened, how much is allowed, where it happened and during what.
func explain(r score.Result, e score.Expectation) string {
	if e.Verdict != score.Fail || e.Got == nil {
		if doc := metricDoc(e.Metric); doc != "" && e.Verdict != score.Pass {
			return capital(doc) + ": " + why(e)
		}
		return why(e)
	}
	got, want := *e.Got, e.Want
	allowed := fmt.Sprintf("; at most %s is allowed", quantity(want, metricUnit(e.Metric)))
	if want == 0 {
		allowed = "; none is allowed"
	}
	switch e.Metric {
	case "samples.owed":
		return fmt.Sprintf("There were only %s samples to be had, and the scenario asks for %s: too little to judge by.", number(got), number(want))
	case "samples.delivered":
		return fmt.Sprintf("Only %s samples reached the twin; at least %s should.", number(got), number(want)) + lostWhere(r, score.StageNames[:])
	case "samples.unobtainable":
		return fmt.Sprintf("%s samples could be had by nobody, whatever the stack had done%s.", number(got), allowed) + causes(r)
	case "loss.count":
		return fmt.Sprintf("%s samples that a correct client would have had never reached the twin%s.", number(got), allowed) + lostWhere(r, score.StageNames[:])
	case "loss.ratio":
		return fmt.Sprintf("%s of the samples that a correct client would have had never reached the twin; at most %s may be missing.", percent(got), percent(want)) + lostWhere(r, score.StageNames[:])
	case "loss.plc", "loss.link", "loss.edge", "loss.north":
		stage := strings.TrimPrefix(e.Metric, "loss.")
		return fmt.Sprintf("%s samples were %s%s.", number(got), stageNamed(stage).fell, allowed) + lostWhere(r, []string{stage})
	case "recover.max_s":
		return fmt.Sprintf("After an outage it took %s until something new came through; %s is allowed.", quantity(got, "s"), quantity(want, "s")) + slowestRecovery(r)
	case "dup.marked":
		return fmt.Sprintf("%s samples came to the broker more than once, marked as copies%s.", number(got), allowed)
	case "dup.unmarked":
		return fmt.Sprintf("%s samples came to the broker more than once, and nothing marked them as copies%s.", number(got), allowed) + worstTag(r, func(t score.TagCount) int { return t.DupUnmarked })
	case "dup.applied":
		return fmt.Sprintf("The twin took %s samples more than once%s.", number(got), allowed) + worstTag(r, func(t score.TagCount) int { return t.DupApplied })
	case "order.violations":
		return fmt.Sprintf("%s samples came after a later one of the same signal%s.", number(got), allowed) + worstTag(r, func(t score.TagCount) int { return t.Reordered })
	case "corrupt.count":
		return fmt.Sprintf("%s samples arrived with another value, quality, unit, name or time than they had at the PLC%s.", number(got), allowed) + worstTag(r, func(t score.TagCount) int { return sum(t.Corrupt) })
	case "orphan.count":
		return fmt.Sprintf("%s samples arrived that no PLC had ever scanned%s.", number(got), allowed) + worstTag(r, func(t score.TagCount) int { return t.Orphan })
	case "late.count":
		return fmt.Sprintf("%s samples took longer than %s to the twin, and no scheduled outage excuses them%s.", number(got), span(r.Story.DeadlineS), allowed) +
			worstTag(r, func(t score.TagCount) int { return t.Late }) + during(r, func(b score.Bucket) float64 { return float64(b.Late) })
	case "backfill.count":
		return fmt.Sprintf("%s samples came late because of a scheduled outage%s.", number(got), allowed)
	case "latency.p50_ms", "latency.p95_ms", "latency.p99_ms", "latency.p999_ms", "latency.max_ms":
		return fmt.Sprintf("%s took %s or more from scan to twin%s.", quantileWords(e.Metric), quantity(got, "ms"), allowed) +
			slowestStage(r) + during(r, func(b score.Bucket) float64 { return b.P99MS })
	case "twin.divergence":
		return fmt.Sprintf("On average the twin was off by %s of a signal's span; at most %s is allowed.", percent(got), percent(want)) + worstTrace(r) + during(r, func(b score.Bucket) float64 { return b.Divergence })
	case "twin.state_wrong_s":
		return fmt.Sprintf("For %s the twin showed a machine in a state that it was not in%s.", span(round(got)), allowed)
	case "twin.stale_s":
		return fmt.Sprintf("For %s, summed over the PLCs, the twin marked what it showed as stale%s.", span(got), allowed)
	case "twin.false_fresh_s":
		return fmt.Sprintf("For %s, summed over the PLCs, the twin showed old values as if they were fresh%s.", span(got), allowed) + during(r, func(b score.Bucket) float64 { return b.FalseFreshS })
	case "twin.converge_s":
		return fmt.Sprintf("After the last outage it took %s until every signal of the twin was up to date again; %s is allowed.", span(round(got)), span(want)) + lastOff(r, got)
	case "detect.recall":
		return fmt.Sprintf("The detector noticed %s of the faults in machines and sensors; at least %s is asked for.", percent(got), percent(want)) + unnoticed(r)
	case "detect.precision":
		return fmt.Sprintf("Only %s of the alarms were about a fault; at least %s is asked for.", percent(got), percent(want))
	case "detect.delay_s":
		return fmt.Sprintf("The detector took %s to notice a fault, in the median; %s is allowed.", span(round(got)), span(want)) + unnoticed(r)
	case "detect.lead_s":
		return fmt.Sprintf("The detector spoke up %s before the failure, in the median; at least %s is asked for.", span(got), span(want))
	case "detect.false_per_day":
		return fmt.Sprintf("The detector raised %s false alarms per healthy machine and day; at most %s is allowed.", number(got), number(want))
	case "clock.lag_max_ms":
		return fmt.Sprintf("The simulated world ran up to %s late, so times of this run mean little%s.", quantity(got, "ms"), allowed)
	}
	return why(e)
}

// lostWhere names the stages, the signal and the faults with most of the loss.
func lostWhere(r score.Result, stages []string) string {
	var parts []string
	for k, name := range score.StageNames {
		if n := r.Story.Walk.Lost[k]; n > 0 && slices.Contains(stages, name) {
			parts = append(parts, fmt.Sprintf("%s were %s", allOr(n, sumOf(r.Story.Walk.Lost)), stageNamed(name).fell))
		}
	}
	out := ""
	if len(parts) > 0 && len(stages) > 1 {
		out = " " + capital(strings.Join(parts, ", ")) + "."
	}
	in := func(w score.Walk) int {
		n := 0
		for k, name := range score.StageNames {
			if slices.Contains(stages, name) {
				n += w.Lost[k]
			}
		}
		return n
	}
	all := in(r.Story.Walk)
	best, most := -1, 0
	for i, w := range r.Story.FaultWalks {
		f := r.Card.ByFault[i]
		if f.Class != "communication" && f.Class != "gateway" {
			continue // a worn bearing loses no samples
		}
		if n := in(w); n > most {
			best, most = i, n
		}
	}
	if best >= 0 && all > 0 {
		f := r.Card.ByFault[best]
		out += fmt.Sprintf(" %s of them were scanned while %s (%s to %s).", capital(allOr(most, all)), faultWords(f.Kind, f.Target), instant(f.FromS), instant(f.ToS))
	}
	return out + worstTag(r, func(t score.TagCount) int { return sum(t.Lost) })
}

func allOr(n, all int) string {
	if n >= all {
		return "all"
	}
	return count(n)
}

func sumOf(ns [4]int) int {
	sum := 0
	for _, n := range ns {
		sum += n
	}
	return sum
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func sum(m map[string]int) int {
	n := 0
	for _, v := range m {
		n += v
	}
	return n
}

// worstTag names the signal with the most, where there are several.
func worstTag(r score.Result, of func(score.TagCount) int) string {
	if len(r.Card.ByTag) == 0 {
		return ""
	}
	all, hit := 0, 0
	for _, t := range r.Card.ByTag {
		if n := of(t); n > 0 {
			all += n
			hit++
		}
	}
	worst := slices.MaxFunc(r.Card.ByTag, func(a, b score.TagCount) int { return cmp.Compare(of(a), of(b)) })
	switch {
	case hit == 0:
		return ""
	case hit == 1:
		return fmt.Sprintf(" All of %s.", worst.Tag)
	}
	return fmt.Sprintf(" %s are hit, most of all %s (%s).", plural(hit, "signal"), worst.Tag, count(of(worst)))
}

// causeWords says by what samples were out of reach.
var causeWords = map[string]string{
	"startup":                           "no client could be there yet",
	"queue overflow":                    "the server's queue overflowed",
	"not kept by the device":            "the device keeps nothing",
	"scheduled downtime of the gateway": "the gateway was down on schedule",
}

// causes are why samples could not be had, the commonest first.
func causes(r score.Result) string {
	type cause struct {
		name string
		n    int
	}
	var cs []cause
	for name, n := range r.Story.Unobtainable {
		cs = append(cs, cause{name, n})
	}
	slices.SortFunc(cs, func(a, b cause) int { return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.name, b.name)) })
	var parts []string
	for _, c := range cs {
		parts = append(parts, count(c.n)+" because "+cmp.Or(causeWords[c.name], "of "+c.name))
	}
	if len(parts) == 0 {
		return ""
	}
	return " " + capital(strings.Join(parts, ", ")) + "."
}

// during says when something was at its worst, and which faults were on then.
func during(r score.Result, of func(score.Bucket) float64) string {
	best := -1
	for k, b := range r.Story.Buckets {
		if v := of(b); v > 0 && (best < 0 || v > of(r.Story.Buckets[best])) {
			best = k
		}
	}
	if best < 0 {
		return ""
	}
	from := float64(best) * r.Story.BucketS
	return fmt.Sprintf(" It was worst at %s%s.", instant(from), whatWasOn(r, from, from+r.Story.BucketS))
}

// whatWasOn names the faults whose window, or the time right after it, meets
// a time.
func whatWasOn(r score.Result, from, to float64) string {
	var on []string
	for _, f := range r.Card.ByFault {
		if f.FromS < to && from < f.ToS && (f.Class == "communication" || f.Class == "gateway") {
			on = append(on, faultWords(f.Kind, f.Target))
		}
	}
	if len(on) == 0 {
		return ""
	}
	return ", while " + strings.Join(on, " and ")
}

func slowestRecovery(r score.Result) string {
	var worst *score.FaultCount
	for i, f := range r.Card.ByFault {
		if f.RecoverS != nil && (worst == nil || *f.RecoverS > *worst.RecoverS) {
			worst = &r.Card.ByFault[i]
		}
	}
	if worst == nil {
		return ""
	}
	return fmt.Sprintf(" The slowest was after %s (until %s).", faultWords(worst.Kind, worst.Target), instant(worst.ToS))
}

func slowestStage(r score.Result) string {
	if len(r.Story.Stages) == 0 {
		return ""
	}
	s := slices.MaxFunc(r.Story.Stages, func(a, b score.StageTime) int { return cmp.Compare(a.P99MS, b.P99MS) })
	return fmt.Sprintf(" Most of it went by %s (99 of 100 within %s).", stageNamed(s.Stage).leg, quantity(s.P99MS, "ms"))
}

func worstTrace(r score.Result) string {
	if len(r.Story.Tags) == 0 {
		return ""
	}
	t := slices.MaxFunc(r.Story.Tags, func(a, b score.TagStory) int { return cmp.Compare(a.Divergence, b.Divergence) })
	return fmt.Sprintf(" Furthest off was %s, by %s.", t.Tag, percent(t.Divergence))
}

// lastOff names the signal that was furthest off when the twin had nearly
// caught up.
func lastOff(r score.Result, took float64) string {
	end := -1.0
	for _, f := range r.Card.ByFault {
		if (f.Class == "communication" || f.Class == "gateway") && f.ToS < r.Card.DurationS {
			end = max(end, f.ToS)
		}
	}
	if end < 0 || !(r.Story.BucketS > 0) {
		return ""
	}
	k := int((end+took)/r.Story.BucketS) - 1
	if k < 0 || k >= len(r.Story.Buckets) {
		return ""
	}
	b := r.Story.Buckets[k]
	if b.ApartBy <= 0 || b.Apart < 0 || b.Apart >= len(r.Card.ByTag) {
		return ""
	}
	return fmt.Sprintf(" Shortly before, %s was still off by %s of its span.", r.Card.ByTag[b.Apart].Tag, percent(b.ApartBy))
}

func unnoticed(r score.Result) string {
	var not []string
	for _, f := range r.Card.ByFault {
		if f.DelayS == nil && (f.Class == "process" || f.Class == "sensor") {
			not = append(not, fmt.Sprintf("%s (from %s)", faultWords(f.Kind, f.Target), instant(f.FromS)))
		}
	}
	if len(not) == 0 {
		return ""
	}
	return " Not noticed: " + strings.Join(not, ", ") + "."
}

func quantileWords(metric string) string {
	switch metric {
	case "latency.p50_ms":
		return "Half of the samples"
	case "latency.p95_ms":
		return "One sample in 20"
	case "latency.p99_ms":
		return "One sample in 100"
	case "latency.p999_ms":
		return "One sample in 1,000"
	}
	return "The slowest sample"
}

// room says how close an expectation came to its bound.
func room(e score.Expectation) string {
	if e.Got == nil {
		return ""
	}
	got, want := *e.Got, e.Want
	switch {
	case want == 0 && got == 0:
		return "exactly none"
	case want == 0 && got > 0 && e.Op == "<=":
		return number(got) + " too many"
	case want <= 0 || got < 0:
		return number(math.Abs(got-want)) + " away"
	case got == want:
		return "exactly at the bound"
	case e.Op == "<=" && got <= want:
		return percent(got/want) + " of the limit"
	case e.Op == "<=":
		return times(got/want) + " the limit"
	case got >= want:
		return times(got/want) + " what is asked"
	}
	return percent(got/want) + " of what is asked"
}

func times(v float64) string {
	if v >= 100 {
		return number(math.Round(v)) + " ×"
	}
	return fmt.Sprintf("%.3g ×", v)
}

// share is how far an expectation's bar reaches: 1 is the bound, 1.5 the end.
func share(e score.Expectation) float64 {
	switch {
	case e.Got == nil || math.IsNaN(*e.Got) || *e.Got <= 0:
		return 0
	case e.Want <= 0:
		return 1.5
	}
	return min(1.5, *e.Got/e.Want)
}
