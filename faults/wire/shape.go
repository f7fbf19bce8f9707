package wire

import (
	"time"
)

// Shape is what bytes meet on their way in one direction; the zero value is
// nothing. Whatever it is, nothing is lost, repeated or reordered.
type Shape struct {
	// Delays add up, as those of networks one behind the other do.
	Delays []Delay
	// Losses of each of those networks.
	Losses []Loss
	// Rate is in bytes per second, all connections together; 0 is no limit.
	Rate float64
	// Slice is the most bytes that are written in one go, Gap the time to the
	// next; 0 leaves chunks as they come.
	Slice int
	Gap   time.Duration
}

// path is a direction of the link as it is now.
type path struct {
	Shape
	bursts  []*bursts // of Losses
	stalled bool
	deaf    bool // what comes is thrown away
	plain   bool // none of the above, but deaf
}

// shape is both directions. It is immutable, but for what bursts remember.
type shape struct {
	dirs    [2]path       // by Direction
	changed chan struct{} // closed when another shape takes its place
}

// SetShape has all bytes of a direction meet s from now on, those on their way
// included; the zero Shape ends it. Losses that stay the same go on.
func (w *Wire) SetShape(dir Direction, s Shape) {
	w.reshape(func(sh *shape) { w.setShape(sh, dir, s) })
}

func (w *Wire) setShape(sh *shape, dir Direction, s Shape) {
	p := &sh.dirs[dir]
	old := p.bursts
	p.Shape, p.bursts = s, nil
	if !(s.Rate > 0) { // also for NaN
		p.Rate = 0
	}
	for i, l := range s.Losses {
		if i < len(old) && old[i].loss == l {
			p.bursts = append(p.bursts, old[i])
		} else {
			p.bursts = append(p.bursts, w.newBursts(l, dir, i))
		}
	}
}

// SetLatency delays every chunk by delay ± jitter in each direction, uniformly;
// the order is kept. Chunks on their way get the new latency too. Zero ends it.
func (w *Wire) SetLatency(delay, jitter time.Duration) {
	var ds []Delay
	if delay, jitter = max(0, delay), max(0, jitter); delay > 0 || jitter > 0 {
		ds = []Delay{{Delay: delay, Jitter: jitter}}
	}
	w.each(func(s *Shape) { s.Delays = ds })
}

// SetBandwidth limits each direction, all connections together, to that many
// bytes per second. Zero or less means no limit.
func (w *Wire) SetBandwidth(bytesPerSecond float64) {
	w.each(func(s *Shape) { s.Rate = bytesPerSecond })
}

// each changes the shape of both directions.
func (w *Wire) each(change func(*Shape)) {
	w.reshape(func(sh *shape) {
		for d := range sh.dirs {
			s := sh.dirs[d].Shape
			change(&s)
			w.setShape(sh, Direction(d), s)
		}
	})
}

// Stall holds everything back, as TCP does while packets are lost again and
// again; when it ends all that was held goes on its way, in order.
func (w *Wire) Stall(on bool) {
	w.reshape(func(s *shape) { s.dirs[ToClient].stalled, s.dirs[ToServer].stalled = on, on })
}

// StallOneWay is Stall for one direction alone.
func (w *Wire) StallOneWay(dir Direction, on bool) {
	w.reshape(func(s *shape) { s.dirs[dir].stalled = on })
}

func (w *Wire) reshape(change func(*shape)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	old := w.shape.Load()
	s := *old
	change(&s)
	for d := range s.dirs {
		p := &s.dirs[d]
		p.plain = len(p.Delays) == 0 && len(p.bursts) == 0 && p.Rate == 0 && p.Slice == 0 && !p.stalled
	}
	s.changed = make(chan struct{})
	w.free = [2]time.Time{} // whoever was waiting asks again
	w.shape.Store(&s)
	close(old.changed)
}

// reserve books n bytes of the link's bandwidth and returns when the last of
// them will have passed. A link is one pipe: bytes wait for those before them.
func (w *Wire) reserve(dir Direction, n int, rate float64) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	start := time.Now()
	if w.free[dir].After(start) {
		start = w.free[dir]
	}
	// Not over an hour for one packet, so that no arithmetic overflows.
	took := min(float64(n)/rate, 3600)
	end := start.Add(time.Duration(took * float64(time.Second)))
	w.free[dir] = end
	return end
}
