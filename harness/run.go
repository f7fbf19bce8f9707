// Package harness is the composition root: it builds a scenario's plant, PLCs,
// links, broker, gateway and twin, runs them, and records what was true and
// what was seen. It judges nothing; that is package score's.
//
//	sc, problems := scenarios.Load("first-light", nil)
//	err := harness.Run(ctx, sc, harness.Options{Dir: "runs/first-light-42"})
//	log, err := record.Load("runs/first-light-42/record")
//
// In the live gear the gateway is a process of its own. In the virtual gear
// everything is one process under the fake clock: see package virtual.
package harness

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/faults/wire"
	"github.com/plantbed/plantbed/gateway"
	"github.com/plantbed/plantbed/harness/broker"
	"github.com/plantbed/plantbed/harness/record"
	"github.com/plantbed/plantbed/scenarios"
	"github.com/plantbed/plantbed/twin/predict"
)

// Progress is how far a run is.
type Progress struct {
	At, Total time.Duration
	// Samples that the twin has applied.
	Samples int64
}

// Options of a run; only Dir must be set.
type Options struct {
	// Dir is the run directory; the record goes below it.
	Dir      string
	Log      *slog.Logger
	Progress func(Progress)
	// GatewayArgs are added to the command line of a gateway that is a process
	// of its own.
	GatewayArgs []string
	// Exe is the file of plantbed itself, for a gateway that is a process of its
	// own and for a system under test that is one; empty means this program.
	Exe string
	// begun is told when everything but the gateway is up; see Start.
	begun func(*run)
	// Tweak lets a test plant a defect. Nothing sets it in the binaries.
	Tweak Tweak
}

// Tweak is where tests reach into the stack.
type Tweak struct {
	// Gateway changes the options of each instance of the built-in gateway.
	Gateway func(*gateway.Options)
	// GatewayConfig changes what it is configured with.
	GatewayConfig func(*gateway.Config)
	// Wire changes the options of a link: that to a PLC by its name, or "broker".
	Wire func(target string, o *wire.Options)
	// Broker is told the broker's URL once it listens.
	Broker func(url string)
	// PushConfig takes the place of what a pushed configuration does.
	PushConfig func(faults.Host)
	// Direct names a PLC to whose server the gateway goes around the link.
	Direct string
}

// run is one run under way.
type run struct {
	sc    *scenarios.Scenario
	opts  Options
	log   *slog.Logger
	start time.Time

	models []*predict.Calibrated
	// serving is set where there is no record and no stack; see Serve.
	serving *serving

	meta   record.Meta
	world  *world
	rec    *record.Writer
	tap    *taps
	south  []*deviceLink
	broker *broker.Broker
	north  *wire.Wire
	// northLink is north as faults see it.
	northLink *link
	host      host
	voice     *voice   // or nil: messages of the native form
	foreign   *foreign // or nil: the built-in gateway
	twin      *service

	// fail ends the run with a cause; going ends with it.
	fail    context.CancelCauseFunc
	going   context.Context
	lagMax  time.Duration
	applied atomic.Int64
	lastIn  atomic.Int64 // nanoseconds since start of the last applied sample
}

// lead is how long bringing up the stack may take before the world starts.
// In the virtual gear waiting costs nothing.
func lead(gear string) time.Duration {
	if gear == scenarios.GearVirtual {
		return 10 * time.Second
	}
	return time.Second
}

// lagTolerance is the lateness of the simulated world that is still no reason
// to distrust latencies: in the virtual gear none, in the live one what a busy
// machine shows without harm to figures in tens of milliseconds.
func lagTolerance(gear string) time.Duration {
	if gear == scenarios.GearVirtual {
		return time.Microsecond
	}
	return 250 * time.Millisecond
}

// Run is the main line: build → start → pace the world → drain → stop. An
// interrupted run keeps its record and returns ctx's error.
func Run(ctx context.Context, sc *scenarios.Scenario, opts Options) (err error) {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	r := &run{sc: sc, opts: opts, log: opts.Log}
	if err := r.prepareForeign(ctx); err != nil {
		return err
	}
	// Calibration takes a second or two of computing; the clock starts after it.
	if r.models, err = Train(sc); err != nil {
		return errors.Join(err, r.stopForeign())
	}
	r.start = time.Now().Add(lead(sc.Gear))
	if err := r.build(); err != nil {
		return errors.Join(err, r.stopForeign())
	}
	end := record.End{LagTolerance: lagTolerance(sc.Gear)}
	defer func() {
		end.LagMax, end.Bypass = r.lagMax, r.tap.bypasses()
		err = errors.Join(err, r.stop(), r.rec.Close(end))
	}()
	going, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r.fail, r.going = cancel, going
	err = r.startStack(ctx)
	if err == nil {
		err = r.schedule()
	}
	if err != nil {
		end.Failed = err.Error()
		return err
	}
	go r.watch(going)
	if opts.begun != nil {
		opts.begun(r)
	}

	r.world.start()
	r.world.kernel.AtVisible(r.gatewayStart(), func() {
		if err := r.startGateway(); err != nil {
			r.fail(err)
		}
	})
	err = r.world.kernel.Pace(going, r.start, sc.Duration.D(), r.late)
	end.Reached = r.world.kernel.Now()
	if err == nil || errors.Is(context.Cause(going), errEnough) {
		r.drain(ctx)
		return nil
	}
	if ctx.Err() != nil {
		end.Interrupted = true
		return ctx.Err()
	}
	end.Failed = context.Cause(going).Error()
	return context.Cause(going)
}

// build makes the world and opens the record.
func (r *run) build() error {
	var err error
	if r.world, err = newWorld(r.sc, r.sc.Seed, r.start); err != nil {
		return err
	}
	meta, err := newMeta(r.sc, r.world)
	if err != nil {
		return err
	}
	meta.Start = r.start
	if r.rec, err = record.Create(filepath.Join(r.opts.Dir, "record"), meta); err != nil {
		return err
	}
	r.meta, r.tap = meta, newTaps(r, meta)
	return nil
}

// schedule hands the fault plan to the kernel, once every seam is there.
func (r *run) schedule() error {
	plan, ps := faults.Resolve(r.sc.Faults, r.sc.Duration.D(), r.sc.Seed)
	if len(ps) > 0 {
		return ps.Err()
	}
	return faults.Schedule(r.world.kernel, plan, r.sc.Faults, seams{r}, r.tap.fault)
}

// gatewayStart is when the gateway is switched on: once every device has
// scanned, as devices have long before a gateway comes.
func (r *run) gatewayStart() time.Duration {
	var slowest time.Duration
	for _, t := range r.world.tasks {
		slowest = max(slowest, t.Period)
	}
	return slowest + 1_037_313
}

// errEnough ends a run before its time, with all that it owes.
var errEnough = errors.New("the run is asked to end")

// late is told at every visible event how far behind the wall the world is.
func (r *run) late(d time.Duration) { r.lagMax = max(r.lagMax, d) }

// watch reports progress, and ends the run when the disk under the record fails.
func (r *run) watch(ctx context.Context) {
	tick := time.NewTicker(progressEvery(r.sc))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.rec.Failed():
			r.fail(fmt.Errorf("the record cannot be written any more (is the disk full?)"))
			return
		case <-tick.C:
			if r.opts.Progress != nil {
				r.opts.Progress(Progress{At: max(0, time.Since(r.start)), Total: r.sc.Duration.D(), Samples: r.applied.Load()})
			}
		}
	}
}

// progressEvery is a hundredth of the run, at an instant that nothing else shares.
func progressEvery(sc *scenarios.Scenario) time.Duration {
	if sc.Gear == scenarios.GearLive {
		return 500 * time.Millisecond
	}
	return sc.Duration.D()/100 + 7_000_127
}

// drain gives the stack time to deliver what was scanned last: until nothing
// has been applied for a while, within the deadline and some more.
func (r *run) drain(ctx context.Context) {
	c := r.sc.Gateway.Contract
	quiet := max(c.OPCUA.Publishing.D(), c.Modbus.Poll.D())*2 + time.Second
	limit := time.Now().Add(c.Deadline.D() + 30*time.Second)
	for time.Now().Before(limit) && ctx.Err() == nil {
		time.Sleep(97_000_313)
		if time.Since(r.start)-time.Duration(r.lastIn.Load()) > quiet && (r.host == nil || r.host.settled()) {
			return
		}
	}
}

// stop ends everything in the order of the walk, so that nothing is lost that
// was under way.
func (r *run) stop() error {
	var errs []error
	if r.host != nil {
		errs = append(errs, r.host.close())
	}
	errs = append(errs, r.stopForeign())
	if r.twin != nil {
		errs = append(errs, r.twin.close())
	}
	if r.north != nil {
		errs = append(errs, r.north.Close())
	}
	for _, d := range r.south {
		errs = append(errs, d.close())
	}
	if r.broker != nil {
		errs = append(errs, r.broker.Close())
	}
	return errors.Join(errs...)
}
