// Command kernel measures package sim beside its peers: a loop over a binary
// heap in C, written for the model at hand; the Go module simgo; SimPy 2 and
// 3. All run in turns, in one go, and the medians of five are compared.
//
//	go run ./bench/kernel -json bench/kernel.json -doc docs/KERNEL.md
//
// Every program works from the same draws and computes a checksum of its
// model, in whole nanoseconds; where two differ, the comparison is void and
// the command fails. A peer that is not installed is left out, out loud, and
// with PLANTBED_REQUIRE=1 fails the command.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

const (
	rounds    = 5
	endOfTime = time.Duration(math.MaxInt64)
)

// row compares us with one peer.
type row struct {
	Name     string  `json:"name"`
	Unit     string  `json:"unit"`
	Ours     float64 `json:"ours"`
	Peer     float64 `json:"peer"`
	PeerName string  `json:"peer_name"`
	Ratio    float64 `json:"ratio"` // ours / peer
	Reach    float64 `json:"reach"` // the ratio is to be no more than this; 0: not said
}

func main() {
	out := flag.String("json", "bench/kernel.json", "write the table to this `file`")
	doc := flag.String("doc", "docs/KERNEL.md", "renew the table in this `file`, between its two marks")
	only := flag.String("only", "", "measure those models alone whose name holds this `text`, and write nothing")
	flag.Parse()
	if err := run(*out, *doc, *only); err != nil {
		fmt.Fprintln(os.Stderr, "kernel:", err)
		os.Exit(1)
	}
}

func run(out, doc, only string) error {
	dir, err := os.MkdirTemp("", "plantbed-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := bench{dir: dir}
	if err := b.prepare(); err != nil {
		return err
	}
	var rows []row
	for _, c := range b.comparisons() {
		if !strings.Contains(c.name, only) {
			continue
		}
		r, err := c.measure()
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		rows = append(rows, r...)
	}
	text := table(rows)
	fmt.Print("\n", text)
	if only != "" {
		return nil
	}
	if err := writeJSON(out, rows); err != nil {
		return err
	}
	if err := renew(doc, text); err != nil {
		return err
	}
	if len(b.missing) > 0 && os.Getenv("PLANTBED_REQUIRE") == "1" {
		return fmt.Errorf("not there: %s", strings.Join(b.missing, ", "))
	}
	return nil
}

// comparison is one model for us and some peers.
type comparison struct {
	name, unit string
	per        int // events or customers
	ours       program
	peers      []peer
}

type peer struct {
	name  string
	reach float64
	run   program
}

// program runs a model once: the time it took and the model's checksum.
type program func() (time.Duration, int64, error)

// measure runs all in turns, so that a disturbance of the machine meets all.
func (c comparison) measure() ([]row, error) {
	programs := []program{c.ours}
	for _, p := range c.peers {
		programs = append(programs, p.run)
	}
	took := make([][]float64, len(programs))
	var want int64
	for round := range rounds {
		for i, p := range programs {
			runtime.GC()
			d, sum, err := p()
			if err != nil {
				return nil, err
			}
			if round == 0 && i == 0 {
				want = sum
			}
			if sum != want {
				return nil, fmt.Errorf("we compute %d and %s computes %d: they do not run the same model", want, c.peers[max(i, 1)-1].name, sum)
			}
			took[i] = append(took[i], float64(d)/float64(c.per))
		}
		fmt.Fprintf(os.Stderr, "\r%-52s %d/%d", c.name, round+1, rounds)
	}
	fmt.Fprintln(os.Stderr)
	var rows []row
	for i, p := range c.peers {
		r := row{Name: c.name, Unit: c.unit, PeerName: p.name, Reach: p.reach}
		r.Ours, r.Peer = median(took[0]), median(took[i+1])
		r.Ratio = r.Ours / r.Peer
		rows = append(rows, r)
	}
	return rows, nil
}

func median(xs []float64) float64 {
	slices.Sort(xs)
	return xs[len(xs)/2]
}

func table(rows []row) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %-38s | %-11s | %8s | %8s | %-16s | %6s | %7s |\n", "model", "unit", "ours", "peer", "peer is", "ratio", "wanted")
	fmt.Fprintf(&b, "|%s|%s|%s:|%s:|%s|%s:|%s:|\n", dash(40), dash(13), dash(9), dash(9), dash(18), dash(7), dash(8))
	for _, r := range rows {
		wanted := ""
		if r.Reach > 0 {
			wanted = fmt.Sprintf("≤ %.3f", r.Reach)
		}
		fmt.Fprintf(&b, "| %-38s | %-11s | %8.1f | %8.1f | %-16s | %6.3f | %7s |\n", r.Name, r.Unit, r.Ours, r.Peer, r.PeerName, r.Ratio, wanted)
	}
	fmt.Fprintf(&b, "\n%s, %s, medians of %d.\n", processor(), runtime.Version(), rounds)
	return b.String()
}

func dash(n int) string { return strings.Repeat("-", n) }

// processor is the machine's name for itself.
func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return fmt.Sprintf("%s, %d cores", strings.TrimSpace(strings.TrimLeft(name, "\t :")), runtime.NumCPU())
		}
	}
	return fmt.Sprintf("%s/%s, %d cores", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
}

func writeJSON(path string, rows []row) error {
	data, err := json.MarshalIndent(map[string]any{"rows": rows}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(data, '\n'), 0o644)
}

// renew puts the table into the doc, between the marks that it has for it.
func renew(path, table string) error {
	const from, to = "<!-- make bench-kernel: from here -->\n", "<!-- to here -->\n"
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	head, rest, ok := strings.Cut(string(text), from)
	_, tail, ok2 := strings.Cut(rest, to)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no place for the table: %q and %q", path, from, to)
	}
	return os.WriteFile(path, []byte(head+from+"\n"+table+"\n"+to+tail), 0o644)
}

// lookFor says whether a peer's means are there, and notes them if not.
func (b *bench) lookFor(what string, probe ...string) bool {
	if err := exec.Command(probe[0], probe[1:]...).Run(); err != nil {
		fmt.Fprintf(os.Stderr, "not there, left out: %s (%v)\n", what, err)
		b.missing = append(b.missing, what)
		return false
	}
	return true
}
