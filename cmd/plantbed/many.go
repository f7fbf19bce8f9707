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

// runMany runs seeds seed, seed+1, ... of a scenario, as many at a time as
// there are cores, and judges them together.
func (f *runFlags) runMany(ctx context.Context, sc *scenarios.Scenario, dir string, out, errw io.Writer) error {
	started := time.Now()
	cards := make([]score.Card, f.runs)
	dirs := make([]string, f.runs)
	errs := make([]error, f.runs)
	jobs := make(chan int)
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range f.parallel(sc) {
		wg.Go(func() {
			for i := range jobs {
				cards[i], dirs[i], errs[i] = f.runSeed(ctx, sc, dir, i)
				if errs[i] != nil && ctx.Err() == nil {
					// A worker that died, on a machine that was too busy for it, says
					// nothing of the scenario; the same seed gives the same run.
					cards[i], dirs[i], errs[i] = f.runSeed(ctx, sc, dir, i)
				}
				mu.Lock()
				done++
				if !f.quiet {
					left := time.Since(started) / time.Duration(done) * time.Duration(f.runs-done)
					fmt.Fprintf(errw, "seed %d: %s (%d of %d, %s to go)\n", sc.Seed+uint64(i), verdictOr(cards[i].Verdict, errs[i]), done, f.runs, left.Round(time.Second))
				}
				mu.Unlock()
			}
		})
	}
	for i := range f.runs {
		if ctx.Err() != nil {
			break
		}
		jobs <- i
	}
	close(jobs)
	wg.Wait()
	if ctx.Err() != nil {
		return &exit{codeInterrupted, fmt.Errorf("interrupted after %d of %d runs: %v", done, f.runs, context.Cause(ctx))}
	}
	// The seeds that could not be run make the others no less true.
	for i, err := range errs {
		if err != nil {
			cards[i] = score.Card{Scenario: sc.Name, Gear: sc.Gear, Seed: sc.Seed + uint64(i), Verdict: score.Unknown, Why: []string{firstLine(err)}}
		}
	}
	err := f.judgeMany(score.Together(cards, dirs), dir, out)
	if failed := errors.Join(errs...); failed != nil {
		return internal(failed)
	}
	return err
}

// firstLine of an error; the last words of a worker are many.
func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// parallel is how many runs go side by side: the virtual gear's take a core
// each, those of the live gear would disturb each other.
func (f *runFlags) parallel(sc *scenarios.Scenario) int {
	if sc.Gear != scenarios.GearVirtual {
		return 1
	}
	return min(runtime.NumCPU(), f.runs)
}

func verdictOr(v score.Verdict, err error) string {
	if err != nil {
		return firstLine(err)
	}
	return string(v)
}

// runSeed runs the i-th seed into a folder of its own. The seed's folder is
// named relative to dir, so that the pages link to each other wherever dir is.
func (f *runFlags) runSeed(ctx context.Context, sc *scenarios.Scenario, dir string, i int) (score.Card, string, error) {
	one := *sc
	one.Seed += uint64(i)
	name := fmt.Sprintf("seed-%d", one.Seed)
	quiet := *f
	quiet.quiet = true
	r, err := quiet.runOnce(ctx, &one, filepath.Join(dir, name), io.Discard)
	if err != nil {
		err = fmt.Errorf("seed %d: %w", one.Seed, err)
	}
	return r.Card, name, err
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
