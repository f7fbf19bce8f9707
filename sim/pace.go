package sim

import (
	"context"
	"time"
)

// Pace runs the world by the wall: t = 0 is start, and the kernel sleeps
// until its next visible event, works through all that happens up to then in
// one go, and tells late how far behind the wall it was. It is the main loop
// of both network gears (in the virtual one the wall is Go's fake clock):
//
//	find the next visible instant → sleep, or serve Do → run up to it
//
// It returns nil when the world has reached until or was halted, or the
// context's error.
func (k *Kernel) Pace(ctx context.Context, start time.Time, until time.Duration, late func(time.Duration)) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		next, ok := k.nextVisible()
		if !ok || next > until {
			next = until
		}
		timer.Reset(time.Until(start.Add(next)))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case f := <-k.inbox:
			k.Run(max(k.now, min(time.Since(start), next)))
			if !k.halted {
				f()
			}
		case <-timer.C:
			if late != nil {
				late(time.Since(start) - next)
			}
			k.Run(next)
			if next == until {
				return nil
			}
		}
		if k.halted {
			return nil
		}
	}
}

// Do has f called on the kernel's goroutine, between two events, at the
// present time of the wall. It is the one way in for other goroutines, and
// does not wait for f.
func (k *Kernel) Do(ctx context.Context, f func()) error {
	select {
	case k.inbox <- f:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
