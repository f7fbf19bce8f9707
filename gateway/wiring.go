package gateway

import (
	"context"

	"github.com/plantbed/plantbed/gateway/buffer"
	"github.com/plantbed/plantbed/gateway/mqtt"
	"github.com/plantbed/plantbed/gateway/pipeline"
)

// sink is where every source hands its batches over: through the stages, one
// batch at a time, into the buffer.
func (g *gateway) sink(ctx context.Context, b pipeline.Batch) error {
	select {
	case g.turn <- struct{}{}:
	case <-ctx.Done():
		if b.Done != nil {
			b.Done(ctx.Err())
		}
		return ctx.Err()
	}
	n := len(b.Samples)
	out := pipeline.Through(g.stages, b.Samples)
	g.metrics.Received.Add(int64(n))
	g.metrics.Filtered.Add(int64(max(0, n-len(out))))
	g.metrics.Appended.Add(int64(len(out)))
	err := g.buffer.Append(ctx, out, b.Done)
	<-g.turn
	if err != nil { // the buffer is gone, and with it soon the gateway
		<-ctx.Done()
	}
	return err
}

// status passes on whether a source is up.
func (g *gateway) status(source string, up bool, why string) {
	g.metrics.Source(source, up, why)
	g.publisher.Status(source, up, why)
	g.mu.Lock()
	defer g.mu.Unlock()
	state := "up"
	if !up {
		state = "down: " + why
	}
	if g.states[source] != state {
		g.states[source] = state
		g.log.Info("source "+state, "source", source)
	}
}

func (g *gateway) bufferOptions(opts Options) buffer.Options {
	return buffer.Options{
		FS: opts.FS, Name: g.cfg.Name, Seed: g.cfg.Seed, Log: g.log,
		OnDrop:  g.onDrop(opts),
		OnDepth: opts.Observe.OnDepth,
		OnCommit: func(samples, bytes int) {
			g.metrics.Committed.Add(int64(samples))
			g.metrics.Commits.Add(1)
			g.metrics.CommitBytes.Add(int64(bytes))
		},
		OnTrouble: func(why string) {
			g.metrics.Trouble(why)
			g.publisher.Status("", true, why)
		},
	}
}

func (g *gateway) mqttOptions(opts Options) mqtt.Options {
	return mqtt.Options{
		Gateway: g.cfg.Name, Seed: g.cfg.Seed, Log: g.log, Store: g.buffer, Stages: opts.PublishStages,
		OnUp:        g.metrics.Broker,
		OnPublished: func(n int) { g.metrics.Published.Add(int64(n)) },
		OnAcked:     func(n int) { g.metrics.Acked.Add(int64(n)) },
		OnDrop:      g.onDrop(opts),
	}
}

func (g *gateway) onDrop(opts Options) func(string, int) {
	return func(reason string, n int) {
		g.metrics.Dropped(reason, n)
		if opts.Observe.OnDrop != nil {
			opts.Observe.OnDrop(reason, n)
		}
	}
}
