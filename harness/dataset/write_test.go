package dataset

import (
	"context"
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// The bytes depend on the seed, and not on how many work at them.
func TestSameBytesWhateverTheWorkers(t *testing.T) {
	sc := smallScenario(t)
	for _, format := range Formats {
		one := write(t, sc, Options{Workers: 1, Format: format})
		many := write(t, sc, Options{Workers: 4, Format: format})
		if !maps.Equal(hashes(t, one.Dir), hashes(t, many.Dir)) {
			t.Errorf("%s: one worker and four wrote different bytes", format)
		}
		other := write(t, sc, Options{Workers: 4, Format: format, Seed: 8})
		if maps.Equal(hashes(t, one.Dir), hashes(t, other.Dir)) {
			t.Errorf("%s: another seed wrote the same bytes", format)
		}
	}
}

// Interrupted anywhere, it goes on and ends in the same bytes.
func TestInterruptedGoesOn(t *testing.T) {
	sc := smallScenario(t)
	whole := write(t, sc, Options{Workers: 1})
	dir := t.TempDir()
	for n := 1; ; n++ {
		_, err := Write(context.Background(), sc, Options{Dir: dir, Runs: 6, Seed: 7, Workers: 2, stopAfter: 2})
		if err == nil {
			break
		}
		if !errors.Is(err, errStopped) || n > 6 {
			t.Fatal(n, err)
		}
	}
	if !maps.Equal(hashes(t, whole.Dir), hashes(t, dir)) {
		t.Error("the interrupted data set has other bytes")
	}
}

// A context that ends in the middle of a run leaves nothing half-done behind.
func TestCancelled(t *testing.T) {
	sc := smallScenario(t)
	whole := write(t, sc, Options{Workers: 1})
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	_, err := Write(ctx, sc, Options{Dir: dir, Runs: 6, Seed: 7, Workers: 2, Progress: func(p Progress) {
		if p.Runs >= 2 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	for name := range hashes(t, dir) {
		if strings.HasSuffix(name, ".part") || strings.Contains(name, manifestFile) {
			t.Errorf("%s is left behind", name)
		}
	}
	if sum := write(t, sc, Options{Dir: dir}); sum.Resumed == 0 {
		t.Error("it began from the start")
	}
	if !maps.Equal(hashes(t, whole.Dir), hashes(t, dir)) {
		t.Error("the interrupted data set has other bytes")
	}
}

func TestRefusesAnothersDirectory(t *testing.T) {
	sc := smallScenario(t)
	dir := t.TempDir()
	if _, err := Write(context.Background(), sc, Options{Dir: dir, Runs: 6, Seed: 7, stopAfter: 1}); !errors.Is(err, errStopped) {
		t.Fatal(err)
	}
	for _, o := range []Options{{Dir: dir, Runs: 7, Seed: 7}, {Dir: dir, Runs: 6, Seed: 8}, {Dir: dir, Runs: 6, Seed: 7, Format: "csv"}} {
		if _, err := Write(context.Background(), sc, o); err == nil || !strings.Contains(err.Error(), "another data set") {
			t.Errorf("%+v: %v", o, err)
		}
	}
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "mine"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(context.Background(), sc, Options{Dir: full, Runs: 6}); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Error(err)
	}
}

// Memory does not grow with the number of runs.
func TestMemoryIsFlat(t *testing.T) {
	sc := smallScenario(t)
	peak := func(runs int) uint64 {
		worst := uint64(0)
		write(t, sc, Options{Runs: runs, Workers: 1, Progress: func(p Progress) {
			if p.Runs%4 != 0 {
				return
			}
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			worst = max(worst, m.HeapAlloc)
		}})
		return worst
	}
	peak(4) // what is made once
	few, many := peak(16), peak(64)
	if float64(many) > 1.25*float64(few)+1e6 {
		t.Errorf("16 runs take %d bytes, 64 runs %d", few, many)
	}
}

// What is in the file is what was simulated: every value, null where it is
// bad, one row group per run, units in the metadata.
func TestParquetHoldsTheTable(t *testing.T) {
	sc := smallScenario(t)
	sum := write(t, sc, Options{})
	p, err := newPlan(sc, Options{Dir: "x", Runs: 6, Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	sim, err := newSimulator(p)
	if err != nil {
		t.Fatal(err)
	}
	for run := range 3 {
		r, err := sim.run(context.Background(), run)
		if err != nil {
			t.Fatal(err)
		}
		m := readManifest(t, sum.Dir)
		f, size := openFile(t, filepath.Join(sum.Dir, m.List[run].File))
		pf, err := parquet.OpenFile(f, size)
		if err != nil {
			t.Fatal(err)
		}
		if about, _ := pf.Lookup("plantbed.columns"); !strings.Contains(about, `"name":"pump/motor/current","unit":"A"`) {
			t.Errorf("the units are not in the metadata: %.200s", about)
		}
		compare(t, pf.RowGroups()[m.List[run].RowGroup], r.Table, sim.lay)
	}
}

func openFile(t *testing.T, path string) (*os.File, int64) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return f, st.Size()
}

func compare(t *testing.T, g parquet.RowGroup, want *Table, lay *layout) {
	t.Helper()
	if g.NumRows() != int64(want.Rows) {
		t.Fatalf("%d rows, want %d", g.NumRows(), want.Rows)
	}
	for i, cc := range g.ColumnChunks() {
		c := lay.columns[i]
		pages := cc.Pages()
		row := 0
		for {
			page, err := pages.ReadPage()
			if err != nil {
				break
			}
			values := make([]parquet.Value, page.NumValues())
			page.Values().ReadValues(values)
			for _, v := range values {
				if !same(c, v, want.Values[i][row]) {
					t.Fatalf("%s, row %d: %v, want %v", c.Name, row, v, want.Values[i][row])
				}
				row++
			}
		}
		pages.Close()
		if row != want.Rows {
			t.Fatalf("%s has %d rows", c.Name, row)
		}
	}
}

func same(c Column, got parquet.Value, want float64) bool {
	if isNull(want) || got.IsNull() {
		return isNull(want) && got.IsNull()
	}
	switch c.Kind {
	case Text:
		return string(got.ByteArray()) == c.Words[int(want)]
	case Int:
		return float64(got.Int32()) == want
	case Bool:
		return got.Boolean() == (want != 0)
	case Float:
		return got.Float() == float32(want)
	}
	return got.Double() == want
}

// No unit is in two splits, and every run is in its unit's.
func TestSplitsAreByUnit(t *testing.T) {
	sc := smallScenario(t)
	sc.Dataset.Units = 10
	p, err := newPlan(sc, Options{Dir: "x", Runs: 40, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	s := p.splitLists()
	all := slices.Concat(s.Train, s.Validation, s.Test)
	slices.Sort(all)
	if !slices.Equal(all, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) || len(s.Train) != 7 || len(s.Validation) != 1 || len(s.Test) != 2 {
		t.Errorf("%+v", s)
	}
	of := p.splitsOfUnits()
	for run := range 40 {
		r := p.draw(run, of)
		lists := map[string][]int{"train": s.Train, "validation": s.Validation, "test": s.Test}
		if !slices.Contains(lists[r.Split], r.Unit) || r.Serial != p.serialOf(r.Unit) {
			t.Errorf("run %d of unit %d is in %s", run, r.Unit, r.Split)
		}
	}
}

// Of two units the same seed makes different machines and instruments, and of
// one unit two seeds make the same.
func TestUnitsDiffer(t *testing.T) {
	sc := smallScenario(t)
	sc.Dataset.Failing, sc.Dataset.SensorFailing, sc.Dataset.ChangesPerHour = 0, 0, 0
	sc.Dataset.Units = 3
	p, err := newPlan(sc, Options{Dir: "x", Runs: 6, Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	sim, err := newSimulator(p)
	if err != nil {
		t.Fatal(err)
	}
	col := slices.IndexFunc(sim.lay.columns, func(c Column) bool { return c.Name == "pump/motor/bearing-de/vibration" })
	var level [6]float64
	for run := range level {
		r, err := sim.run(context.Background(), run)
		if err != nil {
			t.Fatal(err)
		}
		level[run], _ = moments(r.Table.Values[col][:r.Table.Rows])
	}
	for u := range 3 {
		if math.Abs(level[u]/level[u+3]-1) > 0.01 {
			t.Errorf("unit %d has levels %v and %v", u, level[u], level[u+3])
		}
	}
	if math.Abs(level[0]/level[1]-1) < 0.005 && math.Abs(level[0]/level[2]-1) < 0.005 {
		t.Errorf("three units are alike: %v", level)
	}
}

// Labels agree with the events of the run.
func TestLabelsAgreeWithEvents(t *testing.T) {
	sc := smallScenario(t)
	p, err := newPlan(sc, Options{Dir: "x", Runs: 8, Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	sim, err := newSimulator(p)
	if err != nil {
		t.Fatal(err)
	}
	lives, inside, quantiles := 0, 0, 0
	for run := range 8 {
		r, err := sim.run(context.Background(), run)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range r.Wearing {
			lives++
			at := sim.lay.labels[w.machine]
			col := func(label int) []float64 { return r.Table.Values[at+label] }
			for row := range r.Table.Rows {
				now, damage := float64(row+1), col(labDamage)[row]
				switch {
				case now < w.onset.Seconds() && !isNull(damage):
					t.Fatalf("run %d: damage %v at %v s, before the onset", run, damage, now)
				case now > w.onset.Seconds()+1 && now < w.failure.Seconds()-1 && !(damage >= 0 && damage < 1):
					t.Fatalf("run %d: damage %v at %v s, between onset and failure", run, damage, now)
				}
				left := w.failure.Seconds() - now
				if left > 0 && math.Abs(col(labRUL)[row]-left) > 1e-6 {
					t.Fatalf("run %d: %v s left at %v s, want %v", run, col(labRUL)[row], now, left)
				}
				if lo, hi := col(labQ05)[row], col(labQ95)[row]; !isNull(lo) && left > 0 {
					quantiles++
					if lo-1 <= left && left <= hi+1 {
						inside++
					}
				}
			}
		}
	}
	if lives < 4 || quantiles < 1000 || float64(inside) < 0.5*float64(quantiles) {
		t.Errorf("%d lives, truth within the quantiles %d of %d times", lives, inside, quantiles)
	}
}
