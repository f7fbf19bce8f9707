package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/plantbed/plantbed/gateway/buffer"
	"github.com/plantbed/plantbed/gateway/mqtt"
	"github.com/plantbed/plantbed/gateway/pipeline"
	"github.com/plantbed/plantbed/sim/signal"
)

// sink is where every source hands its batches over: through the stages, one
// batch at a time, into the buffer. Whether there is room is asked first: a
// batch that the stages have seen cannot come again.
func (g *gateway) sink(ctx context.Context, b pipeline.Batch) error {
	select {
	case g.turn <- struct{}{}:
	case <-ctx.Done():
		if b.Done != nil {
			b.Done(ctx.Err())
		}
		return ctx.Err()
	}
	defer func() { <-g.turn }()
	if b.Gaps > 0 {
		g.metrics.Gaps(b.Source, b.Gaps)
	}
	if b.Lost > 0 {
		g.dropped(buffer.DropFull, b.Lost)
	}
	if b.Overflows > 0 {
		g.metrics.Overflows(b.Source, b.Overflows)
	}
	n, in := len(b.Samples), b.Samples
	if g.weights != nil {
		in = g.weights.admit(in, g.buffer.Bytes())
	}
	if err := g.buffer.Room(len(in)); err != nil {
		return g.turnAway(b, err)
	}
	if n > len(in) {
		g.dropped(DropPriority, n-len(in))
	}
	staged := g.tracing.begin(&b)
	out := pipeline.Through(g.stages, in)
	g.metrics.Received.Add(int64(n))
	g.metrics.Filtered.Add(int64(max(0, len(in)-len(out))))
	g.metrics.Appended.Add(int64(len(out)))
	g.last.note(b.Source, out)
	// From here on the stages have seen it: it is stored even if its source ends.
	err := g.buffer.Append(g.life, out, b.Done)
	staged(len(out), g.buffer.Last())
	if err != nil { // the buffer is gone, and with it soon the gateway
		<-ctx.Done()
	}
	return err
}

// turnAway refuses a batch before any stage has seen it, so that it can come
// again.
func (g *gateway) turnAway(b pipeline.Batch, err error) error {
	switch {
	case err == buffer.ErrFull && b.Keeps:
	default:
		g.dropped(buffer.Reason(err), len(b.Samples))
	}
	if err == buffer.ErrFull {
		err = pipeline.ErrFull
	}
	if b.Done != nil {
		b.Done(err)
	}
	return nil
}

// status passes on whether a source is up.
func (g *gateway) status(source string, up bool, why string) {
	g.metrics.Source(source, up, why)
	g.publisher.Load().Status(source, up, why)
	if g.last != nil {
		g.markUnreachable(source, up)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	state := "up"
	if !up {
		state = "down"
	}
	if why != "" {
		state += ": " + why
	}
	if g.states[source] != state {
		g.states[source] = state
		g.log.Info("source "+state, "source", source)
	}
}

func (g *gateway) bufferOptions(opts Options) buffer.Options {
	o := buffer.Options{
		FS: opts.FS, Name: g.cfg.Name, Seed: g.cfg.Seed, Log: g.log,
		OnDrop:  g.dropped,
		OnDepth: opts.Observe.OnDepth,
		OnCommit: func(samples, bytes int) {
			g.metrics.Committed.Add(int64(samples))
			g.metrics.Commits.Add(1)
			g.metrics.CommitBytes.Add(int64(bytes))
		},
		OnTrouble: func(why string) {
			g.metrics.Trouble(why)
			g.alarm(alarmDisk, why)
		},
	}
	if g.cfg.MQTT.BackfillShare < 1 {
		o.OnDurable = func(first uint64, samples []signal.Sample) {
			if p := g.publisher.Load(); p != nil {
				p.Durable(first, samples)
			}
		}
	}
	return o
}

func (g *gateway) mqttOptions(cfg Config, opts Options) mqtt.Options {
	return mqtt.Options{
		Gateway: g.cfg.Name, Seed: g.cfg.Seed, Log: g.log, Store: g.buffer, Stages: opts.PublishStages,
		OnUp:        g.metrics.Broker,
		OnPublished: func(n int) { g.metrics.Published.Add(int64(n)) },
		OnAcked:     func(n int) { g.metrics.Acked.Add(int64(n)) },
		OnDrop:      g.dropped,
		BdSeq:       g.bdSeq(cfg),
		KeepBdSeq:   g.keepBdSeq,
		Origins:     g.tracing.links,
		Tags:        cfg.ids(),
		Subscribe:   g.desires.topics(cfg),
		OnMessage:   g.desires.heard,
	}
}

// sayDrops is how often drops of one reason are logged.
const sayDrops = 10*time.Second + 17_371_317

// dropped counts samples that are lost, and says so: the first at once, what
// follows in sums.
func (g *gateway) dropped(reason string, n int) {
	g.metrics.Dropped(reason, n)
	if reason == buffer.DropDamaged {
		g.alarm(alarmDamage, fmt.Sprintf("%d samples are lost, what is left of them is in *.bad", g.damaged.Add(int64(n))))
	}
	g.mu.Lock()
	d := g.drops[reason]
	d.samples += n
	if now := time.Now(); now.Sub(d.said) >= sayDrops {
		g.log.Warn("samples dropped", "reason", reason, "samples", d.samples)
		d = drops{said: now}
	}
	g.drops[reason] = d
	g.mu.Unlock()
	if g.observe.OnDrop != nil {
		g.observe.OnDrop(reason, n)
	}
}

// bdSeqFile holds the Sparkplug bdSeq that comes next.
const bdSeqFile = "bdseq"

func (g *gateway) bdSeq(cfg Config) (next uint64) {
	if g.opts.FS == nil || cfg.MQTT.Format != mqtt.FormatSparkplug {
		return 0
	}
	if text, err := g.opts.FS.ReadFile(bdSeqFile); err == nil {
		json.Unmarshal(text, &next) // what is damaged begins anew
	}
	return next
}

func (g *gateway) keepBdSeq(next uint64) {
	if g.opts.FS == nil {
		return
	}
	if err := replaceFile(g.opts.FS, bdSeqFile, next); err != nil {
		g.log.Warn("the next bdSeq cannot be kept", "err", err)
	}
}
