package opcua

import (
	"math"
	"slices"
	"sync"
)

// ledger keeps account of the notifications of one subscription, by sequence
// number. One that was handed on is either open (not yet durable), durable (to
// be acknowledged) or failed (the sink lost it: to be asked for again).
//
//	take ──► open ──done(nil)──► durable ──acks──► in a publish request ──► forgotten
//	           │                    ▲                      │
//	           └─done(err)─► failed └──────unsent──────────┘ the request failed
type ledger struct {
	mu      sync.Mutex
	next    uint32 // the sequence number that comes next
	begun   bool   // next is known; until then it is 1, where servers mostly begin
	first   uint32 // the first one that was taken, once begun
	open    map[uint32]struct{}
	durable []uint32
	failed  []uint32
	// lost wakes whoever asks for failed ones again.
	lost chan struct{}
}

func newLedger() *ledger {
	return &ledger{next: 1, open: map[uint32]struct{}{}, lost: make(chan struct{}, 1)}
}

// after is the sequence number that follows n; 0 is never used.
func after(n uint32) uint32 {
	if n++; n == 0 {
		n = 1
	}
	return n
}

// before tells whether a comes before b, across the wrap.
func before(a, b uint32) bool { return int32(a-b) < 0 }

// unknown tells that nothing says yet where the sequence begins: 1 in a server
// that has just made the subscription, anywhere in one whose counter has run on.
func (l *ledger) unknown() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.begun
}

// preceding is the number before n.
func preceding(n uint32) uint32 {
	if n--; n == 0 {
		n = math.MaxUint32
	}
	return n
}

func (l *ledger) expected() uint32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.next
}

// take notes that n is handed on and moves the expectation behind it; it
// returns what was expected until now.
func (l *ledger) take(n uint32) (next uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next = l.next
	l.begin(n)
	l.open[n] = struct{}{}
	if !before(n, l.next) {
		l.next = after(n)
	}
	return next
}

// untake is for n that nobody took after all; next is what take returned.
func (l *ledger) untake(n, next uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, n)
	l.next = next
}

// skip gives up on all before n.
func (l *ledger) skip(n uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.begin(n)
	l.next = n
}

func (l *ledger) begin(n uint32) {
	if !l.begun {
		l.begun, l.first = true, n
	}
}

// early tells that n comes before all that was ever taken: the sequence did not
// begin where it was first seen.
func (l *ledger) early(n uint32) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.begun && before(n, l.first)
}

// done is a sink's verdict on n; only the first one counts.
func (l *ledger) done(n uint32, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.open[n]; !ok {
		return
	}
	delete(l.open, n)
	if err == nil {
		l.durable = append(l.durable, n)
		return
	}
	l.failed = append(l.failed, n)
	l.signal()
}

// wake signals again if there is something that the sink lost.
func (l *ledger) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.signal()
}

func (l *ledger) signal() {
	if len(l.failed) == 0 {
		return
	}
	select {
	case l.lost <- struct{}{}:
	default:
	}
}

// again is for a notification that arrived although it was taken before: the
// server has not heard of it.
func (l *ledger) again(n uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.open[n]; !ok && !slices.Contains(l.failed, n) && !slices.Contains(l.durable, n) {
		l.durable = append(l.durable, n)
	}
}

// acks hands out what is to be acknowledged with the next publish request.
func (l *ledger) acks() []uint32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := l.durable
	l.durable = nil
	return out
}

// unsent takes back acknowledgements whose request failed.
func (l *ledger) unsent(ns []uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.durable = append(ns, l.durable...)
}

// redo hands out what the sink lost.
func (l *ledger) redo() []uint32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := l.failed
	l.failed = nil
	return out
}

// wanted are those of the available notifications that were never taken, in
// order. What is available and was taken is acknowledged again unless that is
// already to happen.
func (l *ledger) wanted(available []uint32) []uint32 {
	next, unknown := l.expected(), l.unknown()
	var out []uint32
	for _, n := range available {
		switch {
		case l.early(n):
			l.refail([]uint32{n})
		case before(n, next) && !unknown:
			l.again(n)
		default:
			out = append(out, n)
		}
	}
	slices.SortFunc(out, func(a, b uint32) int { return int(int32(a - b)) })
	if unknown && len(out) > 0 {
		l.skip(out[0]) // the oldest that there is
	}
	return slices.Compact(out)
}

// refail takes back what redo handed out.
func (l *ledger) refail(ns []uint32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed = append(ns, l.failed...)
	l.signal()
}
