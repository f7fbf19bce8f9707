package opcua

import (
	"context"
	"errors"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/gateway/pipeline"
	"github.com/plantbed/plantbed/internal/backoff"
)

// fill fetches what is missing before the messages that are held and up to
// what the last keep-alive spoke of.
func (r *receiver) fill(ctx context.Context) error {
	for {
		end, ok := r.earliest()
		if !ok {
			return nil
		}
		if r.sub.ledger.unknown() {
			if err := r.begin(ctx, end); err != nil {
				return err
			}
			if err := r.release(ctx); err != nil || r.stalled {
				return err
			}
			continue
		}
		if err := r.fetchUntil(ctx, end); err != nil || r.stalled {
			return err
		}
		if err := r.release(ctx); err != nil || r.stalled {
			return err
		}
	}
}

// earliest is the first number that is held or spoken of.
func (r *receiver) earliest() (n uint32, ok bool) {
	n, ok = r.behind, r.behind != 0
	for k := range r.held { // the order of a map does not show
		if !ok || before(k, n) {
			n, ok = k, true
		}
	}
	return n, ok
}

// begin finds where the sequence begins: it goes back from the first number
// that was seen, as far as the server still has what came before.
func (r *receiver) begin(ctx context.Context, first uint32) error {
	for range maxHole {
		msg, err := r.republish(ctx, preceding(first))
		if err != nil {
			return err
		}
		if msg == nil {
			break
		}
		first = msg.SequenceNumber
		r.held[first] = msg
	}
	r.sub.ledger.skip(first)
	return nil
}

const (
	// republishTries are in a row on one connection, republishPause apart.
	republishTries = 5
	republishPause = 211*time.Millisecond + 171313*time.Nanosecond
	// deniedPeriods is how many keep-alive periods long a server may refuse every
	// Republish for no lasting reason, until what is missing counts as lost: no
	// live sample goes ahead of it until then.
	deniedPeriods = 20
)

// republish fetches a notification from a server that may be busy; nil if it is
// lost.
func (r *receiver) republish(ctx context.Context, n uint32) (*ua.NotificationMessage, error) {
	for try := 1; ; try++ {
		msg, err := r.link.republish(ctx, r.sub.id, n)
		if err == nil {
			r.sub.denied = time.Time{}
		}
		if !errors.Is(err, errBusy) {
			return msg, err
		}
		if r.sub.denied.IsZero() {
			r.sub.denied = time.Now()
		}
		switch {
		case time.Since(r.sub.denied) > deniedPeriods*r.sub.period:
			return nil, nil
		case try == republishTries:
			return nil, err
		case !backoff.Sleep(ctx, republishPause):
			return nil, ctx.Err()
		}
	}
}

// fetchUntil republishes from the expected number up to but not including end.
func (r *receiver) fetchUntil(ctx context.Context, end uint32) error {
	next := r.sub.ledger.expected()
	if hole := end - next; hole > maxHole {
		r.giveUp(ctx, next, end-maxHole)
		r.gap(ctx, int(hole-maxHole))
		r.log.Warn("notifications lost", "source", r.cfg.Name, "from", next, "count", hole-maxHole)
		next = end - maxHole
		r.sub.ledger.skip(next)
	}
	lost, first := 0, uint32(0)
	for n := next; n != end; n = after(n) {
		msg, err := r.republish(ctx, n)
		if err != nil {
			return err
		}
		if msg == nil {
			if lost++; lost == 1 {
				first = n
			}
			r.sub.ledger.skip(after(n))
			r.giveUp(ctx, n, after(n))
			continue
		}
		delete(r.sub.spilled, n)
		if err := r.handOn(ctx, msg); err != nil || r.stalled {
			return err
		}
	}
	if lost > 0 {
		r.gap(ctx, lost)
		r.log.Warn("notifications lost: the server holds them no more", "source", r.cfg.Name, "from", first, "count", lost)
	}
	return nil
}

// gap tells of notifications that nobody has any more.
func (r *receiver) gap(ctx context.Context, n int) {
	r.sink(ctx, pipeline.Batch{Source: r.cfg.Name, Gaps: n, Done: func(error) {}})
}

// spill leaves to the server what is held for want of room.
func (r *receiver) spill() {
	for n, msg := range r.held {
		if r.stalled {
			r.sub.spilled[n] = changes(msg)
		}
	}
}

// giveUp counts what was turned away and is at the server no more.
func (r *receiver) giveUp(ctx context.Context, from, end uint32) {
	lost := 0
	for n := range r.sub.spilled {
		if !before(n, from) && before(n, end) {
			lost += r.sub.spilled[n]
			delete(r.sub.spilled, n)
		}
	}
	if lost > 0 {
		r.sink(ctx, pipeline.Batch{Source: r.cfg.Name, Lost: lost})
	}
}

// resume fetches, after a transfer, what the server sent and we never had.
func (r *receiver) resume(ctx context.Context, available []uint32) error {
	for _, n := range r.sub.ledger.wanted(available) {
		if err := r.fetchUntil(ctx, after(n)); err != nil || r.stalled {
			return err
		}
	}
	return nil
}

// probe does the same without knowing what the server still holds.
func (r *receiver) probe(ctx context.Context) error {
	for {
		msg, err := r.republish(ctx, r.sub.ledger.expected())
		if err != nil || msg == nil {
			return err
		}
		if err := r.handOn(ctx, msg); err != nil || r.stalled {
			return err
		}
	}
}

// again fetches what the sink lost.
func (r *receiver) again(ctx context.Context) error {
	todo := r.sub.ledger.redo()
	for i, n := range todo {
		msg, err := r.republish(ctx, n)
		if err != nil {
			r.sub.ledger.refail(todo[i:])
			return err
		}
		if msg == nil {
			r.gap(ctx, 1)
			r.log.Warn("a notification that could not be stored is lost", "source", r.cfg.Name, "sequence", n)
			continue
		}
		if err := r.handOn(ctx, msg); err != nil {
			return err
		}
	}
	return nil
}
