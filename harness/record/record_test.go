package record_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/plantbed/plantbed/harness/record"
	"github.com/plantbed/plantbed/sim/signal"
)

var rows = []record.Row{
	record.Scan{Task: 1, Seq: 7, Counter: 3, At: 123456789, Stamp: -5, Values: []float64{1.5, -2}, Quality: []signal.Quality{0, signal.BadSensorFailure}},
	record.Send{PLC: 2, Conn: 1, Offset: 4096, At: 99, Items: []record.Ref{{Tag: 3, Seq: 7}, {Tag: 4, Seq: 8}}},
	record.Deliver{PLC: 2, Conn: 1, From: 100, To: 4096, At: 100},
	record.Seen{Tap: record.AtTwin, At: 5, Stream: "ab", First: 9, Backfill: true, History: true, Samples: []record.SeenSample{{Tag: -1, Seq: 3, Source: 77, Value: 3.25, Quality: signal.Uncertain}}},
	record.Mark{Tag: 3, At: 17, Quality: signal.UncertainNoCommunicationLastUsable},
	record.Event{At: time.Second, Machine: "pump", Kind: "failure", Mode: "bearing_wear", Component: "motor/bearing-de"},
	record.Alarm{At: 2 * time.Second, Machine: "pump", Detector: "pca", Score: 9, Limit: 4, Class: "process", Tag: "pump/motor/current"},
	record.Score{Machine: 1, Detector: 0, At: 10_000_000_007, Value: 0.37, Limit: 1},
	record.Note{At: 3, Kind: "kill", Text: "gateway"},
}

func write(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	w, err := record.Create(dir, record.Meta{Scenario: "x", Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		w.Add(r)
	}
	if err := w.Close(record.End{Reached: time.Hour}); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestRoundTrip(t *testing.T) {
	got, err := record.Load(write(t))
	if err != nil {
		t.Fatal(err)
	}
	want := &record.Log{Meta: record.Meta{Schema: record.Schema, Scenario: "x", Seed: 3}, End: &record.End{Reached: time.Hour}}
	for _, r := range rows {
		want.Add(r)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// Cut off anywhere, the log loads with the rows before the cut.
func TestTornTail(t *testing.T) {
	dir := write(t)
	path := filepath.Join(dir, "rows.bin")
	whole, _ := os.ReadFile(path)
	last := -1
	for n := range whole {
		if err := os.WriteFile(path, whole[:n], 0o644); err != nil {
			t.Fatal(err)
		}
		l, err := record.Load(dir)
		if err != nil {
			t.Fatalf("cut at %d: %v", n, err)
		}
		have := len(l.Scans) + len(l.Sends) + len(l.Delivers) + len(l.Seen) + len(l.Marks) + len(l.Events) + len(l.Alarms) + len(l.Scores) + len(l.Notes)
		if have < last || have >= len(rows) {
			t.Fatalf("cut at %d: %d rows after %d", n, have, last)
		}
		last = have
	}
}

func TestDamageIsAnError(t *testing.T) {
	dir := write(t)
	path := filepath.Join(dir, "rows.bin")
	b, _ := os.ReadFile(path)
	b[15] ^= 1
	os.WriteFile(path, b, 0o644)
	if _, err := record.Load(dir); err == nil || !strings.Contains(err.Error(), "byte 0 is damaged") {
		t.Errorf("got %v", err)
	}
}

// /dev/full takes no byte: the first flush fails, the channel says so, Close says why.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("/dev/full", filepath.Join(dir, "rows.bin")); err != nil {
		t.Skip(err)
	}
	w, err := record.Create(dir, record.Meta{})
	if err != nil {
		t.Fatal(err)
	}
	for range 1 << 16 {
		w.Add(rows[0])
	}
	select {
	case <-w.Failed():
	case <-time.After(10 * time.Second):
		t.Fatal("Failed is not closed")
	}
	if err := w.Close(record.End{}); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("got %v", err)
	}
}

func FuzzLoadRows(f *testing.F) {
	dir := f.TempDir()
	w, err := record.Create(dir, record.Meta{})
	if err != nil {
		f.Fatal(err)
	}
	for _, r := range rows {
		w.Add(r)
	}
	w.Close(record.End{})
	b, _ := os.ReadFile(filepath.Join(dir, "rows.bin"))
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, "rows.bin"), b, 0o644); err != nil {
			t.Fatal(err)
		}
		record.Load(dir) // any error, no panic
	})
}
