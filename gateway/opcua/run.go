package opcua

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/gateway/pipeline"
	"github.com/plantbed/plantbed/internal/backoff"
)

// The bounds of the pause before a dial after a loss.
const (
	backoffMin = 200 * time.Millisecond
	backoffMax = 2 * time.Second
)

// Run reads from one server until ctx ends, through every drop and restart of
// it, and then returns nil with nothing left open. Only a configuration that
// Validate refuses makes it return before. A nil log discards.
func Run(ctx context.Context, cfg Config, seed uint64, log *slog.Logger, sink pipeline.Sink, status pipeline.StatusFunc) error {
	return RunWriting(ctx, cfg, seed, log, sink, status, nil)
}

// RunWriting is Run that also takes values for the device, while it is reached.
func RunWriting(ctx context.Context, cfg Config, seed uint64, log *slog.Logger, sink pipeline.Sink, status pipeline.StatusFunc, writes <-chan pipeline.Write) error {
	if ps := cfg.Validate(); len(ps) > 0 {
		return fmt.Errorf("opcua source %q: %s: %s", cfg.Name, ps[0].Path, ps[0].Msg)
	}
	items, err := newItems(cfg.Tags)
	if err != nil {
		return fmt.Errorf("opcua source %q: %w", cfg.Name, err)
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &source{cfg: &cfg, log: log, sink: sink, report: status, items: items, writes: writes,
		pace: backoff.Pace{Min: backoffMin, Max: backoffMax, Rand: backoff.Rand(seed, "opcua/"+cfg.Name)}}
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
	items  []item
	clock  clock
	uris   []string // the server's namespaces, as last seen
	pace   backoff.Pace
	sub    *subscription // what the server keeps for us, nil if nothing
	token  *ua.NodeID    // of the session that it belongs to
	nonce  []byte        // to be signed when that session is activated again
	up     *bool         // as last reported
	writes <-chan pipeline.Write
}

// status reports changes.
func (s *source) status(up bool, why string) {
	if s.up != nil && *s.up == up {
		s.log.Debug("still down", "source", s.cfg.Name, "why", why)
		return
	}
	s.up = &up
	s.log.Debug("source", "source", s.cfg.Name, "up", up, "why", why)
	if s.report != nil {
		s.report(s.cfg.Name, up, why)
	}
}

// connection is the life of one connection; it returns why it ended.
func (s *source) connection(ctx context.Context) error {
	l, err := connect(ctx, s.cfg)
	if err != nil {
		return err
	}
	defer func() {
		if ctx.Err() != nil {
			l.bye()
		}
		l.close()
	}()
	if err := l.login(ctx, s.cfg); err != nil {
		return err
	}
	r := &receiver{cfg: s.cfg, log: s.log, sink: s.sink, link: l, items: &s.items, clock: &s.clock,
		alive: s.pace.Reset, answers: make(chan answer), held: map[uint32]*ua.NotificationMessage{}}
	if err := s.takeUp(ctx, r); err != nil {
		return err
	}
	r.uris = s.uris
	bad, first := summary(s.items)
	why := ""
	if bad > 0 {
		why = fmt.Sprintf("%d of %d tags refused, first %s", bad, len(s.items), first)
	}
	if len(s.items) == 0 {
		why = "no tag: no variable of the server fits a pick"
	}
	s.status(true, why)
	err = r.run(ctx, s.writes)
	if errors.Is(err, errGone) || errors.Is(err, ua.StatusBadNoSubscription) || errors.Is(err, ua.StatusBadSubscriptionIDInvalid) {
		s.gone(ctx, err)
	}
	return err
}

// takeUp goes on with the subscription that the server kept, or makes one.
func (s *source) takeUp(ctx context.Context, r *receiver) error {
	if s.sub != nil {
		err := s.resume(ctx, r)
		if !errors.Is(err, errGone) && !errors.Is(err, ua.StatusBadSubscriptionIDInvalid) {
			return err
		}
		s.gone(ctx, err)
	}
	if !backoff.Sleep(ctx, s.pace.Moment()) {
		return ctx.Err()
	}
	sub, err := r.link.subscribe(ctx, s.cfg)
	if err != nil {
		return err
	}
	m := &maker{link: r.link, cfg: s.cfg, sub: sub, items: &s.items}
	if err := m.create(ctx); err != nil {
		s.forget() // half made is not made
		return err
	}
	s.uris = m.uris
	s.sub, s.token, s.nonce, r.sub = sub, r.link.token, r.link.nonce, sub
	return nil
}

// resume takes the subscription over and catches up. After errGone the link is
// of use if it has a session still.
func (s *source) resume(ctx context.Context, r *receiver) error {
	r.sub = s.sub
	available, err := r.link.transfer(ctx, s.sub.id)
	if errors.Is(err, errRefused) {
		s.log.Info("back to the session before", "source", s.cfg.Name, "why", err)
		if err := r.link.revive(ctx, s.cfg, s.token, s.nonce); err != nil {
			s.forget() // this session is closed; the next connection starts anew
			return err
		}
		s.nonce = r.link.nonce
		return r.probe(ctx)
	}
	if err != nil {
		return err
	}
	s.token, s.nonce = r.link.token, r.link.nonce
	s.log.Info("subscription taken over", "source", s.cfg.Name, "subscription", s.sub.id, "available", len(available))
	return r.resume(ctx, available)
}

// gone notes that what the server kept for us is lost.
func (s *source) gone(ctx context.Context, err error) {
	lost := 0
	for _, n := range s.sub.spilled {
		lost += n
	}
	if lost > 0 {
		s.sink(ctx, pipeline.Batch{Source: s.cfg.Name, Lost: lost})
	}
	s.log.Warn("gap: the subscription is gone and with it what it held", "source", s.cfg.Name, "why", err)
	s.forget()
}

func (s *source) forget() {
	s.sub = nil
	for i := range s.items {
		s.items[i].created, s.items[i].bad = false, ua.StatusOK
	}
}
