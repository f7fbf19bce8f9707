package buffer

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/plantbed/plantbed/internal/disk"
)

// Waiting times after a disk has refused; odd, so that they meet nothing periodic.
const (
	firstBackoff = 101_371 * time.Microsecond
	lastBackoff  = 2*time.Second - 13_717*time.Nanosecond
)

// writer is what the committer alone touches.
type writer struct {
	file     disk.File // nil: to be opened
	seg      *segment  // that file belongs to
	next     uint64    // number that names a segment without records
	head     []byte    // its preamble
	out      []byte
	closeErr error
}

// run is the committer, the one goroutine of the log. It holds no timer while
// there is nothing to commit.
func (l *segmentLog) run() {
	defer close(l.over)
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	for {
		select {
		case <-l.kick:
		case <-l.closing:
			l.finish()
			return
		}
		l.collect(timer)
		if err := l.commit(l.take()); err != nil {
			l.die(err)
			return
		}
	}
}

// collect gives the pending group its time to grow.
func (l *segmentLog) collect(timer *time.Timer) {
	l.mu.Lock()
	wait := time.Duration(0)
	if l.pend != nil && len(l.pend.recs) < l.most() {
		wait = time.Until(l.pend.begun.Add(l.cfg.Commit.D()))
	}
	l.mu.Unlock()
	if wait <= 0 {
		return
	}
	timer.Reset(wait)
	select {
	case <-timer.C:
	case <-l.urgent:
	case <-l.closing:
	}
	timer.Stop()
}

// commit makes a group durable, however often the disk refuses. An error means
// that the log is over. A nil group commits the acknowledgement alone.
func (l *segmentLog) commit(g *group) error {
	acked, worth := l.ackToWrite(g)
	if !worth {
		return nil
	}
	fresh := l.encode(g, acked)
	err := l.attempt(fresh)
	if err != nil {
		err = l.insist(fresh, err)
	}
	if err != nil {
		l.fail(g, err)
		return err
	}
	l.show(g, fresh, acked)
	return nil
}

// insist tries until the disk takes what it has refused; it gives up when the
// log is dead or being closed.
func (l *segmentLog) insist(fresh bool, err error) error {
	if !errors.Is(err, disk.ErrDead) {
		l.opt.OnTrouble(err.Error())
		l.opt.Log.Error("buffer: the disk refuses, sources have to wait", "err", err)
	}
	for backoff := firstBackoff; err != nil; backoff = min(2*backoff, lastBackoff) {
		if errors.Is(err, disk.ErrDead) {
			return err
		}
		if !errors.Is(err, syscall.ENOSPC) || l.cfg.Policy != DropOldest || !l.dropOldestLocked() {
			select {
			case <-time.After(backoff):
			case <-l.closing:
				return errors.Join(err, ErrClosed)
			}
		}
		err = l.attempt(fresh)
	}
	l.opt.OnTrouble("")
	l.opt.Log.Info("buffer: the disk takes again")
	return nil
}

func (l *segmentLog) dropOldestLocked() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dropOldest()
}

// ackToWrite tells what to note as acknowledged, and whether there is anything
// to write at all.
func (l *segmentLog) ackToWrite(g *group) (acked uint64, worth bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if g != nil {
		return l.acked, true
	}
	if l.pend != nil || l.acked <= l.onDisk { // it travels with the next group
		return 0, false
	}
	if l.w.seg == nil { // nothing appended in this life
		l.w.next = l.nextNum
		l.w.head = l.preamble(nil)
	}
	return l.acked, true
}

// encode puts a group's blocks into w.out and tells whether they begin a segment.
func (l *segmentLog) encode(g *group, acked uint64) (fresh bool) {
	w := &l.w
	var head []byte
	switch {
	case g != nil && g.rotate && (w.seg == nil || w.seg.next > w.seg.first):
		w.begin(g.first)
		fresh, head = true, g.head
	case w.seg == nil:
		w.begin(w.next)
		fresh, head = true, w.head
	}
	out, at := w.out[:0], 0
	if fresh || acked > l.onDisk {
		out, at = beginBlock(out, kindAck)
		out = endBlock(appendAck(out, l.stream, acked), at)
	}
	out = append(out, head...)
	if g != nil {
		for range 2 {
			if len(g.ids) > 0 {
				out, at = beginBlock(out, kindIDs)
				out = endBlock(appendIDs(out, g.base, g.ids), at)
			}
		}
		out, at = beginBlock(out, kindGroup)
		out = appendGroupHead(out, l.stream, g.first, g.at, g.count)
		out = endBlock(append(out, g.recs...), at)
	}
	w.out = out
	return fresh
}

// begin closes the segment before and names the new one.
func (w *writer) begin(first uint64) {
	w.close()
	w.seg = &segment{name: fmt.Sprintf("%016x.seg", first), first: first, next: first}
}

// attempt writes and syncs w.out once. After an error nothing of it is taken
// for written: the next attempt cuts the file back first.
func (l *segmentLog) attempt(fresh bool) (err error) {
	w := &l.w
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	if w.file == nil {
		if err := l.open(fresh); err != nil {
			return err
		}
	}
	if _, err := w.file.Write(w.out); err != nil {
		return err
	}
	if err := w.file.Sync(); err != nil {
		return err
	}
	if fresh {
		return l.fs.SyncDir()
	}
	return nil
}

func (l *segmentLog) open(fresh bool) (err error) {
	if fresh {
		l.w.file, err = l.fs.Create(l.w.seg.name)
	} else if err = l.fs.Truncate(l.w.seg.name, l.w.seg.size); err == nil {
		l.w.file, err = l.fs.Append(l.w.seg.name)
	}
	if err != nil {
		l.w.file = nil
	}
	return err
}

func (w *writer) close() {
	if w.file != nil {
		w.file.Close()
		w.file = nil
	}
}

// show makes what is durable now readable and tells everybody.
func (l *segmentLog) show(g *group, fresh bool, acked uint64) {
	l.mu.Lock()
	s, n := l.w.seg, len(l.w.out)
	s.born = time.Now()
	if fresh {
		l.turning = l.pend != nil && l.pend.rotate
		if l.active != nil && l.rd.seg != l.active {
			l.active.image = nil
		}
		l.segs, l.active = append(l.segs, s), s
	}
	s.image = append(s.image, l.w.out...)
	s.size += int64(n)
	l.onDisk = acked
	l.busy = 0
	if g == nil {
		l.trim()
		l.mu.Unlock()
		return
	}
	s.next = g.first + uint64(g.count)
	l.trim()
	l.opt.OnCommit(g.count, n)
	l.opt.OnDepth(l.depth())
	l.mu.Unlock()

	for _, done := range g.dones {
		done(nil)
	}
	clear(g.dones)
	if l.opt.OnDurable != nil {
		l.opt.OnDurable(g.first, g.live)
	}
	l.mu.Lock()
	l.spare = g
	l.mu.Unlock()
	poke(l.ready)
}

// fail tells a group that it is lost.
func (l *segmentLog) fail(g *group, err error) {
	if g == nil {
		return
	}
	for _, done := range g.dones {
		done(err)
	}
}

// die ends the log: everything that waits, and everything later, is told err.
func (l *segmentLog) die(err error) {
	l.w.close()
	l.mu.Lock()
	l.err = err
	l.mu.Unlock()
	l.fail(l.take(), err)
	poke(l.ready)
}

// finish is Close's part: one more commit, then the end.
func (l *segmentLog) finish() {
	err := l.commit(l.take())
	if err == nil {
		err = l.commit(nil)
	}
	l.w.closeErr = err
	l.die(ErrClosed)
}
