package gateway

import (
	"slices"
	"strings"

	"github.com/plantbed/plantbed/gateway/pipeline"
	"github.com/plantbed/plantbed/sim/signal"
)

// What is said of the tags of a source that cannot be reached.
const (
	// UnreachableStatus leaves it to the source's retained status.
	UnreachableStatus = "status"
	// UnreachableSamples sends each tag once more as well: its last value and
	// source time, uncertain, for readers that look at samples alone.
	UnreachableSamples = "samples"
)

// lastUsable remembers the last sample of every tag, by source. It is in use
// while a batch has its turn in the pipeline, and nil where nobody asks for it.
type lastUsable map[string]*usable

type usable struct {
	last   map[signal.ID]signal.Sample
	marked map[signal.ID]bool
}

func (l lastUsable) note(source string, samples []signal.Sample) {
	if l == nil {
		return
	}
	of := l[source]
	if of == nil {
		of = &usable{map[signal.ID]signal.Sample{}, map[signal.ID]bool{}}
		l[source] = of
	}
	for _, s := range samples {
		of.last[s.ID] = s
		delete(of.marked, s.ID)
	}
}

// marks are what to send when a source goes away, once for each tag; when it is
// back, the tags that nothing new has come of are as they were.
func (l lastUsable) marks(source string, up bool) (out []signal.Sample) {
	of := l[source]
	if of == nil {
		return nil
	}
	for id, s := range of.last {
		if of.marked[id] != up || s.Quality.IsBad() {
			continue // said already, or not usable
		}
		if of.marked[id] = !up; !up {
			s.Quality = signal.UncertainNoCommunicationLastUsable
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b signal.Sample) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return out
}

// markUnreachable stores the marks behind the last samples of the source.
func (g *gateway) markUnreachable(source string, up bool) {
	select {
	case g.turn <- struct{}{}:
	case <-g.life.Done():
		return
	}
	defer func() { <-g.turn }()
	marks := g.last.marks(source, up)
	if len(marks) == 0 || g.buffer.Room(len(marks)) != nil {
		return // the status says it all the same
	}
	g.buffer.Append(g.life, pipeline.Through(g.opts.Stages, marks), nil)
}
