// Command detector judges the shipped detector beside those that anybody could
// write, prints the table and writes bench/detector.json.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/plantbed/plantbed/harness"
	"github.com/plantbed/plantbed/harness/evaluate"
)

const out = "bench/detector.json"

// row is one figure of ours beside one of a peer.
type row struct {
	Name     string   `json:"name"`
	Unit     string   `json:"unit"`
	Ours     *float64 `json:"ours"`
	Peer     *float64 `json:"peer"` // null: never
	PeerName string   `json:"peer_name"`
	Ratio    *float64 `json:"ratio"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench-detector:", err)
		os.Exit(1)
	}
}

func run() error {
	e := harness.DefaultExam()
	start := time.Now()
	table, err := e.Run()
	if err != nil {
		return err
	}
	fmt.Printf("seed %d, limits from seed %d, %d lines of serials %d on: %.0f s on %d cores\n\n", e.Seed, e.CalibrationSeed, e.Lines, e.FirstSerial,
		time.Since(start).Seconds(), runtime.GOMAXPROCS(0))
	if err := table.Print(os.Stdout); err != nil {
		return err
	}
	b, err := json.MarshalIndent(struct {
		Seed            uint64         `json:"seed"`
		CalibrationSeed uint64         `json:"calibration_seed"`
		Rows            []row          `json:"rows"`
		Table           evaluate.Table `json:"table"`
	}{e.Seed, e.CalibrationSeed, rows(table), table}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(out, append(b, '\n'), 0o644)
}

func rows(t evaluate.Table) []row {
	var out []row
	add := func(name, unit string, ours, peer evaluate.Figure, who string) {
		r := row{Name: name, Unit: unit, Ours: ours.Value, Peer: peer.Value, PeerName: who}
		if r.Ours != nil && r.Peer != nil && *r.Peer != 0 {
			q := *r.Ours / *r.Peer
			r.Ratio = &q
		}
		out = append(out, r)
	}
	own := t.Rows[0]
	for _, p := range t.Rows[1:] {
		add("event recall", "1", own.Recall, p.Recall, p.Name)
		add("median delay", "share of life", own.DelayMedian, p.DelayMedian, p.Name)
		add("P90 delay", "share of life", own.DelayP90, p.DelayP90, p.Name)
		add("false alarms", "1/week", own.FalsePerWeek, p.FalsePerWeek, p.Name)
	}
	return out
}
