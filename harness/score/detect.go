package score

import (
	"cmp"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/plantbed/plantbed/harness/record"
)

// occurrence is one process or sensor fault that a detector should notice.
type occurrence struct {
	window  int // index into the plan
	machine string
	class   string
	from    int64
	to      int64 // failure, or the fault's end
	failure int64 // never for a fault without one
	excused int64 // alarms up to here are still its own: repair and settling
}

// settle is how long after a fault's end alarms on its machine still count as
// its echo and neither as hits nor as false.
const settle = int64(600e9)

// occurrences takes faults from the plan and corrects failures by what truly
// happened in the plant.
func occurrences(l *record.Log, until int64) []occurrence {
	var out []occurrence
	for i, w := range l.Meta.Plan {
		if w.Class != "process" && w.Class != "sensor" {
			continue
		}
		machine, _, _ := strings.Cut(w.Target, "/")
		oc := occurrence{window: i, machine: machine, class: w.Class, from: int64(w.From), to: min(int64(w.To), until), failure: never}
		if w.Class == "process" {
			for _, e := range l.Events {
				if e.Machine != machine || int64(e.At) < oc.from {
					continue
				}
				if e.Kind == "failure" {
					oc.failure, oc.to = int64(e.At), int64(e.At)
					break
				}
				// A part that is changed in time never fails.
				if e.Kind == "maintenance" && strings.HasPrefix(w.Target, machine+"/"+e.Component) {
					oc.to = int64(e.At)
					break
				}
			}
		}
		oc.excused = oc.to + settle
		for _, e := range l.Events {
			if e.Kind == "repair" && e.Machine == machine && int64(e.At) >= oc.to {
				oc.excused = int64(e.At) + settle
				break
			}
		}
		out = append(out, oc)
	}
	return out
}

// alarm is the start of an episode.
type alarm struct {
	at             int64
	machine, class string
}

// detection is how one detector did.
type detection struct {
	events, hits, episodes, trueEpisodes int
	first                                []int64 // per occurrence: first alarm inside, or never
	class                                []string
	delays                               []float64 // seconds, misses censored at the end
	leads                                []float64
	healthyDays                          float64
	false                                int
}

func detect(ocs []occurrence, alarms []alarm, machines []string, until int64) detection {
	d := detection{events: len(ocs), first: make([]int64, len(ocs)), class: make([]string, len(ocs))}
	for i, oc := range ocs {
		d.first[i] = never
		for _, a := range alarms {
			if a.machine == oc.machine && a.at >= oc.from && a.at < oc.to {
				d.first[i], d.class[i] = a.at, a.class
				break
			}
		}
		if d.first[i] == never {
			d.delays = append(d.delays, float64(oc.to-oc.from)/1e9)
			continue
		}
		d.hits++
		d.delays = append(d.delays, float64(d.first[i]-oc.from)/1e9)
		if oc.failure != never {
			d.leads = append(d.leads, float64(oc.failure-d.first[i])/1e9)
		}
	}
	for _, a := range alarms {
		d.episodes++
		switch {
		case inside(ocs, a, func(o occurrence) int64 { return o.to }):
			d.trueEpisodes++
		case !inside(ocs, a, func(o occurrence) int64 { return o.excused }):
			d.false++
		}
	}
	for _, m := range machines {
		var sick []span
		for _, oc := range ocs {
			if oc.machine == m {
				sick = append(sick, span{oc.from, oc.excused})
			}
		}
		d.healthyDays += float64(until-within(merge(sick, 0), 0, until)) / 86400e9
	}
	return d
}

func inside(ocs []occurrence, a alarm, end func(occurrence) int64) bool {
	return slices.ContainsFunc(ocs, func(o occurrence) bool {
		return o.machine == a.machine && a.at >= o.from && a.at < end(o)
	})
}

// macroF1 is the mean F1 over the classes that occur; a fault that was not
// noticed was given no class.
func (d detection) macroF1(ocs []occurrence) (float64, int) {
	sum, classes := 0.0, 0
	for _, class := range []string{"process", "sensor"} {
		tp, fp, fn := 0, 0, 0
		for i, oc := range ocs {
			switch said := d.class[i]; {
			case oc.class == class && said == class:
				tp++
			case oc.class == class:
				fn++
			case said == class:
				fp++
			}
		}
		if tp+fn == 0 {
			continue
		}
		classes++
		sum += 2 * float64(tp) / float64(2*tp+fp+fn)
	}
	if classes == 0 {
		return 0, 0
	}
	return sum / float64(classes), len(ocs)
}

// metrics are the detector's figures by name.
func (d detection) metrics(ocs []occurrence) map[string]Metric {
	out := map[string]Metric{
		"detect.recall":        figure("detect.recall", ratio(d.hits, d.events), d.events),
		"detect.precision":     figure("detect.precision", ratio(d.trueEpisodes, d.trueEpisodes+d.false), d.trueEpisodes+d.false),
		"detect.delay_s":       figure("detect.delay_s", median(d.delays), len(d.delays)),
		"detect.lead_s":        figure("detect.lead_s", median(d.leads), len(d.leads)),
		"detect.false_per_day": {Unit: unitOf("detect.false_per_day")},
	}
	if d.events > 0 {
		r := out["detect.recall"]
		r.CI95 = wilson(d.hits, d.events)
		out["detect.recall"] = r
	}
	if d.healthyDays > 0 {
		// n is the exposure: healthy machine-hours, since a rate rests on time.
		out["detect.false_per_day"] = figure("detect.false_per_day", float64(d.false)/d.healthyDays, int(math.Ceil(d.healthyDays*24)))
	}
	f1, n := d.macroF1(ocs)
	out["diagnose.macro_f1"] = figure("diagnose.macro_f1", f1, n)
	return out
}

// alarmsOf picks one detector's episodes out of the record.
func alarmsOf(l *record.Log, detector string) []alarm {
	var out []alarm
	for _, a := range l.Alarms {
		if a.Detector == detector {
			out = append(out, alarm{int64(a.At), a.Machine, a.Class})
		}
	}
	slices.SortStableFunc(out, func(a, b alarm) int { return cmp.Compare(a.at, b.at) })
	return out
}

// trivial are the detectors that anyone could write without looking at data:
// an alarm on every machine each minute, none at all, and as many as the
// shipped detector raises but at random.
func trivial(seed uint64, machines []string, like int, until int64) map[string][]alarm {
	const minute = int64(60e9)
	out := map[string][]alarm{"always": nil, "never": nil, "random": nil}
	for at := int64(0); at < until; at += minute {
		for _, m := range machines {
			out["always"] = append(out["always"], alarm{at, m, "process"})
		}
	}
	h := fnv.New64a()
	h.Write([]byte("score/random-detector"))
	r := rand.New(rand.NewPCG(seed, h.Sum64()))
	for range like {
		if len(machines) == 0 || until <= 0 {
			break
		}
		class := []string{"process", "sensor"}[r.IntN(2)]
		out["random"] = append(out["random"], alarm{r.Int64N(until), machines[r.IntN(len(machines))], class})
	}
	slices.SortStableFunc(out["random"], func(a, b alarm) int { return cmp.Compare(a.at, b.at) })
	return out
}
