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
}

// newOEE watches the bottleneck machine; without one it yields nothing.
func newOEE(meta record.Meta) *oee {
	for i, mc := range meta.Machines {
		if mc.Name == meta.Bottleneck && mc.StateTag >= 0 && mc.TotalTag >= 0 && mc.GoodTag >= 0 && mc.IdealCycle > 0 {
			return &oee{m: &meta.Machines[i]}
		}
	}
	return &oee{}
}

// tick takes one second of the machine as get shows it.
func (o *oee) tick(vs []*view, get func(*view) (float64, bool)) {
	if o.m == nil {
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
