package opcua

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/plc"
)

// past is what one task has latched, oldest first; blocks are shared with
// everybody, and never change. Server.mu guards it.
type past struct {
	ring []*plc.Block
	head int
	max  int
}

// newPast keeps as many blocks as come in a time.
func newPast(keep, period time.Duration) *past {
	return &past{max: int((keep + period - 1) / period)}
}

func (p *past) add(b *plc.Block) {
	if p.max == 0 {
		return
	}
	if len(p.ring) < p.max {
		p.ring = append(p.ring, b)
		return
	}
	p.ring[p.head] = b
	p.head = (p.head + 1) % len(p.ring)
}

// all lists the blocks, oldest first.
func (p *past) all() []*plc.Block { return append(slices.Clone(p.ring[p.head:]), p.ring[:p.head]...) }

// moment is one value of the past; without a block it is a bound that there is
// none for.
type moment struct {
	block *plc.Block
	at    time.Time
}

// rest is what is left of the history of a node for another request.
type rest struct {
	id   uint64
	node *node
	list []moment
	most int
}

// historyAnswer is the answer to a HistoryRead.
type historyAnswer struct {
	stamps ua.TimestampsToReturn
	now    uint64
	parts  []historyPart
	tap    bool
}

type historyPart struct {
	status ua.StatusCode
	point  []byte
	node   *node
	list   []moment
}

func (x *exchange) historyRead(r *ua.HistoryReadRequest) (any, error) {
	if err := x.operations(len(r.NodesToRead)); err != nil {
		return nil, err
	}
	if r.TimestampsToReturn >= ua.TimestampsToReturnNeither { // history without times is none

		return nil, ua.StatusBadTimestampsToReturnInvalid
	}
	raw, ok := r.HistoryReadDetails.Value.(*ua.ReadRawModifiedDetails)
	switch {
	case !ok || raw.IsReadModified:
		return nil, ua.StatusBadHistoryOperationUnsupported
	case raw.StartTime.IsZero() && raw.EndTime.IsZero(),
		(raw.StartTime.IsZero() || raw.EndTime.IsZero()) && raw.NumValuesPerNode == 0:
		return nil, ua.StatusBadHistoryOperationInvalid
	}
	out := &historyAnswer{stamps: r.TimestampsToReturn, now: ticks(x.says()), tap: x.s.tap != nil}
	for _, q := range r.NodesToRead {
		out.parts = append(out.parts, x.historyOf(q, raw, r.ReleaseContinuationPoints))
	}
	return out, nil
}

// historyOf reads the history of one node, or more of what was begun.
func (x *exchange) historyOf(q *ua.HistoryReadValueID, raw *ua.ReadRawModifiedDetails, release bool) historyPart {
	s := x.s
	if status := s.refuses("history", true); status != ua.StatusOK {
		return historyPart{status: status}
	}
	n := s.space().node(q.NodeID)
	switch {
	case n == nil:
		return historyPart{status: ua.StatusBadNodeIDUnknown}
	case n.tag == nil || s.cfg.History <= 0:
		return historyPart{status: ua.StatusBadHistoryOperationUnsupported}
	case q.IndexRange != "":
		return historyPart{status: ua.StatusBadIndexRangeNoData}
	case q.DataEncoding.Name != "":
		return historyPart{status: ua.StatusBadDataEncodingInvalid} // a number has none
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(q.ContinuationPoint) > 0 {
		left := x.session.takeRest(q.ContinuationPoint)
		switch {
		case left == nil || left.node != n:
			return historyPart{status: ua.StatusBadContinuationPointInvalid}
		case release:
			return historyPart{}
		}
		return x.historyPage(n, left.list, left.most)
	}
	list := between(s.past[n.tag.task].all(), raw)
	most := s.cfg.Limits.References
	if raw.NumValuesPerNode > 0 {
		most = min(most, int(raw.NumValuesPerNode))
		if raw.StartTime.IsZero() || raw.EndTime.IsZero() { // the number is all that bounds it
			list = list[:min(len(list), most)]
		}
	}
	if len(list) == 0 {
		return historyPart{status: goodNoData}
	}
	return x.historyPage(n, list, most)
}

const goodNoData ua.StatusCode = 0x00A50000

// historyPage gives out most values and keeps the rest. The mutex is held.
func (x *exchange) historyPage(n *node, list []moment, most int) historyPart {
	part := historyPart{node: n, list: list}
	if len(list) <= most {
		return part
	}
	sess := x.session
	if len(sess.rests) >= x.s.cfg.Limits.Continuations {
		return historyPart{status: ua.StatusBadNoContinuationPoints}
	}
	sess.lastPoint++
	sess.rests = append(sess.rests, &rest{sess.lastPoint, n, list[most:], most})
	part.list, part.point = list[:most], binary.BigEndian.AppendUint64(nil, sess.lastPoint)
	return part
}

// takeRest removes what a continuation point stands for.
func (sess *session) takeRest(key []byte) *rest {
	if len(key) != 8 {
		return nil
	}
	number := binary.BigEndian.Uint64(key)
	i := slices.IndexFunc(sess.rests, func(r *rest) bool { return r.id == number })
	if i < 0 {
		return nil
	}
	r := sess.rests[i]
	sess.rests = slices.Delete(sess.rests, i, i+1)
	return r
}

// between picks the blocks that a request asks for, in its order: from its
// start to before its end, backwards where the end is earlier or the start is
// left out (Part 11, 6.4.3).
func between(all []*plc.Block, r *ua.ReadRawModifiedDetails) []moment {
	from, to := r.StartTime, r.EndTime
	back := from.IsZero() || !to.IsZero() && to.Before(from)
	all = slices.Clone(all)
	slices.SortStableFunc(all, func(a, b *plc.Block) int { return a.Stamp.Compare(b.Stamp) }) // a clock may have gone back
	if back {
		slices.Reverse(all)
		if from.IsZero() {
			from, to = to, time.Time{}
		}
	}
	after := func(a, b time.Time) bool { return a.After(b) != back && !a.Equal(b) } // in the order of reading
	var list []moment
	var before *plc.Block
	for _, b := range all {
		switch {
		case after(from, b.Stamp):
			before = b
			continue
		case !to.IsZero() && !after(to, b.Stamp) && !(from.Equal(to) && b.Stamp.Equal(from)):
			if r.ReturnBounds {
				list = append(list, moment{b, b.Stamp})
			}
			return bounded(list, before, from, r.ReturnBounds)
		}
		list = append(list, moment{b, b.Stamp})
	}
	if r.ReturnBounds && !to.IsZero() {
		list = append(list, moment{at: to})
	}
	return bounded(list, before, from, r.ReturnBounds)
}

// bounded puts the last value before the start in front, if none is at it.
func bounded(list []moment, before *plc.Block, from time.Time, wanted bool) []moment {
	if !wanted || len(list) > 0 && list[0].at.Equal(from) {
		return list
	}
	bound := moment{at: from}
	if before != nil {
		bound = moment{before, before.Stamp}
	}
	return append([]moment{bound}, list...)
}

// append writes the response.
func (a *historyAnswer) append(b []byte) ([]byte, []Ref) {
	var refs []Ref
	b = appendU32(b, uint32(len(a.parts)))
	for i := range a.parts {
		p := &a.parts[i]
		b = appendU32(b, uint32(p.status))
		b = appendBytes(b, p.point)
		if p.node == nil {
			b = append(b, 0, 0, 0) // no history
			continue
		}
		b = appendTypeID(b, id.HistoryData_Encoding_DefaultBinary)
		b = append(b, ua.ExtensionObjectBinary, 0, 0, 0, 0)
		start := len(b)
		b = appendU32(b, uint32(len(p.list)))
		v := p.node.tag
		for _, m := range p.list {
			if m.block == nil {
				at := len(b)
				b = appendU32(append(b, ua.DataValueStatusCode), uint32(ua.StatusBadBoundNotFound))
				b = appendStamps(b, at, ticks(m.at), a.now, a.stamps)
				continue
			}
			b = appendTag(b, v.tag, m.block.Values[v.index], m.block.Quality[v.index], ticks(m.at), ticks(m.at), a.stamps)
			if a.tap {
				refs = append(refs, v.ref(m.block.Seq))
			}
		}
		binary.LittleEndian.PutUint32(b[start-4:], uint32(len(b)-start))
	}
	return appendU32(b, 0), refs
}
