package reports

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/plantbed/plantbed/harness/score"
)

// tagPlot is one tag over time: truth as a broad band, the twin as a thin one
// on top of it, so that where they part both are seen; under them a strip of
// troubles. Its time axis is the big plot's.
//
// The bands are drawn in steps of one unit each and stretched to the width of
// the axis, which keeps a tag at a few kilobytes.
type tagPlot struct {
	ID           string
	Tag, Machine string
	Says         string // how well the twin did, in words
	H            int
	Steps, Scale string // of the stretched group
	Truth, Twin  string
	Latency      string  // of live samples, the worst per step, on a lane of its own
	Troubles     []shape // stretched, too
	Shades       []shape
	Labels       []label
	Ticks        []shape
	TickLabels   []label
	X0, X1, EndS string
	Top, Bottom  string
	Lo, Hi, Unit string // of the scale, for the script
	Struck       bool   // a fault was aimed at it, or something went wrong: it is in sight
	Open         bool
}

const (
	tracesTop    = 8
	tracesHeight = 110
	// shownTraces is how many are in sight; the others are folded away.
	shownTraces = 12
	// tracesRoom bounds the bytes of all bands, maxTraces their number.
	tracesRoom = 1_700_000
	maxTraces  = 250
)

// traces draws the tags: those that a fault was aimed at or that something
// befell come first, the others by their distance from the truth.
func traces(r score.Result) (plots []*tagPlot, more int) {
	s := r.Story
	order := make([]int, len(s.Tags))
	ranks := make([]float64, len(s.Tags))
	for i := range s.Tags {
		order[i], ranks[i] = i, rank(r, i)
	}
	if i := culprit(r); i >= 0 {
		ranks[i] += 10
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(ranks[b], ranks[a]) })
	if len(order) > maxTraces {
		more = len(order) - maxTraces
		order = order[:maxTraces]
	}
	for join := 1; ; join *= 2 {
		plots = plots[:0]
		bytes := 0
		for _, i := range order {
			p := trace(r, i, join)
			p.Struck, p.Open = ranks[i] >= 1 && len(plots) < shownTraces, len(plots) == 0
			bytes += len(p.Truth) + len(p.Twin) + len(p.Latency)
			plots = append(plots, p)
		}
		if bytes <= tracesRoom || join >= 64 {
			return plots, more
		}
	}
}

// rank is from 1 where a fault was aimed at the tag or samples of it were lost
// or late, and below that the distance from the truth.
func rank(r score.Result, i int) float64 {
	t := r.Story.Tags[i]
	out := min(0.99, t.Divergence)
	for _, f := range r.Card.ByFault {
		switch {
		case f.Target == t.Tag:
			out += 4
		case f.Class == "process" && strings.HasPrefix(t.Tag, f.Target+"/"):
			out += 2
		}
	}
	for _, x := range t.Troubles {
		if x.Lost+x.Late > 0 {
			return out + 1
		}
	}
	return out
}

// culprit is the tag that was furthest off, where an expectation about the
// twin was not met; otherwise -1.
func culprit(r score.Result) int {
	if !slices.ContainsFunc(r.Card.Expectations, func(e score.Expectation) bool {
		return e.Verdict == score.Fail && strings.HasPrefix(e.Metric, "twin.")
	}) {
		return -1
	}
	worst := -1
	for i, t := range r.Story.Tags {
		if worst < 0 || t.Divergence > r.Story.Tags[worst].Divergence {
			worst = i
		}
	}
	return worst
}

func trace(r score.Result, i, join int) *tagPlot {
	t := r.Story.Tags[i]
	truth, twin := joinRanges(t.Truth, join), joinRanges(t.Twin, join)
	step := r.Story.TagStepS * float64(join)
	c := &canvas{end: r.Card.DurationS}
	if !(c.end > 0) {
		c.end = 1
	}
	p := &tagPlot{ID: "tag-" + strconv.Itoa(i), Tag: t.Tag, Machine: t.Machine, Unit: unitWord(t.Unit)}
	lo, hi := bounds(truth, twin)
	y := func(v float64) int { return tracesTop + int(math.Round((hi-v)/(hi-lo)*tracesHeight)) }
	p.Truth, p.Twin = band(truth, y), band(twin, y)
	p.Steps = f1(plotX0)
	p.Scale = strconv.FormatFloat((plotX1-plotX0)*step/c.end, 'g', 9, 64)
	bottom := float64(tracesTop + tracesHeight + 4)
	shade := func(class, title string, spans []score.TimeSpan) {
		var d strings.Builder
		for _, w := range spans {
			d.WriteString(box(c.x(w.FromS), tracesTop-4, c.x(w.ToS), bottom))
		}
		if d.Len() > 0 {
			p.Shades = append(p.Shades, shape{"shade " + class, d.String(), title})
		}
	}
	shade("stale", "the twin says that it cannot know", t.Stale)
	shade("false-fresh", "old values shown as fresh", t.FalseFresh)
	p.troubles(t, r.Story.TagStepS, c, bottom)
	c.text(plotX0-8, tracesTop+8, "axis", number(hi)+p.Unit)
	c.text(plotX0-8, tracesTop+tracesHeight+2, "axis", number(lo)+p.Unit)
	c.text(plotX0-8, bottom+11, "axis", "samples")
	bottom = p.latency(t, join, c, bottom)
	p.H = int(c.times(bottom+16)) + 2
	p.Labels, p.Ticks, p.TickLabels = c.Labels, c.Ticks, c.TickLabels
	p.X0, p.X1, p.EndS = c.X0, c.X1, c.EndS
	p.Top, p.Bottom = f1(tracesTop-4), f1(bottom+16)
	p.Lo, p.Hi = strconv.FormatFloat(lo, 'g', 7, 64), strconv.FormatFloat(hi, 'g', 7, 64)
	p.Says = traceWords(t)
	return p
}

// latency is a lane of the worst live sample per step, and returns its lower
// edge; a tag without live samples has none.
func (p *tagPlot) latency(t score.TagStory, join int, c *canvas, y float64) float64 {
	const height = 28
	var rs []score.Range
	worst := 0.0
	for part := range slices.Chunk(t.LatencyMS, join) {
		ms := slices.Max(part)
		rs = append(rs, score.Range{Min: ms, Max: ms})
		worst = max(worst, ms)
	}
	if !(worst > 0) || math.IsInf(worst, 0) {
		return y
	}
	for i, x := range rs {
		if x.Max < 0 {
			rs[i] = score.Range{Min: math.Inf(1), Max: math.Inf(-1)}
		}
	}
	bottom := y + 20 + height
	p.Latency = band(rs, func(ms float64) int { return int(math.Round(bottom - ms/worst*height)) })
	c.text(plotX0-8, y+34, "axis", "latency, at most")
	c.text(plotX0-8, y+47, "axis", quantity(worst, "ms"))
	return bottom - 12
}

// troubles are a strip under the bands: what was lost, late, backfilled or
// could not be had.
func (p *tagPlot) troubles(t score.TagStory, step float64, c *canvas, y float64) {
	var d [4]strings.Builder
	for _, x := range t.Troubles {
		k := slices.IndexFunc([]int{x.Lost, x.Late, x.Backfilled, x.Unobtainable}, func(n int) bool { return n > 0 })
		if k >= 0 {
			d[k].WriteString(box(c.x(float64(x.Step)*step), y+3, c.x(float64(x.Step+1)*step), y+12))
		}
	}
	for k, class := range []string{"lost", "late", "backfilled", "unobtainable"} {
		if d[k].Len() > 0 {
			p.Troubles = append(p.Troubles, shape{"trouble " + class, d[k].String(), class})
		}
	}
}

func traceWords(t score.TagStory) string {
	var parts []string
	if t.WorstBy > 0 {
		parts = append(parts, fmt.Sprintf("twin off by %s of its span on average, %s at most (%s)", percent(t.Divergence), percent(t.WorstBy), instant(t.WorstS)))
	} else {
		parts = append(parts, "the twin showed the truth whenever it was looked at")
	}
	if t.StaleS > 0 {
		parts = append(parts, "stale for "+span(round(t.StaleS)))
	}
	if t.FalseS > 0 {
		parts = append(parts, "old values shown as fresh for "+quantity(t.FalseS, "s"))
	}
	lost, late := 0, 0
	for _, x := range t.Troubles {
		lost += x.Lost
		late += x.Late
	}
	if lost > 0 {
		parts = append(parts, count(lost)+" lost")
	}
	if late > 0 {
		parts = append(parts, count(late)+" late")
	}
	return strings.Join(parts, ", ")
}

func unitWord(unit string) string {
	if unit == "" || unit == "1" {
		return ""
	}
	return " " + unit
}

func joinRanges(in []score.Range, k int) []score.Range {
	if k <= 1 {
		return in
	}
	var out []score.Range
	for part := range slices.Chunk(in, k) {
		all := score.Range{Min: math.Inf(1), Max: math.Inf(-1)}
		for _, x := range part {
			all.Min, all.Max = min(all.Min, x.Min), max(all.Max, x.Max)
		}
		out = append(out, all)
	}
	return out
}

// bounds is the scale that holds everything; a constant stands in its middle.
func bounds(all ...[]score.Range) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, rs := range all {
		for _, x := range rs {
			if !x.None() && !math.IsNaN(x.Min+x.Max) {
				lo, hi = min(lo, x.Min), max(hi, x.Max)
			}
		}
	}
	switch {
	case lo > hi || math.IsInf(hi-lo, 0):
		return 0, 1
	case lo == hi:
		return lo - 1, hi + 1
	}
	return lo, hi
}

// band is a closed path per run of known steps: along the greatest values and
// back along the least. Lower-case commands and whole units keep it short.
func band(rs []score.Range, y func(float64) int) string {
	var d strings.Builder
	for i := 0; i < len(rs); {
		if rs[i].None() || math.IsNaN(rs[i].Min+rs[i].Max) || math.IsInf(rs[i].Max-rs[i].Min, 0) {
			i++
			continue
		}
		j := i
		for j < len(rs) && !rs[j].None() && !math.IsNaN(rs[j].Min+rs[j].Max) && !math.IsInf(rs[j].Max-rs[j].Min, 0) {
			j++
		}
		fmt.Fprintf(&d, "M%d %d", i, y(rs[i].Max))
		edge(&d, j-i, "h", func(k int) int { return y(rs[i+k].Max) })
		if top, low := y(rs[j-1].Max), y(rs[j-1].Min); low != top {
			fmt.Fprintf(&d, "v%d", low-top)
		}
		edge(&d, j-i, "h-", func(k int) int { return y(rs[j-1-k].Min) })
		d.WriteString("z")
		i = j
	}
	return d.String()
}

// edge draws n steps of one unit, joining those of the same height.
func edge(d *strings.Builder, n int, h string, y func(int) int) {
	run := 0
	for k := range n {
		run++
		if k+1 < n && y(k+1) == y(k) {
			continue
		}
		d.WriteString(h)
		d.WriteString(strconv.Itoa(run))
		run = 0
		if k+1 < n {
			fmt.Fprintf(d, "v%d", y(k+1)-y(k))
		}
	}
}
