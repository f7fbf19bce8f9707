package faults

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
)

var update = flag.Bool("update", false, "write the golden files anew")

func load(t testing.TB, path string) ([]Config, *strict.Source, strict.Problems) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Fault []Config `toml:"fault"`
	}
	src, ps := strict.Decode("scenario.toml", text, &file)
	return file.Fault, src, ps
}

func TestPlanGolden(t *testing.T) {
	cfgs, _, ps := load(t, "testdata/plan.toml")
	if err := ps.Err(); err != nil {
		t.Fatal(err)
	}
	plan, ps := Resolve(cfgs, 2*time.Hour, 42)
	if err := ps.Err(); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, w := range plan {
		fmt.Fprintf(&b, "%d %s %s [%s] %v to %v open=%v: %s\n", w.Index, w.Kind, w.Target, w.Class, w.From, w.To, w.Open, w.Note)
	}
	if *update {
		if err := os.WriteFile("testdata/plan.golden", []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/plan.golden")
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("plan:\n%swant:\n%s(after a wanted change: go test -run Golden -update)", b.String(), want)
	}
}

// Every edge is off its round instant by 0.1 to 0.9 ms, alone on its own, and
// no whole microsecond, for any seed.
func TestEdges(t *testing.T) {
	var cfgs []Config
	for i := range 50 { // many that would meet
		cfgs = append(cfgs, fault("link.down", "l", 10, 10), fault("link.stall", fmt.Sprint("l", i), 10, 10))
	}
	for seed := range uint64(300) {
		plan, ps := Resolve(cfgs, time.Minute, seed)
		if len(ps) > 0 || len(plan) != len(cfgs) {
			t.Fatalf("seed %d: %d windows, %v", seed, len(plan), ps)
		}
		seen := map[time.Duration]bool{}
		for _, w := range plan {
			for nominal, at := range map[time.Duration]time.Duration{10 * time.Second: w.From, 20 * time.Second: w.To} {
				if off := at - nominal; off < shiftMin || off > shiftMax+time.Microsecond || at%time.Microsecond == 0 || seen[at] {
					t.Fatalf("seed %d, %s: an edge at %v", seed, w.Target, at)
				}
				seen[at] = true
			}
		}
	}
}

// One fault more leaves the others where they are; another seed moves them all.
func TestPlanIsStable(t *testing.T) {
	cfgs, _, _ := load(t, "testdata/plan.toml")
	base, _ := Resolve(cfgs, 2*time.Hour, 42)
	again, _ := Resolve(cfgs, 2*time.Hour, 42)
	if !slices.Equal(base, again) {
		t.Error("the same seed gave another plan")
	}
	more, _ := Resolve(append([]Config{fault("plc.stop", "s", 5, 5)}, cfgs...), 2*time.Hour, 42)
	for i := range more {
		more[i].Index--
	}
	if !slices.Equal(base, slices.DeleteFunc(more, func(w Window) bool { return w.Kind == "plc.stop" })) {
		t.Error("one fault more shifted the others")
	}
	other, _ := Resolve(cfgs, 2*time.Hour, 43)
	for i := range base {
		if base[i].From == other[i].From {
			t.Errorf("seed 43 starts %s at the same instant", base[i].Kind)
		}
	}
}

// However wild the durations, a window is never upside down and nothing panics.
func TestExtremeDurations(t *testing.T) {
	const huge = strict.Duration(1<<63 - 1)
	for _, c := range []Config{
		{Kind: "link.stall", Target: "l", For: huge},
		{Kind: "link.stall", Target: "l", At: 1, For: 1},
		{Kind: "link.stall", Target: "l", At: sec(59), For: huge},
		{Kind: "asset.bearing_wear", Target: "k", Life: huge},
		{Kind: "asset.bearing_wear", Target: "k", Life: 1},
	} {
		plan, ps := Resolve([]Config{c}, time.Minute, 1)
		if len(ps) > 0 || len(plan) != 1 || plan[0].To <= plan[0].From {
			t.Errorf("%+v: %+v, %v", c, plan, ps)
		}
	}
	if _, ps := Resolve([]Config{{Kind: "link.stall", Target: "l", At: huge}}, time.Minute, 1); len(ps) != 1 {
		t.Errorf("a fault after the end of all time: %v", ps)
	}
}
