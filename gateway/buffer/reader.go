package buffer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/plantbed/plantbed/sim/signal"
)

// reader walks through the durable blocks. Its state is under the log's lock.
type reader struct {
	num  uint64 // of the next record to return
	sent uint64 // of the last record returned since the last Rewind

	seg  *segment // nil: to be found by num
	off  int      // of the next block
	ids  []signal.ID
	junk bool // bytes without a sound block since the last group

	g    groupHead
	c    cursor // at the next record of g
	left uint64 // records of g that are ahead

	out []signal.Sample
}

// leave lets go of the segment, and of its content unless it is the active one.
func (r *reader) leave(active *segment) {
	if r.seg != nil && r.seg != active {
		r.seg.image = nil
	}
	r.seg, r.off, r.ids, r.junk, r.left = nil, 0, r.ids[:0], false, 0
}

func (l *segmentLog) Rewind() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rewind()
}

func (l *segmentLog) rewind() {
	l.rd.leave(l.active)
	l.rd.num, l.rd.sent = l.acked+1, l.acked
}

func (l *segmentLog) Next(ctx context.Context, max int) (uint64, []signal.Sample, time.Time, error) {
	return next(ctx, l, max)
}

func (l *segmentLog) TryNext(max int) (uint64, []signal.Sample, time.Time, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return 0, nil, time.Time{}, l.err
	}
	r := &l.rd
	r.out = r.out[:0]
	var first uint64
	var at time.Time
	for len(r.out) < max {
		if r.left == 0 {
			ok, err := l.enterGroup()
			if err != nil {
				return 0, nil, time.Time{}, err
			}
			if !ok || len(r.out) > 0 && r.num != first+uint64(len(r.out)) {
				break
			}
		}
		number := r.g.next() - r.left
		s := r.c.record(r.ids, r.g.at.Unix())
		if r.c.bad {
			r.left = 0
			l.lose(r.g.next(), "records that do not decode")
			if len(r.out) > 0 {
				break
			}
			continue
		}
		if r.left--; number < r.num {
			continue
		}
		if len(r.out) == 0 {
			first, at = number, time.Now().Add(r.g.at.Sub(l.clock()))
		}
		r.out = append(r.out, s)
		r.num, r.sent = number+1, number
	}
	return first, r.out, at, nil
}

// enterGroup goes to the first group that has a record from num on; false
// means that there is none yet.
func (l *segmentLog) enterGroup() (bool, error) {
	r := &l.rd
	for {
		if r.seg == nil {
			if ok, err := l.openSegment(); !ok || err != nil {
				return false, err
			}
		}
		start, kind, body := nextBlock(r.seg.image, r.off)
		if start > r.off {
			r.junk = true
			l.quarantine(r.seg, r.off, r.seg.image[r.off:start])
		}
		r.off = start + blockHead + len(body)
		c := cursor{p: body}
		switch kind {
		case 0:
			r.off = start
			if r.seg == l.active {
				return false, nil
			}
			l.jump(r.seg.next)
			r.leave(l.active)
		case kindIDs:
			r.ids = c.readIDs(r.ids)
		case kindGroup:
			g := c.groupHead()
			if c.bad || g.stream != l.stream || g.next() <= r.num {
				continue
			}
			l.jump(g.first)
			r.junk = false
			r.g, r.c, r.left = g, c, g.count
			return true, nil
		}
	}
}

// openSegment finds the segment that num is in, or the next one there is.
func (l *segmentLog) openSegment() (bool, error) {
	for _, s := range l.segs {
		if s.next <= l.rd.num {
			continue
		}
		if s.image == nil {
			p, err := l.fs.ReadFile(s.name)
			if errors.Is(err, fs.ErrNotExist) {
				l.rd.junk = true
				l.jump(s.next)
				continue
			}
			if err != nil {
				return false, fmt.Errorf("buffer: %w", err)
			}
			s.image = p
		}
		l.rd.seg, l.rd.off, l.rd.ids = s, 0, l.rd.ids[:0]
		return true, nil
	}
	return false, nil
}

// jump moves num forward over numbers that are not there. They are lost if
// there was something unreadable in their place; otherwise nobody ever had them.
func (l *segmentLog) jump(to uint64) {
	if to <= l.rd.num {
		return
	}
	if l.rd.junk {
		l.lose(to, "damaged bytes")
		return
	}
	l.skip(to)
}

func (l *segmentLog) lose(to uint64, why string) {
	if n := int(to - l.rd.num); n > 0 {
		l.opt.OnDrop(DropDamaged, n)
		l.opt.Log.Error("buffer: samples lost on disk", "samples", n, "first", l.rd.num, "why", why)
	}
	l.skip(to)
}

// skip also acknowledges what is not there when all before it is acknowledged.
func (l *segmentLog) skip(to uint64) {
	if l.acked == l.rd.sent && to > l.acked {
		l.acked = to - 1
		l.rd.sent = l.acked
		l.opt.OnDepth(l.depth())
	}
	l.rd.num = to
}

// maxBad bounds the files that are kept for inspection.
const maxBad = 16

// quarantine keeps unreadable bytes beside the segments, for people.
func (l *segmentLog) quarantine(s *segment, off int, p []byte) {
	if l.nBad >= maxBad {
		return
	}
	name := fmt.Sprintf("%s-%d.bad", s.name[:16], off)
	f, err := l.fs.Create(name)
	if err != nil {
		return
	}
	defer f.Close()
	l.nBad++
	f.Write(p)
	l.opt.Log.Error("buffer: damaged bytes set apart", "segment", s.name, "offset", off, "bytes", len(p), "file", name)
}
