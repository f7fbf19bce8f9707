package faults

import (
	"fmt"
	"reflect"
	"strings"
)

// shapers are the kinds that shape a link, each with what it adds to one way.
var shapers = map[string]func(c Config, way string, s *Shape){
	"link.latency":   shapeLatency,
	"link.loss":      shapeLoss,
	"link.bandwidth": shapeBandwidth,
	"link.slice":     shapeSlice,
	"link.profile":   shapeProfile,
}

// bindLinkShape is for all of these, because they meet on one path: delays and
// losses follow each other, as those of networks one behind the other do; of
// bandwidth and slices the narrowest place decides.
func bindLinkShape(p Plant, target string) (apply, bool) {
	type both struct{ toServer, toClient Shape }
	l, ok := p.Link(target)
	return settleBy(both{}, func(a, b both) bool { return reflect.DeepEqual(a, b) },
		func(open []active) (b both) {
			for _, a := range open {
				add := shapers[a.Kind]
				if a.cfg.Way != ToClient {
					add(a.cfg, ToServer, &b.toServer)
				}
				if a.cfg.Way != ToServer {
					add(a.cfg, ToClient, &b.toClient)
				}
			}
			return b
		},
		func(_, b both) error {
			l.SetShape(b.toServer, b.toClient)
			return nil
		}), ok
}

// String is for people: "20ms±5ms uniform + loss 20s/300ms, 1000 B/s".
func (s Shape) String() string {
	var way, rest []string
	for _, d := range s.Delays {
		text := d.Delay.String()
		if d.Jitter > 0 {
			text = strings.TrimSpace(fmt.Sprintf("%s±%v %s", text, d.Jitter, d.Spread))
		}
		way = append(way, text)
	}
	for _, l := range s.Losses {
		way = append(way, fmt.Sprintf("loss %v/%v", l.Good, l.Bad))
	}
	if len(way) > 0 {
		rest = append(rest, strings.Join(way, " + "))
	}
	if s.Rate > 0 {
		rest = append(rest, fmt.Sprintf("%.0f B/s", s.Rate))
	}
	if s.Slice > 0 {
		rest = append(rest, fmt.Sprintf("%d B each %v", s.Slice, s.Gap))
	}
	return strings.Join(rest, ", ")
}
