// Command dataset measures how many sensor values a second a data set is made
// of, on two workers: the physics with its instruments and labels alone, and
// all of it written as Parquet.
//
//	make bench-dataset
//
// Every figure is the median of the rounds, each of which makes and writes the
// same runs of the shipped scenario. What the clock says depends on what else
// the machine does; what a core would do by itself is the figure per CPU-second
// times two. The goal is 8 million values a second. The table goes to the
// terminal, and as JSON to bench/dataset.json.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/plantbed/plantbed/bench/internal/rows"
	"github.com/plantbed/plantbed/harness/dataset"
	"github.com/plantbed/plantbed/scenarios"
)

// goal in values a second on two cores.
const goal = 8e6

func main() {
	rounds := flag.Int("rounds", 5, "rounds, of which the median counts")
	runs := flag.Int("runs", 32, "runs of the scenario in each round")
	out := flag.String("out", "bench/dataset.json", "where the rows go")
	flag.Parse()
	if err := bench(*rounds, *runs, *out); err != nil {
		fmt.Fprintln(os.Stderr, "bench/dataset:", err)
		os.Exit(1)
	}
}

// kind is one thing that is measured.
type kind struct {
	name   string
	bursts bool
	make   func(sc *scenarios.Scenario, o dataset.Options) (values, bytes int64, err error)
}

var kinds = []kind{
	{"physics alone", false, simulate},
	{"with Parquet", false, write},
	{"with Parquet and waveforms", true, write},
}

func simulate(sc *scenarios.Scenario, o dataset.Options) (int64, int64, error) {
	p, err := dataset.Simulate(context.Background(), sc, o)
	return p.Values, 0, err
}

func write(sc *scenarios.Scenario, o dataset.Options) (int64, int64, error) {
	s, err := dataset.Write(context.Background(), sc, o)
	return s.Values, s.Bytes, err
}

// figures are what the rounds gave of one kind.
type figures struct{ wall, cpu, size []float64 }

func bench(rounds, runs int, out string) error {
	runtime.GOMAXPROCS(2)
	dir, err := os.MkdirTemp("", "bench-dataset")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	got := make([]figures, len(kinds))
	for round := range rounds {
		for i, k := range kinds {
			if err := got[i].measure(k, runs, round, filepath.Join(dir, fmt.Sprint(round, i))); err != nil {
				return err
			}
		}
	}
	return report(got, out)
}

func (f *figures) measure(k kind, runs, round int, dir string) error {
	sc, ps := scenarios.Load("bottling-failures", nil)
	if ps.Err() != nil {
		return ps
	}
	if !k.bursts {
		sc.Dataset.BurstEvery = 0
	}
	began, cpu := time.Now(), cpuSeconds()
	values, bytes, err := k.make(sc, dataset.Options{Dir: dir, Runs: runs, Seed: uint64(round + 1), Workers: 2})
	if err != nil {
		return err
	}
	f.wall = append(f.wall, float64(values)/time.Since(began).Seconds())
	f.cpu = append(f.cpu, float64(values)/(cpuSeconds()-cpu))
	f.size = append(f.size, float64(bytes)/float64(values))
	return os.RemoveAll(dir)
}

// cpuSeconds that this process has used, its collector's included.
func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

func report(got []figures, out string) error {
	var all []rows.Row
	for i, k := range kinds {
		var cpu []float64 // of two CPU-seconds
		for _, v := range got[i].cpu {
			cpu = append(cpu, 2*v)
		}
		all = append(all,
			rows.New(k.name, "values/s", rows.Higher, "goal", got[i].wall, []float64{goal}),
			rows.New(k.name+", per two CPU-seconds", "values", rows.Higher, "goal", cpu, []float64{goal}))
		if rows.Median(got[i].size) > 0 {
			all = append(all, rows.New(k.name+", size", "bytes/value", rows.Lower, "", got[i].size, nil))
		}
	}
	return rows.Report(os.Stdout, all, out)
}
