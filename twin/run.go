package twin

import (
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/plantbed/plantbed/internal/payload"
	"github.com/plantbed/plantbed/twin/mqtt"
	"github.com/plantbed/plantbed/twin/predict"
)

// Options are what Run needs besides its Config. Every field may be zero. The
// hooks are called from Run's goroutine, and what they are given is valid only
// until they return.
type Options struct {
	// Seed draws the phase of the tick and the pauses between attempts to connect.
	Seed uint64
	Log  *slog.Logger
	// Models are the calibrated detectors, one for each machine to be watched.
	Models []predict.Calibrated
	// OnReady is called when the subscription stands, the first time and after
	// each reconnect: what is published before the first time nobody keeps for us.
	OnReady func()
	// OnApplied follows each batch, before it is acknowledged at the broker.
	OnApplied func(at time.Time, batch payload.Batch, changes []Change)
	// OnMark is told what the twin shows instead of a sample's own quality, and
	// when it stops doing so other than by a sample.
	OnMark  func([]Mark)
	OnAlarm func(predict.Alarm)
	// OnScore is told what the shipped detector makes of a machine, and over
	// which limit it would speak up, at each row that it judges: one in
	// predict.Options.Window of steady running.
	OnScore func(machine string, at time.Time, value, limit float64)
}

const (
	// tickEvery drives staleness and detectors.
	tickEvery = time.Second
	// sayEvery spaces out what is said about dropped samples.
	sayEvery = time.Minute
)

// Run mirrors the plant until ctx ends; that is no error. An error means that
// it could not begin.
//
// Its main loop: a message from the broker is applied and then acknowledged; a
// tick once a second, at a phase drawn from the seed, finds stale tags and lets
// the detectors look at the twin.
func Run(ctx context.Context, cfg Config, opts Options) error {
	r, err := newRunner(cfg, opts)
	if err != nil {
		return fmt.Errorf("twin: %w", err)
	}
	in, err := mqtt.Open(ctx, cfg.MQTT, opts.Seed, opts.Log)
	if err != nil {
		return err
	}
	defer in.Close()
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	phase := time.NewTimer(r.phase())
	defer phase.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case m := <-in.Messages():
			r.message(m)
			in.Done()
		case <-phase.C:
			tick.Reset(tickEvery)
		case <-tick.C:
			r.tick(time.Now())
		}
	}
}

// runner is the state of a Run.
type runner struct {
	twin     *Twin
	opts     Options
	watches  []*watch
	marks    []Mark
	reported time.Time
	said     Counts
}

func newRunner(cfg Config, opts Options) (*runner, error) {
	cfg.Defaults()
	if err := cfg.Validate().Err(); err != nil {
		return nil, err
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	r := &runner{twin: New(cfg), opts: opts}
	for i := range opts.Models {
		w, err := newWatch(r.twin, &opts.Models[i])
		if err != nil {
			return nil, err
		}
		w.tell(opts.OnScore)
		r.watches = append(r.watches, w)
	}
	return r, nil
}

// phase keeps our tick from falling on the same instant as anybody else's.
func (r *runner) phase() time.Duration {
	h := fnv.New64a()
	h.Write([]byte("twin/tick"))
	return time.Duration(rand.New(rand.NewPCG(r.opts.Seed, h.Sum64())).Int64N(int64(tickEvery)))
}

func (r *runner) message(m mqtt.Message) {
	switch m.Kind {
	case mqtt.Batch:
		r.batch(m.Batch, m.At)
	case mqtt.Status:
		r.opts.Log.Info("status", "gateway", m.Status.Gateway, "source", m.Status.Source, "up", m.Status.Up, "why", m.Status.Why)
		r.mark(r.twin.Status(m.Status, m.At))
	case mqtt.Link:
		if !m.Up {
			r.mark(r.twin.Cut(m.At))
		} else if r.opts.OnReady != nil {
			r.opts.OnReady()
		}
	}
}

func (r *runner) batch(b payload.Batch, at time.Time) {
	changes := r.twin.Apply(b, at)
	if r.opts.OnApplied != nil {
		r.opts.OnApplied(at, b, changes)
	}
	// Samples that came while their tag is cut off: the record must know that
	// the twin does not show their quality.
	r.marks = r.marks[:0]
	for i := range changes {
		if c := &changes[i]; c.Current && c.Shown != c.Sample.Quality {
			r.marks = append(r.marks, Mark{c.Index, at, c.Shown})
		}
	}
	r.mark(r.marks)
}

func (r *runner) mark(marks []Mark) {
	if len(marks) > 0 && r.opts.OnMark != nil {
		r.opts.OnMark(marks)
	}
}

func (r *runner) tick(now time.Time) {
	r.mark(r.twin.Expire(now))
	for _, w := range r.watches {
		for _, a := range w.step(r.twin, now) {
			r.opts.Log.Warn("alarm", "machine", a.Machine, "detector", a.Detector, "class", a.Class,
				"tag", string(a.Tag), "score", a.Score, "limit", a.Limit)
			if r.opts.OnAlarm != nil {
				r.opts.OnAlarm(a)
			}
		}
	}
	r.report(now)
}

// report says in the log what was dropped since it last did.
func (r *runner) report(now time.Time) {
	c := r.twin.Counts()
	if now.Sub(r.reported) < sayEvery {
		return
	}
	r.reported = now
	if c.Unknown > r.said.Unknown {
		r.opts.Log.Warn("samples of unknown tags dropped", "n", c.Unknown-r.said.Unknown)
	}
	if c.Duplicate > r.said.Duplicate {
		r.opts.Log.Info("duplicates dropped", "n", c.Duplicate-r.said.Duplicate)
	}
	r.said = c
}
