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
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/plantbed/plantbed/harness/score"
	"github.com/plantbed/plantbed/reports"
	"github.com/plantbed/plantbed/scenarios"
)

// sweepFlags are those of the verb.
type sweepFlags struct {
	runFlags
	over    []string
	metrics []string
}

func newSweep() *cobra.Command {
	var f sweepFlags
	cmd := &cobra.Command{
		Use:   "sweep FILE --over KEY=VALUE,VALUE...",
		Short: "What a setting changes, and how sure that is",
		Long: `Sweep runs a scenario under every combination of the given values, each on the
same seeds, and prints what each changes against the first: the mean difference
over pairs of runs of one seed, with its 95 % interval. Without --metric it shows
what the scenario expects, and every other metric in which a change shows.
sweep.json in the directory of the runs has all metrics.

It asks and does not judge: its exit code is 0 if all runs could be had. For the
flow of material alone, without network and gateway, plantbed flow is quicker.`,
		Example: `  plantbed sweep first-light --over gateway.buffer.max_bytes=64KiB,256KiB,1MiB
  plantbed sweep first-light --over gateway.buffer.commit=1ms,70ms --over fault[1].for=45s,90s --runs 10
  plantbed sweep my-line.toml --over fault[0].for=1m,5m --metric oee.twin`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.seedSet = cmd.Flags().Changed("seed")
			return f.run(cmd.Context(), args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	fl := cmd.Flags()
	fl.StringArrayVar(&f.over, "over", nil, "a key and its values, the first of which the others are held against; may be repeated")
	fl.StringArrayVar(&f.metrics, "metric", nil, "show this metric alone; may be repeated (plantbed list metrics)")
	fl.IntVar(&f.runs, "runs", 5, "how many seeds, from the scenario's on")
	fl.StringVar(&f.gear, "gear", "", "virtual or live; the scenario's own if empty")
	fl.Uint64Var(&f.seed, "seed", 0, "first seed; the scenario's own if not given")
	fl.StringArrayVar(&f.sets, "set", nil, "override one key under every setting; may be repeated")
	fl.StringVar(&f.out, "out", "", "directory of the runs and of sweep.json (default runs/<scenario>-sweep)")
	fl.BoolVar(&f.json, "json", false, "print the figures as JSON")
	fl.BoolVar(&f.quiet, "quiet", false, "say nothing of the runs while they go")
	cmd.MarkFlagRequired("over")
	return cmd
}

func (f *sweepFlags) run(ctx context.Context, file string, out, errw io.Writer) error {
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	for _, m := range f.metrics {
		if !slices.Contains(score.MetricNames(), m) {
			return usage("there is no metric %q (plantbed list metrics)", m)
		}
	}
	if f.runs < 2 {
		return usage("--runs %d has no interval; 2 is the least", f.runs)
	}
	settings, err := combine(f.over)
	if err != nil {
		return err
	}
	batches, dir, err := f.batches(file, settings)
	if err != nil {
		return err
	}
	batches = f.runSeeds(ctx, batches, errw)
	var failed []error
	s := score.Sweep{Schema: score.SweepSchema, Scenario: batches[0].scenario.Name, Gear: batches[0].scenario.Gear}
	for i, b := range batches {
		if ctx.Err() != nil {
			return &exit{codeInterrupted, fmt.Errorf("interrupted: %v; the runs so far are in %s", context.Cause(ctx), dir)}
		}
		failed = append(failed, b.errs...)
		for k := range b.dirs { // from the sweep's folder on
			b.dirs[k] = filepath.Join(filepath.Base(b.dir), b.dirs[k])
		}
		one := score.NewSetting(settings[i], b.cards, b.dirs)
		if i > 0 {
			one.Against(batches[0].cards, b.cards)
		}
		s.Settings = append(s.Settings, one)
	}
	if err := f.tell(s, batches[0].scenario, dir, out); err != nil {
		return internal(err)
	}
	if err := errors.Join(failed...); err != nil {
		return internal(err)
	}
	return nil
}

// batches are the settings' runs, all valid before the first begins.
func (f *sweepFlags) batches(file string, settings [][]string) (out []batch, dir string, err error) {
	for i, set := range settings {
		flags := f.runFlags
		flags.sets = slices.Concat(f.sets, set)
		sc, err := flags.load(file)
		switch {
		case err != nil:
			return nil, "", err
		case sc.Gear == scenarios.GearFast:
			return nil, "", usage("%s is of the fast gear, which has no stack to run: plantbed flow --versus compares plants there", file)
		}
		if dir = f.out; dir == "" {
			dir = filepath.Join("runs", sc.Name+"-sweep")
		}
		out = append(out, batch{scenario: sc, dir: filepath.Join(dir, fmt.Sprintf("setting-%d", i+1)), name: strings.Join(set, " ") + ": "})
	}
	return out, dir, nil
}

func (f *sweepFlags) tell(s score.Sweep, sc *scenarios.Scenario, dir string, out io.Writer) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "sweep.json"), append(text, '\n'), 0o644)
	}
	if err != nil {
		return err
	}
	if f.json {
		_, err = fmt.Fprintf(out, "%s\n", text)
		return err
	}
	metrics, also := f.metrics, false
	if len(metrics) == 0 {
		also = true
		for _, x := range sc.Expect {
			if !slices.Contains(metrics, x.Metric) {
				metrics = append(metrics, x.Metric)
			}
		}
	}
	if err := reports.TableSweep(out, s, metrics, also, isTerminal(out)); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "runs: %s\n", dir)
	return err
}

// maxSettings of a sweep; a typing error is likelier than a wish for more.
const maxSettings = 200

// combine makes every combination of the values of all keys: the first has the
// first value of each, and the last key changes fastest.
func combine(over []string) ([][]string, error) {
	settings := [][]string{nil}
	seen := map[string]bool{}
	for _, o := range over {
		key, list, ok := strings.Cut(o, "=")
		values := splitValues(list)
		switch {
		case !ok || key == "":
			return nil, usage("--over %s: want KEY=VALUE,VALUE", o)
		case key == "seed" || key == "gear":
			return nil, usage("--over %s: every setting runs in one gear and on the same seeds (--gear, --seed, --runs)", key)
		case seen[key]:
			return nil, usage("--over %s is given twice", key)
		case slices.Contains(values, ""):
			return nil, usage("--over %s: a value is empty", o)
		}
		seen[key] = true
		var more [][]string
		for _, s := range settings {
			for _, v := range values {
				more = append(more, append(slices.Clone(s), key+"="+v))
			}
		}
		if settings = more; len(settings) > maxSettings {
			return nil, usage("these are more than %d settings", maxSettings)
		}
	}
	if len(settings) < 2 {
		return nil, usage("one setting has nothing to be compared with; --over takes two values or more")
	}
	return settings, nil
}

// splitValues splits at the commas that stand outside of brackets, braces and
// quotes, so that a value may be a list.
func splitValues(list string) (out []string) {
	depth, quote, from := 0, rune(0), 0
	for i, r := range list {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '"' || r == '\'':
			quote = r
		case r == '[' || r == '{':
			depth++
		case r == ']' || r == '}':
			depth--
		case r == ',' && depth == 0:
			out = append(out, list[from:i])
			from = i + 1
		}
	}
	return append(out, list[from:])
}
