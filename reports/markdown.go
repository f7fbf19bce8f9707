package reports

import (
	"fmt"
	"io"
	"strings"

	"github.com/plantbed/plantbed/harness/score"
)

// Markdown writes a comment for a pull request: the verdict, what failed and
// why, and everything else folded away.
func Markdown(w io.Writer, r score.Result) error {
	v := look(r)
	var b strings.Builder
	fmt.Fprintf(&b, "## %s %s: %s\n\n%s", verdictMark(v.Verdict), md(v.Scenario), verdictWord(v.Verdict), md(v.Headline))
	if v.Summary != "" {
		fmt.Fprintf(&b, " %s", md(v.Summary))
	}
	b.WriteString("\n\n")
	for _, reason := range v.Reasons {
		fmt.Fprintf(&b, "- %s\n", md(reason))
	}
	if len(v.Reasons) > 0 {
		b.WriteString("\n")
	}
	mdExpects(&b, v)
	mdWalk(&b, v)
	mdParts(&b, v)
	mdFaults(&b, v)
	mdTags(&b, v)
	mdMetrics(&b, v)
	mdRun(&b, v)
	_, err := io.WriteString(w, b.String())
	return err
}

func verdictMark(v score.Verdict) string {
	switch v {
	case score.Pass:
		return "✅"
	case score.Fail:
		return "❌"
	}
	return "❔"
}

func mdExpects(b *strings.Builder, v view) {
	var bad, good [][]string
	for _, e := range v.Expects {
		row := []string{verdictMark(e.Verdict) + " " + e.Word, code(e.Metric), e.Bound, e.Got, e.Room, e.N}
		if e.Verdict == score.Pass {
			good = append(good, row)
		} else {
			bad = append(bad, row)
		}
	}
	head := []string{"", "expectation", "wanted", "got", "how close", "n"}
	if len(bad) > 0 {
		mdTable(b, "lllrlr", head, bad)
	}
	if len(good) > 0 {
		fold(b, plural(len(good), "expectation")+" met", func() { mdTable(b, "lllrlr", head, good) })
	}
}

func mdWalk(b *strings.Builder, v view) {
	if len(v.Walk) == 0 {
		return
	}
	var rows [][]string
	for _, part := range []struct {
		title string
		facts []fact
	}{{"", v.Walk}, {"lost at ", v.Lost}, {"unobtainable by ", v.Unobtainable}, {"", v.Extra}} {
		for _, f := range part.facts {
			rows = append(rows, []string{md(part.title + f.Name), f.Value, md(f.Doc)})
		}
	}
	fold(b, "Where the samples went", func() { mdTable(b, "lrl", []string{"samples", "count", "meaning"}, rows) })
}

// mdParts has each part's worst moment, how long the legs of the walk took,
// and the line's effectiveness.
func mdParts(b *strings.Builder, v view) {
	if len(v.Parts) > 0 {
		rows := make([][]string, 0, len(v.Parts))
		for _, p := range v.Parts {
			if p.Level == "calm" && len(v.Parts) > 40 {
				continue
			}
			rows = append(rows, []string{md(p.Sign), md(p.Name), md(p.What), p.When, md(p.Worst)})
		}
		fold(b, "Each part’s worst moment", func() { mdTable(b, "lllll", []string{"", "part", "what", "at", "worst moment"}, rows) })
	}
	if len(v.Stages) > 0 {
		rows := make([][]string, len(v.Stages))
		for i, s := range v.Stages {
			rows[i] = []string{md(s.Name), s.P50, s.P95, s.P99, s.Max, md(s.Doc)}
		}
		fold(b, "Latency by stage", func() { mdTable(b, "lrrrrl", []string{"stage", "p50", "p95", "p99", "max", "meaning"}, rows) })
	}
	if v.OEE != nil {
		var rows [][]string
		for _, r := range v.OEE.Rows {
			rows = append(rows, []string{r.Name, r.Truth, r.Twin, md(r.Doc)})
		}
		fold(b, "OEE of "+v.OEE.Machine, func() { mdTable(b, "lrrl", []string{"", "truth", "twin", "meaning"}, rows) })
	}
}

func mdFaults(b *strings.Builder, v view) {
	if len(v.Faults) == 0 {
		return
	}
	rows := make([][]string, len(v.Faults))
	for i, f := range v.Faults {
		rows[i] = []string{code(f.Kind), code(f.Target), f.From + " to " + f.To, f.Owed, f.Lost, f.Unobtainable, f.Late, f.Backfilled, md(f.Rest), f.Recover, f.Delay}
	}
	fold(b, plural(len(rows), "fault"), func() {
		mdTable(b, "lllrrrrrlll", []string{"fault", "target", "window", "owed", "lost", "unobtainable", "late", "backfilled", "where the rest went", "recovered after", "detected after"}, rows)
	})
}

// mdTags lists only the tags with something wrong: a comment is no data sheet.
func mdTags(b *strings.Builder, v view) {
	if v.TagsWrong == 0 {
		return
	}
	const most = 20
	var rows [][]string
	for _, t := range v.Tags[:min(v.TagsWrong, most)] {
		rows = append(rows, []string{code(t.Tag), t.Owed, t.Delivered, t.Lost, t.Late, md(t.Wrong)})
	}
	title := plural(v.TagsWrong, "tag") + " with something wrong"
	if v.TagsWrong > most {
		title += fmt.Sprintf(", the worst %d", most)
	}
	fold(b, title, func() { mdTable(b, "lrrrrl", []string{"tag", "owed", "delivered", "lost", "late", "also"}, rows) })
}

func mdMetrics(b *strings.Builder, v view) {
	if len(v.Metrics) == 0 {
		return
	}
	rows := make([][]string, len(v.Metrics))
	for i, m := range v.Metrics {
		rows[i] = []string{code(m.Name), m.Value, m.N, m.Interval, md(m.Doc)}
	}
	fold(b, "All metrics", func() { mdTable(b, "lrrll", []string{"metric", "value", "n", "95 % interval", "meaning"}, rows) })
}

func mdRun(b *strings.Builder, v view) {
	fold(b, "This run", func() {
		for _, f := range v.Facts {
			fmt.Fprintf(b, "- %s: %s\n", f.Name, code(f.Value))
		}
		b.WriteString("\n")
		if v.Replay != "" {
			fmt.Fprintf(b, "The same again, %s:\n\n```\n%s\n```\n\n", v.ReplayNote, strings.ReplaceAll(oneLine(v.Replay), "```", "'''"))
		}
	})
}

// fold hides a part behind its title. The blank lines are what makes Markdown
// inside HTML work.
func fold(b *strings.Builder, title string, inside func()) {
	fmt.Fprintf(b, "<details><summary>%s</summary>\n\n", md(title))
	inside()
	b.WriteString("</details>\n\n")
}

// mdTable writes a table; align has an l or r for each column.
func mdTable(b *strings.Builder, align string, head []string, rows [][]string) {
	line := func(cells []string) { fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | ")) }
	line(head)
	rule := make([]string, len(head))
	for i := range head {
		rule[i] = "---"
		if align[i] == 'r' {
			rule[i] = "---:"
		}
	}
	line(rule)
	for _, row := range rows {
		line(row)
	}
	b.WriteString("\n")
}

// mdSpecial are the characters that would turn text into markup, a mention or
// a link.
var mdSpecial = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "|", "&#124;", "`", "&#96;", "*", "&#42;", "_", "&#95;",
	"[", "&#91;", "]", "&#93;", "@", "@<!-- -->", "#", "&#35;", "\\", "&#92;", "~", "&#126;")

// md is a text that shows as it is.
func md(s string) string { return mdSpecial.Replace(oneLine(s)) }

// code is a name in code style. HTML's is used, because in Markdown's own a
// name could not be escaped inside a table.
func code(s string) string {
	if s == "" {
		return ""
	}
	return "<code>" + md(s) + "</code>"
}
