// Command opcua measures the OPC UA server of a simulated PLC against those of
// open62541 and node-opcua, in one run on one machine, and how far it goes.
//
//	make bench-opcua
//
// Every server is a process of its own, the clients are in this one. One
// client subscribes to 1,000 tags that all change every 100 ms; the figure is
// the CPU that the server's process used, by its kernel's account, for each
// notification that arrived. Every figure is the median of the rounds, in each
// of which every server has its turn.
//
// open62541 is built outside this repository (cmake --install) and found below
// OPEN62541_DIR; node-opcua's server is installed by npm below bench/opcua/peer.
// One that is missing is named as missing. The table goes to the terminal, and
// as JSON to bench/opcua.json.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"text/tabwriter"
	"time"
)

func main() {
	rounds := flag.Int("rounds", 5, "rounds, of which the median counts")
	turn := flag.Duration("turn", 4*time.Second, "how long each server is measured in each round")
	out := flag.String("out", "bench/opcua.json", "where the rows go")
	tags := flag.Int("serve", 0, "be a server of so many tags instead")
	servers := flag.Int("servers", 1, "with -serve: be so many servers")
	flag.Parse()
	var err error
	if *tags > 0 {
		err = serve(*servers, *tags)
	} else {
		err = bench(*rounds, *turn, *out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/opcua:", err)
		os.Exit(1)
	}
}

// Row is one line of the result.
type Row struct {
	Name string  `json:"name"`
	Unit string  `json:"unit"`
	Ours float64 `json:"ours"`
	// Peer is 0 where there is none, or it is missing, as its name then says.
	Peer     float64 `json:"peer"`
	PeerName string  `json:"peer_name"`
	// Ratio is ours/peer, 0 without a peer.
	Ratio float64 `json:"ratio"`
	// Better is "higher" or "lower".
	Better string `json:"better"`
}

// figures are what the rounds gave, by name.
type figures map[string][]float64

func (f figures) add(name string, v float64) { f[name] = append(f[name], v) }

func bench(rounds int, turn time.Duration, out string) error {
	dir, err := os.MkdirTemp("", "bench-opcua")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	peers, missing := findPeers(dir)
	all := append([]*server{ours(subscribed)}, peers...)
	got := figures{}
	for round := range rounds {
		for i := range all {
			s := all[(i+round)%len(all)] // nobody is always first
			if err := s.notify(got, 1, subscribed, turn); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
		if err := sizes(got, turn); err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, rounds)
	}
	return report(rows(got, peers, missing), out)
}

// rows sets ours beside every peer.
func rows(got figures, peers []*server, missing []string) []Row {
	cpu, sent := func(s string) string { return s + "/cpu" }, func(s string) string { return s + "/share" }
	var all []Row
	for _, p := range peers {
		all = append(all,
			row("CPU per notification, 1,000 tags at 100 ms", "us", "lower", p.name, got[cpu("ours")], got[cpu(p.name)]),
			row("notifications that arrived, of all changes", "%", "higher", p.name, got[sent("ours")], got[sent(p.name)]))
	}
	for _, name := range missing {
		all = append(all, row("CPU per notification, 1,000 tags at 100 ms", "us", "lower", name, got[cpu("ours")], nil))
	}
	for _, s := range sizeRows {
		all = append(all, row(s.name, s.unit, s.better, "", got[s.key], nil))
	}
	return all
}

func row(name, unit, better, peer string, ours, theirs []float64) Row {
	r := Row{Name: name, Unit: unit, Better: better, PeerName: peer, Ours: median(ours), Peer: median(theirs)}
	if r.Peer > 0 {
		r.Ratio = r.Ours / r.Peer
	}
	return r
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	v = slices.Sorted(slices.Values(v))
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

func report(all []Row, out string) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "measure\tours\tpeer\tours/peer\tbetter\tpeer's name\t")
	for _, r := range all {
		peer, ratio := "", ""
		if r.Peer > 0 {
			peer, ratio = fmt.Sprintf("%.4g %s", r.Peer, r.Unit), fmt.Sprintf("%.2f", r.Ratio)
		}
		fmt.Fprintf(w, "%s\t%.4g %s\t%s\t%s\t%s\t%s\t\n", r.Name, r.Ours, r.Unit, peer, ratio, r.Better, r.PeerName)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	text, err := json.MarshalIndent(map[string]any{"rows": all}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(out, append(text, '\n'), 0o644)
}
