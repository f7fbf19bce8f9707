package score

import "time"

// forgive covers what only shows at the broker and behind it: messages that a
// broker without its sessions took before anybody listened again, and samples
// that a wire has spoilt: a wrong value no stack can tell from others, and a
// wrong name is nobody's.
func forgive(o outages, tracks []*track) {
	for _, t := range tracks {
		garbled := o.device[t.plc].garbled
		for i := range t.row {
			r := &t.row[i]
			switch {
			case r.broker != never && r.twin == never && meetsAny(o.deaf, r.broker, r.broker+1):
				excuse(r, nobodyListened)
			case r.wrong != right && (r.sent != never && meetsAny(garbled, r.sent, r.sent+1) || meetsAny(o.garbled, r.broker, r.broker+1)):
				r.wrong = right
				excuse(r, spoilt)
			case r.broker == never && r.sent != never && r.wired == never && meetsAny(garbled, r.sent, r.sent+1),
				r.broker == never && r.wired != never && o.spoilt(r.at, r.at+r.deadline),
				r.broker != never && r.twin == never && meetsAny(o.garbled, r.broker, r.broker+1):
				excuse(r, spoilt)
			}
		}
	}
}

// spoiltSample tells that a sample which is nobody's came while a wire that it
// may have passed changed bytes.
func (o outages) spoiltSample(plc int, came, deadline int64) bool {
	return meetsAny(o.garbled, came-int64(handOver), came+1) || plc >= 0 && meetsAny(o.device[plc].garbled, came-deadline, came+1)
}

// handOver is what a message takes from the broker to the twin at most, where
// the twin listens.
const handOver = time.Second
