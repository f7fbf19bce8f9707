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
	"flag"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/plantbed/plantbed/bench/internal/rows"
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
	return rows.Report(os.Stdout, beside(got, servers), out)
}

func key(server string, clients int) string { return fmt.Sprint(server, "/", clients) }

// beside sets ours beside every peer.
func beside(got map[string]*figures, servers []*server) []rows.Row {
	var all []rows.Row
	for _, n := range clients {
		ours := got[key("ours", n)]
		for _, s := range servers {
			if s.name == "ours" {
				continue
			}
			peer := got[key(s.name, n)]
			all = append(all,
				rows.New(fmt.Sprintf("requests/s, %d clients", n), "1/s", rows.Higher, s.name, ours.rate, peer.rate),
				rows.New(fmt.Sprintf("CPU per request, %d clients", n), "us", rows.Lower, s.name, ours.cpu, peer.cpu))
		}
	}
	return all
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
