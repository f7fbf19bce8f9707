package harness

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plantbed/plantbed/scenarios"
)

// The worked example of docs/SUT.md: its files are written down as they stand
// there, and its gateway runs. It loses what it cannot publish, as the page
// says, and nothing once it is mended as the page proposes.
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
	for _, mended := range []bool{false, true} {
		t.Run(map[bool]string{false: "as it stands", true: "mended"}[mended], func(t *testing.T) {
			t.Parallel()
			workedExample(t, string(page), mended)
		})
	}
}

// workedExample is shorter than on the page: one drop, that of the broker.
func workedExample(t *testing.T, page string, mended bool) {
	dir := writeExample(t, page)
	if mended {
		file := filepath.Join(dir, "my-gateway.py")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		head, rest, _ := strings.Cut(string(text), "def publish(")
		_, tail, _ := strings.Cut(rest, "\ndef read(")
		better := blockAfter(page, "One `mosquitto_pub` that stays keeps it:")
		if err := os.WriteFile(file, []byte(head+better+"\ndef read("+tail), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	card, _ := foreignRun(t, "", filepath.Join(dir, "oven.toml"), "duration=14s", "fault[0].at=13s", "fault[0].for=100ms", "fault[1].at=8s", "fault[1].for=3s", "expect=[]")
	lost, edge := figure(t, card, "loss.count"), figure(t, card, "loss.edge")
	if mended && lost != 0 || !mended && (edge < 12 || edge > 48 || lost != edge) {
		t.Errorf("lost %d, %d of them at the edge: %v", lost, edge, card.Why)
	}
	if n := figure(t, card, "samples.delivered"); n < 60 || card.Identity != "seq" {
		t.Errorf("delivered %d, identity %s", n, card.Identity)
	}
}

// writeExample writes the files of the page into a folder.
func writeExample(t *testing.T, page string) string {
	t.Helper()
	dir := t.TempDir()
	for _, file := range []string{"my-gateway.py", "my-gateway.json.tmpl", "my-gateway.toml", "oven.toml"} {
		text := blockAfter(page, "`"+file+"`")
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil || text == "" {
			t.Fatal(file, err)
		}
	}
	return dir
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
	dir := writeExample(t, string(page))
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
