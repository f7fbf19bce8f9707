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
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/plantbed/plantbed/bench/internal/rows"
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
	return rows.Report(os.Stdout, beside(got, peers, missing), out)
}

// beside sets ours beside every peer.
func beside(got figures, peers []*server, missing []string) []rows.Row {
	cpu, sent := func(s string) string { return s + "/cpu" }, func(s string) string { return s + "/share" }
	var all []rows.Row
	for _, p := range peers {
		all = append(all,
			rows.New("CPU per notification, 1,000 tags at 100 ms", "us", rows.Lower, p.name, got[cpu("ours")], got[cpu(p.name)]),
			rows.New("notifications that arrived, of all changes", "%", rows.Higher, p.name, got[sent("ours")], got[sent(p.name)]))
	}
	for _, name := range missing {
		all = append(all, rows.New("CPU per notification, 1,000 tags at 100 ms", "us", rows.Lower, name, got[cpu("ours")], nil))
	}
	for _, s := range sizeRows {
		all = append(all, rows.New(s.name, s.unit, s.better, "", got[s.key], nil))
	}
	return all
}
