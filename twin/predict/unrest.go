package predict

import (
	"math"
	"time"
)

// unrest tells when a machine is between two ways of working: a new product, a
// valve further open. A channel jumps then, some follow at once and some a little
// later, and a window may hold something of both. Such rows are neither learnt
// from nor judged, for a minute after the last jump; but a channel that jumps all
// the time hides nothing for longer than three.
type unrest struct {
	m      *Model
	last   []float64
	before time.Time // of the row before
	from   time.Time // the first jump of a row of them
	until  time.Time
	alone  int       // the channel that jumped last, if alone, or -1
	size   float64   // how far
	jumped time.Time // when
}

const (
	// jump is in usual steps between two rows.
	jump = 8
	// calmAfter and mostUnrest are from the last and from the first jump on.
	calmAfter, mostUnrest = time.Minute, 3 * time.Minute
	jumpMemory            = 15 * time.Minute
)

func newUnrest(m *Model) *unrest {
	return &unrest{m: m, last: make([]float64, len(m.Use)), alone: -1}
}

func (u *unrest) step(at time.Time, z []float64) bool {
	// Across a stop anything may have changed.
	next := !u.before.IsZero() && at.Sub(u.before) < 2*u.m.Options.Window
	u.before = at
	jumps, which, size := 0, 0, 0.0
	for k, v := range z {
		if next && !u.m.Switch[k] && u.m.Step[k] > 0 && math.Abs(v-u.last[k]) > jump*u.m.Step[k] {
			jumps, which, size = jumps+1, k, v-u.last[k]
		}
		u.last[k] = v
	}
	if jumps > 0 {
		if !at.Before(u.until) {
			u.from, u.alone, u.size = at, which, 0
		}
		u.jumped = at
		u.size += size // a window may hold some of it
		if jumps > 1 || u.alone != which {
			u.alone = -1
		}
		u.until = at.Add(calmAfter)
	}
	return at.Before(u.until) && at.Sub(u.from) < mostUnrest
}

// jumpedAlone tells whether a channel, and no other, jumped shortly before, by
// about as much as it is off: a sensor may, what wears does not, and a machine that
// is worked otherwise moves more than one.
func (u *unrest) jumpedAlone(channel int, off float64, at time.Time) bool {
	share := u.size / off
	return u.alone == channel && at.Sub(u.jumped) < jumpMemory && share > 0.6 && share < 1.6
}
