package score

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash"
	"math"
	"slices"

	"github.com/plantbed/plantbed/harness/record"
)

// Taps in the order in which the canonical record lists them.
const (
	tapScan = iota
	tapSend
	tapWire
	tapBroker
	tapTwin
)

// entry is one line of the canonical record.
type entry struct {
	seq   uint64
	tap   uint8
	at    int64
	value uint64
	more  uint64
}

// digest is the SHA-256 of the canonical record: every tag in the order of
// IDs, every entry of a tag in the order of (Seq, tap, time), times in
// nanoseconds, then marks, events and alarms. Where a sample carries no Seq,
// the Seq is that of the truth it was matched with by source time.
// Connection numbers and stream offsets are left out: they hold TCP's and the
// libraries' framing, which is not the run's.
func digest(l *record.Log, tracks []*track) string {
	lines := make([][]entry, len(tracks))
	add := func(tag int, e entry) {
		if tag >= 0 && tag < len(lines) {
			lines[tag] = append(lines[tag], e)
		}
	}
	for _, t := range tracks {
		lines[t.index] = make([]entry, 0, 5*len(t.row))
		for i := range t.row {
			r := &t.row[i]
			add(t.index, entry{r.seq, tapScan, r.at, math.Float64bits(r.value), uint64(r.stamp) ^ uint64(r.quality)<<32})
			if r.wired != never {
				add(t.index, entry{seq: r.seq, tap: tapWire, at: r.wired})
			}
		}
	}
	for _, s := range l.Sends {
		for _, it := range s.Items {
			add(it.Tag, entry{seq: it.Seq, tap: tapSend, at: s.At})
		}
	}
	for _, b := range l.Seen {
		tap := uint8(tapBroker)
		if b.Tap == record.AtTwin {
			tap = tapTwin
		}
		for j, s := range b.Samples {
			if s.Tag < 0 || s.Tag >= len(tracks) {
				continue
			}
			seq := s.Seq
			if t := tracks[s.Tag]; seq == 0 {
				if i := t.byStamp(s.Source, max(0, t.cursor[tap&1]-1)); i >= 0 {
					seq, t.cursor[tap&1] = t.row[i].seq, i
				}
			}
			add(s.Tag, entry{seq, tap, b.At, math.Float64bits(s.Value), (b.First + uint64(j)) ^ uint64(s.Quality)<<32})
		}
	}
	return hashLines(l, tracks, lines)
}

func hashLines(l *record.Log, tracks []*track, lines [][]entry) string {
	order := make([]int, len(tracks))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(tracks[a].tag.ID, tracks[b].tag.ID) })
	h := sha256.New()
	for _, i := range order {
		h.Write([]byte(tracks[i].tag.ID))
		hashTag(h, lines[i])
	}
	e := json.NewEncoder(h)
	marks := slices.Clone(l.Marks)
	slices.SortStableFunc(marks, func(a, b record.Mark) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Tag, b.Tag)) })
	for _, m := range marks {
		e.Encode(m)
	}
	for _, v := range l.Events {
		e.Encode(v)
	}
	alarms := slices.Clone(l.Alarms)
	slices.SortStableFunc(alarms, func(a, b record.Alarm) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Machine, b.Machine), cmp.Compare(a.Detector, b.Detector))
	})
	for _, a := range alarms {
		e.Encode(a)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func hashTag(h hash.Hash, es []entry) {
	slices.SortFunc(es, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.seq, b.seq), cmp.Compare(a.tap, b.tap), cmp.Compare(a.at, b.at), cmp.Compare(a.value, b.value), cmp.Compare(a.more, b.more))
	})
	buf := make([]byte, 0, 64<<10)
	for _, e := range es {
		buf = binary.LittleEndian.AppendUint64(buf, e.seq)
		buf = append(buf, e.tap)
		buf = binary.LittleEndian.AppendUint64(buf, uint64(e.at))
		buf = binary.LittleEndian.AppendUint64(buf, e.value)
		buf = binary.LittleEndian.AppendUint64(buf, e.more)
		if len(buf) > 60<<10 {
			h.Write(buf)
			buf = buf[:0]
		}
	}
	h.Write(buf)
}
