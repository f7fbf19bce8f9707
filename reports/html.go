package reports

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"

	"github.com/plantbed/plantbed/harness/score"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

//go:embed page.js
var pageJS string

var page = template.Must(template.New("page").Parse(pageHTML))

// policy lets the page run its own script and nothing else, and load nothing.
var policy = func() string {
	sum := sha256.Sum256([]byte(pageJS))
	return "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}()

// The page lists worstTags with something wrong at once, and of the others
// with and without at most maxTags each, folded away.
const worstTags, maxTags = 12, 500

// HTML writes the page: one file that loads nothing, in light and dark, for
// screen, phone and paper. Everything is there without script; a script adds
// zooming and the picking of tags. scenarioTOML is the resolved scenario,
// shown as it is and to be saved; it may be empty.
func HTML(w io.Writer, r score.Result, scenarioTOML []byte) error {
	v := look(r)
	wrong, quiet := v.Tags[:v.TagsWrong], v.Tags[v.TagsWrong:]
	worst, worse := wrong[:min(len(wrong), worstTags)], wrong[min(len(wrong), worstTags):]
	plots, more := traces(r)
	err := page.Execute(w, struct {
		view
		Class, Mark string
		Policy      string
		CSS         template.CSS
		JS          template.JS
		Wide, High  *picture
		Plot        *plot
		Traces      []*tagPlot
		TracesCalm  int // of Traces, those that nothing was aimed at
		TracesMore  int
		Worst       []tagLine
		Worse       []tagLine
		WorseMore   int
		Quiet       []tagLine
		QuietMore   int
		TOML        string
		TOMLLink    template.URL
		Scored      bool
		Flows       []score.Flow
	}{v, string(orUnknown(v.Verdict)), verdictSign(v.Verdict), policy, template.CSS(pageCSS), template.JS(pageJS),
		plantWide(v.Parts, r.Story.Flows), plantTall(v.Parts, r.Story.Flows), draw(r), plots, calm(plots), more,
		worst, worse[:min(len(worse), maxTags)], max(0, len(worse)-maxTags), quiet[:min(len(quiet), maxTags)], max(0, len(quiet)-maxTags),
		string(scenarioTOML), template.URL("data:application/toml;base64," + base64.StdEncoding.EncodeToString(scenarioTOML)), len(r.Story.Scores) > 0, r.Story.Flows})
	if err != nil {
		return fmt.Errorf("write page of %s: %w", r.Card.Scenario, err)
	}
	return nil
}

func calm(plots []*tagPlot) int {
	n := 0
	for _, p := range plots {
		if !p.Struck {
			n++
		}
	}
	return n
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
