package main

import (
	"bufio"
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
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/plantbed/plantbed/harness/conformance"
	"github.com/plantbed/plantbed/harness/record"
	"github.com/plantbed/plantbed/harness/score"
	"github.com/plantbed/plantbed/harness/sut"
	"github.com/plantbed/plantbed/internal/hostclock"
	"github.com/plantbed/plantbed/scenarios"
)

// conformanceFlags are what the verb takes.
type conformanceFlags struct {
	run  runFlags
	only []string
	suts []string
	out  string
}

// subject is a gateway to be asked.
type subject struct {
	name string
	cfg  *sut.Config // nil for the built-in one
	dir  string
}

func newConformance() *cobra.Command {
	var f conformanceFlags
	cmd := &cobra.Command{
		Use:   "conformance",
		Short: "Ask a gateway whether it survives what others did not",
		Long: `Conformance runs a suite of failures that really happened: each entry cites the
public reports, brings the failure about on real protocols, and checks what a
correct stack does. It prints a matrix and writes it as text, JSON, Markdown,
JUnit and HTML, beside the run directory of each scenario. The built-in gateway
is asked in the virtual gear, but for the entry that sets a clock; any other,
given as a shipped adapter or a file with a [sut] table, in the live one. With
several, the matrix has a column for each.`,
		Example: `  plantbed conformance
  plantbed conformance --only K03,K09
  plantbed conformance --sut telegraf
  plantbed conformance --sut builtin --sut my-gateway.toml --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.main(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	fl := cmd.Flags()
	fl.StringSliceVar(&f.only, "only", nil, "run these entries alone, as in K03,K09")
	fl.StringArrayVar(&f.suts, "sut", nil, "the gateway to ask: builtin (default), a shipped adapter or a file; may be repeated")
	fl.StringVar(&f.out, "out", filepath.Join("runs", "conformance"), "directory of the matrix and the runs")
	fl.BoolVar(&f.run.json, "json", false, "print the matrix as JSON")
	fl.BoolVar(&f.run.quiet, "quiet", false, "print no progress")
	return cmd
}

func (f *conformanceFlags) main(ctx context.Context, out, errw io.Writer) error {
	picked, unknown := conformance.Pick(f.only)
	if len(unknown) > 0 {
		return usage("there is no entry %s; the suite has %s", strings.Join(unknown, ", "), ids(conformance.Entries()))
	}
	if ctx == nil {
		ctx = context.Background()
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	subjects, err := f.subjects()
	if err != nil {
		return err
	}
	var ms []conformance.Matrix
	for _, who := range subjects {
		m, err := f.runAll(ctx, who, picked, errw)
		if err != nil {
			return err
		}
		ms = append(ms, m)
	}
	return f.tell(ms, subjects, out)
}

// subjects are those that --sut names.
func (f *conformanceFlags) subjects() ([]subject, error) {
	if len(f.suts) == 0 {
		f.suts = []string{sut.Builtin}
	}
	var out []subject
	for _, name := range f.suts {
		who := subject{name: "built-in gateway", dir: f.out}
		if name != sut.Builtin {
			cfg, ps := sut.Load(name)
			if len(ps) > 0 {
				return nil, invalid(ps.Err())
			}
			who.name, who.cfg = cfg.Name, &cfg
		}
		if len(f.suts) > 1 {
			who.dir = filepath.Join(f.out, strings.TrimSuffix(filepath.Base(name), ".toml"))
		}
		out = append(out, who)
	}
	return out, nil
}

// tell writes and prints the matrices, and turns the worst verdict into a code.
func (f *conformanceFlags) tell(ms []conformance.Matrix, subjects []subject, out io.Writer) error {
	if err := conformance.Write(f.out, ms...); err != nil {
		return internal(fmt.Errorf("cannot write the matrix: %w", err))
	}
	if f.run.json {
		b, err := os.ReadFile(filepath.Join(f.out, conformance.JSONFile))
		if err != nil {
			return internal(err)
		}
		fmt.Fprintf(out, "%s", b)
	} else {
		fmt.Fprint(out, conformance.Text(ms...))
		fmt.Fprintln(out)
		for _, who := range subjects {
			if who.cfg != nil {
				fmt.Fprintf(out, "what %s printed: %s\n", who.name, filepath.Join(who.dir, "k*", "sut.log"))
			}
		}
		fmt.Fprintf(out, "matrix: %s\n", filepath.Join(f.out, conformance.HTMLFile))
	}
	code := codePass
	for _, m := range ms {
		switch m.Verdict() {
		case conformance.Fail:
			code = worst(code, codeFail)
		case conformance.Unknown:
			code = worst(code, codeUnknown)
		}
	}
	if code != codePass {
		return &exit{code: code}
	}
	return nil
}

func ids(entries []conformance.Entry) string {
	var s []string
	for _, e := range entries {
		s = append(s, e.ID)
	}
	return strings.Join(s, ", ")
}

// runAll runs the scenarios of all entries and judges each: those of the
// virtual gear side by side, then what the wall's time must not disturb. Runs
// of another gateway wait most of their time, and go by twos.
func (f *conformanceFlags) runAll(ctx context.Context, who subject, entries []conformance.Entry, errw io.Writer) (conformance.Matrix, error) {
	m := conformance.Matrix{SUT: who.name, Entries: make([]conformance.Outcome, len(entries))}
	errs := make([]error, len(entries))
	var mu sync.Mutex
	begun, done := time.Now(), 0
	one := func(i int) {
		m.Entries[i], errs[i] = f.runEntry(ctx, who, entries[i])
		mu.Lock()
		defer mu.Unlock()
		done++
		if !f.run.quiet && errs[i] == nil {
			left := time.Since(begun) / time.Duration(done) * time.Duration(len(entries)-done)
			fmt.Fprintf(errw, "%s: %s %s (%d of %d, %s to go)\n", who.name, m.Entries[i].ID, m.Entries[i].Verdict, done, len(entries), left.Round(time.Second))
		}
	}
	var together, alone []int
	for i, e := range entries {
		if e.Live && who.cfg == nil {
			alone = append(alone, i)
		} else {
			together = append(together, i)
		}
	}
	sideBySide(ctx, runtime.NumCPU(), together, one)
	sideBySide(ctx, 1, alone, one)
	if ctx.Err() != nil {
		return m, &exit{codeInterrupted, fmt.Errorf("interrupted after %d of %d entries", done, len(entries))}
	}
	return m, errors.Join(errs...)
}

// sideBySide does jobs, at most so many at a time, until ctx ends.
func sideBySide(ctx context.Context, most int, jobs []int, do func(int)) {
	next := make(chan int)
	var wg sync.WaitGroup
	for range most {
		wg.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for _, i := range jobs {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()
}

func (f *conformanceFlags) runEntry(ctx context.Context, who subject, e conformance.Entry) (conformance.Outcome, error) {
	if who.cfg != nil && e.Feature != "" && !who.has(e.Feature) {
		return e.Without(), nil
	}
	var runs []conformance.Evidence
	for _, name := range e.Scenarios {
		r, err := f.runScenario(ctx, who, name)
		if err != nil {
			return conformance.Outcome{}, err
		}
		runs = append(runs, r)
	}
	return e.Judge(runs...), nil
}

// has tells whether another gateway can be asked for what not every one has.
func (s subject) has(f conformance.Feature) bool {
	process := s.cfg.Kind == sut.Process
	switch f {
	case conformance.OnOurClock:
		return process && hostclock.Possible
	case conformance.OnOurDisk: // to mount a small one takes root
		return process && s.cfg.Store != "" && os.Geteuid() == 0
	}
	return false
}

func (f *conformanceFlags) runScenario(ctx context.Context, who subject, name string) (conformance.Evidence, error) {
	one := f.run
	one.quiet = true
	if who.cfg != nil {
		one.gear = scenarios.GearLive
	}
	sc, err := one.load("conformance/" + name)
	if err != nil {
		return conformance.Evidence{}, err
	}
	sc.SUT = who.cfg
	if ps := sc.Validate(score.MetricNames()); len(ps) > 0 {
		return conformance.Evidence{}, invalid(fmt.Errorf("%s with %s\n%w", name, who.name, ps.Err()))
	}
	dir := filepath.Join(who.dir, name)
	for again := false; ; again = true {
		result, err := one.runOnce(ctx, sc, dir, io.Discard)
		if err != nil {
			return conformance.Evidence{}, fmt.Errorf("%s: %w", name, err)
		}
		e, err := evidence(dir, result, who.cfg == nil)
		// A machine that was too busy to keep the world's time gets another chance.
		if late := e.Log != nil && e.Log.End != nil && e.Log.End.LagMax > e.Log.End.LagTolerance; err != nil || !late || again {
			return e, err
		}
	}
}

// evidence is what a run directory holds.
func evidence(dir string, result score.Result, builtin bool) (conformance.Evidence, error) {
	l, err := record.Load(filepath.Join(dir, recordDir))
	if err != nil {
		return conformance.Evidence{}, internal(err)
	}
	e := conformance.Evidence{Log: l, Result: result, Foreign: !builtin}
	if builtin { // of another one nobody knows which word means what
		if e.Words, err = saidBy("gateway", filepath.Join(dir, logFile)); err != nil {
			return conformance.Evidence{}, internal(err)
		}
	}
	return e, nil
}

// saidBy reads the lines of a run's log that a part of the stack has written.
func saidBy(part, path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	words := []string{}
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var line struct{ Part, Msg, Alarm, Why, Err string }
		if json.Unmarshal(s.Bytes(), &line) == nil && line.Part == part {
			words = append(words, strings.Join([]string{line.Msg, line.Alarm, line.Why, line.Err}, " "))
		}
	}
	return words, s.Err()
}
