package reports

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/plantbed/plantbed/harness/score"
)

// several is an ensemble of made-up runs: one passes everything, one fails.
func several(n int) score.Ensemble {
	var cards []score.Card
	var dirs []string
	for i := range n {
		c := clean().Card
		if i == n/2 {
			c = full().Card
		}
		c.Seed = uint64(42 + i)
		m := c.Metrics["latency.p99_ms"]
		v := *m.Value + float64(i)*10
		m.Value = &v
		c.Metrics["latency.p99_ms"] = m
		cards, dirs = append(cards, c), append(dirs, fmt.Sprintf("seed-%d", c.Seed))
	}
	return score.Together(cards, dirs)
}

// The page of many seeds links every run and the worst one first; the terminal
// says the same of every expectation.
func TestManySaysTheSame(t *testing.T) {
	e := several(8)
	var page, table strings.Builder
	if err := HTMLMany(&page, e); err != nil {
		t.Fatal(err)
	}
	if err := TableMany(&table, e, false); err != nil {
		t.Fatal(err)
	}
	if e.Runs[e.Worst].Seed != 46 || !strings.Contains(page.String(), `Look first at <a href="seed-46/report.html">seed 46</a>`) || !strings.Contains(table.String(), "look first at seed 46 (fail): seed-46/report.html") {
		t.Errorf("worst is %+v", e.Runs[e.Worst])
	}
	for _, r := range e.Runs {
		if !strings.Contains(page.String(), `href="`+r.Dir+`/report.html"`) {
			t.Errorf("seed %d is not linked", r.Seed)
		}
	}
	text := plainText(tags.ReplaceAllString(page.String(), " "))
	for _, x := range lookMany(e).Expects {
		for _, want := range []string{x.Tag, x.Metric, x.Bound, x.Mean, x.Interval, x.Range, x.N, x.Why} {
			if !strings.Contains(text, plainText(want)) || !strings.Contains(plainText(table.String()), plainText(want)) {
				t.Errorf("%s: %q is not in both", x.Metric, want)
			}
		}
	}
	for _, file := range []string{page.String()} {
		if strings.Count(file, "<table") != strings.Count(file, "<thead>") || strings.Count(file, "<th ") != strings.Count(file, `<th scope="`) || strings.Contains(file, "<h3") || strings.Count(file, "<h1>") != 1 {
			t.Error("the page is not for a screen reader")
		}
		if strings.Contains(file, "NaN") || strings.Contains(file, "ZgotmplZ") {
			t.Error("the page shows what is no figure")
		}
	}
	if err := HTMLMany(&page, score.Together(nil, nil)); err != nil {
		t.Errorf("no run at all: %v", err)
	}
}

// The bar has interval and bound where they are: on one scale, in one order.
func TestManyGauge(t *testing.T) {
	f := func(v float64) *float64 { return &v }
	g := newGauge(score.Spread{Min: f(0), Max: f(100), CI95: &[2]float64{25, 50}}, 75)
	if want := (gauge{"M4 4H116V8H4Z", "M32 2H60V10H32Z", "M88 0v12"}); g != want {
		t.Errorf("%+v, want %+v", g, want)
	}
	if g := newGauge(score.Spread{Min: f(3), Max: f(3), CI95: &[2]float64{3, 3}}, 3); strings.Contains(g.Range+g.Interval+g.Bound, "NaN") || g.Bound == "" {
		t.Errorf("one value: %+v", g)
	}
	if g := newGauge(score.Spread{}, 3); g != (gauge{}) {
		t.Errorf("no value: %+v", g)
	}
}

// In the browser it makes no complaint, and on a phone nothing hangs out.
func TestManyInBrowser(t *testing.T) {
	t.Parallel()
	chromium(t)
	dir := t.TempDir()
	if err := WriteMany(dir, several(20)); err != nil {
		t.Fatal(err)
	}
	document, console := browse(t, "file://"+filepath.Join(dir, "report.html"), "--window-size=1100,1600", "--dump-dom")
	if console != "" {
		t.Errorf("the console says\n%s", console)
	}
	if n := len(regexp.MustCompile(`<svg class="gauge"`).FindAllString(document, -1)); n != len(several(20).Expectations) {
		t.Errorf("%d bars", n)
	}
	found := visitFiles(t, dir, `<iframe id=f src="report.html" style="width:390px;height:800px;border:0"></iframe>`, `found.width = document.querySelector("#f").contentDocument.documentElement.scrollWidth;`)
	if found["width"] != 390.0 {
		t.Errorf("on a phone the page is %v wide", found["width"])
	}
}
