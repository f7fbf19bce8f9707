package main

import (
	"time"

	"github.com/plantbed/plantbed/gateway"
	"github.com/plantbed/plantbed/sim/signal"
)

// hide makes a defect that shows only under certain faults, for the hunt to
// find; false where there is none of that name.
func hide(name string, s *spoiler, d *defect) bool {
	switch name {
	case "second-cut":
		s.spoil = s.secondCut
	case "again-after-restart":
		s.own.Tag = ""
		s.spoil = s.remember
		d.tweak.Gateway = func(o *gateway.Options) {
			s.boots++
			s.began = s.boots > 1
			o.Stages = append(o.Stages, s)
		}
	case "no-bad-quality":
		s.own.Tag = ""
		s.spoil = s.goodOnly
	case "strict-clock":
		s.own.Tag = ""
		s.spoil = s.strictClock
	default:
		return false
	}
	return true
}

// secondCut is a client that subscribes again after the first cut of a link (no
// sample of its tag for over 3 s) and forgets to after the second.
func (s *spoiler) secondCut(in []signal.Sample) []signal.Sample {
	var out []signal.Sample
	for _, x := range in {
		if string(x.ID) == s.own.Tag {
			if s.seen > 0 && time.Since(s.first) > 3*time.Second {
				s.boots++ // here: cuts
			}
			s.seen++
			s.first = time.Now()
			if s.boots >= 2 {
				s.own.Count++
				continue
			}
		}
		out = append(out, x)
	}
	return out
}

// remember is a gateway that, started again, sends the last it had sent before
// as if it were new.
func (s *spoiler) remember(in []signal.Sample) []signal.Sample {
	out := in
	if s.began && len(s.held) > 0 {
		out = append(append([]signal.Sample(nil), s.held...), in...)
		s.own.Count += len(s.held)
		s.began = false
	}
	s.held = append(s.held, in...)
	s.held = append([]signal.Sample(nil), s.held[max(0, len(s.held)-5):]...)
	return out
}

// goodOnly drops what has a bad quality.
func (s *spoiler) goodOnly(in []signal.Sample) []signal.Sample {
	var out []signal.Sample
	for _, x := range in {
		if x.Quality.IsBad() {
			s.own.Count++
			continue
		}
		out = append(out, x)
	}
	return out
}

// strictClock drops what claims to come from more than ten minutes away.
func (s *spoiler) strictClock(in []signal.Sample) []signal.Sample {
	var out []signal.Sample
	for _, x := range in {
		if time.Since(x.SourceTime).Abs() > 10*time.Minute {
			s.own.Count++
			continue
		}
		out = append(out, x)
	}
	return out
}
