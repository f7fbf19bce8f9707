package harness

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/gateway"
	"github.com/plantbed/plantbed/harness/record"
	"github.com/plantbed/plantbed/harness/score"
	"github.com/plantbed/plantbed/harness/sut"
	"github.com/plantbed/plantbed/scenarios"
)

// T is what Start needs of a *testing.T.
type T interface {
	Helper()
	Cleanup(func())
	TempDir() string
	Fatalf(format string, args ...any)
}

// Running is a run that goes on beside a test; see Start. Its methods are for
// the test's goroutine.
type Running struct {
	t    T
	r    *run
	opts Options
	done chan error

	// The rest belongs to the world's goroutine until the run is over.
	in       *faults.Injector
	injected []record.Window
	at       map[int]int // where a fault that was injected stands in injected

	end  sync.Once
	card score.Card
}

// Start brings up the plant, the PLCs behind their links, the broker, the twin
// and the gateway of a scenario, by the wall, for a test of somebody's own:
//
//	run := harness.Start(t, sc, harness.Options{})
//	gateway := myGateway(run.Endpoints())          // sc.SUT.Kind is external: the test brings its own
//	run.WaitUntil(5 * time.Second)
//	id := run.Inject(faults.Config{Kind: "link.down", Target: "plc-pump"})
//	run.WaitUntil(9 * time.Second)
//	run.Clear(id)
//	run.WaitUntil(15 * time.Second)
//	card := run.Card()                             // the run ends, and is judged
//
// It returns when every device has scanned once, as devices have long before a
// gateway comes. With no [sut] the gateway is the built-in one, within the test's process. The
// scenario's duration is the longest that the run may take. The test's cleanup
// ends what is still there.
func Start(t T, sc *scenarios.Scenario, opts Options) *Running {
	t.Helper()
	if sc.Gear != scenarios.GearLive {
		t.Fatalf("harness: the scenario %s is of the gear %s; Start needs live", sc.Name, sc.Gear)
	}
	if ps := sc.Validate(score.MetricNames()); len(ps) > 0 {
		t.Fatalf("harness: the scenario %s is not valid\n%v", sc.Name, ps.Err())
	}
	if opts.Dir == "" {
		opts.Dir = t.TempDir()
	}
	if !sc.Foreign() && opts.Tweak.Gateway == nil && opts.Exe == "" {
		opts.Tweak.Gateway = func(*gateway.Options) {} // within this process: it is no plantbed
	}
	begun := make(chan *run, 1)
	opts.begun = func(r *run) { begun <- r }
	ctx, cancel := context.WithCancel(context.Background())
	v := &Running{t: t, opts: opts, done: make(chan error, 1), at: map[int]int{}}
	go func() { v.done <- Run(ctx, sc, opts) }()
	t.Cleanup(func() {
		cancel()
		v.over()
	})
	select {
	case v.r = <-begun:
	case err := <-v.done:
		v.done <- err
		t.Fatalf("harness: the run did not begin: %v", err)
	}
	v.in = faults.NewInjector(v.r.world.kernel, seams{v.r}, v.note)
	v.WaitUntil(v.r.gatewayStart())
	return v
}

// Endpoints are the addresses of the links to PLCs and broker, and what is to
// be read behind them.
func (v *Running) Endpoints() sut.Endpoints { return v.r.endpoints() }

// Samples counts what the twin has applied so far.
func (v *Running) Samples() int64 { return v.r.applied.Load() }

// WaitUntil waits until the plant has run for that long. A run that has ended
// meanwhile fails the test.
func (v *Running) WaitUntil(at time.Duration) {
	v.t.Helper()
	wait := time.NewTimer(time.Until(v.r.start.Add(at)))
	defer wait.Stop()
	select {
	case <-wait.C:
	case err := <-v.done:
		v.done <- err
		v.t.Fatalf("harness: the run has ended before %s: %v", at, err)
	}
}

// Inject has a fault begin now, whatever its At says; one without a For lasts
// until Clear. The scenario must have no faults of its own, for of two that
// overlap the plant would not know which holds.
func (v *Running) Inject(c faults.Config) (id int) {
	v.t.Helper()
	if len(v.r.sc.Faults) > 0 {
		v.t.Fatalf("harness: the scenario %s has faults of its own", v.r.sc.Name)
	}
	err := v.ask(func() error {
		if ps := c.Validate(v.r.sc.Targets()); len(ps) > 0 {
			return ps.Err()
		}
		w, err := v.in.Inject(c)
		if err != nil {
			return err
		}
		id = w.Index
		protocol := ""
		if p, _, ok := v.r.world.plcOf(w.Target); ok {
			protocol = p.Config().Protocol
		}
		v.at[id] = len(v.injected)
		v.injected = append(v.injected, record.Window{Kind: w.Kind, Target: w.Target, Class: w.Class, From: w.From, To: w.To, Note: w.Note,
			Effect: record.Effect(c.Effect(protocol))})
		if w.Open {
			v.injected[v.at[id]].To = v.r.sc.Duration.D()
		}
		return nil
	})
	if err != nil {
		v.t.Fatalf("harness: inject %s: %v", c.Kind, err)
	}
	return id
}

// Clear ends a fault; one that has ended already is no error.
func (v *Running) Clear(id int) {
	v.t.Helper()
	err := v.ask(func() error {
		if _, ok := v.in.Clear(id); !ok {
			return nil
		}
		v.injected[v.at[id]].To = v.r.world.kernel.Now()
		return nil
	})
	if err != nil {
		v.t.Fatalf("harness: clear fault %d: %v", id, err)
	}
}

// ask has f called by the world, between two of its events.
func (v *Running) ask(f func() error) error {
	back := make(chan error, 1)
	if err := v.r.world.kernel.Do(v.r.going, func() { back <- f() }); err != nil {
		return err
	}
	select {
	case err := <-back:
		return err
	case <-v.r.going.Done():
		return fmt.Errorf("the run has ended: %w", context.Cause(v.r.going))
	case err := <-v.done:
		v.done <- err
		return errors.Join(errors.New("the run has ended"), err)
	}
}

// note writes down that an injected fault begins or ends.
func (v *Running) note(w faults.Window, started bool) {
	kind := "fault ends"
	if started {
		kind = "fault begins"
	}
	v.r.tap.note(kind, 0, w.Kind+" "+w.Target)
}

// Card ends the run, waits for what is still under way, and judges it. The
// faults that were injected are the plan.
func (v *Running) Card() score.Card {
	v.t.Helper()
	v.r.fail(errEnough)
	if err := v.over(); err != nil {
		v.t.Fatalf("harness: %v", err)
	}
	return v.card
}

// over waits for the end of the run, once, and scores it.
func (v *Running) over() (err error) {
	v.end.Do(func() {
		if err = <-v.done; err != nil || v.r == nil {
			return
		}
		dir := filepath.Join(v.r.opts.Dir, "record")
		l, e := record.Load(dir)
		if e != nil {
			err = e
			return
		}
		m := v.r.meta
		if l.End == nil {
			err = fmt.Errorf("the record of the run has no end")
			return
		}
		m.Duration = l.End.Reached
		for _, w := range v.injected {
			w.To = min(w.To, m.Duration)
			m.Plan = append(m.Plan, w)
		}
		l.Meta = m
		l.Meta.Schema = record.Schema
		err = record.Amend(dir, m)
		v.card = score.Score(l).Card
	})
	return err
}
