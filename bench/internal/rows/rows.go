// Package rows is what benchmarks that measure us and peers in rounds have in
// common: medians, one row a figure, a table for the terminal and JSON for
// scripts.
//
//	all := []rows.Row{rows.New("CPU per request", "us", rows.Lower, "libmodbus", ours, theirs)}
//	err := rows.Report(os.Stdout, all, "bench/modbus.json")
package rows

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"
)

// Row is one figure of ours beside one of a peer's.
type Row struct {
	Name string  `json:"name"`
	Unit string  `json:"unit"`
	Ours float64 `json:"ours"`
	// Peer is 0 where there is none, or it is missing, as its name then says.
	Peer     float64 `json:"peer"`
	PeerName string  `json:"peer_name"`
	// Ratio is ours/peer, 0 without a peer.
	Ratio float64 `json:"ratio"`
	// Better is Higher or Lower.
	Better string `json:"better"`
}

// What is better.
const (
	Higher = "higher"
	Lower  = "lower"
)

// New is the row of what the rounds gave; theirs is empty without a peer.
func New(name, unit, better, peer string, ours, theirs []float64) Row {
	r := Row{Name: name, Unit: unit, Better: better, PeerName: peer, Ours: Median(ours), Peer: Median(theirs)}
	if r.Peer > 0 {
		r.Ratio = r.Ours / r.Peer
	}
	return r
}

// Median is 0 of nothing.
func Median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	v = slices.Sorted(slices.Values(v))
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

// Report writes the table, and the rows as JSON into a file.
func Report(w io.Writer, all []Row, file string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "measure\tours\tpeer\tours/peer\tbetter\tpeer's name\t")
	for _, r := range all {
		peer, ratio := "", ""
		if r.Peer > 0 {
			peer, ratio = fmt.Sprintf("%.4g %s", r.Peer, r.Unit), fmt.Sprintf("%.2f", r.Ratio)
		}
		fmt.Fprintf(t, "%s\t%.4g %s\t%s\t%s\t%s\t%s\t\n", r.Name, r.Ours, r.Unit, peer, ratio, r.Better, r.PeerName)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	text, err := json.MarshalIndent(map[string]any{"rows": all}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}
