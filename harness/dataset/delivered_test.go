package dataset

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/harness"
	"github.com/plantbed/plantbed/harness/record"
	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/scenarios"
	"github.com/plantbed/plantbed/sim/plant"
	"github.com/plantbed/plantbed/sim/plc"
)

// madeRun writes the run directory of a stack that loses every tenth sample,
// delays every seventh by ten seconds, repeats every thirteenth and falsifies
// every seventeenth.
func madeRun(t *testing.T) string {
	t.Helper()
	sc, ps := scenarios.Load("first-light", nil)
	if ps.Err() != nil {
		t.Fatal(ps)
	}
	sc.Duration = strict.Duration(10 * time.Minute)
	sc.Faults = []faults.Config{{Kind: "asset.bearing_wear", Target: "pump/motor/bearing-de", At: strict.Duration(time.Minute), Life: strict.Duration(5 * time.Minute)}}
	dir := t.TempDir()
	text, err := sc.Encode()
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "scenario.toml"), text, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	meta, err := harness.Plan(sc)
	if err != nil {
		t.Fatal(err)
	}
	w, err := harness.NewWorld(sc, sc.Seed, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	windows, _ := faults.Resolve(sc.Faults, sc.Duration.D(), sc.Seed)
	if err := w.Schedule(windows, sc.Faults); err != nil {
		t.Fatal(err)
	}
	rec, err := record.Create(filepath.Join(dir, "record"), meta)
	if err != nil {
		t.Fatal(err)
	}
	w.Plant().OnEvent(func(e plant.Event) {
		rec.Add(record.Event{At: e.At, Machine: e.Machine, Kind: e.Kind, Component: e.Component, Mode: e.Mode, State: e.State})
	})
	task := 0
	for _, p := range w.PLCs() {
		first := task
		task += len(p.Tasks())
		p.OnTruth(func(b *plc.Block) {
			rec.Add(record.Scan{Task: first + b.Task, Seq: b.Seq, At: int64(b.At), Stamp: int64(b.At), Values: b.Values, Quality: b.Quality})
			deliver(rec, meta.Tasks[first+b.Task].Tags, b)
		})
		p.Start()
	}
	w.Plant().Start()
	w.Kernel().Run(sc.Duration.D())
	if err := rec.Close(record.End{Reached: sc.Duration.D()}); err != nil {
		t.Fatal(err)
	}
	return dir
}

func deliver(rec *record.Writer, tags []int, b *plc.Block) {
	if b.Seq%10 == 0 {
		return
	}
	s := record.Seen{Tap: record.AtTwin, At: int64(b.At + 50*time.Millisecond)}
	if b.Seq%7 == 0 {
		s.At += int64(10 * time.Second)
	}
	for i, tag := range tags {
		v := b.Values[i]
		if b.Seq%17 == 0 {
			v += 1000
		}
		s.Samples = append(s.Samples, record.SeenSample{Tag: tag, Seq: b.Seq, Source: int64(b.At), Value: v, Quality: b.Quality[i]})
	}
	rec.Add(s)
	if b.Seq%13 == 0 {
		rec.Add(s)
	}
}

func TestFromRun(t *testing.T) {
	run := madeRun(t)
	out := t.TempDir()
	if _, err := FromRun(t.Context(), run, Options{Dir: out}); err != nil {
		t.Fatal(err)
	}
	if waves, _ := filepath.Glob(filepath.Join(out, "bursts-*")); len(waves) > 0 {
		t.Errorf("a stack delivers no waveforms, and there is %v", waves)
	}
	truth, err := parquet.ReadFile[truthRead](filepath.Join(out, "truth.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	seen, err := parquet.ReadFile[deliveredRead](filepath.Join(out, "delivered.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	arrived := 0
	for _, r := range truth {
		if (r.ArrivedS == nil) != (r.Seq%10 == 0) {
			t.Fatalf("%+v", r)
		}
		arrived += int(r.Copies)
		checkWear(t, r.Tag, r.ScanS, r.Mode, r.Damage, r.RUL)
	}
	if arrived != len(seen) || len(seen) < 50_000 {
		t.Errorf("%d arrived, %d rows", arrived, len(seen))
	}
	last := 0.0
	for _, r := range seen {
		switch {
		case r.Late != (r.Seq%7 == 0), r.Wrong != (r.Seq%17 == 0), r.Copy > 1 && r.Seq%13 != 0, r.ArrivedS < last:
			t.Fatalf("after %v: %+v", last, r)
		case r.Wrong && r.Value-*r.TrueValue < 999:
			t.Fatalf("%+v", r)
		}
		last = r.ArrivedS
		checkWear(t, r.Tag, *r.ScanS, r.Mode, r.Damage, r.RUL)
	}
}

// checkWear knows when the one bearing wears: from 60 s to 360 s.
func checkWear(t *testing.T, tag string, atS float64, mode string, damage, rul *float64) {
	t.Helper()
	pump := owner(tag) == "pump"
	switch {
	case (!pump || atS < 59) && damage != nil:
		t.Fatalf("%s is worn at %v s: %v", tag, atS, *damage)
	case pump && atS > 62 && atS < 358 && (damage == nil || mode != "bearing_wear" || rul == nil || *rul < 358-atS || *rul > 362-atS):
		t.Fatalf("%s at %v s: %s, %v, %v", tag, atS, mode, damage, rul)
	}
}

// truthRead and deliveredRead are rows as a reader declares them. They are
// flat: the library reads the nulls of an embedded struct as zeros.
type truthRead struct {
	ScanS    float64  `parquet:"scan_s"`
	Tag      string   `parquet:"tag"`
	Seq      int64    `parquet:"seq"`
	ArrivedS *float64 `parquet:"arrived_s"`
	Copies   int32    `parquet:"copies"`
	Mode     string   `parquet:"label_mode"`
	Damage   *float64 `parquet:"label_damage"`
	RUL      *float64 `parquet:"label_rul_s"`
}

type deliveredRead struct {
	ArrivedS  float64  `parquet:"arrived_s"`
	Tag       string   `parquet:"tag"`
	Seq       int64    `parquet:"seq"`
	Value     float64  `parquet:"value"`
	ScanS     *float64 `parquet:"truth_scan_s"`
	TrueValue *float64 `parquet:"truth_value"`
	Late      bool     `parquet:"truth_late"`
	Wrong     bool     `parquet:"truth_wrong"`
	Copy      int32    `parquet:"truth_copy"`
	Mode      string   `parquet:"label_mode"`
	Damage    *float64 `parquet:"label_damage"`
	RUL       *float64 `parquet:"label_rul_s"`
}

// Where the plant does not live through the same again, nothing is claimed.
func TestFromRunOfAnotherVersion(t *testing.T) {
	run := madeRun(t)
	path := filepath.Join(run, "scenario.toml")
	sc, _ := scenarios.Load(path, nil)
	sc.Machines[1].Params["cycle"] = "1100 ms"
	text, err := sc.Encode()
	if err == nil {
		err = os.WriteFile(path, text, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	if _, err := FromRun(t.Context(), run, Options{Dir: out}); err != nil {
		t.Fatal(err)
	}
	truth, err := parquet.ReadFile[truthRead](filepath.Join(out, "truth.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range truth {
		if r.Damage != nil || r.RUL != nil {
			t.Fatalf("%+v", r)
		}
	}
}
