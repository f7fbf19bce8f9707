package score

import (
	"slices"
	"time"

	"github.com/plantbed/plantbed/harness/record"
)

// The notes that say when a fault struck, with "KIND TARGET" as their text.
const (
	faultBegins = "fault begins"
	faultEnds   = "fault ends"
)

// struck is a record whose plan has the windows of faults that waited for a
// state of the plant too, as its notes say that they were.
func struck(l *record.Log) *record.Log {
	if len(l.Meta.Waiting) == 0 {
		return l
	}
	plan := slices.Clone(l.Meta.Plan)
	for _, w := range l.Meta.Waiting {
		open := -1
		for _, n := range l.Notes {
			if n.Text != w.Kind+" "+w.Target {
				continue
			}
			switch {
			case n.Kind == faultBegins && open < 0 && !planned(l.Meta.Plan, w, n.At):
				one := w
				one.From, one.To = n.At, l.Meta.Duration
				open, plan = len(plan), append(plan, one)
			case n.Kind == faultEnds && open >= 0:
				plan[open].To = n.At
				open = -1
			}
		}
	}
	out := *l
	out.Meta.Plan = plan
	return &out
}

// planned tells that a window of the same kind was to begin at that instant
// anyway.
func planned(plan []record.Window, w record.Window, at time.Duration) bool {
	return slices.ContainsFunc(plan, func(p record.Window) bool { return p.Kind == w.Kind && p.Target == w.Target && p.From == at })
}
