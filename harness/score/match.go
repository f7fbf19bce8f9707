package score

import (
	"math"

	"github.com/plantbed/plantbed/harness/record"
)

// wrong is a kind of corruption.
type wrong uint8

const (
	right wrong = iota
	wrongValue
	wrongQuality
	wrongUnit
	wrongTag
	wrongTime
	wrongs
)

func (w wrong) String() string {
	return [...]string{"", "value", "quality", "unit", "tag", "source_time"}[w]
}

// stranger is a sample that names no row of its tag by Seq or source time.
type stranger struct {
	tap record.Tap
	at  int64
	s   record.SeenSample
	// after is the row that the tag's previous sample at this tap matched.
	after int
}

// identity counts by what samples were matched with their truth.
type identity struct {
	seq, stamp, order, ambiguous int
}

// level is the weakest identity that was needed for more than a hundredth of
// the matches; a few strangers in a run that is matched by Seq do not make it
// one matched by order.
func (id identity) level() string {
	all := id.seq + id.stamp + id.order
	switch {
	case all == 0:
		return "none"
	case id.order*100 > all:
		return "order"
	case id.stamp > 0:
		return "source-time"
	}
	return "seq"
}

// unclear tells that too many matches could have been others to trust any
// figure of loss.
func (id identity) unclear() bool {
	return id.ambiguous*1000 > id.seq+id.stamp+id.order
}

// tapState follows one tag at one tap.
type tapState struct {
	last      int    // row of the latest match
	highest   [2]int // newest row so far, live and backfilled
	reordered int
	marked    int
	unmarked  int
	applied   int
}

// seenAt holds the state of every tag at a tap.
type seenAt struct {
	tap   record.Tap
	tags  []tapState
	ident *identity
	// swapped are the times in which order is not the stack's to keep.
	swapped []span
	devices []device
	recover int64
}

func newSeenAt(tap record.Tap, tags int, id *identity) *seenAt {
	s := &seenAt{tap: tap, tags: make([]tapState, tags), ident: id}
	for i := range s.tags {
		s.tags[i] = tapState{last: -1, highest: [2]int{-1, -1}}
	}
	return s
}

// join walks through everything that was seen, in the order of arrival, and
// ties each sample to its row.
func join(l *record.Log, o outages, tracks []*track) (id identity, broker, twin *seenAt, unknown int) {
	broker, twin = newSeenAt(record.AtBroker, len(tracks), &id), newSeenAt(record.AtTwin, len(tracks), &id)
	for _, a := range []*seenAt{broker, twin} {
		a.swapped, a.devices, a.recover = o.swapped, o.device, int64(l.Meta.Contract.Recover)
	}
	streams := map[string]int32{}
	for i := range l.Seen {
		batch := &l.Seen[i]
		stream := int32(-1)
		if batch.Stream != "" {
			n, ok := streams[batch.Stream]
			if !ok {
				n = int32(len(streams))
				streams[batch.Stream] = n
			}
			stream = n
		}
		at := broker
		if batch.Tap == record.AtTwin {
			at = twin
		}
		for j, s := range batch.Samples {
			if s.Tag < 0 || s.Tag >= len(tracks) {
				if batch.Tap == record.AtBroker && !o.spoiltSample(-1, batch.At, 0) {
					unknown++
				}
				continue
			}
			at.take(tracks, s, batch, stream, batch.First+uint64(j))
		}
	}
	for _, t := range tracks {
		t.adopt(&id, broker, twin, o, l.Meta.Contract)
	}
	return id, broker, twin, unknown
}

func (a *seenAt) take(tracks []*track, s record.SeenSample, b *record.Seen, stream int32, key uint64) {
	t, st := tracks[s.Tag], &a.tags[s.Tag]
	i := -1
	switch {
	case s.Seq > 0:
		if i = t.byCounter(s.Seq, s.Source, b.At); i >= 0 {
			a.ident.seq++
		}
	case t.again != nil:
		i = a.byStampAgain(t, s, b, stream, key)
		a.ident.stamp += b2i(i >= 0)
	default:
		i = t.byStamp(s.Source, st.last+1)
		a.ident.stamp += b2i(i >= 0)
	}
	if i < 0 {
		t.strangers = append(t.strangers, stranger{tap: a.tap, at: b.At, s: s, after: st.last})
		return
	}
	if r := &t.row[i]; t.taken(r, a.tap) && !r.quality.IsBad() && a.devices[t.plc].empty(string(t.tag.ID), s, b.At, a.recover) {
		return // a device's word of its own, under the time of the last sample
	}
	a.tie(tracks, t, i, s, b, stream, key)
}

// tie books one sample against its row.
func (a *seenAt) tie(tracks []*track, t *track, i int, s record.SeenSample, b *record.Seen, stream int32, key uint64) {
	r, st := &t.row[i], &a.tags[t.index]
	st.last = i
	if a.tap == record.AtBroker {
		r.copies++
		if r.copies > 1 && !t.reread(r.copies, r) {
			if stream >= 0 && r.stream == stream && r.key == key {
				st.marked++
			} else {
				st.unmarked++
			}
			return
		} else if r.copies > 1 {
			return
		}
		r.broker, r.stream, r.key = b.At, stream, key
	} else {
		r.applied++
		if r.applied > 1 {
			if !t.reread(r.applied, r) {
				st.applied++
			}
			return
		}
		r.twin, r.shown, r.history = b.At, s.Value, b.History
	}
	// Backfill has an order of its own; only within its kind must nothing be overtaken.
	kind := b2i(b.Backfill)
	if i < st.highest[kind] && !meetsAny(a.swapped, b.At, b.At+1) {
		st.reordered++
	}
	st.highest[kind] = max(st.highest[kind], i)
	if r.wrong == right {
		if w := compare(tracks, t, i, s); w != right {
			r.wrong, r.wrongAt = w, a.tap
		}
	}
}

// reread tells that so many copies of a polled row are no more than the times
// that it was read: a poll that meets the scan of the poll before repeats it.
func (t *track) reread(copies uint8, r *row) bool { return !t.subscribed && copies <= r.sends }

// compare holds a sample against its truth.
func compare(tracks []*track, t *track, i int, s record.SeenSample) wrong {
	r := &t.row[i]
	switch {
	case !same(s.Value, r.value):
		return explain(tracks, t, i, s)
	case s.Quality.Code() != r.quality.Code():
		return wrongQuality
	case s.Seq == 0 && t.tick(s.Source) != t.tick(r.stamp):
		return wrongTime
	}
	return right
}

// explain says what kind of wrong value it is: another unit or scale, another
// tag's value of the same scan, or neither.
func explain(tracks []*track, t *track, i int, s record.SeenSample) wrong {
	v := t.row[i].value
	if k := t.tag.Scale; k != 1 && k != 0 && (same(s.Value*k, v) || same(s.Value, v*k)) {
		return wrongUnit
	}
	for _, o := range tracks {
		if o != t && o.tag.Task == t.tag.Task && i < len(o.row) && same(o.row[i].value, s.Value) {
			return wrongTag
		}
	}
	return wrongValue
}

// same allows for the last digits that a decimal detour may cost.
func same(a, b float64) bool {
	if a == b || math.IsNaN(a) && math.IsNaN(b) {
		return true
	}
	return math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b))
}

// longestWalk bounds how far back a stranger's truth may lie.
const longestWalk = int64(600e9)

// adopt finds rows for the strangers of a tag, order-preserving: a stranger
// belongs between the rows that its neighbours at the same tap matched, to a
// row there that nobody else matched, was scanned before the stranger came,
// and has its value. Where several rows would do, the match is ambiguous.
func (t *track) adopt(id *identity, broker, twin *seenAt, o outages, c record.Contract) {
	floor := map[record.Tap]int{}
	for _, g := range t.strangers {
		at := broker
		if g.tap == record.AtTwin {
			at = twin
		}
		from := max(g.after, floor[g.tap]-1) + 1
		best, fits := -1, 0
		for i := from; i < len(t.row) && t.row[i].at <= g.at; i++ {
			r := &t.row[i]
			if t.taken(r, g.tap) {
				break // the next sample's row: a stranger stands before it
			}
			if r.due == notDue && t.subscribed || g.at-r.at > longestWalk {
				continue
			}
			if same(r.value, g.s.Value) && r.quality.Code() == g.s.Quality.Code() {
				if fits++; best < 0 {
					best = i
				}
			} else if fits > 0 || i-from > 64 {
				break
			}
		}
		if best < 0 && (o.device[t.plc].empty(string(t.tag.ID), g.s, g.at, int64(c.Recover)) || o.spoiltSample(t.plc, g.at, int64(c.Deadline))) {
			continue
		}
		if best < 0 {
			t.orphans[g.tap]++
			continue
		}
		if fits > 1 {
			id.ambiguous++
		}
		id.order++
		floor[g.tap] = best + 1
		at.bind(t, best, g)
	}
}

func (t *track) taken(r *row, tap record.Tap) bool {
	if tap == record.AtBroker {
		return r.broker != never
	}
	return r.twin != never
}

// bind books a stranger; its identity is lost, so its time is wrong where the
// carrier has one.
func (a *seenAt) bind(t *track, i int, g stranger) {
	r := &t.row[i]
	if a.tap == record.AtBroker {
		r.copies, r.broker = 1, g.at
	} else {
		r.applied, r.twin, r.shown = 1, g.at, g.s.Value
	}
	if r.wrong == right && t.stamped && g.s.Source != record.NoSource {
		r.wrong, r.wrongAt = wrongTime, a.tap
	}
}
