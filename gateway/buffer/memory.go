package buffer

import (
	"context"
	"sync"
	"time"

	"github.com/plantbed/plantbed/sim/signal"
)

// memorySample is what one sample counts for in kind memory, in bytes.
const memorySample = 64

// memory is the kinds memory and none: a queue of the batches as they came.
type memory struct {
	cfg    Config
	opt    Options
	stream uint64
	ready  chan struct{}

	mu      sync.Mutex
	closed  bool
	online  bool
	batches []batch // oldest first, numbers without a gap
	nextNum uint64
	acked   uint64
	num     uint64 // of the next one to return
	out     []signal.Sample
}

type batch struct {
	first   uint64
	at      time.Time
	samples []signal.Sample
}

func (b batch) next() uint64 { return b.first + uint64(len(b.samples)) }

func newMemory(cfg Config, opt Options) *memory {
	return &memory{cfg: cfg, opt: opt, stream: newStream(opt), ready: make(chan struct{}, 1), nextNum: 1, num: 1}
}

func (m *memory) Stream() string         { return streamName(m.stream) }
func (m *memory) Ready() <-chan struct{} { return m.ready }

// Latest is empty: nothing survives.
func (m *memory) Latest() []signal.Sample { return nil }

func (m *memory) Last() uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.nextNum - 1
}

func (m *memory) Depth() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.depth()
}

func (m *memory) depth() int { return int(m.nextNum - 1 - m.acked) }

func (m *memory) Bytes() int64 { return int64(m.Depth()) * memorySample }

func (m *memory) Append(ctx context.Context, samples []signal.Sample, done func(error)) error {
	err := ctx.Err()
	if err == nil {
		err = m.append(samples)
	}
	if done != nil {
		done(err)
	}
	if err == ErrFull || err == ErrOffline || err == ErrTooLarge {
		return nil
	}
	return err
}

func (m *memory) append(samples []signal.Sample) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.closed:
		return ErrClosed
	case len(samples) == 0:
		return nil
	}
	if err := m.room(len(samples)); err != nil {
		m.opt.OnDrop(Reason(err), len(samples))
		return err
	}
	b := batch{first: m.nextNum, at: time.Now(), samples: append([]signal.Sample(nil), samples...)}
	m.batches = append(m.batches, b)
	m.nextNum = b.next()
	m.opt.OnCommit(len(samples), len(samples)*memorySample)
	m.opt.OnDepth(m.depth())
	poke(m.ready)
	if m.opt.OnDurable != nil {
		m.opt.OnDurable(b.first, b.samples)
	}
	return nil
}

// Room is Buffer.Room.
func (m *memory) Room(n int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if n == 0 || m.closed {
		return nil
	}
	return m.room(n)
}

func (m *memory) room(n int) error {
	switch {
	case m.cfg.Kind == KindNone && !m.online:
		return ErrOffline
	case int64(n)*memorySample > int64(m.cfg.MaxBytes):
		return ErrTooLarge
	case !m.makeFit(n):
		return ErrFull
	}
	return nil
}

func (m *memory) makeFit(n int) bool {
	for len(m.batches) > 0 && m.cfg.MaxAge > 0 && time.Since(m.batches[0].at) > m.cfg.MaxAge.D() {
		m.drop(m.batches[0].next(), DropExpired)
	}
	for int64(m.depth()+n)*memorySample > int64(m.cfg.MaxBytes) {
		if m.cfg.Policy != DropOldest || len(m.batches) == 0 {
			return false
		}
		m.drop(m.batches[0].next(), DropOverwritten)
	}
	return true
}

// drop gives up everything before a number.
func (m *memory) drop(before uint64, reason string) {
	if before <= m.acked+1 {
		return
	}
	m.opt.OnDrop(reason, int(before-1-m.acked))
	m.ack(before - 1)
}

func (m *memory) ack(upto uint64) {
	m.acked = upto
	m.num = max(m.num, upto+1)
	for len(m.batches) > 0 && m.batches[0].next() <= upto+1 {
		m.batches[0] = batch{}
		m.batches = m.batches[1:]
	}
	m.opt.OnDepth(m.depth())
}

func (m *memory) Next(ctx context.Context, max int) (uint64, []signal.Sample, time.Time, error) {
	return next(ctx, m, max)
}

func (m *memory) TryNext(max int) (uint64, []signal.Sample, time.Time, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return 0, nil, time.Time{}, ErrClosed
	}
	first, at := m.num, time.Time{}
	m.out = m.out[:0]
	for i := m.find(m.num); i < len(m.batches) && len(m.out) < max; i++ {
		b := m.batches[i]
		rest := b.samples[m.num-b.first:]
		rest = rest[:min(len(rest), max-len(m.out))]
		if len(m.out) == 0 {
			at = b.at
		}
		m.out = append(m.out, rest...)
		m.num += uint64(len(rest))
	}
	return first, m.out, at, nil
}

// find is the batch that a number is in.
func (m *memory) find(num uint64) int {
	lo, hi := 0, len(m.batches)
	for lo < hi {
		if mid := (lo + hi) / 2; m.batches[mid].next() <= num {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

func (m *memory) Ack(upto uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if upto > m.acked && upto < m.nextNum {
		m.ack(upto)
	}
}

func (m *memory) Rewind() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cfg.Kind == KindNone {
		m.drop(m.num, DropOffline)
	}
	m.num = m.acked + 1
}

func (m *memory) Online(up bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.online = up
	if m.cfg.Kind == KindNone && !up {
		m.drop(m.nextNum, DropOffline)
	}
}

func (m *memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	poke(m.ready)
	return nil
}
