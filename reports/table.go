package reports

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/plantbed/plantbed/harness/score"
)

// Table writes the verdict for a terminal: one line per expectation, with the
// reason under each that did not pass, then where samples were lost. With color
// it uses ANSI escapes; width is whatever the figures need.
func Table(w io.Writer, r score.Result, color bool) error {
	v := look(r)
	var b strings.Builder
	p := paint{color}
	fmt.Fprintf(&b, "%s  %s  %s\n", p.verdict(v.Verdict, v.Tag), p.bold(oneLine(v.Scenario)), p.dim(factsLine(v.Facts[:3])))
	for _, reason := range v.Reasons {
		if !reasonOfRow(v, reason) {
			fmt.Fprintf(&b, "  %s\n", oneLine(reason))
		}
	}
	if len(v.Expects) > 0 {
		b.WriteString("\n")
		tableExpects(&b, v, p)
	}
	if len(v.Walk) > 0 {
		b.WriteString("\n")
		tableWalk(&b, v)
	}
	tableParts(&b, v, p)
	fmt.Fprintf(&b, "\n%s %s\n", p.verdict(v.Verdict, v.Tag), v.Headline)
	if v.Replay != "" {
		fmt.Fprintf(&b, "again: %s   (%s)\n", oneLine(v.Replay), v.ReplayNote)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// reasonOfRow tells that a reason stands under its expectation already.
func reasonOfRow(v view, reason string) bool {
	for _, e := range v.Expects {
		if e.Why == reason {
			return true
		}
	}
	return false
}

func tableExpects(b *strings.Builder, v view, p paint) {
	rows := make([][]string, len(v.Expects))
	for i, e := range v.Expects {
		rows[i] = []string{verdictTag(e.Verdict), e.Metric, e.Bound, "got " + e.Got, e.Room, "n " + e.N}
	}
	wide := widths(rows)
	for i, e := range v.Expects {
		line := "  " + p.verdict(e.Verdict, pad(rows[i][0], wide[0]))
		for j := 1; j < len(rows[i]); j++ {
			line += "  " + pad(oneLine(rows[i][j]), wide[j])
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
		if e.Why != "" {
			fmt.Fprintf(b, "  %s  %s\n", strings.Repeat(" ", wide[0]), oneLine(e.Why))
		}
	}
}

// tableWalk says where samples went: one line each for their fates, the stages
// at which they were lost, the causes that excuse, and what else was wrong.
func tableWalk(b *strings.Builder, v view) {
	for _, part := range []struct {
		title string
		facts []fact
	}{{"samples", v.Walk}, {"lost at", v.Lost}, {"unobtainable", v.Unobtainable}, {"also", some(v.Extra)}} {
		if len(part.facts) > 0 {
			fmt.Fprintf(b, "  %-13s %s\n", part.title, factsLine(part.facts))
		}
	}
}

// tableParts has a line for each part that was struck or did wrong, then how
// long the legs of the walk took, and the line's effectiveness.
func tableParts(b *strings.Builder, v view, p paint) {
	var rows [][]string
	for _, l := range v.Parts {
		if l.Level != "calm" {
			rows = append(rows, []string{l.Sign, oneLine(l.Name), oneLine(l.When), oneLine(l.Worst)})
		}
	}
	if len(rows)+len(v.Stages) > 0 || v.OEE != nil {
		b.WriteString("\n")
	}
	wide := widths(rows)
	for _, row := range rows {
		line := " "
		for j, cell := range row {
			line += " " + pad(cell, wide[j])
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	if len(v.Stages) > 0 {
		b.WriteString("  99 % within   " + stagesLine(v) + "\n")
	}
	if v.OEE != nil {
		b.WriteString("  OEE           " + oeeLine(v) + "\n")
	}
}

// stagesLine is "PLC 980 ms · link 3 ms · ...".
func stagesLine(v view) string {
	parts := make([]string, len(v.Stages))
	for i, s := range v.Stages {
		parts[i] = oneLine(s.Name) + " " + s.P99
	}
	return strings.Join(parts, " · ")
}

// oeeLine is the effectiveness in truth and as the twin shows it.
func oeeLine(v view) string {
	parts := make([]string, 0, len(v.OEE.Rows))
	for _, r := range v.OEE.Rows[1:] {
		parts = append(parts, r.Name+" "+r.Truth+", twin "+r.Twin)
	}
	return oneLine(v.OEE.Machine) + ": " + strings.Join(parts, " · ")
}

// some leaves out what there is none of.
func some(facts []fact) []fact {
	return slices.DeleteFunc(slices.Clone(facts), func(f fact) bool { return f.Value == "0" })
}

// factsLine is "seed 42 · gear virtual".
func factsLine(facts []fact) string {
	parts := make([]string, len(facts))
	for i, f := range facts {
		parts[i] = oneLine(strings.ToLower(f.Name)) + " " + oneLine(f.Value)
	}
	return strings.Join(parts, " · ")
}

func widths(rows [][]string) []int {
	var wide []int
	for _, row := range rows {
		for j, cell := range row {
			if j == len(wide) {
				wide = append(wide, 0)
			}
			wide[j] = max(wide[j], utf8.RuneCountInString(cell))
		}
	}
	return wide
}

func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
}

// oneLine keeps a text from breaking the line, or the terminal, it is written to.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}

// paint writes ANSI colours, or none.
type paint struct{ on bool }

func (p paint) code(code, s string) string {
	if !p.on {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (p paint) bold(s string) string { return p.code("1", s) }
func (p paint) dim(s string) string  { return p.code("2", s) }

func (p paint) verdict(v score.Verdict, s string) string {
	switch v {
	case score.Pass:
		return p.code("1;32", s)
	case score.Fail:
		return p.code("1;31", s)
	}
	return p.code("1;33", s)
}
