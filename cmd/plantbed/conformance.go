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
	"github.com/plantbed/plantbed/scenarios"
)

// conformanceFlags are what the verb takes.
type conformanceFlags struct {
	run  runFlags
	only []string
	out  string
}

func newConformance() *cobra.Command {
	var f conformanceFlags
	cmd := &cobra.Command{
		Use:   "conformance",
		Short: "Ask a gateway whether it survives what others did not",
		Long: `Conformance runs a suite of failures that really happened: each entry cites the
public reports, brings the failure about on real protocols, and checks what a
correct stack does. It prints a matrix and writes it as text, JSON, JUnit and
HTML, beside the run directory of each scenario.`,
		Example: `  plantbed conformance
  plantbed conformance --only K03,K09
  plantbed conformance --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.main(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	fl := cmd.Flags()
	fl.StringSliceVar(&f.only, "only", nil, "run these entries alone, as in K03,K09")
	fl.StringVar(&f.out, "out", filepath.Join("runs", "conformance"), "directory of the matrix and the runs")
	fl.StringVar(&f.run.gear, "gear", "", "virtual or live; virtual if empty")
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
	m, err := f.runAll(ctx, picked, errw)
	if err != nil {
		return err
	}
	if err := conformance.Write(f.out, m); err != nil {
		return internal(fmt.Errorf("cannot write the matrix: %w", err))
	}
	if f.run.json {
		b, err := json.MarshalIndent(m, "", "  ")
		if err != nil {
			return internal(err)
		}
		fmt.Fprintf(out, "%s\n", b)
	} else {
		fmt.Fprint(out, conformance.Text(m))
		fmt.Fprintf(out, "\nmatrix: %s\n", filepath.Join(f.out, conformance.HTMLFile))
	}
	switch m.Verdict() {
	case conformance.Fail:
		return &exit{code: codeFail}
	case conformance.Unknown:
		return &exit{code: codeUnknown}
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

// runAll runs the scenarios of all entries, as many side by side as the gear
// allows, and judges each entry.
func (f *conformanceFlags) runAll(ctx context.Context, entries []conformance.Entry, errw io.Writer) (conformance.Matrix, error) {
	m := conformance.Matrix{SUT: "built-in gateway", Entries: make([]conformance.Outcome, len(entries))}
	errs := make([]error, len(entries))
	jobs := make(chan int)
	var wg sync.WaitGroup
	var mu sync.Mutex
	begun, done := time.Now(), 0
	for range runtime.NumCPU() {
		wg.Go(func() {
			for i := range jobs {
				m.Entries[i], errs[i] = f.runEntry(ctx, entries[i])
				mu.Lock()
				done++
				if !f.run.quiet && errs[i] == nil {
					left := time.Since(begun) / time.Duration(done) * time.Duration(len(entries)-done)
					fmt.Fprintf(errw, "%s %s (%d of %d, %s to go)\n", m.Entries[i].ID, m.Entries[i].Verdict, done, len(entries), left.Round(time.Second))
				}
				mu.Unlock()
			}
		})
	}
	for i := range entries {
		if ctx.Err() != nil {
			break
		}
		jobs <- i
	}
	close(jobs)
	wg.Wait()
	if ctx.Err() != nil {
		return m, &exit{codeInterrupted, fmt.Errorf("interrupted after %d of %d entries", done, len(entries))}
	}
	return m, errors.Join(errs...)
}

func (f *conformanceFlags) runEntry(ctx context.Context, e conformance.Entry) (conformance.Outcome, error) {
	var runs []conformance.Evidence
	for _, name := range e.Scenarios {
		r, err := f.runScenario(ctx, name)
		if err != nil {
			return conformance.Outcome{}, err
		}
		runs = append(runs, r)
	}
	return e.Judge(runs...), nil
}

func (f *conformanceFlags) runScenario(ctx context.Context, name string) (conformance.Evidence, error) {
	one := f.run
	one.quiet = true
	sc, err := one.load("conformance/" + name)
	if err != nil {
		return conformance.Evidence{}, err
	}
	dir := filepath.Join(f.out, name)
	result, err := one.runOnce(ctx, sc, dir, io.Discard)
	if err != nil {
		return conformance.Evidence{}, fmt.Errorf("%s: %w", name, err)
	}
	return evidence(dir, sc, result)
}

// evidence is what a run directory holds.
func evidence(dir string, sc *scenarios.Scenario, result score.Result) (conformance.Evidence, error) {
	l, err := record.Load(filepath.Join(dir, recordDir))
	if err != nil {
		return conformance.Evidence{}, internal(err)
	}
	words, err := saidBy("gateway", filepath.Join(dir, logFile))
	if err != nil {
		return conformance.Evidence{}, internal(err)
	}
	return conformance.Evidence{Log: l, Result: result, Words: words}, nil
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
		var line struct{ Part, Msg, Why, Err string }
		if json.Unmarshal(s.Bytes(), &line) == nil && line.Part == part {
			words = append(words, strings.Join([]string{line.Msg, line.Why, line.Err}, " "))
		}
	}
	return words, s.Err()
}
