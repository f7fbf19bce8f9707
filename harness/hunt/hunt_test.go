package hunt_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/harness/hunt"
	"github.com/plantbed/plantbed/harness/score"
	"github.com/plantbed/plantbed/scenarios"
)

func load(t testing.TB, sets ...string) *scenarios.Scenario {
	t.Helper()
	sc, ps := scenarios.Load("ten-tags", sets)
	if ps = append(ps, sc.Validate(score.MetricNames())...); len(ps) > 0 {
		t.Fatal(ps.Err())
	}
	return sc
}

// stack is a runner without a stack: a rule says what a plan breaks.
func stack(rule func([]faults.Config) string) hunt.Runner {
	return func(ctx context.Context, sc *scenarios.Scenario) (hunt.Outcome, error) {
		o := hunt.Outcome{Digest: sc.Duration.String()}
		if b := rule(sc.Faults); b != "" {
			o.Broken = []hunt.Breach{{Invariant: b, Stage: "edge", Why: b}}
		}
		return o, ctx.Err()
	}
}

// lasting counts the faults of a kind that last for at least d.
func lasting(fs []faults.Config, kind string, d time.Duration) (n int) {
	for _, f := range fs {
		if f.Kind == kind && f.For.D() >= d {
			n++
		}
	}
	return n
}

// Every kind of fault that can strike a line at all is drawn validly, whatever
// keys it has: a new kind takes part without a word here.
func TestEveryKindTakesPart(t *testing.T) {
	strikes := map[string]bool{}
	for _, sets := range [][]string{nil, {"plc[0].protocol=modbus"}, {"plc[0].security=offered"}} {
		s, err := hunt.NewSpace(load(t, sets...), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range s.Kinds() {
			strikes[k] = true
		}
	}
	for _, k := range faults.Kinds() {
		if !strikes[k.Name] && k.Gears != scenarios.GearLive {
			t.Errorf("%s never strikes", k.Name)
		}
	}
}

// A plan is a function of the seed and its number, valid as a scenario, and
// leaves the last third of the run in peace.
func TestPlans(t *testing.T) {
	sc := load(t)
	s, err := hunt.NewSpace(sc, nil)
	if err != nil {
		t.Fatal(err)
	}
	if p := s.Plan(sc, 7, 0, 4); len(p.Faults) != 0 {
		t.Errorf("plan 0 has faults: %v", p.Faults)
	}
	sizes, same := map[int]int{}, 0
	for i := 1; i < 300; i++ {
		p := s.Plan(sc, 7, i, 4)
		if q := s.Plan(sc, 7, i, 4); !reflect.DeepEqual(p, q) {
			t.Fatalf("plan %d is not the same again: %v, %v", i, p, q)
		}
		if reflect.DeepEqual(p.Faults, s.Plan(sc, 8, i, 4).Faults) {
			same++
		}
		sizes[len(p.Faults)]++
		one := *sc
		one.Seed, one.Faults = p.Seed, nil
		for _, f := range p.Faults {
			c, err := f.Config()
			if err != nil {
				t.Fatalf("plan %d: %v", i, err)
			}
			one.Faults = append(one.Faults, c)
			if f.At < 20*time.Second || f.At+f.For > 20*time.Minute {
				t.Errorf("plan %d: %v is not within the first two thirds", i, f)
			}
		}
		if ps := one.Validate(score.MetricNames()); len(ps) > 0 {
			t.Errorf("plan %d: %v", i, ps.Err())
		}
	}
	if same > 0 {
		t.Errorf("%d plans are the same under another seed", same)
	}
	for n := 1; n <= 4; n++ {
		if sizes[n] < 30 {
			t.Errorf("only %d of 299 plans have %d faults", sizes[n], n)
		}
	}
}

// What needs two cuts is shrunk to two cuts, of the least length that does it.
func TestShrinksToWhatIsNeeded(t *testing.T) {
	cases := []struct {
		name   string
		rule   func([]faults.Config) string
		faults int
		kinds  []string
	}{
		{"nothing", func([]faults.Config) string { return "loss.edge" }, 0, nil},
		{"two cuts", func(fs []faults.Config) string {
			if lasting(fs, "link.down", 3*time.Second) >= 2 {
				return "loss.edge"
			}
			return ""
		}, 2, []string{"link.down", "link.down"}},
		{"a kill and a pause", func(fs []faults.Config) string {
			if lasting(fs, "gateway.kill", 2*time.Second) > 0 && lasting(fs, "gateway.pause", 2*time.Second) > 0 {
				return "loss.edge"
			}
			return ""
		}, 2, []string{"gateway.kill", "gateway.pause"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := hunt.Hunt{Base: load(t), Seed: 1, Plans: 300, Workers: 2, Run: stack(c.rule), Kinds: []string{"link.down", "gateway.kill", "gateway.pause"}}
			r, err := h.Do(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Findings) != 1 {
				t.Fatalf("%d findings, want one", len(r.Findings))
			}
			f := r.Findings[0]
			t.Logf("plan %d, %d runs, seen %d times: %v -> %v, %s", f.Plan, f.Runs, f.Seen, f.First.Faults, f.Minimal.Faults, f.Minimal.Duration)
			if len(f.Minimal.Faults) != c.faults || !f.Again || f.Seen < 2 {
				t.Errorf("shrunk to %v, again %v, seen %d", f.Minimal.Faults, f.Again, f.Seen)
			}
			for i, k := range c.kinds {
				// Modes are of no matter here, so none must be left.
				if f.Kinds[i] != k {
					t.Errorf("kinds are %v, want %v", f.Kinds, c.kinds)
				}
				if d := f.Minimal.Faults[i].For; d > 6*time.Second || d%time.Second != 0 {
					t.Errorf("%v could be shorter or rounder", f.Minimal.Faults[i])
				}
			}
			if f.Minimal.Duration > 2*time.Minute {
				t.Errorf("the run lasts %s still", f.Minimal.Duration)
			}
		})
	}
}

// Different failures are told apart, and the number of workers changes nothing.
func TestFindingsDoNotDependOnTheWorkers(t *testing.T) {
	rule := func(fs []faults.Config) string {
		switch {
		case lasting(fs, "gateway.kill", 5*time.Second) > 0:
			return "dup.unmarked"
		case lasting(fs, "link.stall", 10*time.Second) > 0:
			return "late.count"
		}
		return ""
	}
	var texts []string
	for _, workers := range []int{1, 2, 5} {
		h := hunt.Hunt{Base: load(t), Seed: 3, Plans: 120, Workers: workers, Run: stack(rule)}
		r, err := h.Do(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Findings) != 2 {
			t.Fatalf("%d workers: %d findings, want 2", workers, len(r.Findings))
		}
		r.Elapsed = 0
		b, err := json.Marshal(r.Summary("ten-tags", 3))
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(b))
	}
	if texts[0] != texts[1] || texts[0] != texts[2] {
		t.Errorf("not the same:\n%s", strings.Join(texts, "\n"))
	}
}

// What a fault waits for may never happen; the plan is judged with a plainer one.
func TestAPlanIsMadePlainer(t *testing.T) {
	waits, killed := 0, 0
	rule := func(_ context.Context, sc *scenarios.Scenario) (o hunt.Outcome, _ error) {
		for _, f := range sc.Faults {
			if f.Kind == "gateway.kill" && f.On != "" {
				waits++
				o.Unknown = "it did not come to that"
			}
		}
		if killed += lasting(sc.Faults, "gateway.kill", 1); o.Unknown == "" && lasting(sc.Faults, "gateway.kill", 1) > 0 {
			o.Broken = []hunt.Breach{{Invariant: "loss.edge", Stage: "edge"}}
		}
		return o, nil
	}
	r, err := hunt.Hunt{Base: load(t), Seed: 1, Plans: 40, Kinds: []string{"gateway.kill", "gateway.pause"}, Workers: 1, Run: rule}.Do(context.Background())
	if err != nil || waits == 0 || killed == 0 {
		t.Fatal(err, waits, killed)
	}
	if len(r.Unknown) > 0 {
		t.Errorf("%d plans are not judged, first %+v", len(r.Unknown), r.Unknown[0])
	}
	if len(r.Findings) != 1 || !slices.Equal(r.Findings[0].Kinds, []string{"gateway.kill"}) {
		t.Errorf("found %+v", r.Findings)
	}
}

// A machine that is broken down does not wear; the plan is judged without that.
func TestAPlanIsJudgedWithoutWhatCannotStrike(t *testing.T) {
	rule := func(_ context.Context, sc *scenarios.Scenario) (o hunt.Outcome, _ error) {
		if slices.ContainsFunc(sc.Faults, func(f faults.Config) bool { return f.Kind == "asset.bearing_wear" }) {
			o.Unknown = "it is broken down"
		}
		return o, nil
	}
	r, err := hunt.Hunt{Base: load(t), Seed: 1, Plans: 40, Kinds: []string{"asset", "gateway.pause"}, Workers: 1, Run: rule}.Do(context.Background())
	if err != nil || len(r.Unknown) > 0 || len(r.Findings) > 0 {
		t.Errorf("%v: %+v", err, r)
	}
}

// A run that cannot be judged is unknown and no finding; a runner that fails
// ends the hunt; an interrupted one keeps what it has.
func TestUnknownFailedAndInterrupted(t *testing.T) {
	base := load(t)
	r, err := hunt.Hunt{Base: base, Plans: 5, Run: func(context.Context, *scenarios.Scenario) (hunt.Outcome, error) {
		return hunt.Outcome{Unknown: "the simulated world was late"}, nil
	}}.Do(context.Background())
	if s := r.Summary("x", 1); err != nil || s.Verdict != "unknown" || len(s.Unknown) != 5 {
		t.Errorf("%v %+v", err, s)
	}
	broken := errors.New("no such worker")
	_, err = hunt.Hunt{Base: base, Plans: 5, Run: func(context.Context, *scenarios.Scenario) (hunt.Outcome, error) { return hunt.Outcome{}, broken }}.Do(context.Background())
	if !errors.Is(err, broken) {
		t.Errorf("a runner that fails gives %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var runs atomic.Int32
	r, err = hunt.Hunt{Base: base, Run: func(ctx context.Context, sc *scenarios.Scenario) (hunt.Outcome, error) {
		if runs.Add(1) == 30 {
			cancel()
		}
		return stack(func([]faults.Config) string { return "loss.edge" })(ctx, sc)
	}}.Do(ctx)
	if !errors.Is(err, context.Canceled) || len(r.Findings) != 1 {
		t.Errorf("interrupted: %v, %d findings", err, len(r.Findings))
	}
}

// A finding is written as a scenario that loads, is valid, and bounds what broke.
func TestWritesAScenarioThatReplays(t *testing.T) {
	h := hunt.Hunt{Base: load(t), Seed: 1, Plans: 60, Run: stack(func(fs []faults.Config) string {
		if lasting(fs, "link.down", time.Second) > 0 {
			return "order.violations"
		}
		return ""
	})}
	r, err := h.Do(context.Background())
	if err != nil || len(r.Findings) != 1 {
		t.Fatalf("%v, %d findings", err, len(r.Findings))
	}
	dir := t.TempDir()
	if err := r.Write(dir, "ten-tags", 1); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "hunt-1-order-violations.toml")
	sc, ps := scenarios.Load(path, nil)
	if ps = append(ps, sc.Validate(score.MetricNames())...); len(ps) > 0 {
		t.Fatal(ps.Err())
	}
	if !slices.ContainsFunc(sc.Expect, func(e scenarios.Expect) bool { return e.Metric == "order.violations" && e.Max != nil && *e.Max == 0 }) {
		t.Errorf("it does not bound order.violations: %+v", sc.Expect)
	}
	if len(sc.Faults) != 1 || sc.Faults[0].Kind != "link.down" {
		t.Errorf("faults %+v", sc.Faults)
	}
	text, err := os.ReadFile(path)
	if err != nil || !strings.HasPrefix(string(text), "# order.violations (edge) under link.down.\n") {
		t.Errorf("%v\n%.300s", err, text)
	}
}

func TestKindsThatAreNone(t *testing.T) {
	for _, kinds := range [][]string{{"link.dwon"}, {"lin"}, {""}} {
		if _, err := hunt.NewSpace(load(t), kinds); err == nil {
			t.Errorf("%q is taken", kinds)
		}
	}
	if _, err := hunt.NewSpace(load(t, "duration=2m"), nil); err == nil || !strings.Contains(err.Error(), "3m") {
		t.Errorf("two minutes are taken: %v", err)
	}
	s, err := hunt.NewSpace(load(t), []string{"link", "gateway.kill"})
	if err != nil || !slices.Contains(s.Kinds(), "link.stall") || !slices.Contains(s.Kinds(), "gateway.kill") || slices.Contains(s.Kinds(), "plc.stop") {
		t.Errorf("%v %v", err, s)
	}
}
