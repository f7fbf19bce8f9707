package dataset

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/plantbed/plantbed/scenarios"
)

// livingScenario has parts that age by themselves, some of them seen to by a
// signal, beside trouble that no damage announces.
func livingScenario(t testing.TB) *scenarios.Scenario {
	t.Helper()
	file := filepath.Join(t.TempDir(), "living.toml")
	text := `name = "living"
duration = "6h"
gear = "fast"
[[machine]]
name = "left"
kind = "motor"
params = { repair_time = "3 min", restart = "5 s" }
life = [{ component = "rotor", law = "abrasion", mean = "70m", kijima = 0.2 }]
breakdown = [{ name = "trip", mean = "40m", repair = "2m" }]
[[machine]]
name = "right"
kind = "motor"
life = [{ component = "rotor", law = "abrasion", mean = "70m" }]
maintenance = [{ components = ["rotor"], signal = "vibration", above = 4.0, for = "2m", work = "5m" }]
[[plc]]
name = "plc"
protocol = "opcua"
machines = ["left", "right"]
[dataset]
failing = 0.0
sensor_failing = 0.0
changes_per_hour = 0.0
onset = ["1h", "2h"]
life = ["1h", "2h"]
burst_every = "0s"
`
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	sc, ps := scenarios.Load(file, nil)
	if err := append(ps, sc.Validate(nil)...).Err(); err != nil {
		t.Fatal(err)
	}
	return sc
}

// A part that ages by itself has all labels too: life after life with its
// onset, when it shows, its failure or the work that came before, the time
// left, and quantiles of it that hold nine times out of ten.
func TestLivesOfTheirOwn(t *testing.T) {
	p, err := newPlan(livingScenario(t), Options{Dir: "x", Runs: 8, Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	sim, err := newSimulator(p)
	if err != nil {
		t.Fatal(err)
	}
	var failed, maintained, unfinished, inside, asked int
	for run := range 8 {
		r, err := sim.run(t.Context(), run)
		if err != nil {
			t.Fatal(err)
		}
		var side sidecar
		side.add(r, sim.lay, "", 0)
		ended := map[string]float64{}
		for _, l := range side.Runs[0].Lives {
			if l.Component != "rotor" || l.OnsetS < ended[l.Machine] {
				t.Fatalf("run %d: %+v, the one before ended at %v s", run, l, ended[l.Machine])
			}
			end := math.Max(l.RepairedS, l.MaintainedS)
			switch {
			case end == 0:
				unfinished, end = unfinished+1, p.sc.Duration.D().Seconds()
			case l.MaintainedS > 0:
				maintained++
			default:
				failed++
			}
			if l.Censored != (l.FailureS == 0) || l.DetectableS > 0 && (l.DetectableS < l.OnsetS || l.DetectableS > end) {
				t.Errorf("run %d: %+v", run, l)
			}
			ended[l.Machine] = end
			at := sim.lay.labels[l.Machine]
			col := func(label, row int) float64 { return r.Table.Values[at+label][row] }
			for row := int(l.OnsetS) + 2; float64(row) < end-2; row++ {
				now := float64(row + 1)
				if isNull(col(labDamage, row)) || isNull(col(labMode, row)) {
					t.Fatalf("run %d: no damage at %v s of %+v", run, now, l)
				}
				left := l.FailureS - now
				if l.FailureS == 0 || left < 0 {
					continue
				}
				if math.Abs(col(labRUL, row)-left) > 1e-6 {
					t.Fatalf("run %d: %v s left at %v s of %+v", run, col(labRUL, row), now, l)
				}
				if lo, hi := col(labQ05, row), col(labQ95, row); row%200 == 0 && !isNull(lo) {
					asked++
					if lo-1 <= left && left <= hi+1 {
						inside++
					}
				}
			}
			// The next life begins as soon as it runs again.
			if row := int(end) + 30; row < r.Table.Rows && col(labDamage, row) > 0.2 {
				t.Errorf("run %d: damage %v half a minute after the end of %+v", run, col(labDamage, row), l)
			}
		}
	}
	if failed < 15 || maintained < 15 || unfinished < 5 {
		t.Errorf("%d lives failed, %d were seen to, %d are unfinished", failed, maintained, unfinished)
	}
	if share := float64(inside) / float64(asked); asked < 100 || share < 0.78 || share > 0.99 {
		t.Errorf("the 90 %% interval covers %.2f of %d", share, asked)
	}
}

// A bearing by itself is recorded with the race that its failure mode names,
// as loud as its sensor says.
func TestBurstsOfABearing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bearing.toml")
	text := `name = "bearing"
duration = "1h"
gear = "fast"
[[machine]]
name = "b"
kind = "rolling-bearing"
[[plc]]
name = "plc"
protocol = "opcua"
machines = ["b"]
[[fault]]
kind = "asset.bearing_wear"
target = "b/inner"
at = "5m"
life = "50m"
[dataset]
failing = 0.0
onset = ["10m", "20m"]
burst_every = "2m"
`
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	sc, ps := scenarios.Load(file, nil)
	if err := append(ps, sc.Validate(nil)...).Err(); err != nil {
		t.Fatal(err)
	}
	p, err := newPlan(sc, Options{Dir: "x", Runs: 1, Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	sim, err := newSimulator(p)
	if err != nil {
		t.Fatal(err)
	}
	r, err := sim.run(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	worn := 0
	for _, b := range r.Bursts {
		want := "none"
		if b.Damage > 0 {
			want = b.Component
			worn++
		}
		sum := 0.0
		for _, v := range b.Samples {
			sum += float64(v) * float64(v)
		}
		rms := math.Sqrt(sum / float64(len(b.Samples)))
		if b.Race != want || b.ShaftHz > 1 && rms < 0.05 || b.ShaftHz > 1 && b.Damage > 0.5 && rms < 0.4 {
			t.Errorf("%s at %v s: race %s, want %s; %.3f g at damage %.2f", b.Component, b.AtS, b.Race, want, rms, b.Damage)
		}
	}
	if worn < 20 || len(r.Bursts) < 60 {
		t.Errorf("%d recordings, %d of them of a worn bearing", len(r.Bursts), worn)
	}
}
