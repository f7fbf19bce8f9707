package modbus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/plantbed/plantbed/gateway/pipeline"
	"github.com/plantbed/plantbed/internal/backoff"
)

// The bounds of the pause before a dial after a loss.
const (
	backoffMin = 100 * time.Millisecond
	backoffMax = time.Second
)

// Run polls one device until ctx ends, through every drop and restart of it,
// and then returns nil with nothing left open. Only a configuration that
// Validate refuses makes it return before. A nil log discards.
func Run(ctx context.Context, cfg Config, seed uint64, log *slog.Logger, sink pipeline.Sink, status pipeline.StatusFunc) error {
	return RunWriting(ctx, cfg, seed, log, sink, status, nil)
}

// RunWriting is Run that also takes values for the device, while it is reached.
func RunWriting(ctx context.Context, cfg Config, seed uint64, log *slog.Logger, sink pipeline.Sink, status pipeline.StatusFunc, writes <-chan pipeline.Write) error {
	if ps := cfg.Validate(); len(ps) > 0 {
		return fmt.Errorf("modbus source %q: %s: %s", cfg.Name, ps[0].Path, ps[0].Msg)
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	rng := backoff.Rand(seed, "modbus/"+cfg.Name)
	s := &source{cfg: &cfg, log: log, sink: sink, report: status, writes: writes, pace: backoff.Pace{Min: backoffMin, Max: backoffMax, Rand: rng}}
	s.blocks = newBlocks(&cfg, rng, time.Now())
	for backoff.Sleep(ctx, s.pace.Next(time.Now())) {
		s.pace.Attempt(time.Now())
		err := s.connection(ctx)
		if ctx.Err() != nil {
			break
		}
		s.status(false, err.Error())
	}
	return nil
}

type source struct {
	cfg    *Config
	log    *slog.Logger
	sink   pipeline.Sink
	report pipeline.StatusFunc
	writes <-chan pipeline.Write
	pace   backoff.Pace
	blocks []*block
	told   bool // whether a status was reported yet, and which
	up     bool
	why    string
}

// status reports changes. Of the reasons for being down only the first counts.
func (s *source) status(up bool, why string) {
	if s.told && s.up == up && (!up || s.why == why) {
		return
	}
	s.told, s.up, s.why = true, up, why
	s.log.Debug("source", "source", s.cfg.Name, "up", up, "why", why)
	if s.report != nil {
		s.report(s.cfg.Name, up, why)
	}
}

// connection polls the blocks on one connection; it returns why it ended.
func (s *source) connection(ctx context.Context) error {
	d, err := connect(ctx, s.cfg)
	if err != nil {
		return err
	}
	defer d.close()
	for {
		b := earliest(s.blocks)
		if err := s.idle(ctx, d, b.due); err != nil {
			return err
		}
		if err := s.poll(ctx, d, b); err != nil {
			return err
		}
		b.due = b.grid.after(time.Now())
	}
}

// earliest is the block whose poll is due first.
func earliest(blocks []*block) *block {
	first := blocks[0]
	for _, b := range blocks[1:] {
		if b.due.Before(first.due) {
			first = b
		}
	}
	return first
}

// poll reads a block and hands on what it finds. An error means that the
// connection is of no more use, and leaves the block due.
func (s *source) poll(ctx context.Context, d *device, b *block) error {
	data, err := d.read(ctx, b.registers, b.start, b.count)
	var refusal exception
	switch {
	case errors.As(err, &refusal):
		b.refused(refusal)
	case err != nil:
		return err
	default:
		b.accepted()
	}
	s.pace.Reset()
	s.status(condition(s.blocks))
	if data == nil {
		return nil
	}
	samples := b.samples(data, time.Now().Round(0))
	if len(samples) == 0 {
		return nil
	}
	return s.sink(ctx, pipeline.Batch{Source: s.cfg.Name, Samples: samples, Done: s.done})
}

// done has nothing to acknowledge: a device keeps no past.
func (s *source) done(err error) {
	if err != nil {
		s.log.Warn("samples lost", "source", s.cfg.Name, "why", err)
	}
}
