package modbus

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/plantbed/plantbed/gateway/pipeline"
)

// The pause before a dial: none but a seeded moment after a loss, then from
// backoffMin doubling to backoffMax.
const (
	backoffMin = 100 * time.Millisecond
	backoffMax = time.Second
)

// Run polls one device until ctx ends, through every drop and restart of it,
// and then returns nil with nothing left open. Only a configuration that
// Validate refuses makes it return before. A nil log discards.
func Run(ctx context.Context, cfg Config, seed uint64, log *slog.Logger, sink pipeline.Sink, status pipeline.StatusFunc) error {
	if ps := cfg.Validate(); len(ps) > 0 {
		return fmt.Errorf("modbus source %q: %s: %s", cfg.Name, ps[0].Path, ps[0].Msg)
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	h := fnv.New64a()
	h.Write([]byte("modbus/" + cfg.Name))
	s := &source{cfg: &cfg, log: log, sink: sink, report: status, rng: rand.New(rand.NewPCG(seed, h.Sum64()))}
	s.blocks = newBlocks(&cfg, s.rng, time.Now())
	for s.pause(ctx) {
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
	rng    *rand.Rand
	blocks []*block
	fails  int       // attempts since the last response
	begun  time.Time // of the last attempt
	told   bool      // whether a status was reported yet, and which
	up     bool
	why    string
}

// status reports changes. Of the reasons for being down only the first counts.
func (s *source) status(up bool, why string) {
	if s.told && s.up == up && (!up || s.why == why) {
		return
	}
	s.told, s.up, s.why = true, up, why
	s.log.Info("source", "source", s.cfg.Name, "up", up, "why", why)
	if s.report != nil {
		s.report(s.cfg.Name, up, why)
	}
}

// pause waits before a dial; false if ctx ended.
func (s *source) pause(ctx context.Context) bool {
	d := time.Millisecond + time.Duration(s.rng.Int64N(int64(9*time.Millisecond)))
	if s.fails > 0 {
		full := min(backoffMin<<min(s.fails-1, 8), backoffMax)
		full -= time.Duration(s.rng.Int64N(int64(full / 4)))
		d = max(d, full-time.Since(s.begun)) // an attempt that hung is followed at once
	}
	if !sleep(ctx, d) {
		return false
	}
	s.fails, s.begun = s.fails+1, time.Now()
	return true
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
		if !sleep(ctx, time.Until(b.due)) {
			return ctx.Err()
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
	s.fails = 0
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

// sleep returns false if ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
