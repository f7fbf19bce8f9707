package harness_test

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plantbed/plantbed/harness/internal/planted"
	"github.com/plantbed/plantbed/harness/record"
	"github.com/plantbed/plantbed/harness/score"
	"github.com/plantbed/plantbed/harness/virtual"
	"github.com/plantbed/plantbed/scenarios"
)

// The seed of all that is drawn for planted defects: which tag, which n, from
// when. It is printed; change it to try others.
const defectSeed = 20

// account is what a defect says of itself; see testdata/defective.
type account struct {
	Tag, After string
	N, Count   int
}

func TestMain(m *testing.M) { planted.Main(m) }

// runDefective runs a test scenario under the fake clock with a defect, and
// returns the card and what the defect counted.
func runDefective(t *testing.T, scenario, defect string) (score.Result, account) {
	t.Helper()
	return runDefectiveFile(t, filepath.Join("testdata", scenario), defect)
}

func runDefectiveFile(t *testing.T, path, defect string) (score.Result, account) {
	t.Helper()
	dir := t.TempDir()
	sc, ps := scenarios.Load(path, nil)
	if ps = append(ps, sc.Validate(score.MetricNames())...); len(ps) > 0 {
		t.Fatal(ps.Err())
	}
	text, err := sc.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "scenario.toml"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	var own account
	var log strings.Builder
	h := fnv.New32a()
	h.Write([]byte(defect))
	w := virtual.Worker{Exe: planted.Virtual(t), Args: []string{dir, defect, fmt.Sprint(defectSeed + uint64(h.Sum32()))}, Log: &log,
		Progress: func(line string) {
			if s, ok := strings.CutPrefix(line, "own "); ok {
				json.Unmarshal([]byte(s), &own)
			}
		}}
	if err := w.Run(context.Background()); err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	l, err := record.Load(filepath.Join(dir, "record"))
	if err != nil {
		t.Fatal(err)
	}
	if t.Failed() || testing.Verbose() {
		t.Cleanup(func() {
			if t.Failed() {
				t.Log(log.String())
			}
		})
	}
	return score.Score(l), own
}

// plantedDefects: each is one defect and where the score must find it: what figure holds
// the defect's own count, and of which kind and stage it is.
var plantedDefects = []struct {
	defect, scenario string
	found            func(score.Card, account) int
	// tag gives the count that the defect's tag shows, stage where it says the blame lies.
	tag   func(score.TagCount) int
	stage func(score.TagCount) string
	want  string
}{
	{"drop", "quiet.toml", metric("loss.edge"), lostAt("edge"), lostStage, "edge"},
	{"repeat-keyed", "quiet.toml", metric("dup.marked"), func(t score.TagCount) int { return t.DupMarked }, where("dup"), "edge"},
	{"repeat-unkeyed", "quiet.toml", metric("dup.unmarked"), func(t score.TagCount) int { return t.DupUnmarked }, where("dup"), "edge"},
	{"swap", "quiet.toml", metric("corrupt.count"), nil, where("corrupt"), "edge"},
	{"unscaled", "quiet.toml", metric("corrupt.count"), corrupt("unit"), where("corrupt"), "edge"},
	{"hold", "quiet.toml", metric("late.count"), func(t score.TagCount) int { return t.Late }, where("late"), "edge"},
	{"restamp", "quiet.toml", metric("corrupt.count"), corrupt("source_time"), where("corrupt"), "edge"},
	{"reorder", "quiet.toml", metric("order.violations"), func(t score.TagCount) int { return t.Reordered }, where("order"), "edge"},
	{"deadband", "quiet.toml", metric("loss.edge"), lostAt("edge"), lostStage, "edge"},
	{"silent", "cut.toml", metric("loss.edge"), lostAt("edge"), lostStage, "edge"},
	{"nosync", "killed.toml", lostOfSubscribed, nil, lostStage, "edge"},
}

func metric(name string) func(score.Card, account) int {
	return func(c score.Card, _ account) int {
		if v := c.Metrics[name].Value; v != nil {
			return int(*v)
		}
		return -1
	}
}

// lostOfSubscribed leaves the polled device out: of a poller's samples the
// kill may cost one more or less, depending on its phase.
func lostOfSubscribed(c score.Card, _ account) int {
	n := 0
	for _, t := range c.ByTag {
		if strings.HasPrefix(t.Tag, "pump/") || strings.HasPrefix(t.Tag, "filler/") {
			n += t.Lost["edge"]
		}
	}
	return n
}

func lostAt(stage string) func(score.TagCount) int {
	return func(t score.TagCount) int { return t.Lost[stage] }
}

func corrupt(kind string) func(score.TagCount) int {
	return func(t score.TagCount) int { return t.Corrupt[kind] }
}

func where(what string) func(score.TagCount) string {
	return func(t score.TagCount) string { return t.Where[what] }
}

func lostStage(t score.TagCount) string {
	for s := range t.Lost {
		return s
	}
	return ""
}

func TestPlantedDefectsAreFound(t *testing.T) {
	t.Logf("seed %d", defectSeed)
	for _, p := range plantedDefects {
		t.Run(p.defect, func(t *testing.T) {
			r, own := runDefective(t, p.scenario, p.defect)
			got := p.found(r.Card, own)
			t.Logf("%-14s planted %4d  found %4d  tag %s  n %d  after %s", p.defect, own.Count, got, own.Tag, own.N, own.After)
			if own.Count == 0 || got != own.Count {
				t.Errorf("planted %d, found %d: %v", own.Count, got, r.Card.Why)
			}
			if r.Card.Verdict != score.Fail {
				t.Errorf("verdict %s: %v", r.Card.Verdict, r.Card.Why)
			}
			for _, tc := range r.Card.ByTag {
				if tc.Tag != own.Tag || p.tag == nil {
					continue
				}
				if n := p.tag(tc); n != own.Count {
					t.Errorf("tag %s shows %d of %d: %+v", tc.Tag, n, own.Count, tc)
				}
				if s := p.stage(tc); s != p.want {
					t.Errorf("tag %s blames %q, want %q", tc.Tag, s, p.want)
				}
			}
		})
	}
}

// A wire that loses whole responses of the Modbus device after the server sent
// them costs every tag of the block one sample each, at stage link.
func TestSwallowedResponsesAreLostOnTheLink(t *testing.T) {
	r, own := runDefective(t, "quiet.toml", "swallow")
	tags := 0
	for _, tc := range r.Card.ByTag {
		if n := tc.Lost["link"]; n > 0 {
			tags++
			if n != own.Count {
				t.Errorf("%s lost %d on the link, the wire swallowed %d responses", tc.Tag, n, own.Count)
			}
		}
	}
	t.Logf("%-14s planted %4d x %d tags  found %4d  n %d", "swallow", own.Count, tags, metric("loss.link")(r.Card, own), own.N)
	if own.Count == 0 || tags == 0 || metric("loss.link")(r.Card, own) != own.Count*tags || metric("loss.count")(r.Card, own) != own.Count*tags {
		t.Errorf("swallowed %d, %v", own.Count, r.Card.Why)
	}
}

func TestAClientAroundTheLinkMakesTheRunUnknown(t *testing.T) {
	r, _ := runDefective(t, "quiet.toml", "bypass")
	if r.Card.Verdict != score.Unknown || !strings.Contains(strings.Join(r.Card.Why, "\n"), "around its link") {
		t.Errorf("%s: %v", r.Card.Verdict, r.Card.Why)
	}
}

// Without a defect the same scenarios show zero of everything.
func TestACleanRunShowsZeroOfEverything(t *testing.T) {
	for _, scenario := range []string{"quiet.toml", "cut.toml", "killed.toml"} {
		r, _ := runDefective(t, scenario, "none")
		for _, name := range []string{"loss.count", "dup.unmarked", "dup.applied", "order.violations", "corrupt.count", "orphan.count", "late.count"} {
			if n := metric(name)(r.Card, account{}); n != 0 {
				t.Errorf("%s: %s = %d", scenario, name, n)
			}
		}
		if r.Card.Verdict != score.Pass {
			t.Errorf("%s: %s: %v", scenario, r.Card.Verdict, r.Card.Why)
		}
	}
}
