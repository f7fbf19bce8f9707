package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/plantbed/plantbed/harness/score"
	"github.com/plantbed/plantbed/reports"
	"github.com/plantbed/plantbed/scenarios"
)

// runFlags are the common flags of verbs that run scenarios.
type runFlags struct {
	gear    string
	seed    uint64
	seedSet bool
	verify  bool
	sets    []string
	out     string
	timeout time.Duration
	json    bool
	quiet   bool
	trace   bool
	runs    int
	control bool
}

func newRun() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run FILE...",
		Short: "Run scenarios, record them, and judge the record",
		Long: `Run brings the plant of each scenario up with the whole edge stack, breaks what
the scenario schedules, records what was true and what arrived, and judges it.
FILE is a scenario or the name of a shipped one. The run directory holds the
resolved scenario, the record, card.json, report.html, report.md, junit.xml and
log.jsonl. Of several scenarios the worst exit code wins.`,
		Example: `  plantbed run first-light
  plantbed run first-light --seed 7 --verify
  plantbed run first-light --runs 20
  plantbed run first-light --control
  plantbed run first-light --set gateway.buffer.max_bytes=64KiB
  plantbed run first-light-live --out /tmp/live --timeout 5m`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.seedSet = cmd.Flags().Changed("seed")
			return f.runAll(cmd.Context(), args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.gear, "gear", "", "virtual or live; the scenario's own if empty")
	fl.Uint64Var(&f.seed, "seed", 0, "seed; the scenario's own if not given")
	fl.BoolVar(&f.verify, "verify", false, "run the seed twice and compare the digests")
	fl.StringArrayVar(&f.sets, "set", nil, "override one key, as in gateway.buffer.max_bytes=64KiB; may be repeated")
	fl.StringVar(&f.out, "out", "", "run directory (default runs/<scenario>-<seed>)")
	fl.DurationVar(&f.timeout, "timeout", 0, "give up after this much wall time, keeping what was recorded")
	fl.IntVar(&f.runs, "runs", 1, "run this many seeds, from the scenario's on, and judge the intervals")
	fl.BoolVar(&f.control, "control", false, "run the same seed through a perfect pipe beside it, and say whose the missed detections are")
	fl.BoolVar(&f.trace, "trace", false, "write OpenTelemetry spans to trace.jsonl in the run directory")
	fl.BoolVar(&f.json, "json", false, "print the card as JSON instead of the table")
	fl.BoolVar(&f.quiet, "quiet", false, "print the verdict line alone")
	return cmd
}

// runAll runs every file and keeps the worst code.
func (f *runFlags) runAll(ctx context.Context, files []string, out, errw io.Writer) error {
	if f.out != "" && len(files) > 1 {
		return usage("--out names one directory, but there are %d scenarios", len(files))
	}
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	code := codePass
	for _, file := range files {
		if len(files) > 1 && !f.quiet && !f.json {
			fmt.Fprintf(out, "== %s\n", file)
		}
		err := f.runOne(ctx, file, out, errw)
		var e *exit
		switch {
		case err == nil:
		case errors.As(err, &e):
			if e.cause != nil && len(files) > 1 {
				fmt.Fprintf(errw, "plantbed: %s: %v\n", file, e.cause)
			}
			code = worst(code, e.code)
			if len(files) == 1 {
				return err
			}
		default:
			return err
		}
		if ctx.Err() != nil {
			break
		}
	}
	if code != codePass {
		return &exit{code: code}
	}
	return nil
}

// load reads and validates a scenario with the flags applied.
func (f *runFlags) load(file string) (*scenarios.Scenario, error) {
	sets := f.sets
	if f.gear != "" {
		sets = append(sets, "gear="+f.gear)
	}
	if f.seedSet {
		sets = append(sets, "seed="+strconv.FormatUint(f.seed, 10))
	}
	sc, ps := scenarios.Load(file, sets)
	if sc != nil {
		ps = append(ps, sc.Validate(score.MetricNames())...)
	}
	if len(ps) > 0 {
		ps.Sort()
		return nil, invalid(fmt.Errorf("%s is not valid\n%w", file, ps.Err()))
	}
	return sc, nil
}

func (f *runFlags) runOne(ctx context.Context, file string, out, errw io.Writer) error {
	sc, err := f.load(file)
	if err != nil {
		return err
	}
	if sc.Gear == scenarios.GearFast {
		return usage("%s is of the fast gear, which has no stack to run: plantbed dataset %s writes data of it, and --gear virtual runs it with one", file, file)
	}
	dir := f.out
	if dir == "" {
		dir = filepath.Join("runs", fmt.Sprintf("%s-%d", sc.Name, sc.Seed))
	}
	if f.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, f.timeout, fmt.Errorf("the time-out of %s ran out", f.timeout))
		defer cancel()
	}
	switch {
	case f.runs < 1:
		return usage("--runs %d makes no sense; 1 is the least", f.runs)
	case f.runs > 1 && f.control:
		return usage("--control is beside one run; it does not go with --runs")
	case f.runs > 1 && f.verify:
		return usage("--verify compares two runs of one seed; it does not go with --runs")
	case f.runs > 1:
		if f.out == "" {
			dir = filepath.Join("runs", fmt.Sprintf("%s-%d-to-%d", sc.Name, sc.Seed, sc.Seed+uint64(f.runs)-1))
		}
		return f.runMany(ctx, sc, dir, out, errw)
	}
	result, err := f.runBeside(ctx, sc, dir, errw)
	if err != nil {
		return err
	}
	if err := f.print(out, result, dir); err != nil {
		return internal(err)
	}
	if ctx.Err() != nil {
		return &exit{codeInterrupted, fmt.Errorf("interrupted: %v; what was recorded so far is in %s", context.Cause(ctx), dir)}
	}
	if f.verify {
		if err := f.again(ctx, sc, dir, result, out, errw); err != nil {
			return err
		}
	}
	if code := verdictCode(result.Card.Verdict); code != codePass {
		return &exit{code: code}
	}
	return nil
}

// again runs the same seed a second time and compares.
func (f *runFlags) again(ctx context.Context, sc *scenarios.Scenario, dir string, first score.Result, out, errw io.Writer) error {
	second, err := f.runOnce(ctx, sc, filepath.Join(dir, "verify"), errw)
	if err != nil {
		return err
	}
	if first.Card.Digest != second.Card.Digest {
		return &exit{codeUnknown, fmt.Errorf("verify: seed %d gave digest %.16s, then %.16s: the run is not reproducible on this machine (try plantbed doctor)", sc.Seed, first.Card.Digest, second.Card.Digest)}
	}
	if !f.json {
		fmt.Fprintf(out, "verify: the second run of seed %d has the same digest\n", sc.Seed)
	}
	return nil
}

func (f *runFlags) print(out io.Writer, r score.Result, dir string) error {
	switch {
	case f.json:
		return reports.JSON(out, r)
	case f.quiet:
		_, err := fmt.Fprintf(out, "%s %s seed %d %.16s\n", r.Card.Verdict, r.Card.Scenario, r.Card.Seed, r.Card.Digest)
		return err
	}
	// The files cannot name their own folder; the terminal can.
	r.Story.Replay = "plantbed run " + filepath.Join(dir, scenarioFile)
	if err := reports.Table(out, r, isTerminal(out)); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "report: %s\n", filepath.Join(dir, "report.html"))
	return err
}
