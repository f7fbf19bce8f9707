package harness

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plantbed/plantbed/scenarios"
)

// The worked example of docs/SUT.md, as it stands there: its files are written
// down, and its gateway runs. With the period that the page proposes it loses
// nothing; a drop of one value in the mapping's place would be seen.
func TestWorkedExample(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"python3", "mosquitto_pub"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("PLANTBED_REQUIRE") != "" {
				t.Fatalf("%s is missing; make deps installs it", tool)
			}
			t.Skipf("SKIPPED: %s is missing; make deps installs it", tool)
		}
	}
	page, err := os.ReadFile("../docs/SUT.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, file := range []string{"my-gateway.py", "my-gateway.json.tmpl", "my-gateway.toml", "oven.toml"} {
		text := blockAfter(string(page), "`"+file+"`")
		if file == "my-gateway.py" {
			text = strings.Replace(text, "time.sleep(1)\n", "time.sleep(1 - time.time() % 1)\n", 1)
		}
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil || text == "" {
			t.Fatal(file, err)
		}
	}
	// Shorter than on the page: one drop, and the rest as it is.
	card, _ := foreignRun(t, "", filepath.Join(dir, "oven.toml"), "duration=14s", "fault[1].at=12s", "fault[1].for=1s", "expect=[]")
	if n := figure(t, card, "loss.count"); n != 0 {
		t.Errorf("lost %d: %v", n, card.Why)
	}
	if n := figure(t, card, "samples.delivered"); n < 60 || card.Identity != "seq" {
		t.Errorf("delivered %d, identity %s", n, card.Identity)
	}
}

// The Go test on the page loads the scenario with settings that hold.
func TestGoExampleLoads(t *testing.T) {
	page, err := os.ReadFile("../docs/SUT.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), `[]string{"sut.kind=external"`)
	list, _, ok := strings.Cut(rest, "}")
	if !ok {
		t.Fatal("the page has no such example")
	}
	dir := t.TempDir()
	for _, file := range []string{"my-gateway.py", "my-gateway.json.tmpl", "my-gateway.toml", "oven.toml"} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(blockAfter(string(page), "`"+file+"`")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	sets := []string{"sut.kind=external"}
	for _, s := range strings.Split(list, ", ") {
		if s = strings.Trim(s, `"`); s != "" {
			sets = append(sets, s)
		}
	}
	sc, ps := scenarios.Load(filepath.Join(dir, "oven.toml"), sets)
	if ps = append(ps, sc.Validate([]string{"samples.owed", "samples.unobtainable", "loss.count"})...); len(ps) > 0 {
		t.Error(ps.Err())
	}
}

// blockAfter is the first fenced block after a word.
func blockAfter(page, word string) string {
	_, rest, _ := strings.Cut(page, word)
	_, rest, _ = strings.Cut(rest, "\n```")
	_, rest, _ = strings.Cut(rest, "\n")
	text, _, ok := strings.Cut(rest, "\n```")
	if !ok {
		return ""
	}
	return text + "\n"
}
