package score

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plantbed/plantbed/harness/record"
)

// judgeCard holds the figures against the expectations and reaches the
// verdict: fail beats unknown beats pass, except that what makes the whole
// run meaningless (a late kernel, a bypassed link, nothing delivered at all)
// makes it unknown whatever the figures say.
func judgeCard(c *Card, l *record.Log, sum *tally, id identity) {
	c.Verdict = Pass
	for _, e := range l.Meta.Expect {
		if e.Min != nil {
			c.expect(e, ">=", *e.Min, sum)
		}
		if e.Max != nil {
			c.expect(e, "<=", *e.Max, sum)
		}
	}
	for _, e := range c.Expectations {
		c.Verdict = worse(c.Verdict, e.Verdict)
		if e.Verdict != Pass {
			c.Why = append(c.Why, e.Why)
		}
	}
	if len(c.Expectations) == 0 {
		c.Verdict = Unknown
		c.Why = append(c.Why, "the scenario expects nothing, so nothing was judged")
	}
	if id.unclear() { // what is wrong all the same, is wrong
		c.Verdict = worse(c.Verdict, Unknown)
		c.Why = append(c.Why, fmt.Sprintf("%d samples could be matched with more than one truth", id.ambiguous))
	}
	if why := meaningless(l, sum); len(why) > 0 {
		c.Verdict = Unknown
		c.Why = append(why, c.Why...)
	}
}

func worse(a, b Verdict) Verdict {
	for _, v := range []Verdict{Fail, Unknown} {
		if a == v || b == v {
			return v
		}
	}
	return Pass
}

func meaningless(l *record.Log, sum *tally) []string {
	var why []string
	switch {
	case l.End == nil:
		why = append(why, "the run was cut off: its record has no end")
	case l.End.Failed != "":
		why = append(why, "the run could not go on: "+l.End.Failed)
	case l.End.Interrupted:
		why = append(why, fmt.Sprintf("the run was interrupted after %s of %s", l.End.Reached, l.Meta.Duration))
	}
	if l.End != nil {
		if l.End.LagTolerance > 0 && l.End.LagMax > l.End.LagTolerance {
			why = append(why, fmt.Sprintf("the simulated world was up to %s late (at most %s is tolerated): a late simulator is not a slow gateway", l.End.LagMax, l.End.LagTolerance))
		}
		for _, b := range l.End.Bypass {
			why = append(why, "a connection went around its link: "+b)
		}
	}
	if sum.seenTwin == 0 {
		why = append(why, "nothing was delivered: is the stack connected at all?")
	}
	return why
}

func (c *Card) expect(e record.Expect, op string, want float64, sum *tally) {
	m := c.Metrics[e.Metric]
	x := Expectation{Metric: e.Metric, Op: op, Want: want, Got: m.Value, N: m.N, Verdict: Pass}
	switch {
	case m.Value == nil:
		x.Verdict, x.Why = Unknown, fmt.Sprintf("%s is unknown: there was nothing to measure", e.Metric)
	case m.N < e.MinN:
		x.Verdict, x.Why = Unknown, fmt.Sprintf("%s rests on n = %d, the scenario asks for %d", e.Metric, m.N, e.MinN)
	case op == ">=" && *m.Value < want, op == "<=" && *m.Value > want:
		x.Verdict = Fail
		x.Why = fmt.Sprintf("%s is %s, expected %s %s%s", e.Metric, number(*m.Value), op, number(want), sum.because(e.Metric))
	}
	c.Expectations = append(c.Expectations, x)
}

func number(v float64) string {
	s := fmt.Sprintf("%.6g", v)
	if v == float64(int64(v)) {
		s = fmt.Sprintf("%d", int64(v))
	}
	return s
}

// because adds, in a few words, where a figure comes from.
func (c *tally) because(metric string) string {
	var parts []string
	switch {
	case strings.HasPrefix(metric, "loss."):
		for _, s := range []string{stagePLC, stageLink, stageEdge, stageNorth} {
			if n := c.lost[s]; n > 0 {
				parts = append(parts, fmt.Sprintf("%d at stage %s", n, s))
			}
		}
		if t, n := c.worst(func(t TagCount) int { return total(t.Lost) }); n > 0 {
			parts = append(parts, fmt.Sprintf("most of %s (%d)", t, n))
		}
	case metric == "samples.unobtainable":
		for i := atStartup; i < causes; i++ {
			if n := c.causes[i.String()]; n > 0 {
				parts = append(parts, fmt.Sprintf("%d by %s", n, i))
			}
		}
	case metric == "corrupt.count":
		if t, n := c.worst(func(t TagCount) int { return total(t.Corrupt) }); n > 0 {
			parts = append(parts, fmt.Sprintf("most of %s (%d)", t, n))
		}
	case metric == "order.violations":
		if t, n := c.worst(func(t TagCount) int { return t.Reordered }); n > 0 {
			parts = append(parts, fmt.Sprintf("most of %s (%d)", t, n))
		}
	case metric == "late.count":
		if t, n := c.worst(func(t TagCount) int { return t.Late }); n > 0 {
			parts = append(parts, fmt.Sprintf("most of %s (%d)", t, n))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return ": " + strings.Join(parts, ", ")
}

func (c *tally) worst(n func(TagCount) int) (string, int) {
	if len(c.byTag) == 0 {
		return "", 0
	}
	t := slices.MaxFunc(c.byTag, func(a, b TagCount) int { return n(a) - n(b) })
	return t.Tag, n(t)
}

func total(m map[string]int) int {
	n := 0
	for _, v := range m {
		n += v
	}
	return n
}
