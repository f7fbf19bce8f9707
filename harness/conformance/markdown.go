package conformance

import (
	"fmt"
	"strings"
)

// Markdown is the matrix as a table for a document, with the reports cited and
// the reasons underneath.
func Markdown(ms ...Matrix) string {
	var b strings.Builder
	b.WriteString("| entry | what goes wrong | reported in |")
	for _, m := range ms {
		fmt.Fprintf(&b, " %s |", cell(m.SUT))
	}
	b.WriteString("\n|---|---|---|" + strings.Repeat("---|", len(ms)) + "\n")
	var notes []string
	for _, r := range rows(ms) {
		var threads []string
		for _, t := range r.Threads {
			threads = append(threads, fmt.Sprintf("[%s](%s)", cell(t), threadURL(t)))
		}
		fmt.Fprintf(&b, "| %s | %s | %s |", r.ID, cell(r.Title), strings.Join(threads, ", "))
		for i, o := range r.Cells {
			fmt.Fprintf(&b, " %s |", o.Verdict)
			if o.Why != "" {
				notes = append(notes, fmt.Sprintf("- %s, %s: %s", r.ID, ms[i].SUT, cell(o.Why)))
			}
		}
		b.WriteString("\n")
	}
	if len(notes) > 0 {
		b.WriteString("\n" + strings.Join(notes, "\n") + "\n")
	}
	return b.String()
}

// cell keeps a text within its cell.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(s)
}
