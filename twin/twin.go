// Package twin mirrors a plant: the assets with their tags, and for each tag
// the newest value that is known, how good it is, and since when.
//
//	t := twin.New(cfg)
//	changes := t.Apply(batch, now)   // what a gateway sent; duplicates are known and dropped
//	marks := t.Status(status, now)   // a gateway says whether it reaches a source
//	marks = t.Expire(now)            // once a second: what has been silent for too long
//	s, ok := t.Get("pump/motor/current")
//
// It is a function of its state and its input; the instants come in. Run joins
// it with a broker and with detectors.
//
// Three rules make the picture honest:
//
//   - A sample is applied once, however often and in whatever order it comes.
//   - A sample that is older than what the tag shows is history: it is passed on
//     as Backfill and does not change the tag. Dedup keys say what is older; only
//     without them, or across stores, times do, for a device's clock may be set
//     back, and its times come again.
//   - A tag whose source cannot be reached, or that has been silent though it
//     should not be, does not stay Good. It is Good again with the next live
//     sample; samples that come late (Batch.Backfill) may change its value, but
//     do not make it fresh.
package twin

import (
	"time"

	"github.com/plantbed/plantbed/internal/payload"
	"github.com/plantbed/plantbed/sim/signal"
)

// Kind says what became of a sample.
type Kind uint8

// The kinds of Change.
const (
	// Live samples are applied to the tag.
	Live Kind = iota + 1
	// Backfill samples are late: older than what the tag shows, or sent from a
	// gateway's backlog. They belong to the history.
	Backfill
	// Duplicate samples were here before and are dropped.
	Duplicate
	// Unknown samples carry an ID that no asset has, and are dropped.
	Unknown
)

func (k Kind) String() string {
	switch k {
	case Live:
		return "live"
	case Backfill:
		return "backfill"
	case Duplicate:
		return "duplicate"
	}
	return "unknown"
}

// Change is what became of one sample of a batch.
type Change struct {
	// Index of the tag in the order of the Config, or -1 where it is unknown.
	Index  int
	Sample signal.Sample
	Kind   Kind
	// Current says that the tag now shows this sample's value, with the quality
	// Shown, which is not the sample's own while the tag is cut off.
	Current bool
	Shown   signal.Quality
	// Missed counts the periods without a sample right before this one, where
	// the tag has a period: a gap.
	Missed int
}

// Mark is the twin changing the quality that it shows for a tag on its own
// account.
type Mark struct {
	Index   int
	At      time.Time
	Quality signal.Quality
}

// State is what the twin knows of one tag.
type State struct {
	ID    signal.ID
	Value float64
	// Quality is what the twin shows: BadWaitingForInitialData before the first
	// sample, the sample's own, or an uncertain one while the tag is cut off.
	Quality signal.Quality
	// SourceTime is the sample's; Applied when the twin applied it.
	SourceTime, Applied time.Time
	Seq                 uint64
	// Gaps counts the periods that were missed.
	Gaps uint64
}

// Counts are what became of the samples since New.
type Counts struct{ Live, Backfill, Duplicate, Unknown, Missed uint64 }

// Twin is the state of a plant. It is for one goroutine.
type Twin struct {
	tags    []tag
	index   map[signal.ID]int32
	recent  []trace // recentSize of each tag
	streams map[string]*ranges
	reach   reach
	changes []Change
	marks   []Mark
	counts  Counts
}

// New takes a valid Config.
func New(cfg Config) *Twin {
	t := &Twin{index: map[signal.ID]int32{}, streams: map[string]*ranges{}}
	for _, a := range cfg.Assets {
		for _, c := range a.Tags {
			t.index[c.ID] = int32(len(t.tags))
			t.tags = append(t.tags, newTag(c, cfg.stale(c)))
		}
	}
	t.recent = make([]trace, recentSize*len(t.tags))
	return t
}

// Apply takes a batch as it came. The result is valid until the next call and
// has an entry for each sample, in the batch's order.
func (t *Twin) Apply(b payload.Batch, now time.Time) []Change {
	t.changes = t.changes[:0]
	gw := t.reach.gateway(b.Gateway)
	keys := t.keys(&b)
	for i := range b.Samples {
		t.changes = append(t.changes, Change{Index: -1, Sample: b.Samples[i], Kind: Unknown})
		c := &t.changes[i]
		if k, ok := t.index[c.Sample.ID]; ok {
			c.Index = int(k)
			at := stamp{seq: c.Sample.Seq, ns: nanos(c.Sample.SourceTime)}
			at.stream, at.number = keys.of(i)
			t.apply(c, at, gw, keys.has(i), b.Backfill, now)
		}
		t.count(c)
	}
	keys.add()
	return t.changes
}

func (t *Twin) apply(c *Change, at stamp, gw int, seen, late bool, now time.Time) {
	g, trace := &t.tags[c.Index], traceOf(at, &c.Sample)
	if seen || !g.surelyNew(at) && t.ring(c.Index).has(trace, g.filled) {
		c.Kind = Duplicate
		return
	}
	newer := g.newer(at, late, now)
	t.ring(c.Index).put(trace, g.filled)
	if g.filled++; g.filled == 1 || at.ns > g.top {
		g.top = at.ns
	}
	l := t.reach.link(g, gw)
	if !newer || late {
		c.Kind = Backfill
	} else {
		c.Kind = Live
		c.Missed = g.missed(at)
		g.gaps += uint64(c.Missed)
		g.heard = now
	}
	if !newer {
		return
	}
	switch {
	case late:
		if g.marked == signal.BadWaitingForInitialData {
			g.marked = signal.UncertainLastUsable
		}
	case t.reach.evidence(l, now):
		g.marked = 0
	default:
		g.marked = signal.UncertainNoCommunicationLastUsable
	}
	g.value, g.quality = c.Sample.Value, c.Sample.Quality
	g.sourceTime, g.applied, g.newest = c.Sample.SourceTime, now, at
	c.Current, c.Shown = true, g.shown()
}

func (t *Twin) count(c *Change) {
	switch c.Kind {
	case Live:
		t.counts.Live++
	case Backfill:
		t.counts.Backfill++
	case Duplicate:
		t.counts.Duplicate++
	case Unknown:
		t.counts.Unknown++
	}
	t.counts.Missed += uint64(c.Missed)
}

// Counts since New.
func (t *Twin) Counts() Counts { return t.counts }

// Len is how many tags there are; their indices are 0 to Len-1 in the order of
// the Config.
func (t *Twin) Len() int { return len(t.tags) }

// Index finds a tag.
func (t *Twin) Index(id signal.ID) (int, bool) {
	i, ok := t.index[id]
	return int(i), ok
}

// Get is the state of one tag.
func (t *Twin) Get(id signal.ID) (State, bool) {
	i, ok := t.index[id]
	if !ok {
		return State{}, false
	}
	return t.At(int(i)), true
}

// At is the state of the tag with that index.
func (t *Twin) At(i int) State {
	g := &t.tags[i]
	return State{ID: g.id, Value: g.value, Quality: g.shown(), SourceTime: g.sourceTime,
		Applied: g.applied, Seq: g.newest.seq, Gaps: g.gaps}
}

// Fresh tells whether the value of a tag stands for now: it came live, is good,
// and nothing speaks against it.
func (t *Twin) Fresh(i int) bool {
	g := &t.tags[i]
	return !g.heard.IsZero() && g.marked == 0 && g.quality.IsGood()
}

// Snapshot is the state of every tag, appended to dst.
func (t *Twin) Snapshot(dst []State) []State {
	for i := range t.tags {
		dst = append(dst, t.At(i))
	}
	return dst
}
