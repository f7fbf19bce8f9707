package harness

import (
	"fmt"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/faults/wire"
)

// link is a wire as faults see it. Its stalls compose: a paused gateway and a
// stalled link may overlap, and what stalls longest decides.
type link struct {
	*wire.Wire
	frames string // the protocol whose frames the wire tells apart
	stalls [2]int // by direction
}

// directions are those that a way means.
func directions(way string) []wire.Direction {
	switch way {
	case faults.ToServer:
		return []wire.Direction{wire.ToServer}
	case faults.ToClient:
		return []wire.Direction{wire.ToClient}
	}
	return []wire.Direction{wire.ToClient, wire.ToServer}
}

func (l *link) Down(mode, way string) error {
	if way == "" {
		return l.Wire.Down(mode)
	}
	l.DownOneWay(directions(way)[0])
	return nil
}

// Stall is called from the kernel's goroutine alone.
func (l *link) Stall(way string, on bool) {
	for _, d := range directions(way) {
		if on {
			l.stalls[d]++
		} else {
			l.stalls[d]--
		}
		l.StallOneWay(d, l.stalls[d] > 0)
	}
}

func (l *link) SetShape(toServer, toClient faults.Shape) {
	l.Wire.SetShape(wire.ToServer, shapeOf(toServer))
	l.Wire.SetShape(wire.ToClient, shapeOf(toClient))
}

func shapeOf(s faults.Shape) wire.Shape {
	out := wire.Shape{Rate: s.Rate, Slice: s.Slice, Gap: s.Gap}
	for _, d := range s.Delays {
		out.Delays = append(out.Delays, wire.Delay(d))
	}
	for _, x := range s.Losses {
		out.Losses = append(out.Losses, wire.Loss(x))
	}
	return out
}

func (l *link) SetRules(rules []faults.Rule) error {
	var all []wire.Rule
	for _, r := range rules {
		ways := directions(r.Way)
		if r.Way == "" && r.Frame != "" {
			ways = nil
			for _, f := range wire.FramesOf(l.frames) {
				if f.Name == r.Frame {
					ways = []wire.Direction{f.Dir}
				}
			}
			if ways == nil {
				return fmt.Errorf("there is no frame %q to be told on this link", r.Frame)
			}
		}
		for _, d := range ways {
			all = append(all, wire.Rule{ID: r.ID, Dir: d, Do: r.Do, After: r.After, Frame: r.Frame, Nth: r.Nth, Count: r.Count, Hold: r.Hold})
		}
	}
	return l.Wire.SetRules(all)
}

// framesOf is the protocol that a link's wire has to follow: that of its target
// where a fault is about frames, and where faults come at any time. Without one
// the wire looks at no byte.
func (r *run) framesOf(target, protocol string) string {
	if r.serving != nil {
		return protocol
	}
	for _, f := range r.sc.Faults {
		if f.Kind == "link.frame" && f.Target == target {
			return protocol
		}
	}
	return ""
}
