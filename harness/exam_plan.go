package harness

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/plantbed/plantbed/harness/evaluate"
	"github.com/plantbed/plantbed/sim"
	"github.com/plantbed/plantbed/sim/plant"
	"github.com/plantbed/plantbed/sim/signal"
)

// examMachine is a station, the loads it may be put under, and what is made on
// it: the same three products on all.
type examMachine struct {
	name, kind string
	load       [2]float64
	recipes    [3]map[string]string
}

var examMachines = []examMachine{
	{"pump", "pump-skid", [2]float64{0.85, 1.1}, [3]map[string]string{{"product_temp": "12 degC"}, {"product_temp": "8 degC"}, {"product_temp": "16 degC"}}},
	{"filler", "filler", [2]float64{0.85, 1.15}, [3]map[string]string{
		{"volume": "750 ml", "bowl_pressure": "1.8 bar", "speed": "12 rpm", "product_temp": "12 degC"},
		{"volume": "500 ml", "bowl_pressure": "1.8 bar", "speed": "13 rpm", "product_temp": "8 degC"},
		{"volume": "700 ml", "bowl_pressure": "2.1 bar", "speed": "11 rpm", "product_temp": "16 degC"}}},
	{"capper", "capper", [2]float64{0.85, 1.15}, [3]map[string]string{
		{"torque": "1.8 Nm", "speed": "60 rpm"}, {"torque": "1.5 Nm", "speed": "64 rpm"}, {"torque": "2.0 Nm", "speed": "57 rpm"}}},
	{"conveyor", "conveyor", [2]float64{0.85, 1.15}, [3]map[string]string{
		{"unit_mass": "1.2 kg", "speed": "0.5 m/s"}, {"unit_mass": "0.85 kg", "speed": "0.53 m/s"}, {"unit_mass": "1.15 kg", "speed": "0.47 m/s"}}},
	{"oven", "oven", [2]float64{0.85, 1.15}, [3]map[string]string{
		{"setpoint": "150 degC", "product_heat": "6 kW"}, {"setpoint": "145 degC", "product_heat": "5 kW"}, {"setpoint": "158 degC", "product_heat": "6.5 kW"}}},
}

func between(rng *rand.Rand, lo, hi float64) float64 { return lo + (hi-lo)*rng.Float64() }

func hours(h float64) time.Duration { return time.Duration(h * float64(time.Hour)) }

// examChanges schedules what changes though nothing is wrong, from the first
// hour on: loads every four hours, products and weather every eight. The error
// is there once the world has run.
func examChanges(w *world, seed uint64, until time.Duration) *error {
	failed := new(error)
	at := func(name string, mean float64, change func(rng *rand.Rand) error) {
		rng := sim.Rand(seed, "exam/"+name)
		for t := hours(between(rng, 0, mean)); t < until; t += hours(between(rng, mean/2, 3*mean/2)) {
			w.kernel.At(t+137, func() { *failed = cmp.Or(*failed, change(rng)) })
		}
	}
	for _, m := range examMachines {
		at("load/"+m.name, 4, func(rng *rand.Rand) error {
			return w.plant.Machine(m.name).SetLoad(between(rng, m.load[0], m.load[1]))
		})
	}
	at("recipe", 8, func(rng *rand.Rand) error {
		product := rng.IntN(3)
		for _, m := range examMachines {
			if err := w.plant.Machine(m.name).SetRecipe(m.recipes[product]); err != nil {
				return err
			}
		}
		return nil
	})
	at("weather", 8, func(rng *rand.Rand) error { return w.plant.SetAmbient(between(rng, -4, 6)) })
	return failed
}

// breakThings draws the failures and sensor faults of a line, no two of which
// meet on one machine, and schedules them.
func (e Exam) breakThings(w *world, line int, seed uint64, units []*evaluate.Unit, index map[string]int) error {
	rng := sim.Rand(seed, "exam/faults")
	type part struct {
		machine int
		plant.Component
	}
	var parts []part
	for i, m := range examMachines {
		for _, k := range plant.Kinds() {
			if k.Name == m.kind {
				for _, c := range k.Components {
					parts = append(parts, part{i, c})
				}
			}
		}
	}
	// Each part's turn comes as often as any other's, over all lines.
	for n := range e.Failures {
		p := parts[(line*e.Failures+n)*5%len(parts)]
		u := units[index[examMachines[p.machine].name]]
		life := hours(math.Exp(between(rng, math.Log(e.ShortestLife.Hours()), math.Log(e.LongestLife.Hours()))))
		onset, ok := free(u, rng, e.Scored, life+2*echo)
		if !ok {
			return fmt.Errorf("%s: no room for a failure in %v", u.Name, e.Scored)
		}
		f := evaluate.Failure{Component: p.Name, Mode: p.Mode, Onset: onset, Failure: onset + life, Excused: onset + life + 2*echo}
		u.Failures = append(u.Failures, f)
		knob, ok := w.plant.Machine(examMachines[p.machine].name).Knob(p.Name)
		if !ok {
			return fmt.Errorf("%s has no part %s", u.Name, p.Name)
		}
		if err := knob.Wear(f.Onset, f.Failure); err != nil {
			return err
		}
	}
	for n := range e.SensorFaults {
		u := units[index[examMachines[n%len(examMachines)].name]]
		if err := e.lie(w, rng, u, examMachines[n%len(examMachines)], (line+n)%len(lies)); err != nil {
			return err
		}
	}
	for i, u := range units {
		slices.SortFunc(u.Failures, func(a, b evaluate.Failure) int { return cmp.Compare(a.Onset, b.Onset) })
		e.age(rng, u, w.plant.Machine(examMachines[i].name).Knobs())
	}
	return nil
}

// free finds a time of that length in which nothing else is wrong.
func free(u *evaluate.Unit, rng *rand.Rand, until, length time.Duration) (time.Duration, bool) {
	for range 1000 {
		from := hours(between(rng, 1, (until - length).Hours()))
		to := from + length
		clash := slices.ContainsFunc(u.Failures, func(f evaluate.Failure) bool { return from < f.Excused && f.Onset < to }) ||
			slices.ContainsFunc(u.Sensors, func(s evaluate.SensorFault) bool { return from < s.Excused && s.From < to })
		if until > length && !clash {
			return from.Truncate(time.Second) + 291, true
		}
	}
	return 0, false
}

// lies are the ways in which a sensor lies: how it is turned, given the span of
// the sensor and a draw of its own.
var lies = []struct {
	kind string
	turn func(c sensor, from time.Duration, span float64, rng *rand.Rand)
}{
	{"bias", func(c sensor, _ time.Duration, span float64, rng *rand.Rand) {
		c.SetBias(sign(rng) * span * math.Exp(between(rng, math.Log(0.02), math.Log(0.1))))
	}},
	{"drift", func(c sensor, from time.Duration, span float64, rng *rand.Rand) {
		c.Drift(from, sign(rng)*span*between(rng, 0.005, 0.03)/3600)
	}},
	{"stuck", func(c sensor, _ time.Duration, _ float64, _ *rand.Rand) { c.Stuck(true) }},
	{"noise", func(c sensor, _ time.Duration, _ float64, rng *rand.Rand) { c.SetNoise(between(rng, 3, 10)) }},
}

type sensor interface {
	SetBias(float64)
	Drift(time.Duration, float64)
	Stuck(bool)
	SetNoise(float64)
	Clear()
}

func sign(rng *rand.Rand) float64 { return math.Copysign(1, rng.Float64()-0.5) }

// lie has one analogue sensor of a machine lie for some hours.
func (e Exam) lie(w *world, rng *rand.Rand, u *evaluate.Unit, m examMachine, kind int) error {
	length := hours(between(rng, 2, 6))
	from, ok := free(u, rng, e.Scored, length+echo)
	if !ok {
		return fmt.Errorf("%s: no room for a sensor fault in %v", u.Name, e.Scored)
	}
	var analogue []plant.Signal
	for _, s := range w.plant.Machine(m.name).Signals() {
		if s.Noise > 0 {
			analogue = append(analogue, s)
		}
	}
	s := analogue[rng.IntN(len(analogue))]
	i := w.tagIndex[signal.ID(m.name+"/"+s.Name)]
	c := w.plcs[0].Channel(w.tags[i].ID)
	w.kernel.At(from, func() { lies[kind].turn(c, from, s.Hi-s.Lo, rng) })
	w.kernel.At(from+length, c.Clear)
	u.Sensors = append(u.Sensors, evaluate.SensorFault{Kind: lies[kind].kind, Tag: s.Name, From: from, To: from + length, Excused: from + length + echo})
	return nil
}

// age gives each component an age at the start: what fails does so at an age
// drawn from the law of its life, the others are somewhere within theirs.
func (e Exam) age(rng *rand.Rand, u *evaluate.Unit, knobs []string) {
	for _, name := range knobs {
		i := slices.IndexFunc(u.Failures, func(f evaluate.Failure) bool { return f.Component == name })
		u.Replaced = append(u.Replaced, i)
		if i >= 0 {
			u.Ages = append(u.Ages, max(0, life(rng)-u.Failures[i].Failure.Hours()))
		} else {
			u.Ages = append(u.Ages, rng.Float64()*life(rng))
		}
	}
}
