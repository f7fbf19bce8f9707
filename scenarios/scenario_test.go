package scenarios

import (
	"bytes"
	"flag"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/plantbed/plantbed/internal/strict"
)

var update = flag.Bool("update", false, "rewrite the .want files")

// metrics stand for the score's; the real ones are given by the commands.
var metrics = []string{"samples.owed", "samples.unobtainable", "loss.count", "loss.ratio", "loss.edge", "recover.max_s", "dup.applied", "dup.unmarked", "order.violations",
	"corrupt.count", "orphan.count", "late.count", "latency.p50_ms", "latency.p99_ms", "twin.divergence", "twin.state_wrong_s", "twin.false_fresh_s",
	"twin.converge_s", "detect.recall", "detect.false_per_day", "detect.delay_s", "detect.lead_s", "backfill.count", "oee.truth", "oee.twin"}

func load(path string, sets ...string) (*Scenario, strict.Problems) {
	s, problems := Load(path, sets)
	problems = append(problems, s.Validate(metrics)...)
	problems.Sort()
	return s, problems
}

func TestBadScenarios(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.bad.toml")
	if len(files) < 10 {
		t.Fatal("the bad files are gone")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			_, problems := load(file)
			if len(problems) == 0 {
				t.Fatal("nothing was wrong with it")
			}
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

func TestShippedScenariosAreValid(t *testing.T) {
	for _, name := range slices.Concat(Shipped(), Suite()) {
		s, problems := load(name)
		if problems.Err() != nil {
			t.Error(problems)
		}
		if s.Name != path.Base(name) || s.Summary == "" {
			t.Errorf("%s is named %q, %q", name, s.Name, s.Summary)
		}
		if s.Gear == GearFast {
			continue // the source of a data set, which no stack delivers
		}
		bounds := map[string]bool{}
		for _, e := range s.Expect {
			bounds[e.Metric+">="] = bounds[e.Metric+">="] || e.Min != nil
			bounds[e.Metric+"<="] = bounds[e.Metric+"<="] || e.Max != nil
		}
		if !bounds["samples.owed>="] || !bounds["samples.unobtainable<="] {
			t.Errorf("%s must bound samples.owed from below and samples.unobtainable from above", name)
		}
	}
}

func TestResolvedScenarioLoadsToTheSame(t *testing.T) {
	for _, name := range slices.Concat(Shipped(), Suite()) {
		s, problems := load(name, "seed=77")
		if problems.Err() != nil {
			t.Fatal(problems)
		}
		text, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, problems := Read("scenario.toml", text, nil)
		if problems.Err() != nil {
			t.Fatalf("%v\n%s", problems, text)
		}
		s.src, again.src, s.told, again.told = nil, nil, nil, nil
		if !reflect.DeepEqual(s, again) {
			t.Errorf("%s came back as\n%+v\nwant\n%+v", name, again, s)
		}
		if second, _ := again.Encode(); !bytes.Equal(text, second) {
			t.Errorf("%s was written as\n%s\nand then as\n%s", name, text, second)
		}
	}
}

// Every field of the format has a key, spelled as all the others are.
func TestEveryFieldHasAKey(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var walk func(typ reflect.Type, path string)
	walk = func(typ reflect.Type, path string) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice || typ.Kind() == reflect.Map {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || seen[typ] {
			return
		}
		seen[typ] = true
		for i := range typ.NumField() {
			f := typ.Field(i)
			key, _, _ := strings.Cut(f.Tag.Get("toml"), ",")
			if !f.IsExported() || key == "-" {
				continue
			}
			if key == "" && !f.Anonymous || key != strings.ToLower(key) || strings.Contains(key, "-") {
				t.Errorf("%s.%s has the key %q", path, f.Name, key)
			}
			walk(f.Type, path+"."+f.Name)
		}
	}
	walk(reflect.TypeFor[Scenario](), "Scenario")
}

func TestSet(t *testing.T) {
	s, problems := load("first-light", "gateway.buffer.max_bytes=64KiB", "fault[1].for=120s", "seed=7", "gear=live", "summary=5", "plc[0].machines=[\"pump\"]")
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	if s.Gateway.Buffer.MaxBytes != 64<<10 || s.Faults[1].For != seconds(120) || s.Seed != 7 || s.Gear != GearLive || s.Summary != "5" {
		t.Errorf("got %+v", s)
	}
	for set, want := range map[string]string{
		"seed":                   `--set: "seed" has no =; write path=value, such as seed=7`,
		"gateway.bufer.x=1":      `--set: gateway.bufer: unknown key (did you mean "buffer"?)`,
		"fault[99].for=1s":       `--set: fault[99].for: fault has `,
		"duration=5":             `--set: duration: "5" is not a duration; write a number with its unit, such as "500ms", "45s" or "2h"`,
		"gear=vitual":            `--set: gear: "vitual" is none of fast, virtual, live (did you mean "virtual"?)`,
		"plc[1].machines[0]=pmp": `--set: plc[1].machines[0]: there is no machine "pmp" (did you mean "pump"?)`,
	} {
		if _, problems := load("first-light", set); !strings.HasPrefix(problems.Error(), want) {
			t.Errorf("%s: %s", set, problems)
		}
	}
}

func TestExtends(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	write("base.toml", `extends = "first-light"
name = "base"
[gateway.buffer]
kind = "memory"
[[plc]]
name = "plc-pack"
scan = "500ms"
[[expect]]
metric = "loss.count"
max = 7
`)
	child := write("child.toml", "name = \"child\"\nextends = \"base.toml\"\ngateway.buffer.policy = \"drop-oldest\"\n[[machine]]\nname = \"spare\"\nkind = \"oven\"\n")
	parent, _ := load("first-light")
	s, problems := load(child)
	if problems.Err() != nil {
		t.Fatal(problems)
	}
	if s.Name != "child" || s.Extends != "" || s.Gateway.Buffer.Kind != "memory" || s.Gateway.Buffer.Policy != "drop-oldest" || s.Duration != parent.Duration {
		t.Errorf("got %+v", s)
	}
	if len(s.Machines) != len(parent.Machines)+1 || len(s.PLCs) != len(parent.PLCs) || s.PLCs[1].Scan != ms(500) || len(s.PLCs[1].Machines) != 3 || len(s.Expect) != 1 {
		t.Errorf("merged to %+v", s)
	}
	for file, text := range map[string]string{
		write("round.toml", "extends = \"round.toml\"\n"):                                       "1: extends: goes round in a circle",
		write("lost.toml", "name = \"lost\"\nextends = \"first-ligth\"\n"):                      `2: extends: ` + filepath.Join(dir, "first-ligth") + `: there is no such file, and no scenario of that name is shipped (did you mean "first-light"?)`,
		write("folder.toml", "extends = \".\"\n"):                                               "1: extends: " + dir + ": cannot be read: is a directory",
		write("grand.toml", "extends = \"lost.toml\"\n"):                                        "", // located in lost.toml, below
		write("deep.toml", "extends = \"base.toml\"\n[[plc]]\nname = \"plc-pump\"\nscan = 5\n"): `4: plc[0].scan: "5" is not a duration`,
	} {
		_, problems := load(file)
		if text == "" {
			file, text = filepath.Join(dir, "lost.toml"), "2: extends"
		}
		if !strings.HasPrefix(problems.Error(), file+":"+text) {
			t.Errorf("%s: %s", file, problems)
		}
	}
}

func TestMissingFile(t *testing.T) {
	for path, want := range map[string]string{
		"first-ligt":          `first-ligt: there is no such file, and no scenario of that name is shipped (did you mean "first-light"?)`,
		"testdata":            "testdata: cannot be read: is a directory",
		"nope/first-light":    `nope/first-light: there is no such file, and no scenario of that name is shipped (did you mean "first-light"?)`,
		"":                    ": there is no such file, and no scenario of that name is shipped",
		"../scenarios/x.toml": "../scenarios/x.toml: there is no such file, and no scenario of that name is shipped",
	} {
		s, problems := Load(path, nil)
		if s == nil || len(problems) != 1 || !strings.HasSuffix(problems.Error(), strings.TrimPrefix(want, ": ")) {
			t.Errorf("%q: %v", path, problems)
		}
	}
}

func FuzzRead(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.toml")
	for _, file := range append(files, "first-light.toml") {
		text, _ := os.ReadFile(file)
		f.Add(text, "seed=1")
	}
	f.Fuzz(func(t *testing.T, text []byte, set string) {
		s, problems := Read("x.toml", text, []string{set})
		if len(problems) > 0 || s.Validate(metrics) != nil {
			return
		}
		// What is valid can be written down and read again.
		out, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, problems := Read("scenario.toml", out, nil)
		if len(problems) == 0 {
			problems = again.Validate(metrics)
		}
		if len(problems) > 0 {
			t.Fatalf("%v\n%s", problems, out)
		}
	})
}
