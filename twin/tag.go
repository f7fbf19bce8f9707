package twin

import (
	"math"
	"time"

	"github.com/plantbed/plantbed/sim/signal"
)

// stamp orders the samples of a tag. A sample without a Seq has seq 0; ns is
// the source time in nanoseconds since 1970.
type stamp struct {
	seq uint64
	ns  int64
}

// same tells whether two stamps are of one sample: the scan counter decides
// where both have it, for a poll that reads one scan twice stamps it twice.
func (a stamp) same(b stamp) bool {
	if a.seq != 0 && b.seq != 0 {
		return a.seq == b.seq
	}
	return a.ns == b.ns
}

// nanos is 0 for the zero time, which has no UnixNano.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// tag is the state of one tag.
type tag struct {
	id         signal.ID
	value      float64
	quality    signal.Quality // the sample's own
	marked     signal.Quality // what is shown instead, or 0 (Good is never a mark)
	sourceTime time.Time
	applied    time.Time
	heard      time.Time // when the last live sample came
	newest     stamp     // of the sample that is shown
	filled     uint64    // samples put into the ring so far
	gaps       uint64
	period     int64 // ns; 0 means that silence says nothing
	stale      time.Duration
	source     string
	link       int32 // index into reach.links, -1 before the first sample
}

func newTag(c Tag, stale time.Duration) tag {
	return tag{id: c.ID, marked: signal.BadWaitingForInitialData, quality: signal.BadWaitingForInitialData,
		period: int64(c.Period), stale: stale, source: c.Source, link: -1}
}

func (g *tag) shown() signal.Quality {
	if g.marked != 0 {
		return g.marked
	}
	return g.quality
}

// surelyNew tells whether a sample cannot have been here before: it is beyond
// what the tag shows by its time and, where it has one, by its scan counter.
func (g *tag) surelyNew(at stamp) bool {
	if g.filled == 0 {
		return true
	}
	return at.ns > g.newest.ns && (at.seq == 0 || at.seq > g.newest.seq)
}

// newer tells whether a sample comes after the one that the tag shows. A device
// that was restarted counts its scans anew, but its clock goes on; one whose
// clock was set back goes on counting. The latter is not believed of a backlog,
// in which samples from before a restart may be.
func (g *tag) newer(at stamp, late bool) bool {
	if g.filled == 0 {
		return true
	}
	return at.ns > g.newest.ns || !late && g.newest.seq != 0 && at.seq > g.newest.seq
}

// missed counts the whole periods between the newest sample and this one, less
// the one that is due.
func (g *tag) missed(at stamp) int {
	if g.period <= 0 || g.newest.ns == 0 || at.ns <= g.newest.ns {
		return 0
	}
	n := math.Round(float64(at.ns-g.newest.ns)/float64(g.period)) - 1
	return int(min(max(n, 0), math.MaxInt32))
}
