package score

import (
	"math"
	"slices"

	"github.com/plantbed/plantbed/harness/record"
)

// connection names one TCP connection of one link.
type connection struct{ plc, conn int }

// walkWires fills in when the server sent each row and when the wire had
// delivered all of the message that carried it.
func walkWires(l *record.Log, tracks []*track) {
	sends := map[connection][]*record.Send{}
	for i := range l.Sends {
		s := &l.Sends[i]
		sends[connection{s.PLC, s.Conn}] = append(sends[connection{s.PLC, s.Conn}], s)
	}
	delivers := map[connection][]*record.Deliver{}
	for i := range l.Delivers {
		d := &l.Delivers[i]
		delivers[connection{d.PLC, d.Conn}] = append(delivers[connection{d.PLC, d.Conn}], d)
	}
	for c, ss := range sends {
		dd := delivers[c]
		slices.SortStableFunc(ss, func(a, b *record.Send) int { return int(a.Offset - b.Offset) })
		slices.SortStableFunc(dd, func(a, b *record.Deliver) int { return int(a.From - b.From) })
		begin, k := int64(0), 0
		for _, s := range ss {
			var at int64
			at, k = deliveredAt(dd, k, begin, s.Offset)
			begin = s.Offset
			for _, it := range s.Items {
				note(tracks, it, s.At, at)
			}
		}
	}
}

// deliveredAt is when the bytes [from, to) had all been written to the
// client, or never; k is the first delivery to look at, and is moved on.
func deliveredAt(dd []*record.Deliver, k int, from, to int64) (int64, int) {
	at := never
	for ; k < len(dd); k++ {
		d := dd[k]
		if d.To <= from {
			continue
		}
		if d.From > from {
			return never, k // a hole: these bytes were swallowed
		}
		from, at = d.To, d.At
		if from >= to {
			return at, k
		}
	}
	return never, k
}

func note(tracks []*track, it record.Ref, sent, wired int64) {
	t := tracks[it.Tag]
	i := t.bySeq(it.Seq)
	if i < 0 {
		return
	}
	r := &t.row[i]
	r.sends += b2u(r.sends < math.MaxUint8)
	if r.sent == never || sent < r.sent {
		r.sent = sent
	}
	if wired != never && (r.wired == never || wired < r.wired) {
		r.wired = wired
	}
}

func b2u(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}
