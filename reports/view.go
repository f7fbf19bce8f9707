package reports

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/plantbed/plantbed/harness/score"
)

// view is a result as it is told: every format draws from it and adds nothing.
type view struct {
	Scenario string
	Summary  string
	Verdict  score.Verdict
	Tag      string // PASS, FAIL, UNKNOWN
	Headline string
	// Reasons are one line each, the gravest first; none for a pass.
	Reasons []string
	Facts   []fact
	// Expects has what failed first, then what is unknown, then what passed.
	Expects []expectLine
	// Walk is what became of the samples, and Extra what should not be there
	// at all: copies, disorder, strangers.
	Walk, Lost, Unobtainable, Extra []fact
	Faults                          []faultLine
	Tags                            []tagLine
	TagsWrong                       int // how many of Tags, at the front, have something wrong
	Metrics                         []metricLine
	Detectors                       []string // the shipped one and the baselines
	Detection                       []detectionLine
	Alarms                          []alarmLine
	AlarmsMore                      int // alarms not listed
	Events                          []fact
	Parts                           []partLine
	Way                             []wayLine
	Stages                          []stageLine
	OEE                             *waterfall
	Replay, ReplayNote              string
}

// fact is a name and a value in words, with what the name means.
type fact struct{ Name, Value, Doc string }

type expectLine struct {
	Metric, Doc, Bound, Got, N, Why string
	Verdict                         score.Verdict
	Word                            string
	Room                            string // how close it came to its bound
	BarBound                        int    // where the bound stands on the bar
	Bar                             int    // the same as a length; 60 is the bound, 90 the end
}

// wayLine is one stage of the samples' way: how many were there, and what
// fell away before the next.
type wayLine struct {
	Name, Count, Gone string
	Share             int // of the widest, in percent
	Bad               bool
}

// stageLine is how long live samples took for one leg.
type stageLine struct{ Name, Doc, N, P50, P95, P99, Max string }

type faultLine struct {
	Kind, Target, Class, From, To              string
	Owed, Lost, Unobtainable, Late, Backfilled string
	Latched                                    string
	Reached                                    [4]string // by stages
	Rest                                       string    // where those that did not arrive went
	Window                                     string    // "from to" in seconds, for the script
	Recover, Delay                             string
	Bad                                        bool
	fromS, toS                                 float64
}

type tagLine struct {
	Tag                                                   string
	Owed, Delivered, Lost, Unobtainable, Late, Backfilled string
	Latched                                               string
	Reached                                               [4]string
	Rest                                                  string
	Wrong                                                 string // everything else that is wrong, in words
	Bad                                                   bool
	badness                                               int
}

type metricLine struct{ Name, Value, N, Interval, Doc string }

type detectionLine struct {
	Metric, Doc string
	Values      []string // one per detector
}

type alarmLine struct{ At, Machine, Detector, Class, Tag, Score, Truth string }

// maxAlarms is how many alarms are listed; the plot shows them all.
const maxAlarms = 50

// look makes the view of a result.
func look(r score.Result) view {
	c := r.Card
	v := view{
		Scenario: cmp.Or(c.Scenario, "(no name)"), Summary: r.Story.Summary,
		Verdict: c.Verdict, Tag: verdictTag(c.Verdict),
		Headline: headline(c) + controlSentence(r.Control), Reasons: reasons(r), Replay: r.Story.Replay,
	}
	if v.Replay != "" {
		v.ReplayNote = "in the directory of this run: its scenario.toml holds the seed, the gear and every override"
	}
	v.Facts = []fact{
		{"Seed", fmt.Sprint(c.Seed), "the same scenario, seed and program give the same digest"},
		{"Gear", cmp.Or(c.Gear, "unknown"), gearDoc(c.Gear)},
		{"Simulated", span(c.DurationS), "how far the run came"},
		{"Identity", cmp.Or(c.Identity, "unknown"), "by what samples were matched with their truth"},
		{"Digest", cmp.Or(c.Digest, "none"), "SHA-256 of the canonical record"},
		{"Program", cmp.Or(r.Story.Version, "unknown"), "the version of plantbed that made the record"},
		{"Card", cmp.Or(c.Schema, score.CardSchema), "the layout of card.json"},
	}
	v.Expects = expectLines(r)
	v.Walk, v.Lost, v.Unobtainable, v.Extra = walk(r)
	for i, f := range c.ByFault {
		line := faultLineOf(f)
		if i < len(r.Story.FaultWalks) {
			w := r.Story.FaultWalks[i]
			line.Latched, line.Reached, line.Rest = count(w.Latched), reached(w), rest(w)
		}
		v.Faults = append(v.Faults, line)
	}
	v.Tags, v.TagsWrong = tagLines(r)
	v.Parts = partLines(r)
	v.Way = way(r.Story.Walk)
	v.Stages = stageLines(r.Story.Stages)
	v.OEE = oeeFall(r)
	v.Metrics = metricLines(c.Metrics)
	v.Detectors, v.Detection = detection(c)
	v.Alarms, v.AlarmsMore = alarmLines(r.Story.Alarms)
	v.Events = eventLines(r.Story)
	return v
}

func gearDoc(gear string) string {
	switch gear {
	case "virtual":
		return "latency is modelled: computing takes no time"
	case "live":
		return "on the wall clock"
	case "fast":
		return "the simulated world alone, without a network"
	}
	return ""
}

// headline is the verdict in one sentence.
func headline(c score.Card) string {
	n := map[score.Verdict]int{}
	for _, e := range c.Expectations {
		n[e.Verdict]++
	}
	all := len(c.Expectations)
	switch {
	case all == 0:
		return "Nothing was expected, so nothing was judged."
	case c.Verdict == score.Fail:
		return fmt.Sprintf("%s of %s failed.", count(n[score.Fail]), plural(all, "expectation"))
	case c.Verdict == score.Pass && all == 1:
		return "The one expectation was met."
	case c.Verdict == score.Pass:
		return fmt.Sprintf("All %s were met.", plural(all, "expectation"))
	case n[score.Pass] == all || n[score.Fail] > 0:
		return "The run cannot be judged, whatever its figures say."
	}
	return fmt.Sprintf("%s of %s could not be judged.", count(all-n[score.Pass]-n[score.Fail]), plural(all, "expectation"))
}

// reasons are the card's, those about an expectation in words, and one for
// every expectation that has none.
func reasons(r score.Result) []string {
	words := map[string]string{}
	for _, e := range r.Card.Expectations {
		if e.Verdict != score.Pass {
			words[why(e)] = explain(r, e)
		}
	}
	var out []string
	for _, reason := range r.Card.Why {
		out = append(out, cmp.Or(words[reason], reason))
	}
	for _, e := range r.Card.Expectations {
		if e.Verdict != score.Pass && !slices.Contains(out, explain(r, e)) {
			out = append(out, explain(r, e))
		}
	}
	return out
}

// why is one line for an expectation that did not pass.
func why(e score.Expectation) string {
	switch {
	case e.Verdict == score.Pass:
		return ""
	case e.Why != "":
		return e.Why
	case e.Got == nil:
		return fmt.Sprintf("%s is unknown, expected %s", e.Metric, bound(e))
	}
	return fmt.Sprintf("%s is %s, expected %s", e.Metric, measure(e.Got, metricUnit(e.Metric)), bound(e))
}

func expectLines(r score.Result) []expectLine {
	rank := map[score.Verdict]int{score.Fail: 0, score.Unknown: 1, score.Pass: 2}
	sorted := slices.Clone(r.Card.Expectations)
	slices.SortStableFunc(sorted, func(a, b score.Expectation) int { return cmp.Compare(rank[a.Verdict], rank[b.Verdict]) })
	out := make([]expectLine, len(sorted))
	for i, e := range sorted {
		out[i] = expectLine{Metric: e.Metric, Doc: metricDoc(e.Metric), Bound: bound(e), Got: measure(e.Got, metricUnit(e.Metric)),
			N: count(e.N), Why: explain(r, e), Verdict: orUnknown(e.Verdict), Word: verdictWord(e.Verdict), Room: room(e), Bar: int(share(e)*60 + 0.5), BarBound: 60}
		if e.Want <= 0 {
			out[i].BarBound = 0
		}
	}
	return out
}

// walk says what became of the samples. A figure that is not on the card is
// left out, not called zero.
func walk(r score.Result) (fate, lost, unobtainable, extra []fact) {
	take := func(into *[]fact, name, metric, doc string) {
		if m, ok := r.Card.Metrics[metric]; ok {
			*into = append(*into, fact{name, measure(m.Value, ""), doc})
		}
	}
	take(&fate, fates.owed.title, "samples.owed", fates.owed.doc)
	take(&fate, fates.delivered.title, "samples.delivered", fates.delivered.doc)
	take(&fate, fates.lost.title, "loss.count", fates.lost.doc)
	take(&fate, fates.unobtainable.title, "samples.unobtainable", fates.unobtainable.doc)
	take(&fate, fates.late.title, "late.count", fates.late.doc)
	take(&fate, fates.backfilled.title, "backfill.count", fates.backfilled.doc)
	for _, s := range stages {
		take(&lost, s.title, "loss."+s.key, s.doc)
	}
	for _, cause := range slices.Sorted(maps.Keys(r.Story.Unobtainable)) {
		unobtainable = append(unobtainable, fact{cause, count(r.Story.Unobtainable[cause]), ""})
	}
	for _, m := range []string{"dup.marked", "dup.unmarked", "dup.applied", "order.violations", "corrupt.count", "orphan.count"} {
		take(&extra, m, m, metricDoc(m))
	}
	return fate, lost, unobtainable, extra
}

// way is the walk of all samples as a funnel.
func way(w score.Walk) []wayLine {
	if w.Latched == 0 {
		return nil
	}
	out := []wayLine{{Name: "scanned by the PLCs", Count: count(w.Latched), Gone: goneBeforeOwed(w)}}
	out = append(out, wayLine{Name: "owed under the contract", Count: count(w.Owed)})
	n := []int{w.Latched, w.Owed}
	for k, st := range stages {
		if lost := w.Lost[k]; lost > 0 {
			last := &out[len(out)-1]
			last.Gone, last.Bad = count(lost)+" "+st.fell, true
		}
		out = append(out, wayLine{Name: st.to, Count: count(w.Reached(k))})
		n = append(n, w.Reached(k))
	}
	last := &out[len(out)-1]
	var how []string
	for _, p := range []struct {
		n    int
		what string
	}{{w.Backfilled, "backfilled after a scheduled outage"}, {w.Late, "late"}, {w.Gifts, "more that were not owed"}} {
		if p.n > 0 {
			how = append(how, count(p.n)+" "+p.what)
		}
	}
	last.Gone, last.Bad = strings.Join(how, ", "), w.Late > 0
	for i := range out {
		out[i].Share = n[i] * 100 / w.Latched
	}
	return out
}

func goneBeforeOwed(w score.Walk) string {
	var parts []string
	if w.Unchanged > 0 {
		parts = append(parts, count(w.Unchanged)+" had nothing new to report")
	}
	for _, cause := range slices.Sorted(maps.Keys(w.Unobtainable)) {
		parts = append(parts, count(w.Unobtainable[cause])+" unobtainable: "+cause)
	}
	return strings.Join(parts, ", ")
}

func reached(w score.Walk) (out [4]string) {
	for k := range out {
		out[k] = count(w.Reached(k))
	}
	return out
}

// rest says where the samples went that did not arrive.
func rest(w score.Walk) string {
	var parts []string
	for k, st := range stages {
		if w.Lost[k] > 0 {
			parts = append(parts, count(w.Lost[k])+" lost: "+st.title)
		}
	}
	for _, cause := range slices.Sorted(maps.Keys(w.Unobtainable)) {
		parts = append(parts, count(w.Unobtainable[cause])+" "+cmp.Or(shortCause[cause], cause))
	}
	return strings.Join(parts, ", ")
}

// shortCause says in a crowded table why samples could not be had.
var shortCause = map[string]string{"scheduled downtime of the gateway": "gateway down", "not kept by the device": "not kept", "queue overflow": "overflow"}

func stageLines(ss []score.StageTime) []stageLine {
	var out []stageLine
	for _, s := range ss {
		st := stageNamed(s.Stage)
		ms := func(v float64) string { return quantity(v, "ms") }
		out = append(out, stageLine{st.title, st.leg, count(s.N), ms(s.P50MS), ms(s.P95MS), ms(s.P99MS), ms(s.MaxMS)})
	}
	return out
}

func faultLineOf(f score.FaultCount) faultLine {
	line := faultLine{Window: f1(f.FromS) + " " + f1(f.ToS), Kind: f.Kind, Target: f.Target, Class: f.Class, From: instant(f.FromS), To: instant(f.ToS),
		Owed: count(f.Owed), Lost: count(f.Lost), Unobtainable: count(f.Unobtainable), Late: count(f.Late), Backfilled: count(f.Backfilled),
		Bad: f.Lost > 0 || f.Late > 0, fromS: f.FromS, toS: f.ToS}
	if f.RecoverS != nil {
		line.Recover = quantity(*f.RecoverS, "s")
	}
	switch {
	case f.DelayS != nil:
		line.Delay = span(round(*f.DelayS))
	case f.Class == "process" || f.Class == "sensor":
		line.Delay = "not detected"
	}
	return line
}

// tagLines has the tags with something wrong first, the worst at the top, and
// then the others by name.
func tagLines(r score.Result) ([]tagLine, int) {
	tags := r.Card.ByTag
	out := make([]tagLine, len(tags))
	wrong := 0
	for i, t := range tags {
		out[i] = tagLineOf(t)
		if i < len(r.Story.TagWalks) {
			w := r.Story.TagWalks[i]
			out[i].Latched, out[i].Reached, out[i].Rest = count(w.Latched), reached(w), rest(w)
		}
		if out[i].Bad {
			wrong++
		}
	}
	slices.SortStableFunc(out, func(a, b tagLine) int {
		return cmp.Or(cmp.Compare(b.badness, a.badness), cmp.Compare(a.Tag, b.Tag))
	})
	return out, wrong
}

func tagLineOf(t score.TagCount) tagLine {
	line := tagLine{Tag: t.Tag, Owed: count(t.Owed), Delivered: count(t.Delivered), Unobtainable: count(t.Unobtainable),
		Late: count(t.Late), Backfilled: count(t.Backfilled)}
	lost := 0
	var at, others []string
	for _, s := range stages {
		if n := t.Lost[s.key]; n > 0 {
			lost += n
			at = append(at, s.title)
		}
	}
	line.Lost = count(lost)
	if lost > 0 {
		line.Lost += " (" + strings.Join(at, ", ") + ")"
	}
	line.badness = lost + t.Late
	other := func(n int, what, defect string) {
		if n == 0 {
			return
		}
		line.badness += n
		text := count(n) + " " + what
		if where := t.Where[defect]; where != "" {
			text += " (" + where + ")"
		}
		others = append(others, text)
	}
	other(t.DupUnmarked, "repeated without a key", "dup")
	other(t.DupApplied, "applied twice", "dup")
	other(t.Reordered, "out of order", "order")
	for _, kind := range slices.Sorted(maps.Keys(t.Corrupt)) {
		other(t.Corrupt[kind], "with a wrong "+strings.ReplaceAll(kind, "_", " "), "corrupt")
	}
	other(t.Orphan, "without a truth", "orphan")
	line.Wrong = strings.Join(others, ", ")
	line.Bad = line.badness > 0
	return line
}

// metricLines has every metric of the card, in the order of the score's table.
func metricLines(ms map[string]score.Metric) []metricLine {
	var out []metricLine
	add := func(name, doc string) {
		m := ms[name]
		out = append(out, metricLine{name, measure(m.Value, m.Unit), count(m.N), interval(m.CI95), doc})
	}
	known := map[string]bool{}
	for _, info := range score.Metrics {
		known[info.Name] = true
		if _, ok := ms[info.Name]; ok {
			add(info.Name, info.Doc)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(ms)) {
		if !known[name] {
			add(name, "")
		}
	}
	return out
}

// detection sets the shipped detector beside the ones that anyone could write.
func detection(c score.Card) (detectors []string, lines []detectionLine) {
	if len(c.Baselines) == 0 {
		return nil, nil
	}
	baselines := slices.Sorted(maps.Keys(c.Baselines))
	detectors = append([]string{"shipped"}, baselines...)
	for _, info := range score.Metrics {
		if !strings.HasPrefix(info.Name, "detect.") && !strings.HasPrefix(info.Name, "diagnose.") {
			continue
		}
		line := detectionLine{Metric: info.Name, Doc: info.Doc}
		for i := range detectors {
			ms := c.Metrics
			if i > 0 {
				ms = c.Baselines[baselines[i-1]]
			}
			line.Values = append(line.Values, measure(ms[info.Name].Value, info.Unit))
		}
		lines = append(lines, line)
	}
	return detectors, lines
}

func alarmLines(as []score.AlarmMark) (lines []alarmLine, more int) {
	for i, a := range as {
		if i == maxAlarms {
			return lines, len(as) - maxAlarms
		}
		truth := "false"
		if a.True {
			truth = "true"
		}
		lines = append(lines, alarmLine{instant(a.AtS), a.Machine, a.Detector, a.Class, a.Tag,
			number(a.Score) + " over " + number(a.Limit), truth})
	}
	return lines, 0
}

// eventLines are what happened in the plant and to its hosts, by time.
func eventLines(s score.Story) []fact {
	marks := slices.Concat(s.Events, s.Notes)
	slices.SortStableFunc(marks, func(a, b score.EventMark) int { return cmp.Compare(a.AtS, b.AtS) })
	out := make([]fact, len(marks))
	for i, m := range marks {
		out[i] = fact{Name: instant(m.AtS), Value: m.What}
	}
	return out
}
