package buffer

import (
	"context"
	"sync"
	"time"

	"github.com/plantbed/plantbed/internal/disk"
	"github.com/plantbed/plantbed/sim/signal"
)

// maxPending is how many encoded bytes wait for the disk before Append blocks.
const maxPending = 256 << 10

// ackEvery is how many acknowledged records may be unknown to the disk before
// a commit is made for the acknowledgement alone; as many are sent again, with
// their numbers, after a kill.
const ackEvery = 4096

// segmentLog is kind disk.
//
//	Append ──► pend ──► committer ──► active segment ──► sealed segments
//	          (group)   one Sync         │                 │
//	                                     └──── reader ◄────┘ ──► Next ... Ack ──► Remove
//
// Append encodes into the pending group. The first append into an empty group
// wakes the committer, which waits Config.Commit for others, writes the group
// with one Write and one Sync, and only then shows it to the reader. A segment
// whose records are all acknowledged is removed; the acknowledgement itself
// travels with the next group and costs no Sync of its own.
type segmentLog struct {
	cfg    Config
	opt    Options
	fs     disk.FS
	stream uint64

	kick, urgent, ready chan struct{} // capacity one: there is something to commit, to commit now, to read
	closing             chan struct{} // closed by Close
	over                chan struct{} // closed when the committer has ended

	mu       sync.Mutex
	err      error         // why it is over
	room     chan struct{} // closed when pend is taken; nil while nobody waits
	segs     []*segment    // oldest first; the last one may be active
	active   *segment      // nil until the first commit of this life
	nextNum  uint64        // of the next append
	acked    uint64
	onDisk   uint64 // acked, as the disk knows it
	pend     *group
	spare    *group
	busy     int               // bytes that are being written
	dict     map[signal.ID]int // index into names and latest
	names    []signal.ID
	latest   []instant
	planned  int       // bytes of groups in the segment that pend belongs to
	begun    time.Time // when that segment was begun
	turning  bool      // a group that begins a segment is under way
	headSize int       // of the last preamble
	opened   time.Time // this life
	base     time.Time // of the buffer's own clock when it was opened
	rd       reader
	nBad     int // quarantine files

	recovered []signal.Sample

	w writer // the committer's own
}

// segment is one file. Its content is in memory only while it is active or
// being read.
type segment struct {
	name        string
	first, next uint64 // numbers: of the first record, and after the last
	size        int64
	image       []byte
	born        time.Time // of its youngest record, by the clock that cannot jump
}

// group is what is synced as one.
type group struct {
	first  uint64
	at     time.Time // of the first append, by the buffer's clock
	begun  time.Time // the same, by the gateway's
	count  int
	recs   []byte
	base   int         // index of ids[0] in the dictionary
	ids    []signal.ID // new in the dictionary
	rotate bool        // begins a segment, with head
	head   []byte
	dones  []func(error)
	live   []signal.Sample // for OnDurable
}

func (g *group) bytes() int { return len(g.head) + len(g.recs) + 2*blockHead }

// clock is the buffer's own: it goes with the one that cannot jump, and stands
// still while the gateway is off. Only ages are told by it.
func (l *segmentLog) clock() time.Time { return l.base.Add(time.Since(l.opened)) }

func (l *segmentLog) Stream() string { return streamName(l.stream) }

func (l *segmentLog) Ready() <-chan struct{} { return l.ready }

func (l *segmentLog) Online(bool) {}

func (l *segmentLog) Last() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.nextNum - 1
}

func (l *segmentLog) Depth() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.depth()
}

func (l *segmentLog) depth() int { return int(l.nextNum - 1 - l.acked) }

func (l *segmentLog) Bytes() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.used()
}

func (l *segmentLog) used() int64 {
	n := int64(l.busy)
	if l.pend != nil {
		n += int64(l.pend.bytes())
	}
	for _, s := range l.segs {
		n += s.size
	}
	return n
}

func (l *segmentLog) Append(ctx context.Context, samples []signal.Sample, done func(error)) error {
	if done == nil {
		done = func(error) {}
	}
	if err := l.lockWithRoom(ctx); err != nil {
		done(err)
		return err
	}
	if len(samples) == 0 {
		l.mu.Unlock()
		done(nil)
		return nil
	}
	if err := l.makeFit(len(samples)); err != nil {
		l.opt.OnDrop(Reason(err), len(samples))
		l.mu.Unlock()
		done(err)
		return nil
	}
	l.add(samples, done)
	l.mu.Unlock()
	return nil
}

// lockWithRoom waits until the pending group may grow; without an error it
// leaves the lock taken.
func (l *segmentLog) lockWithRoom(ctx context.Context) error {
	l.mu.Lock()
	for l.err == nil && l.pend != nil && len(l.pend.recs) >= l.most() {
		if l.room == nil {
			l.room = make(chan struct{})
		}
		room := l.room
		l.mu.Unlock()
		select {
		case <-room:
		case <-l.over:
		case <-ctx.Done():
			return ctx.Err()
		}
		l.mu.Lock()
	}
	if l.err != nil {
		defer l.mu.Unlock()
		return l.err
	}
	return nil
}

// most is how many bytes a group may gather. It is a small part of the buffer:
// the last segment is never removed, and may not fill all of it.
func (l *segmentLog) most() int { return min(maxPending, int(l.cfg.MaxBytes/8)) }

// need is what n more records take at most.
func (l *segmentLog) need(n int) int64 {
	const most, once = 48, 256 // bytes: a large record, a group's heads and new names
	need := int64(n)*most + once
	if l.pend == nil {
		need += int64(l.headSize)
	}
	return need
}

// Room is Buffer.Room.
func (l *segmentLog) Room(n int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n == 0 || l.err != nil { // Append has an answer
		return nil
	}
	return l.makeFit(n)
}

// makeFit applies the policy to n more records.
func (l *segmentLog) makeFit(n int) error {
	l.expire()
	need := l.need(n)
	if need > int64(l.cfg.MaxBytes) {
		return ErrTooLarge
	}
	for l.used()+need > int64(l.cfg.MaxBytes) {
		if spent := l.spent(); spent > 0 && l.used()+need-spent <= int64(l.cfg.MaxBytes) {
			if l.pend == nil {
				l.planned = max(l.planned, int(l.cfg.Segment)) // the next group begins a segment
			}
			return nil
		}
		if l.cfg.Policy != DropOldest || !l.dropOldest() {
			return ErrFull
		}
	}
	return nil
}

// spent is the size of the last segment, if nothing in it is wanted any more
// and it goes when the next group is durable.
func (l *segmentLog) spent() int64 {
	if len(l.segs) != 1 || l.segs[0].next > l.acked+1 {
		return 0
	}
	if l.turning || l.pend == nil && l.busy == 0 {
		return l.segs[0].size
	}
	return 0
}

// expire gives up segments whose youngest record is too old.
func (l *segmentLog) expire() {
	for l.cfg.MaxAge > 0 && len(l.segs) > 0 && l.segs[0] != l.active && l.depth() > 0 && time.Since(l.segs[0].born) > l.cfg.MaxAge.D() {
		if !l.giveUp(DropExpired, "too old, expired") {
			return
		}
	}
}

// dropOldest makes room by giving up the oldest segment.
func (l *segmentLog) dropOldest() bool {
	return l.giveUp(DropOverwritten, "full, oldest samples overwritten")
}

// giveUp gives up the oldest segment; the active one stays.
func (l *segmentLog) giveUp(why, words string) bool {
	if len(l.segs) == 0 || l.segs[0] == l.active {
		return false
	}
	s := l.segs[0]
	if s.next > l.acked+1 {
		n := int(s.next - 1 - l.acked)
		l.opt.OnDrop(why, n)
		l.opt.Log.Error("buffer: "+words, "samples", n)
		l.acked = s.next - 1
	}
	if l.rd.num <= l.acked {
		l.rewind()
	}
	l.trim()
	if len(l.segs) > 0 && l.segs[0] == s { // trim spares the last one; here it must go
		l.remove()
	}
	l.opt.OnDepth(l.depth())
	return true
}

// add encodes into the pending group.
func (l *segmentLog) add(samples []signal.Sample, done func(error)) {
	if l.pend == nil {
		l.begin()
	}
	g := l.pend
	sec := g.at.Unix()
	for i := range samples {
		idx, ok := l.dict[samples[i].ID]
		if !ok {
			idx = l.index(samples[i].ID)
			g.ids = append(g.ids, samples[i].ID)
		}
		g.recs = appendRecord(g.recs, idx, &samples[i], sec)
		l.latest[idx] = instant{samples[i].Seq, samples[i].SourceTime}
	}
	if l.opt.OnDurable != nil {
		g.live = append(g.live, samples...)
	}
	g.count += len(samples)
	g.dones = append(g.dones, done)
	l.nextNum += uint64(len(samples))
	if len(g.recs) >= l.most() {
		poke(l.urgent)
	}
}

// begin starts a group, and with it a segment when the last one is big enough.
func (l *segmentLog) begin() {
	g := l.spare
	if l.spare = nil; g == nil {
		g = &group{}
	}
	*g = group{first: l.nextNum, at: l.clock(), begun: time.Now(), recs: g.recs[:0], ids: g.ids[:0], head: g.head[:0], dones: g.dones[:0], live: g.live[:0]}
	if l.full() {
		g.rotate, l.turning, l.planned, l.begun = true, true, 0, g.begun
		g.head = l.preamble(g.head)
		l.headSize = len(g.head)
	}
	g.base = len(l.names)
	l.pend = g
	poke(l.kick)
}

// full tells that the next group begins a segment.
func (l *segmentLog) full() bool {
	return l.planned == 0 || l.planned >= int(l.cfg.Segment) || l.cfg.MaxAge > 0 && time.Since(l.begun) > l.cfg.MaxAge.D()/agesPerSegment
}

// agesPerSegment bounds how much longer than MaxAge a sample may be kept: a
// segment expires as a whole, so that few samples must not fill one for hours.
const agesPerSegment = 8

// take hands the pending group to the committer.
func (l *segmentLog) take() *group {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.pend
	if g != nil {
		l.busy = g.bytes()
		l.planned += l.busy
	}
	l.pend = nil
	if l.room != nil {
		close(l.room)
		l.room = nil
	}
	return g
}

func (l *segmentLog) Ack(upto uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if upto <= l.acked || upto >= l.nextNum {
		return
	}
	if l.acked = upto; upto == l.rd.sent { // beyond it only what is lost
		l.acked = max(upto, l.rd.num-1)
	}
	l.trim()
	l.opt.OnDepth(l.depth())
	if l.acked-l.onDisk >= ackEvery {
		poke(l.kick)
	}
}

// trim removes segments that are wholly acknowledged. The last one stays: it
// carries the numbering across a restart.
func (l *segmentLog) trim() {
	for len(l.segs) > 1 && l.segs[0].next <= l.acked+1 {
		l.remove()
	}
}

func (l *segmentLog) remove() {
	s := l.segs[0]
	if l.segs = l.segs[1:]; l.rd.seg == s {
		l.rd.leave(l.active)
	}
	if err := l.fs.Remove(s.name); err != nil {
		l.opt.Log.Warn("buffer: segment not removed", "file", s.name, "err", err)
	}
}

// Close commits what is pending, notes what is acknowledged and ends.
func (l *segmentLog) Close() error {
	l.mu.Lock()
	select {
	case <-l.closing:
	default:
		close(l.closing)
	}
	l.mu.Unlock()
	<-l.over
	return l.w.closeErr
}
