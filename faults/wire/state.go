package wire

import (
	"fmt"
	"strings"
	"time"
)

// Mode is a way of being down. It is a plain string, so that a Wire fits
// interfaces that do not know this package.
type Mode = string

// The modes of Down.
const (
	// RST resets both sides of every connection at once; whoever connects is
	// accepted and reset. So does a device that restarts.
	RST Mode = "rst"
	// FIN ends both sides of every connection in good order, though bytes on
	// the way are lost; whoever connects is accepted and ended.
	FIN Mode = "fin"
	// Blackhole lets bytes vanish both ways: nobody is told anything, also not
	// that the other side has gone. Whoever connects is accepted and hears
	// nothing. At Up what is left is reset.
	Blackhole Mode = "blackhole"
	// Refuse lets connections be and resets new ones.
	Refuse Mode = "refuse"
)

// Modes are all of them, for messages.
func Modes() []Mode { return []Mode{RST, FIN, Blackhole, Refuse} }

// Down takes the link down; "" means RST. A second Down changes the mode:
// connections get what the new mode has for them, and those that a black hole
// has swallowed stay so until Up.
func (w *Wire) Down(mode Mode) error {
	switch mode {
	case "":
		mode = RST
	case RST, FIN, Blackhole, Refuse:
	default:
		return fmt.Errorf("wire %s: no mode %q; there are %s", w.cfg.Name, mode, strings.Join(Modes(), ", "))
	}
	w.mu.Lock()
	w.mode = mode
	w.mu.Unlock()
	w.log.Debug("down", "mode", mode)
	for _, c := range w.every() {
		switch mode {
		case RST:
			c.reset()
		case FIN, Blackhole:
			c.mute(mode == FIN)
		}
	}
	return nil
}

// Up ends Down. Connections that went silent in it are reset.
func (w *Wire) Up() {
	w.mu.Lock()
	w.mode = ""
	w.mu.Unlock()
	w.log.Debug("up")
	for _, c := range w.every() {
		if c.muted.Load() {
			c.reset()
		}
	}
}

// ResetAll resets every connection; the wire itself stays as it is. It is what
// the peers of a killed process see.
func (w *Wire) ResetAll() {
	for _, c := range w.every() {
		c.reset()
	}
}

// shape is what bytes meet on their way. It is immutable.
type shape struct {
	delay, jitter time.Duration // one way; jitter is uniform in ± of it
	rate          float64       // bytes per second each way, all connections together; 0 is no limit
	stalled       bool
	plain         bool          // none of the above
	changed       chan struct{} // closed when another shape takes its place
}

func newShape() *shape { return &shape{plain: true, changed: make(chan struct{})} }

// SetLatency delays every chunk by delay ± jitter in each direction; the order
// is kept. Chunks on their way get the new latency too. Zero ends it.
func (w *Wire) SetLatency(delay, jitter time.Duration) {
	w.reshape(func(s *shape) { s.delay, s.jitter = max(0, delay), max(0, jitter) })
}

// SetBandwidth limits each direction, all connections together, to that many
// bytes per second. Zero or less means no limit.
func (w *Wire) SetBandwidth(bytesPerSecond float64) {
	w.reshape(func(s *shape) {
		s.rate = 0
		if bytesPerSecond > 0 { // also false for NaN
			s.rate = bytesPerSecond
		}
	})
}

// Stall holds everything back, as TCP does while packets are lost again and
// again; when it ends all that was held goes on its way, in order.
func (w *Wire) Stall(on bool) {
	w.reshape(func(s *shape) { s.stalled = on })
}

func (w *Wire) reshape(change func(*shape)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	old := w.shape.Load()
	s := *old
	change(&s)
	s.plain = s.delay == 0 && s.jitter == 0 && s.rate == 0 && !s.stalled
	s.changed = make(chan struct{})
	w.free = [2]time.Time{} // whoever was waiting asks again
	w.shape.Store(&s)
	close(old.changed)
}

// reserve books n bytes of the link's bandwidth and returns when the last of
// them will have passed. A link is one pipe: bytes wait for those before them.
func (w *Wire) reserve(dir Direction, n int, s *shape) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	start := time.Now()
	if w.free[dir].After(start) {
		start = w.free[dir]
	}
	// Not over an hour for one packet, so that no arithmetic overflows.
	took := min(float64(n)/s.rate, 3600)
	end := start.Add(time.Duration(took * float64(time.Second)))
	w.free[dir] = end
	return end
}
