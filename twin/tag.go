package twin

import (
	"math"
	"time"

	"github.com/plantbed/plantbed/sim/signal"
)

// stamp orders the samples of a tag: by the numbers of the store that they came
// out of, where that is one, for it took them in the order in which the device
// gave them; else by the device. A sample without a Seq has seq 0, one without a
// key stream 0; ns is the source time in nanoseconds since 1970.
type stamp struct {
	seq    uint64
	ns     int64
	stream uint32
	number uint64
}

// trace is what is remembered of a sample to know it again; print is of its
// value and quality.
type trace struct {
	seq    uint64
	ns     int64
	stream uint32
	print  uint32
}

func traceOf(at stamp, s *signal.Sample) trace {
	return trace{at.seq, at.ns, at.stream, printOf(s.Value, s.Quality)}
}

// printOf is equal for equal values and qualities, and for one in four billion
// others.
func printOf(value float64, q signal.Quality) uint32 {
	const odd = 0x9e3779b97f4a7c15 // spreads bits, as in Knuth's multiplicative hash
	return uint32((math.Float64bits(value)*odd ^ uint64(q)) * odd >> 32)
}

// same tells whether two traces are of one sample. The scan counter decides
// where both have it, for a poll that reads one scan twice stamps it twice. A
// device whose clock was set back gives a time again: then another value is
// another sample, and so is another number out of the same store.
func (a trace) same(b trace) bool {
	if a.seq != 0 && b.seq != 0 {
		return a.seq == b.seq
	}
	return a.ns == b.ns && a.print == b.print && (a.stream == 0 || a.stream != b.stream)
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
	top        int64     // the latest source time that was here, ns
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
// all by its time and, where it has one, beyond what is shown by its counter.
func (g *tag) surelyNew(at stamp) bool {
	if g.filled == 0 {
		return true
	}
	return at.ns > g.top && (at.seq == 0 || at.seq > g.newest.seq)
}

// newer tells whether a sample comes after the one that the tag shows. Out of
// one store the numbers tell, whatever has become of the device's clock or
// counter. Else a device that was restarted counts its scans anew, but its clock
// goes on; one whose clock was set back goes on counting. And where nothing
// newer has come for too long, it is what the tag shows that is wrong. The latter
// two are not believed of a backlog, in which samples from before may be.
func (g *tag) newer(at stamp, late bool, now time.Time) bool {
	switch {
	case g.filled == 0:
		return true
	case at.stream != 0 && at.stream == g.newest.stream:
		return at.number > g.newest.number || !late && g.silent(now)
	case late: // nor does it overtake a device in the past
		return at.ns > g.top && g.newest.ns == g.top
	}
	return at.ns > g.newest.ns || g.newest.seq != 0 && at.seq > g.newest.seq || g.silent(now)
}

// silent tells that no live sample has come for longer than the tag may be
// without one.
func (g *tag) silent(now time.Time) bool {
	return g.stale > 0 && !g.heard.IsZero() && now.Sub(g.heard) > g.stale
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
