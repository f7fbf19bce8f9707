package reports

import (
	"bytes"
	"context"
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
		if strings.Contains(line, "CONSOLE") {
			console += line + "\n"
		}
	}
	return out.String(), console
}

func TestPageInBrowser(t *testing.T) {
	chromium(t)
	dir := t.TempDir()
	if err := Write(dir, results()["full"], []byte("name = \"made-up\"\n")); err != nil {
		t.Fatal(err)
	}
	url := "file://" + filepath.Join(dir, "report.html")

	document, console := browse(t, url, "--dump-dom")
	if console != "" {
		t.Errorf("the console says\n%s", console)
	}
	for _, want := range []string{"<h1>made-up</h1>", `<path class="p99"`, `<path class="lost"`, `<path class="backfilled"`, `<path class="true-alarm"`, "</html>"} {
		if !strings.Contains(document, want) {
			t.Errorf("the document has no %s", want)
		}
	}

	shot := filepath.Join(dir, "shot.png")
	browse(t, url, "--window-size=1100,1600", "--screenshot="+shot)
	file, err := os.Open(shot)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	picture, _, err := image.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	colours := map[[3]uint32]int{}
	for y := 0; y < picture.Bounds().Dy(); y++ {
		for x := 0; x < picture.Bounds().Dx(); x++ {
			r, g, b, _ := picture.At(x, y).RGBA()
			colours[[3]uint32{r >> 8, g >> 8, b >> 8}]++
		}
	}
	// Delivered, backfilled and lost samples are there to be seen.
	for _, c := range [][3]uint32{{0x9d, 0xb8, 0xd2}, {0x2f, 0x6f, 0xb5}, {0xc4, 0x28, 0x1c}} {
		if colours[c] < 50 {
			t.Errorf("only %d points have the colour %02x", colours[c], c)
		}
	}
}

// On a phone nothing hangs out over the side: what is wide scrolls by itself.
func TestPageOnPhone(t *testing.T) {
	chromium(t)
	for _, name := range []string{"full", "hostile", "empty"} {
		dir := t.TempDir()
		if err := Write(dir, results()[name], []byte(strings.Repeat("x", 500))); err != nil {
			t.Fatal(err)
		}
		frame := `<iframe id=f src="report.html" style="width:390px;height:800px;border:0"></iframe><p id=p></p><script>
f.onload = () => { p.textContent = "page is " + f.contentDocument.documentElement.scrollWidth + " wide" }</script>`
		if err := os.WriteFile(filepath.Join(dir, "phone.html"), []byte(frame), 0o644); err != nil {
			t.Fatal(err)
		}
		document, _ := browse(t, "file://"+filepath.Join(dir, "phone.html"), "--allow-file-access-from-files", "--dump-dom")
		if !strings.Contains(document, "page is 390 wide") {
			t.Errorf("%s: %s", name, regexp.MustCompile(`page is \d* wide`).FindString(document))
		}
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
		for _, line := range []string{"p50", "p99", "lost", "late", "backfilled", "buffer", "hatch", "process", "sensor", "communication", "gateway"} {
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
