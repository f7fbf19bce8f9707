package reports

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"

	"github.com/plantbed/plantbed/harness/score"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

var page = template.Must(template.New("page").Parse(pageHTML))

// HTML writes the page: one file that loads nothing, in light and dark, for
// screen, phone and paper. scenarioTOML is the resolved scenario, shown as it
// is; it may be empty.
func HTML(w io.Writer, r score.Result, scenarioTOML []byte) error {
	v := look(r)
	err := page.Execute(w, struct {
		view
		Class string
		Mark  string
		CSS   template.CSS
		Plot  *plot
		TOML  string
		Tall  bool // many tags: those without a finding are folded away
	}{v, string(orUnknown(v.Verdict)), verdictSign(v.Verdict), template.CSS(pageCSS), draw(r), string(scenarioTOML), len(v.Tags) > 12})
	if err != nil {
		return fmt.Errorf("write page of %s: %w", r.Card.Scenario, err)
	}
	return nil
}

func orUnknown(v score.Verdict) score.Verdict {
	if v == score.Pass || v == score.Fail {
		return v
	}
	return score.Unknown
}

// verdictSign tells verdicts apart where colour does not.
func verdictSign(v score.Verdict) string {
	switch v {
	case score.Pass:
		return "✓"
	case score.Fail:
		return "✗"
	}
	return "?"
}
