// Command modbus measures the Modbus TCP server of a simulated PLC against
// mbserver's own listener and against libmodbus, in one run on one machine.
//
//	make bench-modbus
//
// Every server is a process of its own, the clients are in this one. A request
// reads 100 holding registers; each client sends the next when the answer to
// the last is there. Every figure is the median of the rounds, in each of
// which every server has its turn. Turns are short and many, so that what else
// the machine does falls on all alike:
//
//	requests/s       how often the clients came round
//	CPU per request  what the server's process used, by its kernel's account
//
// The table goes to the terminal, and as JSON to bench/modbus.json.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"text/tabwriter"
	"time"
)

// clients are the numbers of simultaneous clients that are measured.
var clients = []int{1, 8}

func main() {
	rounds := flag.Int("rounds", 11, "rounds, of which the median counts")
	turn := flag.Duration("turn", 500*time.Millisecond, "how long each server is measured in each round")
	out := flag.String("out", "bench/modbus.json", "where the rows go")
	child := flag.String("serve", "", "be a server instead: ours or mbserver")
	flag.Parse()
	var err error
	if *child != "" {
		err = serve(*child)
	} else {
		err = bench(*rounds, *turn, *out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/modbus:", err)
		os.Exit(1)
	}
}

// Row is one line of the result.
type Row struct {
	Name     string  `json:"name"`
	Unit     string  `json:"unit"`
	Ours     float64 `json:"ours"`
	Peer     float64 `json:"peer"`
	PeerName string  `json:"peer_name"`
	// Ratio is ours/peer.
	Ratio float64 `json:"ratio"`
	// Better is "higher" or "lower".
	Better string `json:"better"`
}

// figures are what the rounds gave for one server and one number of clients.
type figures struct{ rate, cpu []float64 }

func bench(rounds int, turn time.Duration, out string) error {
	dir, err := os.MkdirTemp("", "bench-modbus")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	servers, err := peers(dir)
	if err != nil {
		return err
	}
	got := map[string]*figures{}
	for round := range rounds {
		for _, n := range clients {
			for i := range servers {
				s := servers[(i+round)%len(servers)] // nobody is always first
				rate, cpu, err := s.measure(n, turn)
				if err != nil {
					return fmt.Errorf("%s with %d clients: %w", s.name, n, err)
				}
				f := got[key(s.name, n)]
				if f == nil {
					f = &figures{}
					got[key(s.name, n)] = f
				}
				f.rate, f.cpu = append(f.rate, rate), append(f.cpu, cpu)
			}
		}
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, rounds)
	}
	return report(rows(got, servers), out)
}

func key(server string, clients int) string { return fmt.Sprint(server, "/", clients) }

// rows sets ours beside every peer.
func rows(got map[string]*figures, servers []*server) []Row {
	var all []Row
	for _, n := range clients {
		ours := got[key("ours", n)]
		for _, s := range servers {
			if s.name == "ours" {
				continue
			}
			peer := got[key(s.name, n)]
			all = append(all,
				row(fmt.Sprintf("requests/s, %d clients", n), "1/s", "higher", s.name, ours.rate, peer.rate),
				row(fmt.Sprintf("CPU per request, %d clients", n), "us", "lower", s.name, ours.cpu, peer.cpu))
		}
	}
	return all
}

func row(name, unit, better, peer string, ours, theirs []float64) Row {
	r := Row{Name: name, Unit: unit, Better: better, PeerName: peer, Ours: median(ours), Peer: median(theirs)}
	r.Ratio = r.Ours / r.Peer
	return r
}

func median(v []float64) float64 {
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
		fmt.Fprintf(w, "%s\t%.4g %s\t%.4g %s\t%.2f\t%s\t%s\t\n", r.Name, r.Ours, r.Unit, r.Peer, r.Unit, r.Ratio, r.Better, r.PeerName)
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

// peers lists what is measured: this server, mbserver and, compiled here and
// now, libmodbus.
func peers(dir string) ([]*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c, err := compile(dir)
	if err != nil {
		return nil, err
	}
	return []*server{
		{name: "ours", command: func(int) *exec.Cmd { return exec.Command(self, "-serve", "ours") }},
		{name: "mbserver", command: func(int) *exec.Cmd { return exec.Command(self, "-serve", "mbserver") }},
		{name: "libmodbus", command: func(n int) *exec.Cmd { return exec.Command(c, fmt.Sprint(n)) }},
	}, nil
}
