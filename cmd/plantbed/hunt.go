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
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/plantbed/plantbed/harness/hunt"
	"github.com/plantbed/plantbed/scenarios"
)

type huntFlags struct {
	plans, maxFaults, workers int
	lasts                     time.Duration
	seed                      uint64
	kinds, sets               []string
	out                       string
	json, quiet               bool
}

func newHunt() *cobra.Command {
	var f huntFlags
	cmd := &cobra.Command{
		Use:   "hunt FILE",
		Short: "Look for failures: many random fault plans, each that breaks something shrunk",
		Long: `Hunt breaks a scenario in many seeded random ways, in the virtual gear. In the
first two thirds of each run faults happen; then it is quiet, and the stack must
recover. Every run is held against what a correct stack keeps: nothing lost that
was owed, nothing repeated, reordered, corrupted or late, the twin current again
and never fresh without reason, the run at its end. A plan that breaks one of
these is shrunk to few, short and weak faults that break it still, and written as
a scenario that plantbed run replays. Plan i of a seed is always the same.
FILE is a scenario or the name of a shipped one; its own faults and expectations
make way. Exit codes: 0 nothing found, 10 found, 11 some plans could not be
judged, 12 the scenario is invalid, 130 interrupted (what was found is kept).`,
		Example: `  plantbed hunt ten-tags --plans 200
  plantbed hunt ten-tags --for 10m --seed 7 --max-faults 6
  plantbed hunt my-line.toml --kinds link,gateway.kill --out found`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !cmd.Flags().Changed("plans") && f.lasts > 0 {
				f.plans = 0
			}
			return f.run(cmd.Context(), args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	fl := cmd.Flags()
	fl.IntVar(&f.plans, "plans", 100, "how many plans; the first has no fault at all")
	fl.DurationVar(&f.lasts, "for", 0, "begin new plans for so long by the wall, such as 10m")
	fl.Uint64Var(&f.seed, "seed", 1, "seed of the plans")
	fl.IntVar(&f.maxFaults, "max-faults", 4, "the most faults in a plan")
	fl.StringSliceVar(&f.kinds, "kinds", nil, "kinds of faults or areas of them, as in link,gateway.kill; all if not given")
	fl.IntVar(&f.workers, "workers", runtime.NumCPU(), "how many run at a time, a core each")
	fl.StringArrayVar(&f.sets, "set", nil, "override one key of the scenario, as in plc[0].protocol=modbus; may be repeated")
	fl.StringVar(&f.out, "out", "", "folder for what is found (default runs/hunt-<scenario>-<seed>)")
	fl.BoolVar(&f.json, "json", false, "print the summary as JSON")
	fl.BoolVar(&f.quiet, "quiet", false, "print the verdict line alone")
	return cmd
}

func (f *huntFlags) run(ctx context.Context, file string, out, errw io.Writer) error {
	switch {
	case f.plans < 0 || f.plans == 0 && f.lasts <= 0:
		return usage("--plans %d makes no sense without --for; 1 is the least", f.plans)
	case f.maxFaults < 1 || f.maxFaults > 20:
		return usage("--max-faults %d makes no sense; it goes from 1 to 20", f.maxFaults)
	case f.workers < 1:
		return usage("--workers %d makes no sense; 1 is the least", f.workers)
	case f.lasts < 0:
		return usage("--for %s makes no sense", f.lasts)
	}
	sc, err := (&runFlags{sets: f.sets}).load(file)
	if err != nil {
		return err
	}
	if sc.Gear != scenarios.GearVirtual {
		return usage("hunt needs the virtual gear, and %s is of the %s gear; --set gear=virtual changes that", file, sc.Gear)
	}
	if _, err := hunt.NewSpace(sc, f.kinds); err != nil {
		return usage("%v", err)
	}
	exe, err := workerExe()
	if err != nil {
		return internal(err)
	}
	scratch, err := os.MkdirTemp("", "plantbed-hunt-")
	if err != nil {
		return internal(err)
	}
	defer os.RemoveAll(scratch)
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	bar := &huntBar{w: errw, plans: f.plans, lasts: f.lasts, quiet: f.quiet, terminal: isTerminal(errw)}
	bar.begin(sc.Name, f.seed)
	h := hunt.Hunt{Base: sc, Seed: f.seed, Plans: f.plans, For: f.lasts, MaxFaults: f.maxFaults, Kinds: f.kinds, Workers: f.workers, Progress: bar.show,
		Run: hunt.Lab{Exe: exe, Dir: scratch, Args: func(dir string) []string { return []string{"worker", dir} }}.Run}
	report, err := h.Do(ctx)
	bar.done()
	if err != nil && !(ctx.Err() != nil && errors.Is(err, ctx.Err())) {
		return internal(err)
	}
	return f.tell(ctx, sc, file, report, out)
}

// tell writes and prints what was found.
func (f *huntFlags) tell(ctx context.Context, sc *scenarios.Scenario, file string, report *hunt.Report, out io.Writer) error {
	dir := f.out
	if dir == "" {
		dir = filepath.Join("runs", fmt.Sprintf("hunt-%s-%d", sc.Name, f.seed))
	}
	if err := report.Write(dir, file, f.seed); err != nil {
		return internal(err)
	}
	s := report.Summary(file, f.seed)
	if err := f.print(out, s, dir); err != nil {
		return internal(err)
	}
	switch {
	case ctx.Err() != nil:
		return &exit{codeInterrupted, fmt.Errorf("interrupted after %d plans; what was found so far is in %s", report.Plans, dir)}
	case s.Verdict == "fail":
		return &exit{code: codeFail}
	case s.Verdict == "unknown":
		return &exit{code: codeUnknown}
	}
	return nil
}

func (f *huntFlags) print(out io.Writer, s hunt.Summary, dir string) error {
	if f.json {
		b, err := json.MarshalIndent(s, "", "  ")
		if err == nil {
			_, err = fmt.Fprintf(out, "%s\n", b)
		}
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s  hunt of %s, seed %d: %d plans in %s (%.0f a minute), %d broke something, %d findings, %d unknown\n", strings.ToUpper(s.Verdict), s.Scenario, s.Seed,
		s.Plans, time.Duration(s.Elapsed*1e9).Round(time.Second), s.PerMin, s.Broken, len(s.Findings), len(s.Unknown))
	if !f.quiet {
		for _, x := range s.Findings {
			fmt.Fprintf(&b, "\n  %s\n    %s\n", filepath.Join(dir, x.File), x.Why)
			for _, l := range x.Faults {
				fmt.Fprintf(&b, "      %s\n", l)
			}
			fmt.Fprintf(&b, "    in %d plans, first in plan %d; shrunk in %d runs\n", x.Seen, x.Plan, x.Runs)
		}
		for i, u := range s.Unknown {
			if i == 5 {
				fmt.Fprintf(&b, "\n  ... and %d more unknown, see %s\n", len(s.Unknown)-i, filepath.Join(dir, "hunt.json"))
				break
			}
			fmt.Fprintf(&b, "\n  plan %d is unknown: %s\n", u.Plan, u.Why)
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// huntBar shows how far a hunt is: one line on a terminal, a line now and then
// elsewhere.
type huntBar struct {
	w               io.Writer
	plans           int
	lasts           time.Duration
	quiet, terminal bool
	last            time.Duration
}

func (b *huntBar) begin(name string, seed uint64) {
	if !b.quiet {
		fmt.Fprintf(b.w, "hunt of %s, seed %d\n", name, seed)
	}
}

func (b *huntBar) show(p hunt.Progress) {
	if b.quiet || !b.terminal && p.Elapsed-b.last < 10*time.Second {
		return
	}
	b.last = p.Elapsed
	text := fmt.Sprintf("plan %d", p.Plans)
	if b.plans > 0 {
		text += fmt.Sprintf(" of %d", b.plans)
	}
	text += fmt.Sprintf(" · %.0f a minute · %d found", p.PlansPerMinute(), p.Found)
	if p.Unknown > 0 {
		text += fmt.Sprintf(" · %d unknown", p.Unknown)
	}
	if left, ok := b.left(p); ok {
		text += fmt.Sprintf(" · %s to go", left.Round(time.Second))
	}
	if p.Shrinking != "" {
		text += " · shrinking " + p.Shrinking
	}
	if b.terminal {
		fmt.Fprintf(b.w, "\r\033[K%s", text)
	} else {
		fmt.Fprintln(b.w, text)
	}
}

func (b *huntBar) left(p hunt.Progress) (time.Duration, bool) {
	var left time.Duration
	if b.plans > 0 && p.Plans > 0 {
		left = p.Elapsed / time.Duration(p.Plans) * time.Duration(b.plans-p.Plans)
	}
	if b.lasts > 0 && (b.plans == 0 || b.lasts-p.Elapsed < left) {
		left = max(0, b.lasts-p.Elapsed)
	}
	return left, p.Plans > 0
}

func (b *huntBar) done() {
	if b.terminal && !b.quiet {
		fmt.Fprint(b.w, "\r\033[K")
	}
}
