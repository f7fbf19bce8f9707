package strict

import (
	"os"
	"strings"
	"testing"
)

func TestLinesOfEveryPath(t *testing.T) {
	text, err := os.ReadFile("testdata/lines.toml")
	if err != nil {
		t.Fatal(err)
	}
	if _, problems := Parse("lines.toml", text); problems != nil {
		t.Fatal(problems)
	}
	got, tooMuch := scanLines(text)
	if tooMuch != nil {
		t.Fatal(tooMuch)
	}
	checked := 0
	for i, line := range strings.Split(string(text), "\n") {
		_, paths, _ := strings.Cut(line, "# -> ")
		for _, path := range strings.Fields(strings.ReplaceAll(paths, "quoted key", "quoted\x00key")) {
			path = strings.ReplaceAll(path, "\x00", " ")
			if path == "fault" {
				continue // the first header of several
			}
			checked++
			if got[path] != i+1 {
				t.Errorf("%s is on line %d, got %d", path, i+1, got[path])
			}
		}
	}
	if checked < 25 {
		t.Errorf("only %d paths were looked at", checked)
	}
}

func TestPathsTakenApartAndPutTogether(t *testing.T) {
	for _, path := range []string{"a", "a.b", "fault[2].target", `a."b.c"[0]`, "n[1][2].x"} {
		way, err := steps(path)
		if err != nil || written(way) != path {
			t.Errorf("%s became %s (%v)", path, written(way), err)
		}
	}
	for _, path := range []string{"", ".a", "a..b", "a[", "a[x]", "a[-1]", "a b", "[0]", "a[0]b"} {
		if way, err := steps(path); err == nil {
			t.Errorf("%q was taken for %v", path, way)
		}
	}
	for path, want := range map[string]string{"a.b[2].c": "a.b[2]", "a.b[2]": "a.b", "a": "", `a."b.c"`: "a", `a."b\".c"`: "a"} {
		if got := parent(path); got != want {
			t.Errorf("parent(%s) = %s, want %s", path, got, want)
		}
	}
}
