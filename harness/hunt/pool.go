package hunt

import (
	"context"

	"github.com/plantbed/plantbed/scenarios"
)

// Runner runs a scenario to its end and says what became of it.
type Runner func(context.Context, *scenarios.Scenario) (Outcome, error)

// pool runs so many at a time; the others wait in the order in which they came.
type pool struct {
	run   Runner
	slots chan struct{}
}

type result struct {
	Outcome
	err error
}

func newPool(run Runner, workers int) *pool {
	return &pool{run, make(chan struct{}, workers)}
}

// start has a scenario run and returns at once.
func (p *pool) start(ctx context.Context, sc *scenarios.Scenario) <-chan result {
	out := make(chan result, 1)
	go func() {
		select {
		case p.slots <- struct{}{}:
		case <-ctx.Done():
			out <- result{err: ctx.Err()}
			return
		}
		defer func() { <-p.slots }()
		o, err := p.run(ctx, sc)
		out <- result{o, err}
	}()
	return out
}
