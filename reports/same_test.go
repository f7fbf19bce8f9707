package reports

import (
	"encoding/xml"
	"fmt"
	"html"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/plantbed/plantbed/harness/score"
)

// said is every figure that a format has, read back from its text by what it is
// about: an expectation, a fate of samples, a leg's latency, the OEE, a part.
type said map[string]string

var gaps = regexp.MustCompile(` {2,}`)

// saidByTable reads the terminal's table.
func saidByTable(text string) said {
	out := said{}
	for _, line := range strings.Split(text, "\n") {
		title, rest, _ := strings.Cut(strings.TrimSpace(line), "  ")
		rest = strings.TrimSpace(rest)
		switch cell := gaps.Split(strings.TrimSpace(line), -1); {
		case len(cell) == 5 && strings.HasPrefix(cell[3], "got "): // how close what is unknown?
			cell = slices.Insert(cell, 4, "")
			fallthrough
		case len(cell) == 6 && strings.HasPrefix(cell[3], "got "):
			out["expect "+cell[1]] = strings.Join([]string{strings.ToLower(cell[0]), cell[2], strings.TrimPrefix(cell[3], "got "), cell[4], strings.TrimPrefix(cell[5], "n ")}, " | ")
		case title == "samples" || title == "lost at" || title == "unobtainable":
			for _, f := range strings.Split(rest, " · ") {
				i := strings.LastIndex(f, " ")
				out[title+" "+strings.ToLower(f[:i])] = f[i+1:]
			}
		case title == "99 % within":
			for _, f := range strings.Split(rest, " · ") {
				leg, v, _ := strings.Cut(f, " ")
				out["p99 "+leg] = v
			}
		case strings.HasPrefix(title, "OEE"):
			if m := regexp.MustCompile(`OEE ([\d.]+ %), twin ([\d.]+ %)$`).FindStringSubmatch(rest); m != nil {
				out["OEE"] = m[1] + " | " + m[2]
			}
		}
	}
	return out
}

var tags = regexp.MustCompile(`<[^>]*>`)

// cells are the texts of a row of HTML or Markdown.
func htmlCells(row string) (out []string) {
	for _, c := range regexp.MustCompile(`(?s)<(?:td|th)[^>]*>(.*?)</(?:td|th)>`).FindAllStringSubmatch(row, -1) {
		c[1] = regexp.MustCompile(`(?s)<small>.*?</small>`).ReplaceAllString(c[1], "")
		out = append(out, html.UnescapeString(strings.TrimSpace(tags.ReplaceAllString(c[1], ""))))
	}
	return out
}

func saidByHTML(text string) said {
	out := said{}
	section := func(id string) string {
		_, s, _ := strings.Cut(text, `<h2 id="`+id+`">`)
		s, _, _ = strings.Cut(s, "</section>")
		return s
	}
	rows := func(s string) []string { return regexp.MustCompile(`(?s)<tr[ >].*?</tr>`).FindAllString(s, -1) }
	for _, row := range rows(section("h-expect")) {
		if c := htmlCells(row); len(c) == 6 && c[0] != "Verdict" {
			out["expect "+c[1]] = strings.Join([]string{verdictTagOf(c[0]), c[2], c[3], c[4], c[5]}, " | ")
		}
	}
	way := section("h-way")
	for _, m := range regexp.MustCompile(`<dt>(.*?)</dt><dd>(.*?)</dd>`).FindAllStringSubmatch(way, -1) {
		out["samples "+m[1]] = m[2]
	}
	for caption, title := range map[string]string{"Lost, by the last stage that saw them": "lost at", "Unobtainable, by cause": "unobtainable"} {
		_, table, found := strings.Cut(way, "<caption>"+caption+"</caption>")
		if table, _, _ = strings.Cut(table, "</table>"); found {
			for _, row := range rows(table)[1:] {
				c := htmlCells(row)
				out[title+" "+strings.ToLower(c[0])] = c[1]
			}
		}
	}
	for _, row := range rows(section("h-time")) {
		if c := htmlCells(row); len(c) == 6 && c[0] != "Leg" {
			out["p99 "+c[0]] = c[3]
		}
	}
	for _, row := range rows(section("h-oee")) {
		if c := htmlCells(row); c[0] == "OEE" {
			out["OEE"] = c[1] + " | " + c[2]
		}
	}
	return out
}

func saidByMarkdown(text string) said {
	out := said{}
	section := ""
	for _, line := range strings.Split(text, "\n") {
		if m := regexp.MustCompile(`<summary>(.*?)</summary>`).FindStringSubmatch(line); m != nil {
			section = m[1]
		}
		if !strings.HasPrefix(line, "|") {
			continue
		}
		c := strings.Split(strings.TrimSuffix(strings.TrimPrefix(line, "| "), " |"), " | ")
		for i := range c {
			c[i] = plainText(tags.ReplaceAllString(c[i], ""))
		}
		switch {
		case len(c) == 6 && strings.ContainsAny(c[0], "✅❌❔"):
			out["expect "+c[1]] = strings.Join([]string{verdictTagOf(strings.TrimLeft(c[0], "✅❌❔ ")), c[2], c[3], c[4], c[5]}, " | ")
		case section == "Where the samples went" && len(c) == 3 && strings.Trim(c[1], "-:") != "" && c[1] != "count" && !strings.Contains(c[0], "."):
			name := strings.Replace(c[0], "unobtainable by ", "unobtainable ", 1)
			if !strings.HasPrefix(name, "lost at ") && name == c[0] {
				name = "samples " + name
			}
			out[strings.ToLower(name)] = c[1]
		case section == "Latency by stage" && len(c) == 6 && c[1] != "p50" && !strings.HasPrefix(c[1], "-"):
			out["p99 "+c[0]] = c[3]
		case strings.HasPrefix(section, "OEE of") && c[0] == "OEE":
			out["OEE"] = c[1] + " | " + c[2]
		}
	}
	return out
}

// verdictTagOf is pass for "passed", as the table has it.
func verdictTagOf(word string) string {
	for _, v := range []score.Verdict{score.Pass, score.Fail, score.Unknown} {
		if verdictWord(v) == word {
			return strings.ToLower(verdictTag(v))
		}
	}
	return "no verdict: " + word
}

// saidByJUnit reads the table that goes with a suite, and each verdict from its case.
func saidByJUnit(t *testing.T, text string) said {
	var all junitSuites
	if err := xml.Unmarshal([]byte(text), &all); err != nil {
		t.Fatal(err)
	}
	out := saidByTable(all.Suites[0].Out.Text)
	for _, c := range all.Suites[0].Cases[1:] {
		metric, _, _ := strings.Cut(c.Name, " ")
		verdict := "pass"
		switch {
		case c.Failure != nil:
			verdict = "fail"
		case c.Error != nil:
			verdict = "unknown"
		}
		_, rest, _ := strings.Cut(out["expect "+metric], " | ")
		out["expect "+metric] = verdict + " | " + rest
	}
	return out
}

// saidByAll renders a result in the four formats and reads each back.
func saidByAll(t *testing.T, r score.Result) map[string]said {
	return map[string]said{
		"the terminal": saidByTable(render(t, formats["table.txt"], r)), "Markdown": saidByMarkdown(render(t, formats["report.md"], r)),
		"JUnit": saidByJUnit(t, render(t, formats["junit.xml"], r)), "HTML": saidByHTML(render(t, formats["report.html"], r)),
	}
}

// differences are what a format says otherwise than the terminal's table.
func differences(all map[string]said) (out []string) {
	table := all["the terminal"]
	for _, format := range slices.Sorted(maps.Keys(all)) {
		for _, about := range slices.Sorted(maps.Keys(table)) {
			if got := all[format][about]; got != table[about] {
				out = append(out, fmt.Sprintf("%s of %s: %q, in the terminal %q", format, about, got, table[about]))
			}
		}
		for about := range all[format] {
			if _, ok := table[about]; !ok {
				out = append(out, fmt.Sprintf("%s of %s: the terminal says nothing", format, about))
			}
		}
	}
	return out
}

// Every figure that the terminal shows is in Markdown, JUnit and HTML, and is the
// same there: verdicts, bounds, figures, room and n of all expectations, what became
// of the samples, the latency of each leg, and the OEE.
func TestFourFormatsHaveTheSameFigures(t *testing.T) {
	for _, name := range []string{"full", "pass", "unknown"} {
		r := results()[name]
		all := saidByAll(t, r)
		for _, d := range differences(all) {
			t.Errorf("%s: %s", name, d)
		}
		if want := len(r.Card.Expectations) + 6 + 4 + 4 + 1; len(all["the terminal"]) < want {
			t.Errorf("%s: %d figures were read back, want %d: %v", name, len(all["the terminal"]), want, all["the terminal"])
		}
		for _, e := range r.Card.Expectations {
			if got := all["HTML"]["expect "+e.Metric]; !strings.Contains(got, measure(e.Got, metricUnit(e.Metric))) || !strings.HasPrefix(got, string(e.Verdict)) {
				t.Errorf("%s: %s is %q", name, e.Metric, got)
			}
		}
	}
}

// A format that has one other figure is noticed, whichever figure it is.
func TestAnotherFigureIsNoticed(t *testing.T) {
	for what, change := range map[string]func(r *score.Result){
		"an expectation's figure":  func(r *score.Result) { r.Card.Expectations[2].Got = f(413) },
		"an expectation's bound":   func(r *score.Result) { r.Card.Expectations[0].Want++ },
		"an expectation's n":       func(r *score.Result) { r.Card.Expectations[1].N++ },
		"an expectation's verdict": func(r *score.Result) { r.Card.Expectations[3].Verdict = score.Unknown },
		"the samples owed":         func(r *score.Result) { set(r, "samples.owed", 864121) },
		"the samples lost":         func(r *score.Result) { set(r, "loss.count", 411) },
		"lost by stage":            func(r *score.Result) { set(r, "loss.edge", 399) },
		"unobtainable by cause":    func(r *score.Result) { r.Story.Unobtainable = map[string]int{"startup": 121} },
		"a leg":                    func(r *score.Result) { r.Story.Stages[2].P99MS = 91 },
		"the OEE":                  func(r *score.Result) { r.Story.OEE[1].Value = 0.9 },
	} {
		for _, format := range []string{"Markdown", "JUnit", "HTML"} {
			other := full()
			change(&other)
			all := saidByAll(t, full())
			all[format] = saidByAll(t, other)[format]
			if len(differences(all)) == 0 {
				t.Errorf("%s in %s: not noticed", what, format)
			}
		}
	}
}

func set(r *score.Result, metric string, v float64) {
	m := r.Card.Metrics[metric]
	m.Value = f(v)
	r.Card.Metrics[metric] = m
}
