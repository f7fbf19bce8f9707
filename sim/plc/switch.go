package plc

import (
	"time"

	"github.com/plantbed/plantbed/sim/signal"
)

// Switch is where device faults are turned. It belongs to the kernel's
// goroutine.
type Switch struct {
	p       *PLC
	stopped bool
	frozen  bool
	quality signal.Quality
	clock   clock
	trouble Trouble
	turns   uint32 // of Slow, once
}

// clock is how far the device's own clock is off.
type clock struct {
	set    time.Duration // when it was set
	offset time.Duration
	drift  float64 // seconds gained per second since then
}

// Stop ends scanning, as a controller in STOP does: no further block, the scan
// counter stands, pending writes wait. Servers go on serving the last block.
func (s *Switch) Stop() { s.stopped = true }

// Start scans again, at the instants at which it would have scanned anyway.
func (s *Switch) Start() { s.stopped = false }

// Stopped tells whether scanning is off.
func (s *Switch) Stopped() bool { return s.stopped }

// Freeze goes on scanning and counting but takes over nothing from the
// machines: every block repeats the values and qualities of the one before.
func (s *Switch) Freeze(on bool) { s.frozen = on }

// BadQuality has every value say q, with its value untouched; Good ends it.
func (s *Switch) BadQuality(q signal.Quality) { s.quality = q }

// Clock sets the device's clock off by offset from now on, and has it gain
// drift seconds per second (20e-6 is a usual crystal); 0, 0 is right again.
func (s *Switch) Clock(offset time.Duration, drift float64) {
	s.clock = clock{s.p.k.Now(), offset, drift}
	s.trouble.Clock = Clock{s.p.start.Add(s.p.k.Now()), offset, drift}
	s.tell()
}

// Clear puts every switch back. Counters stay where they are.
func (s *Switch) Clear() {
	if s.trouble.Down {
		s.Restart(false, s.trouble.SameIDs)
	}
	*s = Switch{p: s.p, turns: s.turns, trouble: Trouble{Boots: s.trouble.Boots, SameIDs: s.trouble.SameIDs}}
	s.tell()
}

// stamp is what the device's clock says at the true instant at, in whole
// 100 ns.
func (s *Switch) stamp(start time.Time, at time.Duration) time.Time {
	c := s.clock
	gained := time.Duration(c.drift * float64(at-c.set))
	return start.Add(at + c.offset + gained).Truncate(100 * time.Nanosecond)
}
