package reports

import (
	"bytes"
	"strings"
	"testing"

	"github.com/plantbed/plantbed/harness/score"
)

// The terminal, Markdown and the page say whose the missed detections are.
func TestEveryFormatSaysTheControlsSentence(t *testing.T) {
	for want, c := range map[string]*score.Control{
		"Of 3 missed detections, 1 is the model's and 2 are the pipe's.":                      {Events: 5, Missed: 3, Model: 1, Pipe: 2},
		"Of 1 missed detection, 0 are the model's and 1 is the pipe's, which delayed 1 more.": {Events: 5, Missed: 1, Pipe: 1, Later: 1},
		"No detection of 4 was missed; the pipe delayed 2.":                                   {Events: 4, Later: 2},
		"There was nothing to detect":                                                         {},
	} {
		r := score.Result{Card: score.Card{Scenario: "x", Verdict: score.Pass}, Control: c}
		for name, draw := range map[string]func(b *bytes.Buffer) error{
			"table":    func(b *bytes.Buffer) error { return Table(b, r, false) },
			"markdown": func(b *bytes.Buffer) error { return Markdown(b, r) },
			"html":     func(b *bytes.Buffer) error { return HTML(b, r, nil) },
		} {
			var b bytes.Buffer
			if err := draw(&b); err != nil {
				t.Fatal(err)
			}
			if text := strings.ReplaceAll(b.String(), "&#39;", "'"); !strings.Contains(text, want) {
				t.Errorf("%s does not say %q", name, want)
			}
		}
	}
}
