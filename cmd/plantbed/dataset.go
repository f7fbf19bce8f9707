package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/plantbed/plantbed/harness"
	"github.com/plantbed/plantbed/harness/dataset"
)

// datasetFlags are those of the verb.
type datasetFlags struct {
	runFlags
	format  string
	workers int
	from    string
}

func newDataset() *cobra.Command {
	var f datasetFlags
	cmd := &cobra.Command{
		Use:   "dataset [FILE]",
		Short: "Write labelled histories: many simulated runs, or what a stack delivered",
		Long: `Dataset simulates many runs of a scenario in the fast gear, without network or
gateway, and writes them with the truth beside them: Parquet, CSV or the layout
of C-MAPSS, a manifest with seeds and checksums, and a card that says what is in
the data and what it is not good for. How runs differ is the scenario's
[dataset] table. The bytes depend on scenario, seed and number of runs alone;
interrupted, the same command goes on.

With --from it takes a run directory instead, and writes the data as that run's
stack delivered it, with gaps, late and wrong values, and the truth beside it.`,
		Example: `  plantbed dataset bottling-failures --runs 1000 --out data
  plantbed dataset bottling-failures --runs 100 --format cmapss --seed 7 --out nasa
  plantbed dataset my-line.toml --runs 50 --set dataset.failing=1 --out failures
  plantbed dataset --from runs/first-light-42 --out seen`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.seedSet = cmd.Flags().Changed("seed")
			return f.run(cmd.Context(), args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	fl := cmd.Flags()
	fl.IntVar(&f.runs, "runs", 100, "how many runs")
	fl.StringVar(&f.out, "out", "", "directory (default datasets/<scenario>-<seed>)")
	fl.StringVar(&f.format, "format", "parquet", strings.Join(dataset.Formats, ", "))
	fl.Uint64Var(&f.seed, "seed", 0, "seed; the scenario's own if not given")
	fl.IntVar(&f.workers, "workers", 0, "how many runs are simulated side by side (default: one for each core)")
	fl.StringVar(&f.from, "from", "", "a run directory: write what its stack delivered")
	fl.StringArrayVar(&f.sets, "set", nil, "override one key, as in dataset.failing=0.8; may be repeated")
	fl.BoolVar(&f.json, "json", false, "print the summary as JSON")
	fl.BoolVar(&f.quiet, "quiet", false, "print nothing but errors")
	return cmd
}

func (f *datasetFlags) run(ctx context.Context, args []string, out, errw io.Writer) error {
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	var sum dataset.Summary
	var err error
	switch {
	case f.from != "" && len(args) > 0:
		return usage("--from takes a run that has been; it does not go with the scenario %s", args[0])
	case f.from != "":
		dir := f.out
		if dir == "" {
			dir = filepath.Join("datasets", "from-"+filepath.Base(filepath.Clean(f.from)))
		}
		sum, err = dataset.FromRun(ctx, f.from, dataset.Options{Dir: dir, Format: f.format, Version: harness.Version})
	case len(args) == 0:
		return usage("dataset needs a scenario, or a run with --from")
	default:
		sum, err = f.simulate(ctx, args[0], errw)
	}
	var coded *exit
	switch {
	case errors.As(err, &coded):
		return err
	case err != nil && ctx.Err() != nil:
		return &exit{codeInterrupted, fmt.Errorf("interrupted; the same command goes on from here")}
	case err != nil:
		return internal(err)
	}
	return f.tell(out, sum)
}

func (f *datasetFlags) simulate(ctx context.Context, file string, errw io.Writer) (dataset.Summary, error) {
	sc, err := f.load(file)
	if err != nil {
		return dataset.Summary{}, err
	}
	switch {
	case f.runs < 1:
		return dataset.Summary{}, usage("--runs %d makes no sense; 1 is the least", f.runs)
	case f.workers < 0:
		return dataset.Summary{}, usage("--workers %d makes no sense", f.workers)
	}
	if !contains(dataset.Formats, f.format) {
		return dataset.Summary{}, usage("there is no format %q; there are %s", f.format, strings.Join(dataset.Formats, ", "))
	}
	dir := f.out
	if dir == "" {
		dir = filepath.Join("datasets", fmt.Sprintf("%s-%d", sc.Name, sc.Seed))
	}
	bar := newDatasetBar(errw, f.quiet, fmt.Sprintf("%s, seed %d", sc.Name, sc.Seed))
	defer bar.done()
	return dataset.Write(ctx, sc, dataset.Options{Dir: dir, Runs: f.runs, Seed: sc.Seed, Workers: f.workers,
		Format: f.format, Version: harness.Version, Progress: bar.show})
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

func (f *datasetFlags) tell(out io.Writer, sum dataset.Summary) error {
	var err error
	switch {
	case f.json:
		b, e := json.MarshalIndent(sum, "", "  ")
		if e != nil {
			return internal(e)
		}
		_, err = fmt.Fprintf(out, "%s\n", b)
	case f.quiet:
	default:
		fmt.Fprintf(out, "%s: %d runs, %d sensor values, %d files, %.1f MB\n", sum.Dir, sum.Runs, sum.Values, sum.Files, float64(sum.Bytes)/1e6)
		for _, c := range sum.Checks {
			word := "ok  "
			switch {
			case c.Unknown:
				word = "few "
			case !c.Holds:
				word = "NO  "
			}
			fmt.Fprintf(out, "%s %-24s %8.4g  wanted %s\n", word, c.Name, c.Value, c.Want)
		}
		_, err = fmt.Fprintf(out, "card: %s\n", filepath.Join(sum.Dir, "README.md"))
	}
	if err != nil {
		return internal(err)
	}
	return nil
}

// datasetBar shows how many runs there are, how fast, and what is left: a bar
// on a terminal, a line for each tenth elsewhere.
type datasetBar struct {
	mu       sync.Mutex
	w        io.Writer
	quiet    bool
	terminal bool
	started  time.Time
	first    dataset.Progress // what was there already
	told     bool
	tenth    int
	last     time.Time
}

func newDatasetBar(w io.Writer, quiet bool, title string) *datasetBar {
	if !quiet {
		fmt.Fprintln(w, title)
	}
	return &datasetBar{w: w, quiet: quiet, terminal: isTerminal(w), started: time.Now()}
}

// barEvery keeps a terminal from flickering.
const barEvery = 100 * time.Millisecond

func (b *datasetBar) show(p dataset.Progress) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.quiet {
		return
	}
	if !b.told {
		b.first, b.told = p, true
		if p.Runs > 0 {
			fmt.Fprintf(b.w, "going on: %d of %d runs are there\n", p.Runs, p.Total)
		}
		b.tenth = p.Runs * 10 / p.Total
		return
	}
	gone := time.Since(b.started)
	rate := float64(p.Values-b.first.Values) / max(gone.Seconds(), 1e-3)
	left := time.Duration(float64(gone) / float64(max(1, p.Runs-b.first.Runs)) * float64(p.Total-p.Runs))
	text := fmt.Sprintf("%d of %d runs, %.1f million values/s, %s left", p.Runs, p.Total, rate/1e6, left.Round(time.Second))
	if b.terminal {
		if time.Since(b.last) < barEvery && p.Runs < p.Total {
			return
		}
		b.last = time.Now()
		const width = 32
		n := width * p.Runs / p.Total
		fmt.Fprintf(b.w, "\r%s%s %s \033[K", strings.Repeat("█", n), strings.Repeat("░", width-n), text)
		return
	}
	if t := p.Runs * 10 / p.Total; t > b.tenth {
		b.tenth = t
		fmt.Fprintln(b.w, text)
	}
}

// done ends the bar's line.
func (b *datasetBar) done() {
	if b.terminal && !b.quiet {
		fmt.Fprint(b.w, "\r\033[K")
	}
}
