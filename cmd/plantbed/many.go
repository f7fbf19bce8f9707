package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/plantbed/plantbed/harness/score"
	"github.com/plantbed/plantbed/reports"
	"github.com/plantbed/plantbed/scenarios"
)

// runMany runs seeds seed, seed+1, ... of a scenario and judges them together.
func (f *runFlags) runMany(ctx context.Context, sc *scenarios.Scenario, dir string, out, errw io.Writer) error {
	b := f.runSeeds(ctx, []batch{{scenario: sc, dir: dir}}, errw)[0]
	if ctx.Err() != nil {
		return &exit{codeInterrupted, fmt.Errorf("interrupted after %d of %d runs: %v", b.done, f.runs, context.Cause(ctx))}
	}
	err := f.judgeMany(score.Together(b.cards, b.dirs), dir, out)
	if failed := errors.Join(b.errs...); failed != nil {
		return internal(failed)
	}
	return err
}

// batch is the runs of one scenario, seed by seed.
type batch struct {
	scenario *scenarios.Scenario
	dir      string
	name     string // set before a seed in what is said of it, if not empty
	cards    []score.Card
	dirs     []string // relative to dir
	errs     []error
	done     int
}

// runSeeds runs the seeds of all batches, as many at a time as there are
// cores: the first seed of each, then the second. A run that cannot be had has
// an unknown card, and its error; that makes the others no less true.
func (f *runFlags) runSeeds(ctx context.Context, batches []batch, errw io.Writer) []batch {
	started := time.Now()
	for i := range batches {
		b := &batches[i]
		b.cards, b.dirs, b.errs = make([]score.Card, f.runs), make([]string, f.runs), make([]error, f.runs)
	}
	type job struct{ batch, seed int }
	jobs := make(chan job)
	var wg sync.WaitGroup
	var mu sync.Mutex
	done, all := 0, f.runs*len(batches)
	for range f.parallel(batches[0].scenario, all) {
		wg.Go(func() {
			for j := range jobs {
				b, i := &batches[j.batch], j.seed
				f.runSeed(ctx, b, i)
				mu.Lock()
				done++
				b.done++
				if !f.quiet {
					left := time.Since(started) / time.Duration(done) * time.Duration(all-done)
					fmt.Fprintf(errw, "%sseed %d: %s (%d of %d, %s to go)\n", b.name, b.scenario.Seed+uint64(i), verdictOr(b.cards[i].Verdict, b.errs[i]), done, all, left.Round(time.Second))
				}
				mu.Unlock()
			}
		})
	}
	for i := range all {
		if ctx.Err() != nil {
			break
		}
		jobs <- job{i % len(batches), i / len(batches)}
	}
	close(jobs)
	wg.Wait()
	return batches
}

// firstLine of an error; the last words of a worker are many.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// parallel is how many of so many runs go side by side: the virtual gear's
// take a core each, those of the live gear would disturb each other.
func (f *runFlags) parallel(sc *scenarios.Scenario, all int) int {
	if sc.Gear != scenarios.GearVirtual {
		return 1
	}
	return min(runtime.NumCPU(), all)
}

func verdictOr(v score.Verdict, err error) string {
	if err != nil {
		return firstLine(err)
	}
	return string(v)
}

// runSeed runs the i-th seed into a folder of its own. The seed's folder is
// named relative to dir, so that the pages link to each other wherever dir is.
func (f *runFlags) runSeed(ctx context.Context, b *batch, i int) {
	one := *b.scenario
	one.Seed += uint64(i)
	b.dirs[i] = fmt.Sprintf("seed-%d", one.Seed)
	quiet := *f
	quiet.quiet = true
	run := func() (score.Result, error) {
		return quiet.runOnce(ctx, &one, filepath.Join(b.dir, b.dirs[i]), io.Discard)
	}
	r, err := run()
	if err != nil && ctx.Err() == nil {
		// A worker that died, on a machine that was too busy for it, says nothing
		// of the scenario; the same seed gives the same run.
		r, err = run()
	}
	b.cards[i] = r.Card
	if err != nil {
		b.errs[i] = fmt.Errorf("%sseed %d: %w", b.name, one.Seed, err)
		b.cards[i] = score.Card{Scenario: one.Name, Gear: one.Gear, Seed: one.Seed, Verdict: score.Unknown, Why: []string{firstLine(b.errs[i])}}
	}
}

func (f *runFlags) judgeMany(e score.Ensemble, dir string, out io.Writer) error {
	b, err := json.MarshalIndent(e, "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "ensemble.json"), append(b, '\n'), 0o644)
	}
	if err == nil {
		err = reports.WriteMany(dir, e)
	}
	if err != nil {
		return internal(err)
	}
	switch {
	case f.json:
		_, err = fmt.Fprintf(out, "%s\n", b)
	case f.quiet:
		_, err = fmt.Fprintf(out, "%s %s %d seeds\n", e.Verdict, e.Scenario, len(e.Runs))
	default:
		if err = reports.TableMany(out, e, isTerminal(out)); err == nil {
			_, err = fmt.Fprintf(out, "report: %s\n", filepath.Join(dir, "report.html"))
		}
	}
	if err != nil {
		return internal(err)
	}
	if code := verdictCode(e.Verdict); code != codePass {
		return &exit{code: code}
	}
	return nil
}
