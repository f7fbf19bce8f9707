package harness_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plantbed/plantbed/harness/score"
	"github.com/plantbed/plantbed/harness/virtual"
)

// TestTortureGateway is `make torture-gateway`: it kills the gateway a thousand
// times on a modelled disk under the fake clock, a hundred times with SIGKILL
// on a real one, and some times more within the whole walk, and prints a table.
// It wants PLANTBED_TORTURE=1.
func TestTortureGateway(t *testing.T) {
	if os.Getenv("PLANTBED_TORTURE") == "" {
		t.Skip("make torture-gateway runs it")
	}
	rows := tortureUnderFakeClock(t)
	rows = append(rows, tortureLive(t)...)
	rows = append(rows, tortureWalk(t))
	var out strings.Builder
	fmt.Fprintf(&out, "\n| what | kills | told durable | delivered | repeated, each marked | told damaged | lost |\n|---|---:|---:|---:|---:|---:|---:|\n")
	for _, r := range rows {
		fmt.Fprintf(&out, "| %s |\n", strings.Join(append(r, "0"), " | "))
	}
	fmt.Println(out.String())
	if file := os.Getenv("PLANTBED_TORTURE_OUT"); file != "" {
		if err := os.WriteFile(file, []byte(strings.TrimLeft(out.String(), "\n")), 0o644); err != nil {
			t.Error(err)
		}
	}
}

// tortureTests builds the gateway's own tests and runs some of them. A run that
// ends well has held that nothing durable is lost and every repetition carries
// its key.
func tortureTests(t *testing.T, run string, build, env []string) (rows [][]string) {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "gateway.test")
	cmd := exec.Command("go", append([]string{"test", "-c", "-o", exe}, append(build, "../gateway")...)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var raw, text bytes.Buffer
	cmd = exec.Command(exe, "-test.run", run, "-test.v", "-test.timeout", "1000h")
	cmd.Env = append(os.Environ(), env...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = "../gateway", &raw, &raw
	err := cmd.Run()
	virtual.Deframe(&raw, &text)
	if err != nil {
		t.Errorf("%v\n%s", err, text.String())
	}
	for line := range strings.Lines(text.String()) {
		if s, ok := strings.CutPrefix(line, "torture\t"); ok {
			rows = append(rows, strings.Split(strings.TrimSpace(s), "\t"))
		}
	}
	if len(rows) == 0 {
		t.Errorf("no result in\n%s", text.String())
	}
	return rows
}

func tortureUnderFakeClock(t *testing.T) [][]string {
	return tortureTests(t, "^TestTorture", []string{"-tags", "faketime"}, []string{"GOMAXPROCS=1", "PLANTBED_TORTURE_KILLS=1000"})
}

func tortureLive(t *testing.T) [][]string {
	return tortureTests(t, "^TestSIGKILL$", nil, []string{"PLANTBED_SIGKILLS=100"})
}

// tortureWalk sends the whole walk through a broker outage of ten minutes with
// a kill inside, and through kills at random instants, and has it scored.
func tortureWalk(t *testing.T) []string {
	t.Helper()
	dir, r := t.TempDir(), rand.New(rand.NewPCG(6, 6))
	var faults strings.Builder
	fault := func(kind, target string, at, dur float64) {
		fmt.Fprintf(&faults, "\n[[fault]]\nkind = %q\n", kind)
		if target != "" {
			fmt.Fprintf(&faults, "target = %q\n", target)
		}
		fmt.Fprintf(&faults, "at = \"%.6fs\"\nfor = \"%.6fs\"\n", at, dur)
	}
	fault("link.down", "broker", 120, 600)
	fault("gateway.kill", "", 300+r.Float64(), 20)
	n := 1
	for at := 760.0; at < 1700; at += 15 + 10*r.Float64() {
		fault("gateway.kill", "", at, 0.5+3*r.Float64())
		n++
	}
	quiet, err := filepath.Abs("testdata/quiet.toml")
	if err != nil {
		t.Fatal(err)
	}
	rel, err := filepath.Rel(dir, quiet)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("name = \"torture\"\nextends = %q\nduration = \"30m\"\n%s", rel, faults.String())
	file := filepath.Join(dir, "torture.toml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("../bin/plantbed", "run", file, "--quiet", "--out", filepath.Join(dir, "out"))
	out, err := cmd.CombinedOutput()
	if x, ok := err.(*exec.ExitError); err != nil && (!ok || x.ExitCode() > 11) {
		t.Fatalf("bin/plantbed (make build): %v\n%s", err, out)
	}
	data, err := os.ReadFile(filepath.Join(dir, "out", "card.json"))
	if err != nil {
		t.Fatal(err)
	}
	var card score.Card
	if err := json.Unmarshal(data, &card); err != nil {
		t.Fatal(err)
	}
	get := func(name string) int { return metric(name)(card, account{}) }
	for _, name := range []string{"loss.count", "dup.unmarked", "dup.applied", "order.violations", "corrupt.count", "orphan.count"} {
		if v := get(name); v != 0 {
			t.Errorf("the whole walk: %s is %d: %s", name, v, card.Why)
		}
	}
	return []string{"the whole walk: ten minutes without a broker and a kill inside, then more kills",
		fmt.Sprint(n), fmt.Sprint(get("samples.owed")), fmt.Sprint(get("samples.delivered")), fmt.Sprint(get("dup.marked")), "0"}
}
