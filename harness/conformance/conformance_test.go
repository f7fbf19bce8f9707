package conformance_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/harness/conformance"
	"github.com/plantbed/plantbed/harness/record"
	"github.com/plantbed/plantbed/harness/score"
	"github.com/plantbed/plantbed/harness/virtual"
	"github.com/plantbed/plantbed/scenarios"
)

// defects are stacks with the very defect that an entry is about.
var defects = map[string][]string{
	"K01": {"deaf-after-a-gap"},
	"K02": {"deaf-after-a-gap"},
	"K03": {"deaf-after-a-gap", "says-nothing"},
	"K04": {"throws-away-what-is-late"},
	"K05": {"own-times", "deaf-for-good"},
	"K06": {"deaf-after-a-gap", "throws-away-what-is-late"},
	"K07": {"old-index"},
	"K08": {"hides-overflow"},
	"K09": {"one-answer-behind"},
	"K10": {"memory", "no-buffer"},
	"K11": {"no-buffer"},
	"K12": {"memory", "drops-in-silence"},
	"K13": {"drops-in-silence", "says-nothing"},
	"K14": {"begins-anew-when-configured"},
	"K15": {"no-buffer"},
	"K16": {"no-buffer"},
	"K17": {"forgets-wishes"},
	"K18": {"deaf-after-a-gap", "says-nothing"},
}

// built is where the executable is, once a test has asked for it.
var built string

var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "defective")
	if err != nil {
		return "", err
	}
	built = dir
	exe := filepath.Join(dir, "defective")
	cmd := exec.Command("go", "build", "-tags", "faketime", "-o", exe, "../testdata/defective")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%v\n%s", err, out)
	}
	return exe, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(code)
}

// run brings a scenario of the suite about, with a defect in the stack.
func run(t *testing.T, name, defect string) conformance.Evidence {
	t.Helper()
	exe, err := build()
	if err != nil {
		t.Fatal(err)
	}
	sc, ps := scenarios.Load("conformance/"+name, nil)
	if sc.Gear == scenarios.GearLive { // its defects show in the virtual gear too, by what they do after a clock's jump
		sc.Gear = scenarios.GearVirtual
		sc.Faults = slices.DeleteFunc(sc.Faults, func(f faults.Config) bool { return f.Kind == "gateway.clock" })
	}
	if ps = append(ps, sc.Validate(score.MetricNames())...); len(ps) > 0 {
		t.Fatal(ps.Err())
	}
	text, err := sc.Encode()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "scenario.toml"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	w := virtual.Worker{Exe: exe, Args: []string{dir, defect, "1"}, Log: &log}
	if err := w.Run(context.Background()); err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	l, err := record.Load(filepath.Join(dir, "record"))
	if err != nil {
		t.Fatal(err)
	}
	return conformance.Evidence{Log: l, Result: score.Score(l), Words: words(log.String())}
}

func words(log string) []string {
	out := []string{}
	for line := range strings.Lines(log) {
		var l struct{ Part, Msg, Alarm, Why, Err string }
		if json.Unmarshal([]byte(line), &l) == nil && l.Part == "gateway" {
			out = append(out, l.Msg+" "+l.Alarm+" "+l.Why+" "+l.Err)
		}
	}
	return out
}

func judge(t *testing.T, e conformance.Entry, defect string) conformance.Outcome {
	t.Helper()
	var runs []conformance.Evidence
	for _, s := range e.Scenarios {
		runs = append(runs, run(t, s, defect))
	}
	return e.Judge(runs...)
}

func TestTheBuiltInGatewayPasses(t *testing.T) {
	for _, e := range conformance.Entries() {
		if e.Live {
			continue // plantbed's own test runs it, with a process to set the clock of
		}
		if o := judge(t, e, "none"); o.Verdict != conformance.Pass {
			t.Errorf("%s %s: %s: %s", e.ID, e.Title, o.Verdict, o.Why)
		}
	}
}

// Every entry is failed by a stack that has its defect.
func TestTheDefectOfEachEntryFailsIt(t *testing.T) {
	for _, e := range conformance.Entries() {
		if len(defects[e.ID]) == 0 {
			t.Errorf("%s has no planted defect", e.ID)
		}
		for _, d := range defects[e.ID] {
			o := judge(t, e, d)
			t.Logf("%s with %s: %s: %s", e.ID, d, o.Verdict, o.Why)
			if o.Verdict != conformance.Fail {
				t.Errorf("%s does not fail a stack with the defect %s: %s %s", e.ID, d, o.Verdict, o.Why)
			}
		}
	}
}
