package reports

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	_ "image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/plantbed/plantbed/harness/score"
)

// chromium finds Debian's browser, or skips out loud.
func chromium(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("chromium")
	switch {
	case err == nil:
		return path
	case os.Getenv("PLANTBED_REQUIRE") == "1":
		t.Fatal("chromium is not installed, and PLANTBED_REQUIRE=1 asks for it: apt-get install chromium")
	}
	t.Skip("SKIPPED: chromium is not installed, so the page is not looked at (apt-get install chromium)")
	return ""
}

// browse opens a page and returns what chromium printed: its document, and
// everything on its console.
func browse(t *testing.T, url string, args ...string) (document, console string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	all := append([]string{"--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr",
		"--user-data-dir=" + t.TempDir(), "--virtual-time-budget=3000"}, args...)
	cmd := exec.CommandContext(ctx, chromium(t), append(all, url)...)
	var out, err bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &out, &err, time.Second
	if e := cmd.Run(); e != nil {
		t.Fatalf("%v\n%s", e, err.String())
	}
	for _, line := range strings.Split(err.String(), "\n") {
		if strings.Contains(line, "CONSOLE") && !strings.Contains(line, "'allow-scripts' permission is not set") {
			console += line + "\n"
		}
	}
	return out.String(), console
}

// visit opens pages in frames beside each other and runs a script of the
// test's over them, which fills in what it found.
func visit(t *testing.T, body, script string, pages map[string]score.Result) map[string]any {
	t.Helper()
	dir := t.TempDir()
	for name, r := range pages {
		if err := Write(filepath.Join(dir, name), r, []byte("name = \"made-up\"\n"+strings.Repeat("x", 500))); err != nil {
			t.Fatal(err)
		}
	}
	return visitFiles(t, dir, body, script)
}

// visitFiles is visit with pages that stand in dir.
func visitFiles(t *testing.T, dir, body, script string) map[string]any {
	t.Helper()
	html := `<!DOCTYPE html><body style="margin:0">` + body + `<pre id=found></pre><script>
const sleep = ms => new Promise(done => setTimeout(done, ms));
onload = async () => { const found = {}; try {` + script + `} catch (e) { found.error = String(e) } document.querySelector("#found").textContent = JSON.stringify(found) }</script>`
	if err := os.WriteFile(filepath.Join(dir, "visit.html"), []byte(html), 0o644); err != nil {
		t.Fatal(err)
	}
	document, console := browse(t, "file://"+filepath.Join(dir, "visit.html"), "--allow-file-access-from-files", "--window-size=1300,2400", "--dump-dom")
	if console != "" {
		t.Errorf("the console says\n%s", console)
	}
	found := map[string]any{}
	text := regexp.MustCompile(`(?s)<pre id="found">(.*?)</pre>`).FindStringSubmatch(document)
	if text == nil {
		t.Fatalf("no answer from the page:\n%.2000s", document)
	}
	if err := json.Unmarshal([]byte(html2text.Replace(text[1])), &found); err != nil {
		t.Fatalf("%v: %s", err, text[1])
	}
	if found["error"] != nil {
		t.Fatal(found["error"])
	}
	return found
}

var html2text = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&")

// The page zooms and picks, with buttons, keys, lists and the mouse; and the
// same page without script has every plot.
func TestPageZoomsAndPicks(t *testing.T) {
	t.Parallel()
	chromium(t)
	found := visit(t, `<iframe id=f src="full/report.html" style="width:1200px;height:1800px;border:0"></iframe>
<iframe id=plain sandbox="allow-same-origin" src="full/report.html" style="width:1200px;height:400px;border:0"></iframe>`, `
	const d = f.contentDocument, main = d.querySelector("svg.timed"), one = s => d.querySelector(s);
	const shown = () => [Number(main.dataset.from), Number(main.dataset.to)];
	found.start = shown();
	one("#zoom-in").click(); found.in = shown();
	found.stretch = main.querySelector(".zoom").getAttribute("transform");
	found.slotStretch = one("#slot .zoom").getAttribute("transform");
	one("#zoom-right").click(); found.right = shown();
	one("#zoom-out").click(); found.out = shown();
	one("#zoom-all").click(); found.all = shown();
	const jump = one("#jump"); jump.value = "1200 1245"; jump.dispatchEvent(new Event("change")); found.jump = shown();
	found.times = [...main.querySelectorAll(".times text")].map(x => x.textContent);
	found.unit = main.querySelector(".unit").textContent;
	found.hidden = [...main.querySelectorAll(".spot")].filter(x => x.style.display === "none").length;
	one("#plots").dispatchEvent(new KeyboardEvent("keydown", {key: "0", bubbles: true})); found.key = shown();
	const box = main.getBoundingClientRect(), at = x => box.left + box.width * x / 1000, y = box.top + box.height / 2;
	const fire = (type, x) => main.dispatchEvent(new (f.contentWindow.PointerEvent)(type, {clientX: at(x), clientY: y, button: 0, pointerType: "mouse", bubbles: true}));
	fire("pointermove", 482); found.readout = one("#readout").textContent;
	fire("pointerdown", 340); fire("pointermove", 500); found.chosen = main.querySelector(".chosen").getAttribute("d"); fire("pointerup", 552); found.drag = shown();
	main.dispatchEvent(new (f.contentWindow.MouseEvent)("dblclick", {bubbles: true})); found.double = shown();
	const tag = one("#tag"); found.tags = [...tag.options].map(o => o.textContent); found.first = one("#picked-name").textContent;
	tag.value = tag.options[1].value; tag.dispatchEvent(new Event("change"));
	found.picked = one("#picked-name").textContent; found.slot = d.querySelectorAll("#slot svg").length; found.label = one("#slot svg").getAttribute("aria-label");
	found.home = d.querySelectorAll(".trace .plot svg").length;
	found.violation = d.querySelectorAll("[onclick],[onload]").length;
	const p = plain.contentDocument;
	found.plainTools = p.querySelector("#tools").hidden; found.plainTraces = p.querySelectorAll(".trace .plot svg .band.truth").length;
	found.plainPlots = p.querySelectorAll("svg.timed .p99, svg.timed .lost, svg.plant-wide .part").length; found.plainSpots = p.querySelectorAll("svg.timed .times text").length;
`, map[string]score.Result{"full": full()})
	span := func(key string, from, to float64) {
		t.Helper()
		got, _ := found[key].([]any)
		if len(got) != 2 || math.Abs(got[0].(float64)-from) > 30 || math.Abs(got[1].(float64)-to) > 30 {
			t.Errorf("%s shows %v, want %v to %v", key, found[key], from, to)
		}
	}
	span("start", 0, 7200)
	span("in", 1800, 5400)
	span("right", 3600, 7200)
	span("out", 0, 7200)
	span("all", 0, 7200)
	span("jump", 1164, 1281)
	span("key", 0, 7200)
	span("drag", 1800, 3600)
	span("double", 0, 7200)
	is := func(key string, want any) {
		t.Helper()
		if got := fmt.Sprint(found[key]); got != fmt.Sprint(want) {
			t.Errorf("%s is %v, want %v", key, got, want)
		}
	}
	is("stretch", "matrix(2 0 0 1 -552 0)") // twice as wide, around the middle of the axis
	is("slotStretch", found["stretch"])
	is("first", "oven/zone-1/temperature")
	is("tags", "[oven/zone-1/temperature filler/valve-03/position pump/motor/current]")
	is("picked", "filler/valve-03/position")
	is("unit", "h:mm:ss")
	is("slot", 1)
	is("home", 2)
	is("plainTools", true)
	is("plainTraces", 3)
	if n := found["plainPlots"].(float64); n < 15 {
		t.Errorf("without script there are %v pieces of plots", n)
	}
	if n := found["hidden"].(float64); n < 3 {
		t.Errorf("zoomed to one fault, %v marks are out of sight", n)
	}
	for key, want := range map[string]string{"readout": "0:50:00 to 0:50:30", "chosen": "49H", "label": "filler/valve-03/position", "times": "0:20:00"} {
		if got := fmt.Sprint(found[key]); !strings.Contains(got, want) {
			t.Errorf("%s is %q, want %q in it", key, got, want)
		}
	}
	if got := fmt.Sprint(found["readout"]); !strings.Contains(got, "truth") || !strings.Contains(got, "twin off by") {
		t.Errorf("the read-out is %q", got)
	}
}

// A screenshot in light and one in dark: what matters is there to be seen.
func TestPageInBrowser(t *testing.T) {
	t.Parallel()
	chromium(t)
	dir := t.TempDir()
	if err := Write(dir, results()["full"], []byte("name = \"made-up\"\n")); err != nil {
		t.Fatal(err)
	}
	for _, look := range []struct {
		name, flag string
		colours    map[string][3]uint32
	}{
		{"light", "--blink-settings=preferredColorScheme=1", map[string][3]uint32{"delivered": {0x9d, 0xb8, 0xd2}, "backfilled": {0x2f, 0x6f, 0xb5}, "lost": {0xc4, 0x28, 0x1c}, "ground": {0xff, 0xff, 0xff}, "struck": {0xc7, 0x77, 0x00}}},
		{"dark", "--blink-settings=preferredColorScheme=0", map[string][3]uint32{"delivered": {0x3d, 0x5a, 0x78}, "backfilled": {0x6c, 0xb0, 0xf5}, "lost": {0xff, 0x6f, 0x61}, "ground": {0x14, 0x17, 0x1b}}},
	} {
		shot := filepath.Join(dir, look.name+".png")
		_, console := browse(t, "file://"+filepath.Join(dir, "report.html"), "--window-size=1100,2200", look.flag, "--screenshot="+shot)
		if console != "" {
			t.Errorf("the console says\n%s", console)
		}
		seen := colours(t, shot)
		for what, c := range look.colours {
			if seen[c] < 50 {
				t.Errorf("%s: only %d points have the colour of %s, %02x", look.name, seen[c], what, c)
			}
		}
	}
}

func colours(t *testing.T, shot string) map[[3]uint32]int {
	t.Helper()
	file, err := os.Open(shot)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	picture, _, err := image.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	out := map[[3]uint32]int{}
	for y := range picture.Bounds().Dy() {
		for x := range picture.Bounds().Dx() {
			r, g, b, _ := picture.At(x, y).RGBA()
			out[[3]uint32{r >> 8, g >> 8, b >> 8}]++
		}
	}
	return out
}

// On a phone nothing hangs out over the side: what is wide scrolls by itself,
// and the plant is drawn in its tall layout.
func TestPageOnPhone(t *testing.T) {
	t.Parallel()
	chromium(t)
	pages := map[string]score.Result{"full": full(), "hostile": hostile(), "empty": {}}
	body, script := "", ""
	for _, name := range []string{"full", "hostile", "empty"} {
		body += `<iframe id=` + name + ` src="` + name + `/report.html" style="width:390px;height:800px;border:0"></iframe>`
		script += `found.` + name + ` = document.querySelector("#` + name + `").contentDocument.documentElement.scrollWidth;`
	}
	script += `const d = document.querySelector("#full").contentDocument;
	found.tall = d.querySelector(".plant-tall").getBoundingClientRect().width; found.wide = d.querySelector(".plant-wide").getBoundingClientRect().width;`
	found := visit(t, body, script, pages)
	for name := range pages {
		if found[name] != 390.0 {
			t.Errorf("%s: the page is %v wide", name, found[name])
		}
	}
	if found["tall"].(float64) < 300 || found["wide"] != 0.0 {
		t.Errorf("the tall plant is %v wide, the wide one %v", found["tall"], found["wide"])
	}
}

// On paper every part is there without the tools, on at most ten pages.
func TestPageOnPaper(t *testing.T) {
	t.Parallel()
	chromium(t)
	dir := t.TempDir()
	if err := Write(dir, full(), []byte("name = \"made-up\"\n")); err != nil {
		t.Fatal(err)
	}
	paper := filepath.Join(dir, "paper.pdf")
	browse(t, "file://"+filepath.Join(dir, "report.html"), "--no-pdf-header-footer", "--print-to-pdf="+paper)
	text, err := os.ReadFile(paper)
	if err != nil {
		t.Fatal(err)
	}
	pages := len(regexp.MustCompile(`/Type\s*/Page\b`).FindAll(text, -1))
	if pages < 3 || pages > 10 {
		t.Errorf("%d pages", pages)
	}
}

// Every colour that text is written in stands out from what is behind it, in
// light, dark and print (WCAG 2.1, 1.4.3: 4.5 to 1; for lines and areas 1.4.11: 3 to 1).
func TestContrast(t *testing.T) {
	blocks := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(pageCSS, -1)
	if len(blocks) != 3 {
		t.Fatalf("%d sets of colours", len(blocks))
	}
	for i, block := range blocks {
		colour := map[string]string{}
		for _, m := range regexp.MustCompile(`--([\w-]+): (#\w+);`).FindAllStringSubmatch(block[1], -1) {
			colour[m[1]] = m[2]
		}
		check := func(front, back string, least float64) {
			if got := contrast(colour[front], colour[back]); !(got >= least) {
				t.Errorf("set %d: %s on %s has a contrast of %.2f, want %.1f", i, front, back, got, least)
			}
		}
		for _, text := range []string{"text", "soft", "pass", "fail", "unknown"} {
			check(text, "ground", 4.5)
			check(text, "panel", 4.5)
		}
		check("text", "window", 4.5)
		check("soft", "window", 4.5)
		check("struck", "panel", 4.5)
		check("struck", "ground", 4.5)
		check("twin", "stale", 3)
		check("twin", "false-fresh", 3)
		for _, line := range []string{"p50", "p99", "lost", "late", "backfilled", "buffer", "hatch", "twin", "leg-plc", "leg-link", "leg-edge", "leg-north", "process", "sensor", "communication", "gateway"} {
			check(line, "ground", 3)
		}
	}
}

func contrast(a, b string) float64 {
	la, lb := luminance(a), luminance(b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

func luminance(hex string) float64 {
	hex = strings.TrimPrefix(hex, "#")
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			return math.NaN()
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

// The page is well-formed enough for a screen reader: every table has column
// headers, every picture a title and a description, headings do not skip.
func TestPageIsAccessible(t *testing.T) {
	for name, r := range results() {
		text := render(t, formats["report.html"], r)
		tables, heads := strings.Count(text, "<table"), strings.Count(text, "<thead>")
		if tables != heads {
			t.Errorf("%s: %d tables, %d with headers", name, tables, heads)
		}
		if n := len(regexp.MustCompile(`<th(>| [^>]*>)`).FindAllString(text, -1)); n != strings.Count(text, `<th scope="`) {
			t.Errorf("%s: %d header cells, not all with a scope", name, n)
		}
		for _, open := range regexp.MustCompile(`<svg [^>]*>`).FindAllString(text, -1) {
			if strings.Contains(open, `aria-hidden="true"`) {
				continue // a bar beside its own figure
			}
			if label := regexp.MustCompile(`aria-labelledby="([\w-]+) ([\w-]+)"`).FindStringSubmatch(open); label != nil {
				if !strings.Contains(text, `<title id="`+label[1]+`">`) || !strings.Contains(text, `<desc id="`+label[2]+`">`) {
					t.Errorf("%s: no title or description: %s", name, open)
				}
			} else if !regexp.MustCompile(`aria-label="[^"]{3,}"`).MatchString(open) || !strings.Contains(open, `role="img"`) {
				t.Errorf("%s: a picture without a name: %s", name, open)
			}
		}
		if ids := regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(text, -1); true {
			seen := map[string]bool{}
			for _, id := range ids {
				if seen[id[1]] {
					t.Errorf("%s: the id %s is there twice", name, id[1])
				}
				seen[id[1]] = true
			}
		}
		if strings.Count(text, "<h1>") != 1 || strings.Contains(text, "<h3") {
			t.Errorf("%s: headings skip", name)
		}
		if !strings.Contains(text, `<html lang="en">`) || !strings.Contains(text, "name=\"viewport\"") {
			t.Errorf("%s: no language or viewport", name)
		}
	}
}
