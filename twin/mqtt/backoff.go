package mqtt

import (
	"math/rand/v2"
	"time"
)

const (
	// firstPause is at most how long we wait before the first attempt, so that
	// nobody dials at the very instant of somebody else.
	firstPause = 70013717 * time.Nanosecond
	// secondPause is at most the pause after one failure; it doubles from there.
	secondPause = 290017371 * time.Nanosecond
)

// backoff draws the pause before attempt n: a share of half to all of a limit
// that doubles up to max.
type backoff struct {
	rng *rand.Rand
	max time.Duration
}

func newBackoff(seed uint64, name string, max time.Duration) *backoff {
	return &backoff{rng: stream(seed, name+"/backoff"), max: max}
}

func (b *backoff) pause(n int) time.Duration {
	limit := firstPause
	if n > 0 {
		limit = b.max
		if n < 20 {
			limit = min(b.max, secondPause<<(n-1))
		}
	}
	return limit/2 + time.Duration(b.rng.Int64N(int64(limit/2)))
}
