package wire

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// Loss is a network that loses packets in bursts: the model of Gilbert (Bell
// System Technical Journal 39, 1960) and Elliott (42, 1963) in continuous time.
// It is good and bad in turn, for times that are exponentially distributed with
// these means; in the bad ones every packet is lost. What a sender with TCP
// makes of that is reproduced: a chunk that falls into a bad time is sent again
// after RTO, then after twice that, and so on, until a good time is met, and
// everything behind it waits.
type Loss struct {
	Good, Bad time.Duration
	// RTO is the first retransmission time-out; 0 is 200 ms, the least of Linux.
	RTO time.Duration
}

const (
	defaultRTO = 200 * time.Millisecond
	// maxRTO is where doubling ends, as RFC 6298 allows.
	maxRTO = 60 * time.Second
)

// bursts is a Loss as it happened so far, and as far ahead as was asked for.
type bursts struct {
	loss Loss
	mu   sync.Mutex
	rng  *rand.Rand
	bad  []burst // by time, the old ones forgotten
	end  time.Time
}

type burst struct{ from, to time.Time }

// newBursts begins with a good time.
func (w *Wire) newBursts(l Loss, dir Direction, i int) *bursts {
	key := mix(w.cfg.Seed + mix(hash(w.cfg.Name+"/loss")+uint64(i)<<1+uint64(dir)))
	return &bursts{loss: l, rng: rand.New(rand.NewPCG(key, hash(fmt.Sprint(l)))), end: time.Now()}
}

// through is when a chunk that is sent at t gets through. Retransmissions are
// off by phase, so that they do not meet something periodic.
func (b *bursts) through(t time.Time, phase time.Duration) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	rto := b.loss.RTO
	if rto <= 0 {
		rto = defaultRTO
	}
	for b.isBad(t) {
		t = t.Add(rto + phase)
		rto = min(2*rto, maxRTO)
	}
	return t
}

// keep is how long a burst is remembered, for chunks that were read before it.
const keep = time.Minute

func (b *bursts) isBad(t time.Time) bool {
	for !b.end.After(t) {
		from := b.end.Add(b.draw(b.loss.Good))
		to := from.Add(b.draw(b.loss.Bad))
		b.bad, b.end = append(b.bad, burst{from, to}), to
	}
	for len(b.bad) > 0 && t.Sub(b.bad[0].to) > keep {
		b.bad = b.bad[1:]
	}
	for _, x := range b.bad {
		if !t.Before(x.from) && t.Before(x.to) {
			return true
		}
	}
	return false
}

// draw is at least a microsecond and at most an hour, so that it always ends.
func (b *bursts) draw(mean time.Duration) time.Duration {
	return min(max(time.Duration(b.rng.ExpFloat64()*float64(mean)), time.Microsecond), time.Hour)
}
