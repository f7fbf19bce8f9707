package strict

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "rewrite the .want files")

// plant has a field of every sort that a configuration may hold.
type plant struct {
	Name    string            `toml:"name"`
	Seed    uint64            `toml:"seed"`
	Small   int8              `toml:"small"`
	Ratio   float64           `toml:"ratio"`
	On      bool              `toml:"on"`
	Since   time.Time         `toml:"since"`
	For     Duration          `toml:"for"`
	Plain   time.Duration     `toml:"plain"`
	Size    Bytes             `toml:"size"`
	Limit   *float64          `toml:"limit"`
	Tags    []string          `toml:"tags"`
	Params  map[string]string `toml:"params"`
	Any     any               `toml:"any"`
	Colour  colour            `toml:"colour"`
	Gateway struct {
		Buffer struct {
			Policy string `toml:"policy"`
			Queue  int    `toml:"queue"`
		} `toml:"buffer"`
	} `toml:"gateway"`
	PLCs []struct {
		Name string   `toml:"name"`
		Scan Duration `toml:"scan"`
	} `toml:"plc"`
	embedded
	//lint:ignore U1000 an unexported field must be no key
	hidden int
	Left   int `toml:"-"`
}

type embedded struct {
	Deep int `toml:"deep"`
}

// colour reads itself from anything.
type colour string

func (c *colour) UnmarshalTOML(v any) error {
	list, ok := v.([]any)
	if !ok || len(list) != 3 {
		return errors.New("must be three numbers")
	}
	*c = "rgb"
	return nil
}

func TestBadFiles(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.bad.toml")
	if len(files) < 5 {
		t.Fatal("the bad files are gone")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, problems := Decode(filepath.Base(file), text, &plant{})
			compare(t, strings.TrimSuffix(file, ".toml")+".want", problems.Error()+"\n")
		})
	}
}

func compare(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestEverySortOfValue(t *testing.T) {
	text := `name = "x"
seed = 7
small = -3
ratio = 2
on = true
since = 2026-01-31T06:00:00Z
for = "1m30s"
plain = "5ms"
size = "64 KiB"
limit = 0.5
tags = ["a", "b"]
params = { power = "5 kW" }
any = [1, "x"]
colour = [1, 2, 3]
deep = 4
gateway.buffer.queue = 9
[[plc]]
name = "p"
scan = "500ms"
`
	var got plant
	got.Gateway.Buffer.Policy = "kept"
	src, problems := Decode("x.toml", []byte(text), &got)
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	half := 0.5
	want := plant{Name: "x", Seed: 7, Small: -3, Ratio: 2, On: true, Since: time.Date(2026, 1, 31, 6, 0, 0, 0, time.UTC),
		For: Duration(90 * time.Second), Plain: 5 * time.Millisecond, Size: 64 << 10, Limit: &half, Tags: []string{"a", "b"},
		Params: map[string]string{"power": "5 kW"}, Any: []any{int64(1), "x"}, Colour: "rgb", embedded: embedded{Deep: 4}}
	want.Gateway.Buffer.Queue, want.Gateway.Buffer.Policy = 9, "kept"
	want.PLCs = append(want.PLCs, struct {
		Name string   `toml:"name"`
		Scan Duration `toml:"scan"`
	}{"p", Duration(500 * time.Millisecond)})
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}

	var ps Problems
	ps.Add("plc[0].protocol", "is missing")
	ps.Add("name", "is taken")
	ps.AddName("plc[0].scan", "no", "scann", []string{"scan"})
	located := src.Locate(ps).Error()
	if located != "x.toml:1: name: is taken\nx.toml:17: plc[0].protocol: is missing\nx.toml:19: plc[0].scan: no (did you mean \"scan\"?)" {
		t.Errorf("located as\n%s", located)
	}
}

func TestOneTreeOverAnother(t *testing.T) {
	base, _ := Parse("base.toml", []byte(`name = "base"
seed = 1
tags = ["a", "b"]
[gateway.buffer]
policy = "keep"
queue = 5
[[plc]]
name = "one"
scan = "1s"
[[plc]]
name = "two"
scan = "2s"
`))
	child, _ := Parse("child.toml", []byte(`name = "child"
tags = ["c"]
gateway.buffer.queue = 6
[[plc]]
name = "three"
scan = 3
[[plc]]
name = "two"
scan = "4s"
`))
	tree := child.Over(base, "plc")
	for path, value := range map[string]string{"seed": "9", "gateway.buffer.policy": "5", "plc[0].scan": "7s", "tags": `["x"]`, "ratio": "1e3", "limit": "2"} {
		if err := tree.Set(path, value, "--set"); err != nil {
			t.Error(err)
		}
	}
	var got plant
	problems := tree.Into(&got)
	if problems.Error() != `child.toml:6: plc[2].scan: "3" is not a duration; write a number with its unit, such as "500ms", "45s" or "2h"` {
		t.Error(problems)
	}
	if got.Name != "child" || got.Seed != 9 || got.Gateway.Buffer.Queue != 6 || got.Gateway.Buffer.Policy != "5" ||
		!reflect.DeepEqual(got.Tags, []string{"x"}) || got.Ratio != 1000 || *got.Limit != 2 {
		t.Errorf("got %+v", got)
	}
	if len(got.PLCs) != 3 || got.PLCs[0].Scan != Duration(7*time.Second) || got.PLCs[1].Scan != Duration(4*time.Second) || got.PLCs[2].Name != "three" {
		t.Errorf("PLCs %+v", got.PLCs)
	}
	for path, want := range map[string]place{"plc[0].name": {"base.toml", 8}, "plc[1].scan": {"child.toml", 9}, "plc[0].scan": {"--set", 0}, "missing": {"child.toml", 0}} {
		if at := tree.Source().find(path); at != want {
			t.Errorf("%s is from %v, want %v", path, at, want)
		}
	}
	for _, path := range []string{"name.x", "plc[9].scan", "plc.scan", "name[0]", "a..b"} {
		if tree.Set(path, "1", "--set") == nil {
			t.Errorf("%s was set", path)
		}
	}
}

func TestSetOfAWrongType(t *testing.T) {
	for path, value := range map[string]string{"seed": "many", "small": "300", "on": "1", "ratio": "inf", "for": "5", "plc": "1", "gateway": "x\ny", "tags": "a", "since": "now", "colour": "red"} {
		tree, _ := Parse("x.toml", nil)
		if err := tree.Set(path, value, "--set"); err != nil {
			t.Error(err)
		}
		if problems := tree.Into(&plant{}); len(problems) != 1 || problems[0].Path != path || problems[0].File != "--set" {
			t.Errorf("%s=%s: %v", path, value, problems)
		}
	}
}

// A file made to hurt costs no more than a moment and no crash.
func TestHostileText(t *testing.T) {
	for name, text := range map[string]string{
		"brackets": "x = " + strings.Repeat("[", 500_000),
		"braces":   "x = " + strings.Repeat("{a=", 300_000),
		"dots":     strings.Repeat("a.", 500_000) + "a = 1",
		"header":   "[" + strings.Repeat("a.", 500_000) + "a]",
		"big":      strings.Repeat("# ", maxText),
		"open":     `"`, "nul": "\x00", "bom": "\xef\xbb\xbfname = \"x\"\n=", "utf8": "name = \"\xff\"",
	} {
		if _, problems := Decode("x.toml", []byte(text), &plant{}); len(problems) == 0 {
			t.Errorf("%s: nothing was wrong", name)
		} else if s := problems.Error(); len(s) > 500 || !strings.HasPrefix(s, "x.toml:") {
			t.Errorf("%s: %.200q", name, s)
		}
	}
}

func FuzzDecode(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.toml")
	for _, file := range files {
		text, _ := os.ReadFile(file)
		f.Add(text, "gateway.buffer.queue", "5")
	}
	f.Fuzz(func(t *testing.T, text []byte, path, value string) {
		var p plant
		src, problems := Decode("x.toml", text, &p)
		src.Locate(problems)
		for _, problem := range problems {
			if problem.File == "" || problem.Msg == "" || problem.Line > strings.Count(string(text), "\n")+1 {
				t.Errorf("%+v", problem)
			}
		}
		tree, bad := Parse("x.toml", text)
		if bad != nil {
			return
		}
		// Whatever the parser takes, the line index has understood as well.
		for at, place := range tree.Source().at {
			if place.line == 0 {
				t.Errorf("no line for %s", at)
			}
		}
		if tree.Set(path, value, "--set") == nil {
			tree.Into(&p)
		}
	})
}
