package conformance

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Matrix is what the suite came to for one system under test.
type Matrix struct {
	SUT     string    `json:"sut"`
	Entries []Outcome `json:"entries"`
}

// Verdict is the worst of all: fail, then unknown, then pass.
func (m Matrix) Verdict() Verdict {
	worst := Pass
	for _, o := range m.Entries {
		if o.Verdict == Fail || o.Verdict == Unknown && worst == Pass {
			worst = o.Verdict
		}
	}
	return worst
}

// Count tells how many entries have a verdict.
func (m Matrix) Count(v Verdict) (n int) {
	for _, o := range m.Entries {
		if o.Verdict == v {
			n++
		}
	}
	return n
}

// Files of a matrix.
const (
	TextFile     = "conformance.txt"
	JSONFile     = "conformance.json"
	MarkdownFile = "conformance.md"
	JUnitFile    = "junit.xml"
	HTMLFile     = "conformance.html"
)

// Write writes matrices, side by side, into a directory.
func Write(dir string, ms ...Matrix) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var asJSON any = ms
	if len(ms) == 1 {
		asJSON = ms[0]
	}
	text, err := json.MarshalIndent(asJSON, "", "  ")
	if err != nil {
		return err
	}
	page, err := HTML(ms...)
	if err != nil {
		return err
	}
	junit, err := JUnit(ms...)
	if err != nil {
		return err
	}
	for name, b := range map[string][]byte{JSONFile: append(text, '\n'), TextFile: []byte(Text(ms...)), MarkdownFile: []byte(Markdown(ms...)), HTMLFile: page, JUnitFile: junit} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Text is the matrix for a terminal: a line an entry, a column a system, and
// the reasons underneath.
func Text(ms ...Matrix) string {
	var b strings.Builder
	width := 0
	for _, row := range rows(ms) {
		width = max(width, len(row.Title))
	}
	fmt.Fprintf(&b, "%-5s %-*s", "", width, "")
	for _, m := range ms {
		fmt.Fprintf(&b, "  %-16s", m.SUT)
	}
	b.WriteString("\n")
	for _, row := range rows(ms) {
		fmt.Fprintf(&b, "%-5s %-*s", row.ID, width, row.Title)
		for _, o := range row.Cells {
			fmt.Fprintf(&b, "  %-16s", strings.ToUpper(string(o.Verdict)))
		}
		b.WriteString("\n")
		for i, o := range row.Cells {
			if o.Why != "" {
				fmt.Fprintf(&b, "      %s: %s\n", ms[i].SUT, o.Why)
			}
		}
	}
	for _, m := range ms {
		fmt.Fprintf(&b, "\n%s: %d pass, %d fail, %d not applicable, %d unknown\n", m.SUT, m.Count(Pass), m.Count(Fail), m.Count(NotApplicable), m.Count(Unknown))
	}
	return b.String()
}

// row is one entry in all systems.
type row struct {
	Entry
	Cells []Outcome
}

func rows(ms []Matrix) (out []row) {
	for _, e := range entries {
		r := row{Entry: e}
		found := false
		for _, m := range ms {
			o := Outcome{ID: e.ID, Title: e.Title, Verdict: Unknown, Why: "not run"}
			for _, x := range m.Entries {
				if x.ID == e.ID {
					o, found = x, true
				}
			}
			r.Cells = append(r.Cells, o)
		}
		if found {
			out = append(out, r)
		}
	}
	return out
}
