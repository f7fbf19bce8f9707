package hunt_test

import (
	"context"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plantbed/plantbed/harness/hunt"
	"github.com/plantbed/plantbed/harness/internal/planted"
	"github.com/plantbed/plantbed/scenarios"
)

func TestMain(m *testing.M) { planted.Main(m) }

// plantedDefects are those of the walking line: what the hunt must find them by,
// and the most faults that a minimal plan may have.
var plantedDefects = []struct {
	defect     string
	invariants string // one of these, by spaces
	faults     int
	// quick ones are hunted in every test run, the others with PLANTBED_HUNT=1.
	quick bool
}{
	{"drop", "loss.edge", 0, true},
	{"repeat-keyed", "dup.marked", 0, false},
	{"repeat-unkeyed", "dup.unmarked", 0, false},
	{"swap", "corrupt.count", 0, false},
	{"unscaled", "corrupt.count", 0, false},
	{"hold", "late.count", 0, false},
	{"restamp", "corrupt.count", 0, false},
	{"reorder", "order.violations", 0, false},
	{"deadband", "loss.edge", 0, false},
	{"swallow", "loss.link", 0, false},
	{"silent", "loss.edge", 1, true},
	// What is lost with the disk is lost at the edge; and numbers that are given
	// out a second time make the twin take what is new for a repeat.
	{"nosync", "loss.edge loss.north", 2, false},
	{"second-cut", "loss.edge", 2, false},
	{"again-after-restart", "dup.applied", 1, false},
	{"no-bad-quality", "loss.edge", 1, false},
	{"strict-clock", "loss.edge", 1, false},
}

// Each planted defect is found, by the invariant that it breaks, and shrunk to
// no more faults than it needs, within two minutes.
func TestPlantedDefectsAreFoundAndShrunk(t *testing.T) {
	exe := planted.Virtual(t)
	base := walking(t)
	for _, p := range plantedDefects {
		t.Run(p.defect, func(t *testing.T) {
			if !p.quick && os.Getenv("PLANTBED_HUNT") == "" {
				t.Skip("make hunt-defects hunts for it")
			}
			began := time.Now()
			f, plans := huntFor(t, exe, base, p.defect, strings.Fields(p.invariants))
			if f == nil {
				t.Fatalf("not found in %d plans, %s", plans, time.Since(began).Round(time.Second))
			}
			t.Logf("%-19s %-16s plan %3d, %3d runs, %2.0fs: %d of %d faults, %s: %v", p.defect, f.Invariant, f.Plan, f.Runs, time.Since(began).Seconds(),
				len(f.Minimal.Faults), len(f.First.Faults), f.Minimal.Duration, f.Minimal.Faults)
			if len(f.Minimal.Faults) > p.faults {
				t.Errorf("shrunk to %d faults, %d are enough: %v", len(f.Minimal.Faults), p.faults, f.Minimal.Faults)
			}
			if !f.Again {
				t.Error("the minimal plan did not give the same digest again")
			}
		})
	}
}

// kinds that bring every planted defect out, and few more: a hunt through all
// of them takes a few times longer.
var kinds = []string{"link.down", "link.stall", "gateway.kill", "gateway.pause", "plc.clock", "plc.bad_quality", "sensor"}

// huntFor hunts until something breaks one of the invariants that a stack without
// the defect keeps, two minutes at most.
func huntFor(t *testing.T, exe string, base *scenarios.Scenario, defect string, invariants []string) (found *hunt.Finding, plans int) {
	t.Helper()
	lab := hunt.Lab{Exe: exe, Dir: t.TempDir(), Args: func(dir string) []string { return []string{dir, defect, "20"} }}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	var mu sync.Mutex
	own := map[*hunt.Finding]bool{} // whether it is the defect's
	mine := func(f *hunt.Finding) bool {
		mu.Lock()
		defer mu.Unlock()
		if _, known := own[f]; !known {
			own[f] = slices.Contains(invariants, f.Invariant) && holdsWithout(t, exe, f)
		}
		return own[f]
	}
	h := hunt.Hunt{Base: base, Seed: 1, Kinds: kinds, Workers: runtime.NumCPU(), Run: lab.Run, Enough: mine}
	r, err := h.Do(ctx)
	if err != nil && ctx.Err() == nil {
		t.Fatal(err)
	}
	for _, f := range r.Findings {
		if mine(f) {
			found = f
		} else {
			t.Logf("beside it: %s under %s", f.Invariant, strings.Join(f.Kinds, " + "))
		}
	}
	return found, r.Plans
}

// holdsWithout tells that what was found is the defect's: the stack without it
// keeps the invariant under the minimal plan.
func holdsWithout(t *testing.T, exe string, f *hunt.Finding) bool {
	t.Helper()
	lab := hunt.Lab{Exe: exe, Dir: t.TempDir(), Args: func(dir string) []string { return []string{dir, "none", "20"} }}
	out, err := lab.Run(context.Background(), f.Scenario)
	if err != nil {
		t.Fatal(err)
	}
	return out.Unknown == "" && !slices.ContainsFunc(out.Broken, func(b hunt.Breach) bool { return b.Invariant == f.Invariant })
}

func walking(t *testing.T) *scenarios.Scenario {
	t.Helper()
	sc, ps := scenarios.Load("testdata/walking.toml", nil)
	if len(ps) > 0 {
		t.Fatal(ps.Err())
	}
	return sc
}
