package score

import (
	"slices"

	"github.com/plantbed/plantbed/harness/record"
)

// byStamp finds a row by the device's stamp. OPC UA carries time in ticks of
// 100 ns, so stamps are compared in ticks. Near is where to look first:
// samples mostly come in order.
func (t *track) byStamp(source int64, near int) int {
	tick := t.tick(source)
	for i := near; i < min(near+4, len(t.row)); i++ {
		if t.tick(t.row[i].stamp) == tick {
			return i
		}
	}
	i, ok := slices.BinarySearchFunc(t.row, tick, func(r row, k int64) int {
		switch s := t.tick(r.stamp); {
		case s < k:
			return -1
		case s > k:
			return 1
		}
		return 0
	})
	if !ok {
		return -1
	}
	return i
}

func (t *track) byTick() map[int64][]int {
	m := make(map[int64][]int, len(t.row))
	for i := range t.row {
		k := t.tick(t.row[i].stamp)
		m[k] = append(m[k], i)
	}
	return m
}

// byStampAgain finds the row of a sample whose device's clock was set back, so
// that several rows may have its stamp. Of those that were scanned before it
// came: the one that has come under its key; or the next in order that it can be
// by its value and that has not come yet; or, where all have, the last of these,
// which it repeats; or one that has not come, in which case its value is wrong.
// Rows that are alike in stamp and value nobody can tell apart, and it does not
// matter: so many as were sent must come.
func (a *seenAt) byStampAgain(t *track, s record.SeenSample, b *record.Seen, stream int32, key uint64) int {
	repeats, free, next := -1, -1, -1
	highest := a.tags[t.index].highest[b2i(b.Backfill)]
	for _, i := range t.again[t.tick(s.Source)] {
		r := &t.row[i]
		like := same(r.value, s.Value) && r.quality.Code() == s.Quality.Code() && (r.due != notDue || !t.subscribed)
		switch taken := t.taken(r, a.tap); {
		case r.at > b.At:
		case taken && a.tap == record.AtBroker && stream >= 0 && r.stream == stream && r.key == key:
			return i
		case taken && like:
			repeats = i
		case taken:
		case like && (next < 0 || next <= highest):
			next = i
		case !like && free < 0:
			free = i
		}
	}
	for _, i := range []int{next, repeats, free} {
		if i >= 0 {
			return i
		}
	}
	return -1
}
