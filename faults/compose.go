package faults

import "time"

// active is a window that is open now.
type active struct {
	Window
	cfg Config
}

// id tells the windows of a run apart.
func (w Window) id() int { return w.Index<<20 | w.Nth }

// apply brings a seam in line with the windows that are open on it, in the
// order in which they opened. It is called at each of their edges; now is the
// time of the run.
type apply func(now time.Duration, open []active) error

// settle makes an apply out of what the open windows amount to together, and
// of how the seam gets there. Where nothing has changed the seam is left alone.
func settle[V comparable](healthy V, merge func(open []active) V, set func(was, now V) error) apply {
	return settleBy(healthy, func(a, b V) bool { return a == b }, merge, set)
}

// settleBy is settle for what == cannot compare.
func settleBy[V any](healthy V, equal func(a, b V) bool, merge func(open []active) V, set func(was, now V) error) apply {
	was := healthy
	return func(_ time.Duration, open []active) error {
		now := healthy
		if len(open) > 0 {
			now = merge(open)
		}
		if equal(now, was) {
			return nil
		}
		before := was
		was = now
		return set(before, now)
	}
}

// toggle is settle for what is on while any window is open.
func toggle(set func(on bool)) apply {
	return settle(false, func([]active) bool { return true }, func(_, on bool) error {
		set(on)
		return nil
	})
}

// toggleOr is toggle for a seam that can refuse.
func toggleOr(set func(on bool) error) apply {
	return settle(false, func([]active) bool { return true }, func(_, on bool) error { return set(on) })
}

// plain is for seams that cannot refuse.
func plain[V any](set func(V)) func(was, now V) error {
	return func(_, now V) error {
		set(now)
		return nil
	}
}

func last(open []active) active { return open[len(open)-1] }
