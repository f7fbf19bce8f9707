package buffer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/plantbed/plantbed/sim/signal"
)

// openLog makes or recovers a log and starts its committer.
func openLog(cfg Config, opt Options) (*segmentLog, error) {
	l := &segmentLog{
		cfg: cfg, opt: opt, fs: opt.FS, nextNum: 1, dict: map[signal.ID]int{},
		kick: make(chan struct{}, 1), urgent: make(chan struct{}, 1), ready: make(chan struct{}, 1),
		closing: make(chan struct{}), over: make(chan struct{}),
	}
	l.opened = time.Now()
	l.base = l.opened.Round(0)
	if err := l.recover(); err != nil {
		return nil, fmt.Errorf("buffer: recovery: %w", err)
	}
	if l.stream == 0 {
		l.stream = newStream(opt)
	}
	l.rewind()
	poke(l.ready)
	go l.run()
	return l, nil
}

// recover reads every segment once: checksums, numbers, the acknowledgement.
// What is damaged in the middle stays for the reader to find and count; behind
// the last sound block of the last segment is what a kill tore, and it is cut
// off.
func (l *segmentLog) recover() error {
	names, err := l.fs.List()
	if err != nil {
		return err
	}
	var newest time.Time // record on the disk, by the buffer's clock
	tail := 0            // offset of the torn end in the last segment
	var image []byte
	for _, name := range names {
		if strings.HasSuffix(name, ".bad") {
			l.nBad++
		}
		first, ok := segmentNumber(name)
		if !ok {
			continue
		}
		if n := len(l.segs); n > 0 && tail < len(image) {
			l.segs[n-1].next = first // what the damaged end of the one before may have held
		}
		if image, err = l.fs.ReadFile(name); err != nil {
			return err
		}
		s := &segment{name: name, first: first, next: first, size: int64(len(image))}
		tail = l.scan(s, image)
		newest = later(newest, s.born)
		l.segs = append(l.segs, s)
	}
	if len(l.segs) == 0 {
		return nil
	}
	if !newest.IsZero() {
		l.base = newest
	}
	for _, s := range l.segs { // time off does not count, and ages go on in this life's clock
		s.born = time.Now().Add(-max(0, newest.Sub(s.born)))
	}
	if err := l.cutTail(image, tail); err != nil {
		return err
	}
	if n := len(l.segs); n > 0 && l.segs[n-1].first == l.nextNum {
		l.nextNum++ // that name is taken, by a segment without records
	}
	if err := l.loadLatest(); err != nil {
		return err
	}
	l.acked = max(l.acked, l.firstOf(0)-1)
	l.nextNum = max(l.nextNum, l.acked+1)
	l.onDisk = l.acked
	if n := len(l.segs); n > 0 {
		if l.acked+1 >= l.segs[n-1].next { // only numbers that nobody had are behind
			l.acked = l.nextNum - 1
		}
		l.segs[n-1].next = l.nextNum
	}
	if l.acked > 0 || l.depth() > 0 {
		l.opt.Log.Info("buffer: recovered", "stream", l.Stream(), "segments", len(l.segs), "unacknowledged", l.depth())
	}
	l.trim()
	l.opt.OnDepth(l.depth())
	return nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// firstOf is the first number of a segment, or the next number without one.
func (l *segmentLog) firstOf(i int) uint64 {
	if i < len(l.segs) {
		return l.segs[i].first
	}
	return l.nextNum
}

// segmentNumber takes a segment's file name apart.
func segmentNumber(name string) (uint64, bool) {
	hex, ok := strings.CutSuffix(name, ".seg")
	if !ok || len(hex) != 16 {
		return 0, false
	}
	n, err := strconv.ParseUint(hex, 16, 64)
	return n, err == nil && n > 0
}

// scan takes numbers and acknowledgements out of a segment and returns where
// the last sound block ends.
func (l *segmentLog) scan(s *segment, image []byte) (end int) {
	for off := 0; ; {
		start, kind, body := nextBlock(image, off)
		if kind == 0 {
			break
		}
		off = start + blockHead + len(body)
		end = off
		c := cursor{p: body}
		switch kind {
		case kindGroup:
			if g := c.groupHead(); !c.bad && l.sameStream(g.stream) {
				s.next, s.born = max(s.next, g.next()), later(s.born, g.at)
			}
		case kindAck:
			if stream, acked := c.uint64(), c.uint64(); !c.bad && l.sameStream(stream) {
				l.acked = max(l.acked, acked)
			}
		}
	}
	l.nextNum = max(l.nextNum, s.next)
	return end
}

// sameStream learns the stream from the first block that names one.
func (l *segmentLog) sameStream(stream uint64) bool {
	if l.stream == 0 {
		l.stream = stream
	}
	return l.stream == stream
}

// cutTail cuts the torn end off the last segment. A torn group was never shown
// to anybody, but a damaged one may have been sent and looks much the same: so
// the numbers that the end may have held are never used again, and an end that
// is as long as it says counts as damage.
func (l *segmentLog) cutTail(image []byte, tail int) error {
	s, torn := l.segs[len(l.segs)-1], image[tail:]
	if len(torn) > 0 {
		if n, complete := claims(torn, s.next); complete {
			l.opt.OnDrop(DropDamaged, n)
			l.opt.Log.Error("buffer: damaged end", "segment", s.name, "bytes", len(torn), "samples", n)
			l.quarantine(s, tail, torn)
		} else {
			l.opt.Log.Warn("buffer: torn end cut off", "segment", s.name, "bytes", len(torn))
		}
		l.nextNum += uint64(len(torn)/minRecord + 1)
		if err := l.truncate(s, tail); err != nil {
			return err
		}
	}
	if tail > 0 {
		return nil
	}
	l.segs = l.segs[:len(l.segs)-1]
	if err := l.fs.Remove(s.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (l *segmentLog) truncate(s *segment, size int) error {
	if err := l.fs.Truncate(s.name, int64(size)); err != nil {
		return err
	}
	s.size = int64(size)
	f, err := l.fs.Append(s.name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// claims looks at the unsound bytes behind the last sound block, where a group
// began that should go on with number next. It tells how many records that
// group held, and whether all of it is there, which a torn write does not leave.
func claims(p []byte, next uint64) (n int, complete bool) {
	if len(p) < blockHead {
		return 0, false
	}
	c := cursor{p: p[blockHead:]}
	fits := int64(binary.LittleEndian.Uint32(p[4:])) == int64(len(c.p))
	g := c.groupHead()
	sound := !c.bad && g.first == next
	for len(c.p) > 0 && !c.bad {
		if c.skipRecord(); !c.bad {
			n++
		}
	}
	if sound {
		return int(g.count), fits || n >= int(g.count)
	}
	return max(n, 1), fits
}
