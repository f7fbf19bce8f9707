// Command gateway measures the gateway against Telegraf, in one run on one
// machine: the same simulated PLCs over OPC UA, the same broker (mosquitto).
//
//	make bench-gateway        # Telegraf is found on PATH; without one its column is empty
//
// PLCs, broker and gateway are a process each; whoever subscribes is this one.
// Every figure is the median of the rounds, in each of which every stack has its
// turn, and no stack is always first:
//
//	values/s       what a subscriber of the broker gets, when more is offered than goes through
//	CPU per value  what the gateway's process used, by the scheduler's account, at a rate that all sustain
//	latency        from the PLC's scan to the subscriber
//
// The table goes to the terminal and to bench/gateway.md, and as JSON to
// bench/gateway.json.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

func main() {
	rounds := flag.Int("rounds", 5, "rounds, of which the median counts")
	turn := flag.Duration("turn", 5*time.Second, "how long each stack is measured in each round")
	only := flag.String("only", "", "only these cases, the others as they were in an earlier run; of "+strings.Join(caseNames(), ", "))
	out := flag.String("out", "bench/gateway", "where rows (.json) and table (.md) go")
	keep := flag.String("keep", "", "keep configurations and logs in this folder")
	profile := flag.Bool("profile", false, "instead, say where the gateway's CPU time goes")
	docs := flag.String("docs", "", "instead, put the tables of earlier runs into this document")
	plant := flag.String("plant", "", "be the PLCs instead, as in servers,tags,period")
	flag.Parse()
	var err error
	switch {
	case *plant != "":
		err = servePlant(*plant)
	case *docs != "":
		err = splice(*docs)
	case *profile:
		err = profiles(*turn, *only, *out, *keep)
	default:
		err = bench(*rounds, *turn, *only, *out, *keep)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/gateway:", err)
		os.Exit(1)
	}
}

// Row is one line of the result; Peer and Ratio are missing without Telegraf.
type Row struct {
	Name     string   `json:"name"`
	Unit     string   `json:"unit"`
	Ours     float64  `json:"ours"`
	Peer     *float64 `json:"peer"`
	PeerName string   `json:"peer_name"`
	// Ratio is ours/peer.
	Ratio *float64 `json:"ratio"`
	// Better is "higher" or "lower", Target what is to be reached.
	Better string `json:"better"`
	Target string `json:"target,omitempty"`
}

// figures are what the rounds gave, by case, stack and measure.
type figures map[[3]string][]float64

func bench(rounds int, turn time.Duration, only, out, keep string) error {
	b, err := newBed(keep, turn)
	if err != nil {
		return err
	}
	defer b.close()
	got := figures{}
	for round := range rounds {
		for _, c := range cases {
			if only != "" && !slices.Contains(strings.Split(only, ","), c.name) || round >= c.rounds && c.rounds > 0 {
				continue
			}
			stacks := b.present(c.stacks)
			for i := range stacks {
				s := stacks[(i+round)%len(stacks)]
				began := time.Now()
				measures, err := c.run(b, c, s)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", c.name, s.name, err)
				}
				for name, v := range measures {
					k := [3]string{c.name, s.name, name}
					got[k] = append(got[k], v)
				}
				fmt.Fprintf(os.Stderr, "round %d  %-8s %-22s %v  (%.0f s)\n", round+1, c.name, s.name, show(measures), time.Since(began).Seconds())
			}
		}
	}
	all := rows(got)
	if only != "" {
		all = merge(all, out)
	}
	return report(all, out, b.has("telegraf"))
}

// merge puts the rows of some cases in the place of those of an earlier run.
func merge(fresh []Row, out string) []Row {
	var before struct{ Rows []Row }
	text, err := os.ReadFile(out + ".json")
	if err != nil || json.Unmarshal(text, &before) != nil {
		return fresh
	}
	for _, f := range fresh {
		i := slices.IndexFunc(before.Rows, func(r Row) bool { return r.Name == f.Name && r.PeerName == f.PeerName })
		if i < 0 {
			before.Rows = append(before.Rows, f)
		} else {
			before.Rows[i] = f
		}
	}
	return before.Rows
}

func show(m map[string]float64) string {
	var parts []string
	for k, v := range m {
		parts = append(parts, fmt.Sprintf("%s %.4g", k, v))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// rows sets ours beside every peer that was measured in the same case.
func rows(got figures) []Row {
	var all []Row
	for _, c := range cases {
		for _, m := range c.measures {
			for _, ours := range c.stacks {
				mine := got[[3]string{c.name, ours, m.name}]
				if ours[:4] != "ours" || len(mine) == 0 {
					continue
				}
				r := Row{Name: c.title + ", " + strings.TrimPrefix(ours, "ours, ") + ": " + m.title, Unit: m.unit, Better: m.better, Target: m.target, Ours: median(mine)}
				peers := 0
				for _, peer := range c.stacks {
					if peer[:4] == "ours" {
						continue
					}
					peers++
					p := r
					p.PeerName = peer
					if theirs := got[[3]string{c.name, peer, m.name}]; len(theirs) > 0 {
						v := median(theirs)
						p.Peer = &v
						if v != 0 {
							ratio := r.Ours / v
							p.Ratio = &ratio
						}
					}
					all = append(all, p)
				}
				if peers == 0 {
					all = append(all, r)
				}
			}
		}
	}
	return all
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

func report(all []Row, out string, peer bool) error {
	var t strings.Builder
	fmt.Fprintf(&t, "| measure | ours | peer | ours/peer | to reach | peer's name |\n|---|---:|---:|---:|---|---|\n")
	for _, r := range all {
		theirs, ratio := "missing", ""
		if r.Peer != nil {
			theirs = fmt.Sprintf("%.4g %s", *r.Peer, r.Unit)
		}
		if r.Ratio != nil {
			ratio = fmt.Sprintf("%.2f", *r.Ratio)
		}
		fmt.Fprintf(&t, "| %s | %.4g %s | %s | %s | %s | %s |\n", r.Name, r.Ours, r.Unit, theirs, ratio, r.Target, r.PeerName)
	}
	fmt.Print(t.String())
	if !peer {
		fmt.Println("\nTelegraf is not on PATH, its column is missing.")
	}
	text, err := json.MarshalIndent(map[string]any{"rows": all}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(out+".md", []byte(t.String()), 0o644); err != nil {
		return err
	}
	return os.WriteFile(out+".json", append(text, '\n'), 0o644)
}

func lookPath(name string) string {
	p, err := exec.LookPath(name)
	if err != nil && name == "mosquitto" {
		p, _ = exec.LookPath("/usr/sbin/mosquitto") // Debian's sbin is not on every PATH
	}
	return p
}
