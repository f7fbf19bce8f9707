package score

import (
	"cmp"
	"slices"
	"strings"

	"github.com/plantbed/plantbed/harness/record"
)

// parts tells of each part of the plant and its stack what befell it, the
// worst first.
func (t *teller) parts() {
	for _, mc := range t.m.Machines {
		t.add(t.machine(mc))
	}
	for i, p := range t.m.PLCs {
		t.add(t.plc(i, p))
		t.add(t.link(i, p.Name))
	}
	for _, p := range []Part{t.gateway(), t.brokerLink(), t.broker(), t.twin()} {
		t.add(p)
	}
	t.missed()
}

func (t *teller) add(p Part) {
	slices.SortStableFunc(p.Moments, func(a, b Moment) int { return cmp.Compare(b.Level, a.Level) })
	for _, m := range p.Moments {
		p.Level = max(p.Level, m.Level)
	}
	t.s.Parts = append(t.s.Parts, p)
}

func (t *teller) machine(mc record.Machine) Part {
	p := Part{Kind: "machine", Name: mc.Name, What: mc.Kind}
	for _, tr := range t.tracks {
		if tr.tag.Machine == mc.Name {
			p.Tags++
			p.On = t.m.PLCs[tr.plc].Name
		}
	}
	for i, e := range t.l.Events {
		if e.Machine == mc.Name && e.Kind == "failure" {
			m := Moment{Level: Struck, What: MomentFailure, AtS: e.At.Seconds(), Of: e.Component}
			for _, r := range t.l.Events[i:] {
				if r.Machine == mc.Name && r.Kind == "repair" {
					m.ForS = (r.At - e.At).Seconds()
					break
				}
			}
			p.Moments = append(p.Moments, m)
		}
	}
	p.Moments = append(p.Moments, t.windows(func(w record.Window) bool {
		machine, _, _ := strings.Cut(w.Target, "/")
		return machine == mc.Name && (w.Class == "process" || w.Class == "sensor")
	})...)
	if m, ok := t.longestStop(mc); ok {
		p.Moments = append(p.Moments, m)
	}
	return p
}

// windows are the planned faults that fit, those that cost most samples first.
func (t *teller) windows(fits func(record.Window) bool) []Moment {
	var out []Moment
	for i, w := range t.m.Plan {
		if !fits(w) {
			continue
		}
		f := t.card.ByFault[i]
		m := Moment{Level: Struck, What: MomentFault, AtS: f.FromS, ForS: f.ToS - f.FromS, N: float64(f.Lost + f.Unobtainable), Of: w.Kind, Target: w.Target, DelayS: f.DelayS}
		out = append(out, m)
	}
	slices.SortStableFunc(out, func(a, b Moment) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(b.ForS, a.ForS)) })
	return out
}

// longestStop is the longest time in which a machine did not produce.
func (t *teller) longestStop(mc record.Machine) (Moment, bool) {
	if mc.StateTag < 0 {
		return Moment{}, false
	}
	best, from := span{}, never
	rows := t.tracks[mc.StateTag].row
	for i := range rows {
		switch r := &rows[i]; {
		case r.value == executing && from != never:
			from = never
		case r.value != executing:
			if from == never {
				from = r.at
			}
			if r.at-from > best.to-best.from {
				best = span{from, r.at}
			}
		}
	}
	if best.to <= best.from {
		return Moment{}, false
	}
	return Moment{What: MomentStopped, AtS: seconds(best.from), ForS: seconds(best.to - best.from), N: seconds(best.to - best.from)}, true
}

// peak finds the bucket in which a count was greatest, and its sum.
func (t *teller) peak(level Level, what string, of func(k int) int) []Moment {
	best, sum := 0, 0
	for k := range t.s.Buckets {
		n := of(k)
		sum += n
		if n > of(best) {
			best = k
		}
	}
	if sum == 0 {
		return nil
	}
	return []Moment{{Level: level, What: what, AtS: float64(best) * t.s.BucketS, ForS: t.s.BucketS, N: float64(sum)}}
}

// highest finds the bucket in which a figure was greatest.
func (t *teller) highest(what string, of func(k int) float64) []Moment {
	best := 0
	for k := range t.s.Buckets {
		if of(k) > of(best) {
			best = k
		}
	}
	if of(best) <= 0 {
		return nil
	}
	return []Moment{{What: what, AtS: float64(best) * t.s.BucketS, ForS: t.s.BucketS, N: of(best)}}
}

func (t *teller) plc(i int, p record.PLC) Part {
	part := Part{Kind: "plc", Name: p.Name, What: p.Protocol}
	for _, tr := range t.tracks {
		if tr.plc == i {
			part.Tags++
		}
	}
	b := t.byPLC[i]
	part.Moments = slices.Concat(
		t.peak(Bad, MomentLost, func(k int) int { return b[k].lost[0] }),
		t.windows(func(w record.Window) bool { return strings.HasPrefix(w.Kind, "plc.") && w.Target == p.Name }),
		t.peak(Calm, MomentUnobtainable, func(k int) int { return b[k].unobtainable }),
		t.highest(MomentSlow, func(k int) float64 { return mean(b[k].send, b[k].n) }))
	return part
}

func (t *teller) link(i int, name string) Part {
	b := t.byPLC[i]
	return Part{Kind: "link", Name: "link to " + name, On: name, Moments: slices.Concat(
		t.peak(Bad, MomentLost, func(k int) int { return b[k].lost[1] }),
		t.windows(func(w record.Window) bool { return strings.HasPrefix(w.Kind, "link.") && w.Target == name }),
		t.highest(MomentSlow, func(k int) float64 { return mean(b[k].wire, b[k].n) }))}
}

func (t *teller) gateway() Part {
	return Part{Kind: "gateway", Name: "gateway", Moments: slices.Concat(
		t.peak(Bad, MomentLost, func(k int) int { return t.s.Buckets[k].LostAt[2] }),
		t.peak(Bad, MomentLate, func(k int) int { return t.lateAt[2][k] }),
		t.wrong(stageEdge, func(c TagCount) int { return c.DupUnmarked }),
		t.windows(func(w record.Window) bool { return strings.HasPrefix(w.Kind, "gateway.") }),
		t.highest(MomentDepth, func(k int) float64 { return t.s.Buckets[k].Buffer }),
		t.highest(MomentSlow, func(k int) float64 { return t.s.Buckets[k].StageMS[2] }))}
}

// wrong counts what was changed, put out of order or repeated at a stage.
func (t *teller) wrong(stage string, repeated func(TagCount) int) []Moment {
	n, tag, most := 0, "", 0
	for _, c := range t.card.ByTag {
		k := repeated(c)
		if c.Where["corrupt"] == stage {
			k += total(c.Corrupt)
		}
		if c.Where["order"] == stage {
			k += c.Reordered
		}
		if stage == stageEdge {
			k += c.Orphan
		}
		if n += k; k > most {
			tag, most = c.Tag, k
		}
	}
	if n == 0 {
		return nil
	}
	return []Moment{{Level: Bad, What: MomentWrong, AtS: -1, N: float64(n), Of: tag}}
}

func (t *teller) brokerLink() Part {
	return Part{Kind: "link", Name: "link to the broker", On: "broker", Moments: t.windows(func(w record.Window) bool {
		return strings.HasPrefix(w.Kind, "link.") && w.Target == "broker"
	})}
}

func (t *teller) broker() Part {
	return Part{Kind: "broker", Name: "broker", What: "mqtt", Moments: slices.Concat(
		t.windows(func(w record.Window) bool { return strings.HasPrefix(w.Kind, "broker.") }),
		t.highest(MomentBusy, func(k int) float64 { return float64(t.arrived(k)) }))}
}

// arrived counts samples at the broker in a bucket; the first call counts all.
func (t *teller) arrived(k int) int {
	if t.atBroker == nil {
		t.atBroker = make([]int, len(t.s.Buckets))
		for i := range t.l.Seen {
			if b := &t.l.Seen[i]; b.Tap == record.AtBroker {
				t.atBroker[t.bucket(b.At)] += len(b.Samples)
			}
		}
	}
	return t.atBroker[k]
}

func (t *teller) twin() Part {
	p := Part{Kind: "twin", Name: "twin", Tags: len(t.tracks)}
	if len(t.m.Detectors) > 0 {
		p.What = t.m.Detectors[0]
	}
	p.Moments = slices.Concat(
		t.peak(Bad, MomentLost, func(k int) int { return t.s.Buckets[k].LostAt[3] }),
		t.peak(Bad, MomentLate, func(k int) int { return t.lateAt[3][k] }),
		t.wrong(stageNorth, func(c TagCount) int { return c.DupApplied }),
		t.highest(MomentFalseFresh, func(k int) float64 { return t.s.Buckets[k].FalseFreshS }),
		t.highest(MomentApart, func(k int) float64 { return t.s.Buckets[k].Divergence }))
	for i := range p.Moments {
		if m := &p.Moments[i]; m.What == MomentApart {
			if b := t.s.Buckets[t.bucket(int64(m.AtS*1e9)+t.width/2)]; b.Apart >= 0 {
				m.Of = string(t.tracks[b.Apart].tag.ID)
			}
		}
	}
	return p
}

// missed marks the part that an unmet expectation is about, where nothing of
// the part itself says so yet.
func (t *teller) missed() {
	for _, e := range t.card.Expectations {
		if e.Verdict != Fail || e.Got == nil {
			continue
		}
		i := slices.IndexFunc(t.s.Parts, func(p Part) bool { return t.about(e.Metric, p) })
		if i < 0 {
			continue
		}
		p := &t.s.Parts[i]
		m := Moment{Level: Bad, What: MomentMissed, AtS: -1, N: *e.Got, Of: e.Metric}
		at := slices.IndexFunc(p.Moments, func(m Moment) bool { return m.Level < Bad })
		if at < 0 {
			at = len(p.Moments)
		}
		p.Moments, p.Level = slices.Insert(p.Moments, at, m), Bad
	}
}

// about tells that a metric is the doing of a part. Loss and lateness are
// booked where they happened and need no more.
func (t *teller) about(metric string, p Part) bool {
	area, _, _ := strings.Cut(metric, ".")
	switch {
	case area == "twin" || area == "detect" || area == "diagnose" || area == "rul" || metric == "oee.twin":
		return p.Kind == "twin"
	case area == "recover" || area == "backfill":
		return p.Kind == "gateway"
	case metric == "oee.truth":
		return p.Kind == "machine" && p.Name == t.m.Bottleneck
	case area == "latency":
		return p.Kind == [4]string{"plc", "link", "gateway", "twin"}[t.slowestLeg()]
	}
	return false
}

func (t *teller) slowestLeg() int {
	best := 0
	for j := range t.legs {
		if t.legs[j].ValueAtQuantile(99) > t.legs[best].ValueAtQuantile(99) {
			best = j
		}
	}
	return best
}

// mean is in milliseconds.
func mean(ns int64, n int) float64 {
	if n == 0 {
		return 0
	}
	return float64(ns) / float64(n) / 1e6
}
