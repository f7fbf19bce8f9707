package wire

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// lane is one direction of one connection: a pump that reads, and while the
// link is shaped a queue with a writer.
type lane struct {
	c        *conn
	dir      Direction
	src, dst *net.TCPConn
	pos      int64 // position in the stream of the next byte read; the pump's own

	// busy while a writer owns the queue: the pump must not overtake it.
	busy  atomic.Bool
	mu    sync.Mutex
	room  sync.Cond
	queue []segment // from head on
	head  int
	held  int // bytes queued, with the segment that the writer is about
	timer *time.Timer
	key   uint64        // of its random numbers
	phase time.Duration // keeps computed instants off round ones, under 1 µs
	wrote time.Time     // when the writer last wrote a slice

	// Of the pump alone: the frames of the stream, and what rules need.
	frames splitter
	knife  knife
	// catch takes what forwardAt would send, in a test without sockets.
	catch func(b []byte, from, to int64)
}

func (l *lane) init(c *conn, dir Direction) {
	l.c, l.dir = c, dir
	l.room.L = &l.mu
	l.key = mix(c.w.cfg.Seed + mix(hash(c.w.cfg.Name)+mix(uint64(c.n)<<1|uint64(dir))))
	// Odd one way and even the other: the two never meet.
	l.phase = time.Duration(l.key%500*2 + uint64(dir))
	l.frames.init(c.w.cfg.Frames, dir)
}

// pump is the main loop of a direction. It ends when its source does, or when
// the connection dies.
func (l *lane) pump() {
	w := l.c.w
	defer w.wg.Done()
	buf := w.pool.get(chunkMax)
	defer w.pool.put(buf)
	for {
		n, err := l.src.Read(buf)
		if n > 0 {
			l.take(buf[:n])
		}
		if err != nil {
			l.end(err)
			return
		}
	}
}

// take forwards a chunk, or lets it vanish.
func (l *lane) take(b []byte) {
	from := l.pos
	l.pos += int64(len(b))
	if l.c.muted.Load() || l.dst == nil && !l.c.dial() {
		return
	}
	if l.deaf() {
		l.c.holed.Store(true)
		return
	}
	if l.c.w.opts.Tamper != nil {
		l.tamper(b, from)
		return
	}
	l.onward(b, from)
}

// onward sends bytes, by way of the rules where there are any.
func (l *lane) onward(b []byte, from int64) {
	if l.frames.known() || l.c.w.rules.Load() != nil {
		l.operate(b, from)
		return
	}
	l.forward(b, from, from+int64(len(b)))
}

// deaf tells that bytes of this direction vanish.
func (l *lane) deaf() bool { return l.c.w.shape.Load().dirs[l.dir].deaf }

// forward writes at once if nothing is in the way. [from, to) are the
// positions in the stream that b stands for.
func (l *lane) forward(b []byte, from, to int64) { l.forwardAt(b, from, to, time.Time{}) }

// forwardAt is forward not before an instant; zero is none.
func (l *lane) forwardAt(b []byte, from, to int64, until time.Time) {
	if l.catch != nil {
		l.catch(b, from, to)
		return
	}
	if l.busy.Load() || !until.IsZero() || !l.c.w.shape.Load().dirs[l.dir].plain {
		l.enqueue(b, from, to, until)
		return
	}
	l.write(b, from, to)
}

// write sends b and tells the tap. Where the peer is gone the connection is reset.
func (l *lane) write(b []byte, from, to int64) {
	n, err := l.dst.Write(b)
	if n == len(b) {
		n = int(to - from)
	}
	w := l.c.w
	if n > 0 && l.dir == w.cfg.Tapped && w.opts.Delivered != nil {
		w.opts.Delivered(l.c.n, from, from+min(int64(n), to-from), time.Now())
	}
	if err != nil && !l.c.muted.Load() {
		l.c.reset()
	}
}

// end passes on how the source ended: a FIN as a FIN behind all that came
// before it, anything else as a reset.
func (l *lane) end(err error) {
	l.knife.letGo(l)
	switch {
	case l.c.muted.Load() || l.deaf():
		l.c.finish() // nobody is told
	case l.busy.Load() || !l.c.w.shape.Load().dirs[l.dir].plain:
		l.enqueueEnd(errors.Is(err, io.EOF))
	default:
		l.conclude(errors.Is(err, io.EOF))
	}
}

func (l *lane) conclude(fin bool) {
	if !fin {
		l.c.reset()
		return
	}
	if l.dst != nil {
		l.dst.CloseWrite()
	}
	l.c.finish()
}
