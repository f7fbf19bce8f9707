package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/plantbed/plantbed/gateway/admin"
	"github.com/plantbed/plantbed/gateway/mqtt"
	"github.com/plantbed/plantbed/gateway/pipeline"
)

// Reload is another config for a gateway that runs. Done (may be nil) is told
// what became of it: ErrUnchanged if it is the one that runs, in which case
// nothing was touched; any other error if it was not taken or did not start, in
// which case the one before runs on.
//
// Sources whose config is the same keep their sessions. Samples wait in the
// buffer while the way out is made anew. Name, seed and buffer are what a
// gateway is; another one of these needs a restart.
type Reload struct {
	Config Config
	Done   func(error)
}

// ErrUnchanged is told to the Done of a Reload that changes nothing.
var ErrUnchanged = errors.New("the config is the one that runs")

// probation is how long a source that a reload started may take to fail at
// once.
const probation = 103_713_171 * time.Nanosecond

// running is a source at work.
type running struct {
	source
	stop context.CancelFunc
	over chan struct{}
	err  error // once over
}

// reloads waits for other configs until ctx ends.
func (g *gateway) reloads(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-g.opts.Reload:
			err := g.reload(ctx, r.Config)
			switch {
			case err == nil:
				g.log.Info("config reloaded")
			case err == ErrUnchanged:
				g.log.Info("config unchanged, nothing touched")
			default:
				g.log.Error("config not taken, the one before runs on", "err", err)
			}
			if r.Done != nil {
				r.Done(err)
			}
		}
	}
}

// reload prepares everything that can fail before it touches what runs.
func (g *gateway) reload(ctx context.Context, cfg Config) error {
	cfg.Defaults()
	before := g.cfg
	if reflect.DeepEqual(cfg, before) {
		return ErrUnchanged
	}
	if ps := cfg.Validate(); len(ps) > 0 && len(g.opts.sources) == 0 {
		return ps.Err()
	}
	if cfg.Name != before.Name || cfg.Seed != before.Seed || cfg.Unreachable != before.Unreachable || !reflect.DeepEqual(cfg.Buffer, before.Buffer) {
		return errors.New("another name, seed, buffer or word for the unreachable needs a restart")
	}
	var next *mqtt.Publisher
	if !reflect.DeepEqual(cfg.MQTT, before.MQTT) || !slices.Equal(g.desires.topics(cfg), g.desires.topics(before)) {
		var err error
		if next, err = mqtt.New(cfg.MQTT, g.mqttOptions(cfg, g.opts)); err != nil {
			return err
		}
	}
	door, err := g.door(cfg.Admin)
	if err != nil {
		return err
	}
	g.mu.Lock()
	g.cfg = cfg
	g.mu.Unlock()
	if next != nil {
		g.changePublisher(next)
	}
	if cfg.Admin != before.Admin {
		g.stopAdmin()
		g.startAdmin(door)
	}
	g.inTurn(func() { g.setStages(cfg) })
	if err := g.changeSources(ctx, g.sourcesOf(cfg)); err != nil {
		return errors.Join(err, g.reload(ctx, before))
	}
	return nil
}

// sourcesOf are the sources of a config, and those of a test.
func (g *gateway) sourcesOf(cfg Config) []source {
	out := append(sources(cfg, g.opts.FS, g.log, g.desires.door), g.opts.sources...)
	if g.opts.more != nil {
		out = append(out, g.opts.more(cfg)...)
	}
	return out
}

// config is the one that runs.
func (g *gateway) config() Config {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.cfg
}

// inTurn calls f while no batch is in the pipeline.
func (g *gateway) inTurn(f func()) {
	g.turn <- struct{}{}
	defer func() { <-g.turn }()
	f()
}

// setStages makes what the config says of the pipeline; the other stages, and
// what they remember, stay.
func (g *gateway) setStages(cfg Config) {
	g.weights = cfg.priorities()
	g.stages[2] = pipeline.NewScale(cfg.scale())
	g.stages[3] = pipeline.NewDeadband(cfg.Deadband, cfg.bands())
}

// door listens ahead, so that an address that cannot be had is told in time.
func (g *gateway) door(cfg admin.Config) (*admin.Door, error) {
	if cfg.Listen == g.cfg.Admin.Listen {
		return nil, nil
	}
	return admin.Open(cfg)
}

// startAdmin serves at a door that is open, or at the config's.
func (g *gateway) startAdmin(d *admin.Door) {
	cfg := g.cfg.Admin
	stopPush := func() {}
	if cfg.OTLP != "" {
		stopPush = g.start(func(ctx context.Context) error { return admin.Push(ctx, cfg, g.cfg.Name, g.metrics, g.log) })
	}
	stopServe := g.start(func(ctx context.Context) error {
		if d != nil {
			return d.Serve(ctx, g.metrics, g.log)
		}
		return admin.Serve(ctx, cfg, g.metrics, g.log)
	})
	g.stopAdmin = func() { stopPush(); stopServe() }
}

// start runs a part of the way out; the function that it returns ends it.
func (g *gateway) start(f func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancelCause(g.outCtx)
	over := make(chan struct{})
	g.out.Go(func() {
		defer close(over)
		if err := f(ctx); err != nil && context.Cause(ctx) == nil {
			g.failed(err)
		}
	})
	return func() { cancel(nil); <-over }
}

func (g *gateway) startPublisher() { g.stopMQTT = g.start(g.publisher.Load().Run) }

// changePublisher ends one publisher and begins another, which starts with the
// oldest sample that was not acknowledged, and says once more how the sources are.
func (g *gateway) changePublisher(next *mqtt.Publisher) {
	g.stopMQTT()
	g.publisher.Store(next)
	next.Status("", true, g.alarms.text())
	g.desires.sayAll(next)
	g.metrics.Each(func(source, why string) { next.Status(source, why == "", why) })
	g.startPublisher()
}

// startSource runs a source until it is stopped or the gateway is. If it is
// tried out, what it says within probation is for whoever started it to hear.
func (g *gateway) startSource(s source, tried bool) *running {
	ctx, cancel := context.WithCancel(g.life)
	r := &running{source: s, stop: cancel, over: make(chan struct{})}
	g.running[s.name] = r
	began := time.Now()
	g.in.Go(func() {
		defer close(r.over)
		r.err = s.run(ctx, g.sink, g.status)
		if r.err != nil && ctx.Err() == nil && (!tried || time.Since(began) > probation) {
			g.failed(r.err)
		}
	})
	return r
}

// changeSources ends what is gone or different, and then starts what is new or
// different. An error is that of one that did not start.
func (g *gateway) changeSources(ctx context.Context, want []source) error {
	keep := map[string]bool{}
	for _, s := range want {
		r := g.running[s.name]
		keep[s.name] = r != nil && (s.cfg == nil || reflect.DeepEqual(r.cfg, s.cfg)) && r.alive()
	}
	for _, name := range g.names() {
		if r := g.running[name]; !keep[name] {
			r.stop()
			<-r.over
			delete(g.running, name)
			if !slices.ContainsFunc(want, func(s source) bool { return s.name == name }) {
				g.status(name, false, "no longer configured")
				g.metrics.Forget(name)
			}
		}
	}
	var fresh []*running
	for _, s := range want {
		if !keep[s.name] {
			fresh = append(fresh, g.startSource(s, true))
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	select {
	case <-time.After(probation):
	case <-ctx.Done():
	}
	for _, r := range fresh {
		if !r.alive() && ctx.Err() == nil {
			return cmp.Or(r.err, fmt.Errorf("source %q ended at once", r.name))
		}
	}
	return nil
}

func (r *running) alive() bool {
	select {
	case <-r.over:
		return false
	default:
		return true
	}
}

func (g *gateway) names() (out []string) {
	for name := range g.running {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
