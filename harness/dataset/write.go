package dataset

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/plantbed/plantbed/scenarios"
)

// Names within the directory of a data set.
const (
	manifestFile = "manifest.json"
	cardFile     = "README.md"
	workDir      = ".partial" // what is needed to go on; gone when all is done
	planFile     = "plan.json"
)

// Summary is what has been written.
type Summary struct {
	Dir   string
	Runs  int
	Files int
	Bytes int64
	// Values are those of sensors; labels do not count.
	Values int64
	Checks []Check
	// Resumed is how many runs were there already.
	Resumed int
}

// Write makes a data set, or goes on with one that was interrupted:
//
//	plan → shards not there yet, by the workers → tables of all → manifest and card
//
// When ctx ends it returns its cause; what is whole stays, and Write with the
// same arguments goes on from there to the same bytes.
func Write(ctx context.Context, sc *scenarios.Scenario, opts Options) (Summary, error) {
	p, err := newPlan(sc, opts)
	if err != nil {
		return Summary{}, err
	}
	if err := p.open(); err != nil {
		return Summary{}, err
	}
	w := &writing{p: p, done: make([]bool, p.shards())}
	if err := w.shards(ctx); err != nil {
		return Summary{}, err
	}
	sum, err := p.finish()
	sum.Resumed = w.resumed
	return sum, err
}

// open makes the directory, or finds in it the beginnings of the same data set.
func (p *plan) open() error {
	key, err := p.fingerprint()
	if err != nil {
		return err
	}
	type note struct{ Fingerprint string }
	var found note
	path := filepath.Join(p.opts.Dir, workDir, planFile)
	switch text, err := os.ReadFile(path); {
	case err == nil:
		if json.Unmarshal(text, &found) != nil || found.Fingerprint != key {
			return fmt.Errorf("dataset: %s holds the beginnings of another data set; name another directory, or remove it", p.opts.Dir)
		}
		return nil
	case !errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("dataset: %w", err)
	}
	entries, err := os.ReadDir(p.opts.Dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("dataset: %w", err)
	}
	if len(entries) > 0 {
		return fmt.Errorf("dataset: %s is not empty; name another directory, or remove it", p.opts.Dir)
	}
	if err := os.MkdirAll(filepath.Join(p.opts.Dir, workDir), 0o755); err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	text, err := json.Marshal(note{key})
	if err != nil {
		return err
	}
	return writeWhole(path, text)
}

// writeWhole puts a file in place at once: whoever finds it finds all of it.
func writeWhole(path string, text []byte) error {
	if err := os.WriteFile(path+".part", text, 0o644); err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	if err := os.Rename(path+".part", path); err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	return nil
}

// writing is a data set on its way.
type writing struct {
	p       *plan
	mu      sync.Mutex
	done    []bool
	runs    int
	resumed int
	values  int64
	written int
}

// shards has the workers write what is missing.
func (w *writing) shards(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var missing []int
	for i := range w.p.shards() {
		from, to := w.p.runsOf(i)
		if side, err := w.p.readSide(i); err == nil {
			w.runs, w.resumed, w.values = w.runs+to-from, w.resumed+to-from, w.values+side.Values
			continue
		}
		missing = append(missing, i)
	}
	w.tell()
	jobs := make(chan int)
	workers := w.p.opts.Workers
	if workers <= 0 {
		workers = runtime.NumCPU()
	}
	var wg sync.WaitGroup
	for range min(workers, len(missing)) {
		wg.Go(func() {
			if err := w.work(ctx, jobs); err != nil {
				cancel(err)
			}
		})
	}
	for _, i := range missing {
		select {
		case jobs <- i:
		case <-ctx.Done():
		}
	}
	close(jobs)
	wg.Wait()
	return context.Cause(ctx)
}

// work writes shards until there are none left.
func (w *writing) work(ctx context.Context, jobs <-chan int) error {
	sim, err := newSimulator(w.p)
	if err != nil {
		return err
	}
	for i := range jobs {
		if ctx.Err() != nil {
			return nil
		}
		if err := w.shard(ctx, sim, i); err != nil {
			return err
		}
		w.mu.Lock()
		w.written++
		enough := w.p.opts.stopAfter > 0 && w.written >= w.p.opts.stopAfter
		w.mu.Unlock()
		if enough {
			return errStopped
		}
	}
	return nil
}

// errStopped ends a test's writing in the middle.
var errStopped = errors.New("dataset: stopped")

func (w *writing) shard(ctx context.Context, sim *simulator, shard int) (err error) {
	out, err := newSink(w.p, sim.lay, shard)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.abandon()) }()
	side := sidecar{Shard: shard}
	var sums []summary
	from, to := w.p.runsOf(shard)
	for run := from; run < to; run++ {
		r, err := sim.run(ctx, run)
		if err != nil {
			return err
		}
		if err := out.write(r); err != nil {
			return fmt.Errorf("dataset: run %d: %w", run, err)
		}
		side.add(r, sim.lay, out.dataFile(), run-from)
		if run < checkedRuns {
			sums = append(sums, summarise(r, sim.lay, w.p))
		}
		w.mu.Lock()
		w.runs++
		w.values += r.sensorValues(sim.lay)
		w.tell()
		w.mu.Unlock()
	}
	if side.Files, err = out.close(); err != nil {
		return err
	}
	if len(sums) > 0 {
		if err := w.p.writeSums(shard, sums); err != nil {
			return err
		}
	}
	text, err := json.Marshal(side)
	if err != nil {
		return err
	}
	return writeWhole(w.p.sidePath(shard), text) // last: it says that the shard is whole
}

func (w *writing) tell() {
	if w.p.opts.Progress != nil {
		w.p.opts.Progress(Progress{Runs: w.runs, Total: w.p.opts.Runs, Values: w.values})
	}
}

func (r *Result) sensorValues(lay *layout) int64 {
	n := 0
	for _, c := range lay.columns {
		if c.Role == "sensor" {
			n++
		}
	}
	return int64(n) * int64(r.Table.Rows)
}
