package dataset

import (
	"encoding/csv"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// DuckDB, which shares no code with the writer, reads what was written.
func TestDuckDBReadsIt(t *testing.T) { duckDBReads(t, 6) }

// A million rows of 560 runs, written and read back; it takes a minute.
//
//	PLANTBED_MILLION=1 go test ./harness/dataset -run MillionRows -v
func TestAMillionRowsReadBack(t *testing.T) {
	if os.Getenv("PLANTBED_MILLION") != "1" {
		t.Skip("a million rows are written and read where PLANTBED_MILLION=1")
	}
	duckDBReads(t, 560)
}

func duckDBReads(t *testing.T, runs int) {
	need(t, "node")
	reader, err := filepath.Abs("testdata/interop/read.mjs")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("testdata/interop/node_modules/@duckdb"); err != nil {
		missing(t, "DuckDB's npm package is not installed (make deps installs it)")
	}
	sc := smallScenario(t)
	sum := write(t, sc, Options{Runs: runs})
	rows := float64(runs * 1800)
	queries := []string{
		`select count(*)::int n, count(distinct run)::int runs, sum("pump/motor/current") amps, count("pump/motor/current")::int known, sum("filler/count/good") good, count("label/pump/mode")::int worn, count(distinct "label/pump/mode")::int modes from 'data-*.parquet'`,
		`select count(*)::int n, min(len(samples_g))::int shortest, max(len(samples_g))::int longest, max(samples_g[1]) peak from 'bursts-*.parquet'`,
		`select kind, count(*)::int n from 'events.parquet' group by kind order by kind`,
		`select count(*)::int n, max(row_group_num_rows)::int longest from parquet_metadata('data-*.parquet') where path_in_schema = 'run'`,
	}
	out, err := exec.Command("node", append([]string{reader, sum.Dir}, queries...)...).Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr(err))
	}
	var got [4][]map[string]any
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	want := totalsByHand(t, runs)
	t.Logf("DuckDB reads %.0f rows", num(got[0][0]["n"]))
	for name, v := range map[string]float64{"n": rows, "runs": float64(runs), "amps": want.amps, "known": float64(want.known), "good": want.good, "worn": float64(want.worn)} {
		if x := num(got[0][0][name]); math.Abs(x-v) > 1e-6*math.Abs(v) {
			t.Errorf("DuckDB finds %s = %v, want %v", name, x, v)
		}
	}
	if b := got[1][0]; num(b["shortest"]) != 256 || num(b["longest"]) != 256 || num(b["n"]) == 0 || !(num(b["peak"]) > 0) {
		t.Errorf("waveforms: %v", b)
	}
	if len(got[2]) < 5 {
		t.Errorf("events: %v", got[2])
	}
	if g := got[3][0]; num(g["n"]) != float64(runs) || num(g["longest"]) != 1800 {
		t.Errorf("row groups: %v", g)
	}
}

func num(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case string:
		f, _ := strconv.ParseFloat(v, 64)
		return f
	}
	return math.NaN()
}

func stderr(err error) []byte {
	if e, ok := err.(*exec.ExitError); ok {
		return e.Stderr
	}
	return nil
}

func need(t *testing.T, tool string) {
	t.Helper()
	if _, err := exec.LookPath(tool); err != nil {
		missing(t, tool+" is not installed (make deps installs it)")
	}
}

// missing skips out loud, or fails where nothing may be missing.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("PLANTBED_REQUIRE") == "1" {
		t.Fatal(what + ", and PLANTBED_REQUIRE=1")
	}
	t.Skip("SKIPPED: " + what)
}

// byHand are sums over the data set as it was simulated.
type byHand struct {
	amps, good  float64
	known, worn int
}

func totalsByHand(t *testing.T, runs int) (h byHand) {
	t.Helper()
	p, err := newPlan(smallScenario(t), Options{Dir: "x", Runs: runs, Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	sim, err := newSimulator(p)
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]int{}
	for i, c := range sim.lay.columns {
		at[c.Name] = i
	}
	for run := range runs {
		r, err := sim.run(t.Context(), run)
		if err != nil {
			t.Fatal(err)
		}
		for row := range r.Table.Rows {
			if v := r.Table.Values[at["pump/motor/current"]][row]; !isNull(v) {
				h.amps += float64(float32(v))
				h.known++
			}
			h.good += r.Table.Values[at["filler/count/good"]][row]
			if !isNull(r.Table.Values[at["label/pump/mode"]][row]) {
				h.worn++
			}
		}
	}
	return h
}

// The CSV says the same as the table, number by number.
func TestCSVHoldsTheTable(t *testing.T) {
	sum := write(t, smallScenario(t), Options{Format: "csv"})
	want := totalsByHand(t, 6)
	var got byHand
	rows := 0
	for _, f := range readManifest(t, sum.Dir).Files {
		if !strings.HasPrefix(f.Name, "data-") {
			continue
		}
		file, err := os.Open(filepath.Join(sum.Dir, f.Name))
		if err != nil {
			t.Fatal(err)
		}
		all, err := csv.NewReader(file).ReadAll()
		file.Close()
		if err != nil {
			t.Fatal(err)
		}
		at := map[string]int{}
		for i, name := range all[0] {
			at[name] = i
		}
		for _, r := range all[1:] {
			rows++
			if s := r[at["pump/motor/current"]]; s != "" {
				got.known++
				got.amps += num(s)
			}
			got.good += num(r[at["filler/count/good"]])
			if r[at["label/pump/mode"]] != "" {
				got.worn++
			}
		}
	}
	if rows != 6*1800 || got.known != want.known || got.worn != want.worn || got.good != want.good || math.Abs(got.amps-want.amps) > 1e-6*want.amps {
		t.Errorf("%d rows, %+v, want %+v", rows, got, want)
	}
}

// The C-MAPSS files have their fields, their cycles count up, and each test
// unit has a line in the RUL file that agrees with its failure.
func TestCMAPSSLayout(t *testing.T) {
	sc := smallScenario(t)
	sc.Dataset.Failing = 1
	sc.Dataset.Life[1] = sc.Dataset.Life[0] * 2 // all within the run
	sum := write(t, sc, Options{Runs: 24, Format: "cmapss"})
	m := readManifest(t, sum.Dir)
	train, test := 0, 0
	for _, mc := range sc.Machines {
		sensors := 0
		for _, c := range m.Columns {
			if c.Role == "sensor" && owner(c.Name) == mc.Name {
				sensors++
			}
		}
		names := cmapssNames(mc.Name)
		for unit, cycles := range cyclesOf(t, filepath.Join(sum.Dir, names[0]), 5+sensors) {
			train++
			if l := m.List[unit-1].Lives[0]; l.Machine != mc.Name || cycles != int(math.Ceil(l.FailureS)-1)/60 {
				t.Errorf("train unit %d of %s has %d cycles, and fails at %v s", unit, mc.Name, cycles, l.FailureS)
			}
			if m.List[unit-1].Split != "train" {
				t.Errorf("unit %d is no unit for training", unit)
			}
		}
		left := lines(t, filepath.Join(sum.Dir, names[2]))
		cut := cyclesOf(t, filepath.Join(sum.Dir, names[1]), 5+sensors)
		if len(left) != len(cut) {
			t.Errorf("%s: %d units for testing, %d lines of RUL", mc.Name, len(cut), len(left))
		}
		i := 0
		for run := range m.List {
			cycles, ok := cut[run+1]
			if !ok {
				continue
			}
			test++
			rul, _ := strconv.Atoi(strings.TrimSpace(left[i]))
			i++
			if fails := int(math.Ceil(m.List[run].Lives[0].FailureS)-1) / 60; cycles+rul != fails || rul < 1 {
				t.Errorf("test unit %d: %d cycles and %d left, fails at %d", run+1, cycles, rul, fails)
			}
		}
	}
	if train < 8 || test < 2 {
		t.Errorf("%d units for training, %d for testing", train, test)
	}
}

func lines(t *testing.T, path string) []string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(b) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

// cyclesOf counts the rows of each unit.
func cyclesOf(t *testing.T, path string, fields int) map[int]int {
	t.Helper()
	out := map[int]int{}
	for _, line := range lines(t, path) {
		f := strings.Fields(line)
		unit, _ := strconv.Atoi(f[0])
		cycle, _ := strconv.Atoi(f[1])
		if out[unit]++; cycle != out[unit] || len(f) != fields {
			t.Fatalf("%s: row %q has %d fields, want %d, and cycle %d, want %d", path, line, len(f), fields, cycle, out[unit])
		}
	}
	return out
}

// Debian's pandas, which shares no code with the writer either, reads the CSV.
func TestPandasReadsIt(t *testing.T) {
	const python = "/usr/bin/python3"
	if err := exec.Command(python, "-c", "import pandas").Run(); err != nil {
		missing(t, "python3-pandas is not installed (make deps installs it)")
	}
	sum := write(t, smallScenario(t), Options{Format: "csv"})
	out, err := exec.Command(python, "testdata/interop/read.py", sum.Dir).Output()
	if err != nil {
		t.Fatalf("%v: %s", err, stderr(err))
	}
	var got map[string]float64
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	want := totalsByHand(t, 6)
	for name, v := range map[string]float64{"n": 6 * 1800, "runs": 6, "amps": want.amps, "known": float64(want.known), "good": want.good, "worn": float64(want.worn), "numbers": 1} {
		if math.Abs(got[name]-v) > 1e-6*math.Abs(v) {
			t.Errorf("pandas finds %s = %v, want %v", name, got[name], v)
		}
	}
}
