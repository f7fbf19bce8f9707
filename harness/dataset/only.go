package dataset

import (
	"context"
	"runtime"
	"sync"

	"github.com/plantbed/plantbed/scenarios"
)

// Simulate makes the runs of a data set and keeps nothing of them: what the
// physics, the instruments and the labels cost without any file. Dir is not
// used.
func Simulate(ctx context.Context, sc *scenarios.Scenario, opts Options) (Progress, error) {
	opts.Dir = "none"
	p, err := newPlan(sc, opts)
	if err != nil {
		return Progress{}, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	workers := opts.Workers
	if workers <= 0 {
		workers = runtime.NumCPU()
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	done := Progress{Total: opts.Runs}
	jobs := make(chan int, opts.Runs)
	for i := range opts.Runs {
		jobs <- i
	}
	close(jobs)
	for range workers {
		wg.Go(func() {
			sim, err := newSimulator(p)
			if err != nil {
				cancel(err)
				return
			}
			for i := range jobs {
				r, err := sim.run(ctx, i)
				if err != nil {
					cancel(err)
					return
				}
				mu.Lock()
				done.Runs++
				done.Values += r.sensorValues(sim.lay)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return done, context.Cause(ctx)
}
