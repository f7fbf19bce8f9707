package score

import (
	"slices"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/plantbed/plantbed/harness/record"
)

// Stages at which a sample was last seen.
const (
	stagePLC   = "plc"
	stageLink  = "link"
	stageEdge  = "edge"
	stageNorth = "north"
)

// stage says where a row that was never applied was lost.
func (r *row) stage() string {
	switch {
	case r.broker != never:
		return stageNorth
	case r.wired != never:
		return stageEdge
	case r.sent != never:
		return stageLink
	}
	return stagePLC
}

// fate is what became of a row in the end.
type fate uint8

const (
	fateNone fate = iota
	fateLive
	fateLate
	fateBackfilled
	fateLost
	fateUnobtainable
)

// fateOf needs the outages on the row's path.
func fateOf(r *row, path []span) fate {
	switch {
	case r.twin == never && r.due == owed:
		return fateLost
	case r.twin == never && r.due == unobtainable:
		return fateUnobtainable
	case r.twin == never:
		return fateNone
	case r.twin-r.at <= r.deadline:
		return fateLive
	case meetsAny(path, r.at, r.at+r.deadline):
		return fateBackfilled
	}
	return fateLate
}

// tally is the sum over all tags.
type tally struct {
	owed, delivered, unobtainable          int
	lost                                   map[string]int
	marked, unmarked, applied              int
	reordered, corrupt, orphan, late       int
	backfilled, live, seenBroker, seenTwin int
	causes                                 map[string]int
	latency                                *hdrhistogram.Histogram
	byTag                                  []TagCount
}

// count goes through every row once.
func count(m record.Meta, o outages, tracks []*track, broker, twin *seenAt, strangers int) *tally {
	c := &tally{lost: map[string]int{}, causes: map[string]int{}, orphan: strangers,
		latency: hdrhistogram.New(1, int64(3600e6), 3)} // microseconds up to an hour
	reach := away(o, int64(m.Contract.Recover))
	for _, t := range tracks {
		tc := TagCount{Tag: string(t.tag.ID)}
		lateAt := map[string]int{}
		for i := range t.row {
			c.row(m, &t.row[i], reach[t.plc], &tc, lateAt)
		}
		c.order(&tc, &broker.tags[t.index], &twin.tags[t.index])
		tc.Orphan = max(t.orphans[record.AtBroker], t.orphans[record.AtTwin])
		c.orphan += tc.Orphan
		if len(lateAt) > 0 {
			tc.blame("late", most(lateAt))
		}
		c.byTag = append(c.byTag, tc)
	}
	return c
}

// away is the outages of each PLC's path with the time to come back.
func away(o outages, recover int64) [][]span {
	out := make([][]span, len(o.path))
	for i, p := range o.path {
		for _, s := range slices.Concat(p, o.device[i].shaky) {
			out[i] = append(out[i], span{s.from, s.to + recover})
		}
		out[i] = merge(append(out[i], span{-1 << 62, recover}), 0)
	}
	return out
}

func (c *tally) row(m record.Meta, r *row, path []span, tc *TagCount, lateAt map[string]int) {
	switch r.due {
	case owed:
		c.owed++
		tc.Owed++
		if r.twin != never {
			c.delivered++
			tc.Delivered++
		}
	case unobtainable:
		c.unobtainable++
		tc.Unobtainable++
		c.causes[r.cause.String()]++
	}
	if r.broker != never {
		c.seenBroker += int(r.copies)
	}
	if r.twin != never {
		c.seenTwin += int(r.applied)
	}
	switch fateOf(r, path) {
	case fateLost:
		bump(&tc.Lost, r.stage())
		c.lost[r.stage()]++
	case fateLate:
		c.late++
		tc.Late++
		lateAt[r.slowest()]++
	case fateBackfilled:
		c.backfilled++
		tc.Backfilled++
	case fateLive:
		c.live++
		c.latency.RecordValue(max(1, min((r.twin-r.at)/1000, int64(3600e6))))
	}
	if r.wrong != right {
		c.corrupt++
		bump(&tc.Corrupt, r.wrong.String())
		tc.blame("corrupt", tapStage(r.wrongAt))
	}
}

// order books what is a matter of sequence rather than of rows.
func (c *tally) order(tc *TagCount, b, t *tapState) {
	tc.DupMarked, tc.DupUnmarked, tc.DupApplied = b.marked, b.unmarked, t.applied
	c.marked += b.marked
	c.unmarked += b.unmarked
	c.applied += t.applied
	tc.Reordered = max(b.reordered, t.reordered)
	c.reordered += tc.Reordered
	if b.reordered > 0 {
		tc.blame("order", stageEdge)
	} else if t.reordered > 0 {
		tc.blame("order", stageNorth)
	}
	if b.marked+b.unmarked > 0 {
		tc.blame("dup", stageEdge)
	} else if t.applied > 0 {
		tc.blame("dup", stageNorth)
	}
}

// slowest is the stage in which a row spent most of its walk.
func (r *row) slowest() string {
	stage, worst, from := stagePLC, int64(-1), r.at
	for _, x := range []struct {
		name string
		to   int64
	}{{stagePLC, r.sent}, {stageLink, r.wired}, {stageEdge, r.broker}, {stageNorth, r.twin}} {
		if x.to == never {
			continue
		}
		if x.to-from > worst {
			stage, worst = x.name, x.to-from
		}
		from = x.to
	}
	return stage
}

func tapStage(t record.Tap) string {
	if t == record.AtBroker {
		return stageEdge
	}
	return stageNorth
}

func (tc *TagCount) blame(what, stage string) {
	if tc.Where == nil {
		tc.Where = map[string]string{}
	}
	if tc.Where[what] == "" {
		tc.Where[what] = stage
	}
}

func bump(m *map[string]int, key string) {
	if *m == nil {
		*m = map[string]int{}
	}
	(*m)[key]++
}

// most is the key of the largest count, the first by name among equals.
func most(m map[string]int) string {
	best := ""
	for _, s := range []string{stagePLC, stageLink, stageEdge, stageNorth} {
		if m[s] > m[best] {
			best = s
		}
	}
	return best
}
