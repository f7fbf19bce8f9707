package reports

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/plantbed/plantbed/harness/score"
)

var update = flag.Bool("update", false, "rewrite the expected files")

// formats is every file that is drawn from a result.
var formats = map[string]func(io.Writer, score.Result) error{
	"card.json":       JSON,
	"junit.xml":       JUnit,
	"report.md":       Markdown,
	"report.html":     func(w io.Writer, r score.Result) error { return HTML(w, r, []byte("name = \"made-up\"\nseed = 42\n")) },
	"table.txt":       func(w io.Writer, r score.Result) error { return Table(w, r, false) },
	"table.color.txt": func(w io.Writer, r score.Result) error { return Table(w, r, true) },
}

func render(t *testing.T, draw func(io.Writer, score.Result) error, r score.Result) string {
	t.Helper()
	var b bytes.Buffer
	if err := draw(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestEveryFormat(t *testing.T) {
	for name, r := range results() {
		for file, draw := range formats {
			t.Run(name+"/"+file, func(t *testing.T) {
				got := render(t, draw, r)
				if again := render(t, draw, r); again != got {
					t.Error("the same result was drawn in two ways")
				}
				compare(t, filepath.Join("testdata", name, file), got)
			})
		}
	}
}

func compare(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; run with -update and look at the difference. Got\n%s", file, got)
	}
}

// Whatever one format says of an expectation, all of them say.
func TestAllFormatsSayTheSame(t *testing.T) {
	for name, r := range results() {
		v := look(r)
		for file, draw := range formats {
			if file == "card.json" {
				continue // figures, not words
			}
			text := plainText(render(t, draw, r))
			for _, e := range v.Expects {
				words := []string{e.Metric, e.Why}
				if file != "junit.xml" {
					words = append(words, e.Bound, e.Got)
				}
				for _, want := range words {
					if !strings.Contains(text, plainText(want)) {
						t.Errorf("%s of %s does not say %q", file, name, want)
					}
				}
			}
			for _, want := range append(v.Reasons, v.Headline, v.Scenario, v.Replay) {
				if !strings.Contains(text, plainText(want)) {
					t.Errorf("%s of %s does not say %q", file, name, want)
				}
			}
		}
	}
}

// plainText undoes the escaping of the formats, roughly, and all white space.
func plainText(s string) string {
	s = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&#34;", `"`, "&#39;", "'", "&#124;", "|", "&#96;", "`", "&#42;", "*", "&#95;", "_",
		"&#91;", "[", "&#93;", "]", "@<!-- -->", "@", "&#35;", "#", "&#92;", "\\", "&#126;", "~", "&#xA;", " ", "&#43;", "+").Replace(s)
	s = strings.NewReplacer("&amp;", "&", "\uFFFD", " ").Replace(s)
	return strings.Join(strings.Fields(oneLine(s)), " ")
}

func TestCardReadsBack(t *testing.T) {
	r := results()["full"]
	var card score.Card
	dec := json.NewDecoder(strings.NewReader(render(t, JSON, r)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&card); err != nil {
		t.Fatal(err)
	}
	if again := render(t, JSON, score.Result{Card: card}); again != render(t, JSON, r) {
		t.Error("the card changed on its way through JSON")
	}
	empty := render(t, JSON, score.Result{})
	if strings.Contains(empty, "null") || !strings.HasSuffix(empty, "}\n") {
		t.Errorf("an empty card is\n%s", empty)
	}
}

func TestJUnitAddsUp(t *testing.T) {
	for name, r := range results() {
		var all junitSuites
		if err := xml.Unmarshal([]byte(render(t, JUnit, r)), &all); err != nil {
			t.Fatal(err)
		}
		tests, failures, errs := 0, 0, 0
		for _, c := range all.Suites[0].Cases {
			tests++
			if c.Failure != nil {
				failures++
			}
			if c.Error != nil {
				errs++
			}
			if c.Class == "" || c.Name == "" {
				t.Errorf("%s: a case without a name", name)
			}
		}
		if tests != all.Tests || failures != all.Failures || errs != all.Errors || tests != len(r.Card.Expectations)+1 {
			t.Errorf("%s: %d tests, %d failures, %d errors, the totals say %d, %d, %d", name, tests, failures, errs, all.Tests, all.Failures, all.Errors)
		}
		// A CI server sees red exactly where the verdict is not a pass.
		if green := failures+errs == 0; green != (r.Card.Verdict == score.Pass) {
			t.Errorf("%s: verdict %s, green %v", name, r.Card.Verdict, green)
		}
	}
}

func TestPageIsOneFileAndEscaped(t *testing.T) {
	r := results()["hostile"]
	text := render(t, formats["report.html"], r)
	for _, bad := range []string{"<script>alert", "onerror=\"", "<img", "src=\"http", "@import", "url(http"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page contains %s", bad)
		}
	}
	for _, attr := range regexp.MustCompile(` (d|x|y|transform|width|height|viewBox|data-\w+)="[^"]*(NaN|Inf|e\+\d\d)[^"]*"`).FindAllString(text, -1) {
		t.Errorf("the page draws what cannot be drawn: %.120s", attr)
	}
	if n := strings.Count(text, "<script"); n != 1 {
		t.Errorf("the page has %d scripts", n)
	}
	if strings.Contains(pageJS, "fetch(") || strings.Contains(pageJS, "http") {
		t.Error("the script asks the network")
	}
}

// A run of a day, in the finest steps that the score makes, with noise on
// every tag, is under 3 MB; so is one with far too many tags.
func TestPageOfADayIsSmall(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, tags := range []int{67, 500, 3000} {
		day := full()
		day.Card.DurationS = 86400
		day.Story.BucketS, day.Story.TagStepS = 120, 120
		day.Story.Buckets, day.Story.Tags, day.Card.ByTag, day.Story.TagWalks = nil, nil, nil, nil
		for range 720 {
			day.Story.Buckets = append(day.Story.Buckets, score.Bucket{Owed: 100 + r.IntN(3000), Lost: r.IntN(9), Late: r.IntN(9), P50MS: r.Float64() * 900, P99MS: 1000 * r.Float64(),
				Buffer: float64(r.IntN(9999)), Divergence: r.Float64(), Apart: 1, ApartBy: 1, StageMS: [4]float64{r.Float64(), r.Float64(), r.Float64(), r.Float64()}})
		}
		for k := range tags {
			s := score.TagStory{Tag: fmt.Sprintf("hall-3/machine-%03d/bearing-%d/vibration", k/9, k%9), Machine: "m", PLC: "p", Divergence: r.Float64()}
			for range 720 {
				a, b := r.Float64(), r.Float64()
				s.LatencyMS = append(s.LatencyMS, 1000*a)
				s.Truth, s.Twin = append(s.Truth, score.Range{Min: min(a, b), Max: max(a, b)}), append(s.Twin, score.Range{Min: min(a, b), Max: max(a, b)})
			}
			day.Story.Tags = append(day.Story.Tags, s)
			day.Card.ByTag = append(day.Card.ByTag, score.TagCount{Tag: s.Tag, Owed: 86400, Lost: map[string]int{"edge": 1 + r.IntN(2)}, Late: r.IntN(9)})
			day.Story.TagWalks = append(day.Story.TagWalks, score.Walk{Latched: 86400, Owed: 86400})
		}
		for k := range 3000 {
			day.Story.Alarms = append(day.Story.Alarms, score.AlarmMark{AtS: float64(k) * 28, Machine: "m", Detector: "pca", Score: 3, Limit: 2})
			day.Story.Events = append(day.Story.Events, score.EventMark{AtS: float64(k) * 28, What: "m/motor/bearing-de: onset", Kind: "onset"})
		}
		text := render(t, formats["report.html"], day)
		t.Logf("%d tags: %d bytes", tags, len(text))
		if len(text) > 3_000_000 {
			t.Errorf("%d tags: a day's page has %d bytes", tags, len(text))
		}
	}
}

func TestTableKeepsTheTerminal(t *testing.T) {
	text := render(t, formats["table.txt"], results()["hostile"])
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if oneLine(line) != line {
			t.Errorf("line %d has control characters: %q", i+1, line)
		}
	}
}

func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "runs", "made-up-42")
	r := results()["full"]
	toml := []byte("name = \"made-up\"\n")
	for range 2 { // the second time over what the first has left
		if err := Write(dir, r, toml); err != nil {
			t.Fatal(err)
		}
	}
	entries, _ := os.ReadDir(dir)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if strings.Join(names, " ") != "card.json junit.xml report.html report.md" {
		t.Errorf("wrote %v", names)
	}
	card, _ := os.ReadFile(filepath.Join(dir, "card.json"))
	if string(card) != render(t, JSON, r) {
		t.Error("card.json is not what JSON writes")
	}
}

func TestWriteWhereItCannot(t *testing.T) {
	dir := t.TempDir()
	inTheWay := filepath.Join(dir, "file")
	if err := os.WriteFile(inTheWay, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Write(filepath.Join(inTheWay, "run"), score.Result{}, nil); err == nil || !strings.Contains(err.Error(), inTheWay) {
		t.Errorf("below a file: %v", err)
	}
	// What cannot be drawn leaves the folder as it was.
	nan := results()["full"]
	bad := nan.Card.Metrics["loss.count"]
	zero := 0.0
	zero /= zero
	bad.Value = &zero
	nan.Card.Metrics["loss.count"] = bad
	if err := Write(filepath.Join(dir, "run"), nan, nil); err == nil {
		t.Error("a card that is no JSON was written")
	}
	if _, err := os.Stat(filepath.Join(dir, "run")); !errors.Is(err, os.ErrNotExist) {
		t.Error("half a report was left behind")
	}
}

func TestWords(t *testing.T) {
	for got, want := range map[string]string{
		number(864120): "864,120", number(-1234): "-1,234", number(0.000123456): "0.0001235", number(12345.6): "12,346", number(2210.5): "2,211", number(1e300): "1e+300", number(3.14159): "3.142", number(0): "0",
		span(7200): "2h", span(90): "1m30s", span(12.5): "12.5s", span(0): "0s", span(5400): "1h30m", span(600): "10m",
		instant(4805): "1:20:05", instant(61.25): "0:01:01.3", instant(0): "0:00:00", instant(-1): "-1 s",
		quantity(5, "ms"): "5 ms", quantity(0.5, "1"): "0.5", quantity(2, "1/d"): "2 per day", measure(nil, "s"): "unknown",
		plural(1, "tag"): "1 tag", plural(1200, "tag"): "1,200 tags",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestThinningLosesNothing(t *testing.T) {
	var in []score.Bucket
	for i := range 2417 {
		in = append(in, score.Bucket{Owed: i, Lost: i % 7, P50MS: -1, P99MS: float64(i), Buffer: -1, Divergence: -1, Apart: -1, StageMS: [4]float64{-1, -1, -1, -1}})
	}
	out, width := thin(in, 2, maxStep)
	if len(out) > maxStep || width != 6 {
		t.Errorf("%d buckets of %v s", len(out), width)
	}
	sum := func(bs []score.Bucket) (n score.Bucket) {
		for _, b := range bs {
			n.Owed += b.Owed
			n.Lost += b.Lost
			n.P99MS = max(n.P99MS, b.P99MS)
		}
		return n
	}
	if sum(in) != sum(out) {
		t.Errorf("%+v became %+v", sum(in), sum(out))
	}
}
