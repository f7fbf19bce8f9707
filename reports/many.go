package reports

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/plantbed/plantbed/harness/score"
)

//go:embed many.html
var manyHTML string

var manyPage = template.Must(template.New("many").Parse(manyHTML))

// manyView is what table and page show of an ensemble.
type manyView struct {
	Scenario, Gear, Tag, Class, Mark, Headline string
	Verdict                                    score.Verdict
	Reasons                                    []string
	Expects                                    []manyLine
	Metrics                                    []manyLine
	Runs                                       []manyRun
	Worst                                      manyRun
	CSS                                        template.CSS
}

type manyLine struct {
	Tag, Class, Metric, Doc, Bound, Mean, Interval, Range, N, Why string
	Verdict                                                       score.Verdict
	Gauge                                                         gauge
}

// gauge is a bar of gaugeW units: from the smallest to the largest run, the
// interval of the mean, and where the bound stands.
type gauge struct{ Range, Interval, Bound string }

const gaugeW = 120

func newGauge(s score.Spread, want float64) (g gauge) {
	if s.Min == nil || s.Max == nil || s.CI95 == nil {
		return g
	}
	lo, hi := min(*s.Min, s.CI95[0], want), max(*s.Max, s.CI95[1], want)
	if !(hi > lo) {
		lo, hi = lo-1, lo+1
	}
	x := func(v float64) float64 { return 4 + (gaugeW-8)*(v-lo)/(hi-lo) }
	bar := func(a, b, y0, y1 float64) string { return box(x(a), y0, max(x(b), x(a)+2), y1) }
	return gauge{bar(*s.Min, *s.Max, 4, 8), bar(s.CI95[0], s.CI95[1], 2, 10), "M" + f1(x(want)) + " 0v12"}
}

type manyRun struct {
	Seed              uint64
	Dir, Digest       string
	Tag, Class, First string
}

func lookMany(e score.Ensemble) manyView {
	v := manyView{Scenario: e.Scenario, Gear: e.Gear, Tag: verdictTag(e.Verdict), Class: string(orUnknown(e.Verdict)), Mark: verdictSign(e.Verdict),
		Verdict: e.Verdict, Reasons: e.Why, CSS: template.CSS(pageCSS)}
	for _, x := range e.Expectations {
		l := spreadLine(x.Metric, e.Metrics[x.Metric])
		l.Tag, l.Class, l.Verdict, l.Bound, l.Why = verdictTag(x.Verdict), string(x.Verdict), x.Verdict, opWord(x.Op)+" "+quantity(x.Want, metricUnit(x.Metric)), x.Why
		l.Gauge = newGauge(e.Metrics[x.Metric], x.Want)
		v.Expects = append(v.Expects, l)
	}
	for _, m := range score.Metrics {
		if s := e.Metrics[m.Name]; s.N > 0 {
			v.Metrics = append(v.Metrics, spreadLine(m.Name, s))
		}
	}
	for _, r := range e.Runs {
		v.Runs = append(v.Runs, manyRunOf(r))
	}
	if e.Worst < len(v.Runs) {
		v.Worst = v.Runs[e.Worst]
	}
	v.Headline = fmt.Sprintf("%s of %s; %s", plural(len(e.Runs), "seed"), e.Scenario, passedWords(e.Passed))
	return v
}

// passedWords says how many runs passed, and how sure that is.
func passedWords(s score.Spread) string {
	if s.Mean == nil || s.CI95 == nil {
		return "none was judged"
	}
	return fmt.Sprintf("%.0f %% of the runs passed on their own (95 %% interval %.0f to %.0f %%)", *s.Mean*100, s.CI95[0]*100, s.CI95[1]*100)
}

func manyRunOf(r score.Run) manyRun {
	m := manyRun{Seed: r.Seed, Dir: r.Dir, Digest: r.Digest, Tag: verdictTag(r.Verdict), Class: string(orUnknown(r.Verdict))}
	if len(r.Why) > 0 {
		m.First = r.Why[0]
	}
	return m
}

func spreadLine(name string, s score.Spread) manyLine {
	unit := metricUnit(name)
	l := manyLine{Metric: name, Doc: metricDoc(name), Mean: measure(s.Mean, unit), N: plural(s.N, "run")}
	if s.Of > 0 {
		l.N = fmt.Sprintf("%s, n %s", l.N, count(s.Of))
	}
	if s.CI95 != nil {
		l.Interval = fmt.Sprintf("%s to %s", number(s.CI95[0]), quantity(s.CI95[1], unit))
	}
	if s.Min != nil && s.Max != nil {
		l.Range = fmt.Sprintf("%s to %s", number(*s.Min), quantity(*s.Max, unit))
	}
	return l
}

// TableMany writes an ensemble for a terminal.
func TableMany(w io.Writer, e score.Ensemble, color bool) error {
	v := lookMany(e)
	p := paint{color}
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s  %s\n\n", p.verdict(v.Verdict, v.Tag), p.bold(oneLine(v.Scenario)), p.dim(v.Headline))
	rows := [][]string{{"", "metric", "bound", "mean", "95 % interval", "smallest to largest", ""}}
	for _, x := range v.Expects {
		rows = append(rows, []string{x.Tag, x.Metric, x.Bound, x.Mean, x.Interval, x.Range, x.N})
	}
	wide := widths(rows)
	for i, row := range rows {
		tableLine(&b, row, wide)
		if i > 0 && v.Expects[i-1].Why != "" {
			fmt.Fprintf(&b, "        %s\n", oneLine(v.Expects[i-1].Why))
		}
	}
	fmt.Fprintf(&b, "\nlook first at seed %d (%s): %s\n", v.Worst.Seed, strings.ToLower(v.Worst.Tag), filepath.Join(v.Worst.Dir, "report.html"))
	_, err := io.WriteString(w, b.String())
	return err
}

// HTMLMany writes the one page for all seeds, with the worst linked.
func HTMLMany(w io.Writer, e score.Ensemble) error {
	if err := manyPage.Execute(w, lookMany(e)); err != nil {
		return fmt.Errorf("write page of %d runs of %s: %w", len(e.Runs), e.Scenario, err)
	}
	return nil
}

// WriteMany writes report.html of an ensemble into dir.
func WriteMany(dir string, e score.Ensemble) error {
	var b strings.Builder
	if err := HTMLMany(&b, e); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "report.html"), []byte(b.String()), 0o644)
}
