package twin

import (
	"math"
	"sort"

	"github.com/plantbed/plantbed/internal/payload"
)

// recentSize is how many samples of a tag are remembered for those that come
// without a dedup key, or under a new one: a gateway that lost its store may
// read and number a sample again.
const recentSize = 64

// ring is the recent samples of a tag, in the order in which they came.
type ring []trace

func (t *Twin) ring(i int) ring { return ring(t.recent[i*recentSize : (i+1)*recentSize]) }

// put adds the n-th sample (from 0) in the place of the oldest.
func (r ring) put(s trace, n uint64) { r[n%recentSize] = s }

// has looks through what n puts have left.
func (r ring) has(s trace, n uint64) bool {
	kept := r[:min(n, recentSize)]
	for i := range kept {
		if kept[i].same(s) && !kept.recounted(kept[i], s) {
			return true
		}
	}
	return false
}

// recounted tells that two samples with one scan counter are of two scans: the
// device has shown another counter in between, for a restart set it back.
func (r ring) recounted(a, b trace) bool {
	if a.seq == 0 || b.seq == 0 || a.ns == b.ns {
		return false
	}
	lo, hi := min(a.ns, b.ns), max(a.ns, b.ns)
	for i := range r {
		if lo < r[i].ns && r[i].ns < hi && r[i].seq != a.seq {
			return true
		}
	}
	return false
}

// span is the numbers lo to hi, hi not among them.
type span struct{ lo, hi uint64 }

// ranges is the set of numbers of a stream that were here, as sorted spans that
// do not touch. A stream without gaps is one span: a high-water mark. Memory
// grows with the gaps, 16 bytes each, not with the numbers.
type ranges struct {
	id    uint32 // of the stream, from 1
	spans []span
}

// find is the index of the first span that ends after n.
func (r *ranges) find(n uint64) int {
	last := len(r.spans) - 1
	if last < 0 || n >= r.spans[last].hi {
		return last + 1 // in order, as nearly always
	}
	return sort.Search(len(r.spans), func(i int) bool { return r.spans[i].hi > n })
}

func (r *ranges) has(n uint64) bool {
	i := r.find(n)
	return i < len(r.spans) && r.spans[i].lo <= n
}

// add puts in lo to hi, hi not among them.
func (r *ranges) add(lo, hi uint64) {
	if lo >= hi {
		return
	}
	// from is the first span that the new one touches, to the first beyond it.
	from := r.find(lo)
	if from > 0 && r.spans[from-1].hi == lo {
		from--
	}
	to := from
	for to < len(r.spans) && r.spans[to].lo <= hi {
		lo, hi = min(lo, r.spans[to].lo), max(hi, r.spans[to].hi)
		to++
	}
	if from == to { // touches none
		r.spans = append(r.spans, span{})
		copy(r.spans[from+1:], r.spans[from:])
		r.spans[from] = span{lo, hi}
		return
	}
	r.spans[from] = span{lo, hi}
	r.spans = append(r.spans[:from+1], r.spans[to:]...)
}

// keys are the dedup keys of one batch.
type keys struct {
	r          *ranges
	first, end uint64
	fresh      bool // none was here before
}

// keys looks up the batch's stream. Numbers that would overflow are no keys.
func (t *Twin) keys(b *payload.Batch) keys {
	n := uint64(len(b.Samples))
	if b.Stream == "" || n == 0 || b.First > math.MaxUint64-n {
		return keys{}
	}
	r := t.streams[b.Stream]
	if r == nil {
		r = &ranges{id: uint32(len(t.streams) + 1)}
		t.streams[b.Stream] = r
	}
	k := keys{r: r, first: b.First, end: b.First + n}
	k.fresh = r.find(k.first) == len(r.spans)
	return k
}

// of is the number of sample i, and the stream that it is a number of; 0 is none.
func (k *keys) of(i int) (stream uint32, number uint64) {
	if k.r == nil {
		return 0, 0
	}
	return k.r.id, k.first + uint64(i)
}

// has tells whether sample i of the batch was here before.
func (k *keys) has(i int) bool {
	return k.r != nil && !k.fresh && k.r.has(k.first+uint64(i))
}

func (k *keys) add() {
	if k.r != nil {
		k.r.add(k.first, k.end)
	}
}
