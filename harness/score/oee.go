package score

import "github.com/plantbed/plantbed/harness/record"

// executing is the PackML state in which a machine produces.
const executing = 6

// oee gathers overall equipment effectiveness after ISO 22400-2: availability
// (time in Execute over planned time) x performance (ideal cycle x units over
// time in Execute) x quality (good units over units).
type oee struct {
	m                          *record.Machine
	planned, ran               float64
	total0, total, good0, good float64
	begun                      bool
	closed                     []span // the line's hours off, which nobody planned to use
}

// newOEE watches the bottleneck machine; without one it yields nothing.
func newOEE(meta record.Meta, events []record.Event) *oee {
	for i, mc := range meta.Machines {
		if mc.Name == meta.Bottleneck && mc.StateTag >= 0 && mc.TotalTag >= 0 && mc.GoodTag >= 0 && mc.IdealCycle > 0 {
			return &oee{m: &meta.Machines[i], closed: closedTimes(mc.Name, events, int64(meta.Duration))}
		}
	}
	return &oee{}
}

// closedTimes are the times between a machine's "closed" and "open" events.
func closedTimes(machine string, events []record.Event, until int64) (out []span) {
	for _, e := range events {
		switch n := len(out); {
		case e.Machine != machine:
		case e.Kind == "closed":
			out = append(out, span{int64(e.At), until})
		case e.Kind == "open" && n > 0:
			out[n-1].to = int64(e.At)
		}
	}
	return out
}

// tick takes the second at g of the machine as get shows it.
func (o *oee) tick(g int64, vs []*view, get func(*view) (float64, bool)) {
	if o.m == nil || meetsAny(o.closed, g, g+1) {
		return
	}
	state, ok1 := get(vs[o.m.StateTag])
	total, ok2 := get(vs[o.m.TotalTag])
	good, ok3 := get(vs[o.m.GoodTag])
	if !ok1 || !ok2 || !ok3 {
		return
	}
	if !o.begun {
		o.begun, o.total0, o.good0 = true, total, good
	}
	o.total, o.good = total, good
	o.planned++
	if state == executing {
		o.ran++
	}
}

func (o *oee) value() *float64 {
	units := o.total - o.total0
	if o.planned == 0 || o.ran == 0 || units <= 0 {
		return nil
	}
	v := o.ran / o.planned * (o.m.IdealCycle * units / o.ran) * ((o.good - o.good0) / units)
	return &v
}
