package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plantbed/plantbed/harness/record"
)

// What `check` prints is what happens: the run's record has the same plan, the
// state that a fault waits for comes and goes, and the run's own scenario does
// it all again. Another seed has another plan.
func TestThePlanIsWhatHappens(t *testing.T) {
	binaries(t)
	file := filepath.Join("testdata", "schedules.toml")
	code, plan := plantbed(t, "check", file)
	if code != codePass {
		t.Fatalf("exit %d\n%s", code, plan)
	}
	out, again := filepath.Join(t.TempDir(), "run"), filepath.Join(t.TempDir(), "again")
	for _, run := range [][2]string{{file, out}, {filepath.Join(out, scenarioFile), again}} {
		if code, words := plantbed(t, "run", run[0], "--quiet", "--out", run[1]); code != codePass {
			t.Fatalf("exit %d\n%s", code, words)
		}
	}
	one, _ := card(t, out)
	two, _ := card(t, again)
	if one.Digest != two.Digest {
		t.Errorf("digest %s, and again %s", one.Digest, two.Digest)
	}
	l, err := record.Load(filepath.Join(out, recordDir))
	if err != nil {
		t.Fatal(err)
	}
	rows, kinds := 0, map[string]int{}
	for line := range strings.Lines(plan) {
		if strings.Contains(line, " communication ") || strings.Contains(line, " gateway ") {
			rows++
		}
	}
	for _, w := range l.Meta.Plan {
		kinds[w.Kind]++
		if from := w.From.Round(time.Millisecond).String(); !strings.Contains(plan, "\n"+from+" ") {
			t.Errorf("%s at %s is not in the plan:\n%s", w.Kind, from, plan)
		}
	}
	// The one that waits for a state is no window yet.
	if rows != len(l.Meta.Plan)+1 || kinds["link.down"] != 4 || kinds["link.latency"] != 4 || kinds["gateway.restart"] != 4 || kinds["broker.restart"] == 0 {
		t.Errorf("%d rows for %v:\n%s", rows, kinds, plan)
	}
	begins, ends := 0, 0
	for _, n := range l.Notes {
		switch n.Kind {
		case "fault begins":
			begins++
		case "fault ends":
			ends++
		}
	}
	if begins <= len(l.Meta.Plan) || ends != begins || len(one.ByFault) != begins {
		t.Errorf("faults began %d times and ended %d times; %d are on the card, %d were planned", begins, ends, len(one.ByFault), len(l.Meta.Plan))
	}
	if _, other := plantbed(t, "check", file, "--seed", "2"); other == plan || strings.Count(other, "\n") < 10 {
		t.Errorf("with another seed:\n%s", other)
	}
}
