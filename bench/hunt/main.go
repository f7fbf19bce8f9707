// Command hunt measures how many half-hour fault plans of the ten-tag line a
// machine hunts through in a minute, and what CPU time each takes. Other work
// on the machine moves the first figure and hardly the second, which is the one
// to compare: 50 plans a minute on two cores are 2.4 CPU seconds each.
//
//	go run ./bench/hunt     # wants bin/plantbed-virtual; writes bench/hunt.json
package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"github.com/plantbed/plantbed/bench/internal/rows"
	"github.com/plantbed/plantbed/harness/hunt"
	"github.com/plantbed/plantbed/scenarios"
)

const (
	rounds = 5
	plans  = 20 // of each round
	// budget is the CPU time of a plan at 50 plans a minute on two cores.
	budget = 2.4
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench-hunt:", err)
		os.Exit(1)
	}
}

func run() error {
	var all []rows.Row
	for _, protocol := range []string{"opcua", "modbus"} {
		sc, ps := scenarios.Load("ten-tags", []string{"plc[0].protocol=" + protocol})
		if len(ps) > 0 {
			return ps.Err()
		}
		var cpu, perMin []float64
		for i := range rounds {
			c, m, err := round(sc, uint64(i+1))
			if err != nil {
				return err
			}
			cpu, perMin = append(cpu, c), append(perMin, m)
		}
		c, m := rows.Median(cpu), rows.Median(perMin)
		fmt.Printf("%-7s %.2f CPU s a plan: %.0f plans a minute on two cores; %.0f on these %d as they were\n", protocol, c, 120/c, m, runtime.NumCPU())
		all = append(all, rows.New("plan of the ten-tag line over "+protocol, "CPU s", rows.Lower, "50 plans a minute on two cores", cpu, []float64{budget}))
	}
	return rows.Report(os.Stdout, all, "bench/hunt.json")
}

// round hunts through some plans without shrinking anything.
func round(sc *scenarios.Scenario, seed uint64) (cpu, perMin float64, err error) {
	dir, err := os.MkdirTemp("", "bench-hunt-")
	if err != nil {
		return 0, 0, err
	}
	defer os.RemoveAll(dir)
	lab := hunt.Lab{Exe: "bin/plantbed-virtual", Dir: dir, Args: func(dir string) []string { return []string{"worker", dir} }}
	h := hunt.Hunt{Base: sc, Seed: seed, Plans: plans, Workers: runtime.NumCPU(), Run: func(ctx context.Context, sc *scenarios.Scenario) (hunt.Outcome, error) {
		o, err := lab.Run(ctx, sc)
		o.Broken = nil
		return o, err
	}}
	before, began := used(), time.Now()
	if _, err := h.Do(context.Background()); err != nil {
		return 0, 0, err
	}
	return (used() - before).Seconds() / plans, plans / time.Since(began).Minutes(), nil
}

// used is the CPU time of this process, which scores, and of its workers.
func used() time.Duration {
	var sum time.Duration
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if syscall.Getrusage(who, &u) == nil {
			sum += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
	}
	return sum
}
