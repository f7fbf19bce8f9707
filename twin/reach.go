package twin

import (
	"time"

	"github.com/plantbed/plantbed/internal/payload"
	"github.com/plantbed/plantbed/sim/signal"
)

// inFlight is how long after a "down" samples may still arrive that were sent
// before it: statuses overtake batches, which wait to be filled. Within this
// time a sample is no evidence that the source is back.
const inFlight = 3 * time.Second

type reachState uint8

const (
	// unsure: nobody has said, or who said it is gone. A live sample shows that
	// the source is there.
	unsure reachState = iota
	up
	down
)

// link is the way from one source over one gateway.
type link struct {
	gateway int
	source  string
	state   reachState
	since   time.Time
}

// gateway is one that was heard of; down since its will said so.
type gateway struct {
	name string
	down bool
}

// reach is which sources can be reached, over which gateways.
type reach struct {
	gateways []gateway
	links    []link
}

func (r *reach) gateway(name string) int {
	for i, g := range r.gateways {
		if g.name == name {
			return i
		}
	}
	r.gateways = append(r.gateways, gateway{name: name})
	return len(r.gateways) - 1
}

func (r *reach) find(gw int, source string) int32 {
	for i := range r.links {
		if l := &r.links[i]; l.gateway == gw && l.source == source {
			return int32(i)
		}
	}
	r.links = append(r.links, link{gateway: gw, source: source})
	return int32(len(r.links) - 1)
}

// link is the tag's way; it is learnt from the gateway that sends the tag.
func (r *reach) link(g *tag, gw int) *link {
	if g.link < 0 || r.links[g.link].gateway != gw {
		g.link = r.find(gw, g.source)
	}
	return &r.links[g.link]
}

// evidence takes a live sample as a sign of life, and tells whether the source
// counts as reached.
func (r *reach) evidence(l *link, now time.Time) bool {
	if l.state == down && now.Sub(l.since) < inFlight {
		return false
	}
	l.state = up
	r.gateways[l.gateway].down = false
	return true
}

// Status takes what a gateway says about itself (Source empty) or a source. The
// result is valid until the next call of Status, Cut or Expire.
func (t *Twin) Status(s payload.Status, now time.Time) []Mark {
	t.marks = t.marks[:0]
	gw := t.reach.gateway(s.Gateway)
	switch {
	case s.Source == "":
		t.gatewayStatus(gw, s.Up, now)
	case s.Up:
		l := &t.reach.links[t.reach.find(gw, s.Source)]
		l.state = up
		if t.reach.gateways[gw].down {
			// Retained from before it went down: the broker keeps no order
			// between topics.
			l.state = unsure
		}
		t.release(now)
	default:
		k := t.reach.find(gw, s.Source)
		t.reach.links[k].state, t.reach.links[k].since = down, now
		t.mark(now, func(g *tag) bool { return g.link == k })
	}
	return t.marks
}

// gatewayStatus: a gateway that is up says nothing about its sources by that;
// their samples or statuses will.
func (t *Twin) gatewayStatus(gw int, isUp bool, now time.Time) {
	t.reach.gateways[gw].down = !isUp
	if !isUp {
		t.lose(func(l *link) bool { return l.gateway == gw })
		t.mark(now, func(g *tag) bool { return t.reach.links[g.link].gateway == gw })
	}
}

// Cut says that the twin itself hears nobody any more: every tag is cut off.
func (t *Twin) Cut(now time.Time) []Mark {
	t.marks = t.marks[:0]
	t.lose(func(*link) bool { return true })
	t.mark(now, func(*tag) bool { return true })
	return t.marks
}

// lose forgets what was known of links that were up; one that is down stays so.
func (t *Twin) lose(which func(*link) bool) {
	for i := range t.reach.links {
		if l := &t.reach.links[i]; l.state == up && which(l) {
			l.state = unsure
		}
	}
}

// mark cuts off the tags that have a value and are not cut off yet.
func (t *Twin) mark(now time.Time, which func(*tag) bool) {
	for i := range t.tags {
		g := &t.tags[i]
		const q = signal.UncertainNoCommunicationLastUsable
		if g.filled > 0 && g.marked != q && which(g) {
			g.marked = q
			t.marks = append(t.marks, Mark{i, now, g.shown()})
		}
	}
}

// release lets the tags show their own quality again for which silence says
// nothing: they would otherwise wait for a change of value that may be hours
// away. A tag with a period waits for its next sample.
func (t *Twin) release(now time.Time) {
	for i := range t.tags {
		g := &t.tags[i]
		if g.marked != 0 && g.filled > 0 && g.period == 0 && g.link >= 0 && t.reach.links[g.link].state == up {
			g.marked = 0
			t.marks = append(t.marks, Mark{i, now, g.shown()})
		}
	}
}

// Expire finds what has been silent for too long; call it about once a second.
// The result is valid until the next call of Status, Cut or Expire.
func (t *Twin) Expire(now time.Time) []Mark {
	t.marks = t.marks[:0]
	t.release(now)
	for i := range t.tags {
		g := &t.tags[i]
		if g.marked == 0 && g.silent(now) {
			g.marked = signal.UncertainLastUsable
			t.marks = append(t.marks, Mark{i, now, g.marked})
		}
	}
	return t.marks
}
