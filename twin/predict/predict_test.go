package predict

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plantbed/plantbed/sim/signal"
)

// day is a model of 24 healthy hours; no test watches that seed.
var day = sync.OnceValue(func() *Calibrated { return train(100, 24) })

func TestHealthyMachinesRaiseNoAlarm(t *testing.T) {
	const machines, hours = 4, 36
	for seed := range uint64(machines) {
		if got := by(run(day(), newMachine(500+seed), hours, nil), DetectorPCA); len(got) > 0 {
			t.Errorf("machine %d: %d false alarms in %d h: %+v", seed, len(got), hours, got)
		}
	}
}

// Each fault is put on after an hour, on machines of other seeds.
func TestFaultsAreFoundAndNamed(t *testing.T) {
	for _, c := range []struct {
		name   string
		turn   func(m *machine, hour float64)
		hours  float64
		class  string
		tag    signal.ID
		within float64 // hours after the onset
	}{
		{"bearing wears out in two hours", func(m *machine, h float64) { m.wear = max(0, (h-1)/2) }, 3,
			Process, names[chVibDE], 0.25},
		{"overload, a shift along the physics", func(m *machine, h float64) {
			if h > 1 {
				m.overload = 0.5
			}
		}, 3, Process, "", 0.25},
		{"temperature sensor drifts 5 K per hour", func(m *machine, h float64) { m.drift = max(0, (h-1)*5) }, 4,
			Sensor, names[chBearingT], 2.9},
		// The same thermometer alone, as wear would have it: ever faster.
		{"heat that one thermometer sees", func(m *machine, h float64) {
			if h > 1 {
				m.drift = 0.6 * math.Exp(h-1)
			}
		}, 4.5, Process, names[chBearingT], 3},
		{"current sensor sticks", func(m *machine, h float64) { m.held = h > 1 }, 2,
			Sensor, names[chCurrent], 0.1},
	} {
		for seed := range uint64(3) {
			got := by(run(day(), newMachine(7+seed), c.hours, c.turn), DetectorPCA)
			if len(got) == 0 {
				t.Errorf("%s, seed %d: not found", c.name, seed)
				continue
			}
			a := got[0]
			delay := a.At.Sub(newMachineStart).Hours() - 1
			if delay < 0 || delay > c.within {
				t.Errorf("%s, seed %d: found %.2f h after the onset, want within %g h", c.name, seed, delay, c.within)
			}
			if a.Class != c.class || c.tag != "" && a.Tag != c.tag || a.Machine != "pump" || !(a.Score > a.Limit) {
				t.Errorf("%s, seed %d: %+v, want a %s alarm on %q", c.name, seed, a, c.class, c.tag)
			}
		}
	}
}

// A drifting sensor must not hide the bearing that goes afterwards.
func TestSensorFaultDoesNotHideAProcessFault(t *testing.T) {
	got := by(run(day(), newMachine(8), 6, func(m *machine, h float64) {
		m.drift = max(0, min(h-1, 2)*6)
		m.wear = max(0, (h-4)/2)
	}), DetectorPCA)
	if len(got) < 2 || got[0].Class != Sensor || got[len(got)-1].Class != Process {
		t.Fatalf("alarms %+v", got)
	}
	if d := got[len(got)-1].At.Sub(newMachineStart).Hours() - 4; d < 0 || d > 1 {
		t.Errorf("the bearing was named %.2f h after its onset", d)
	}
}

func TestStuckSensorIsSaidOnce(t *testing.T) {
	got := by(run(day(), newMachine(9), 4, func(m *machine, h float64) { m.held = h > 1 }), DetectorPCA)
	sensor := 0
	for _, a := range got {
		if a.Class == Sensor && a.Tag == names[chCurrent] {
			sensor++
		}
	}
	if sensor != 1 {
		t.Errorf("said %d times: %+v", sensor, got)
	}
}

func TestStoppedMachineIsNotJudged(t *testing.T) {
	got := run(day(), newMachine(11), 3, func(m *machine, h float64) {
		m.stopped = h > 1
		m.wear = max(0, h-1)
	})
	if len(got) != 0 {
		t.Errorf("alarms on a stopped machine: %+v", got)
	}
}

func TestUnknownValuesAreNotJudged(t *testing.T) {
	w := NewWatch(day())
	m := newMachine(12)
	m.wear = 1
	for k := range 7200 {
		at, state, x := m.second()
		switch k % 8 { // never ten seconds in one piece
		case 3:
			x[chFlow] = Missing
		case 6:
			state = Missing
		}
		if a := w.Step(at, state, x); len(a) > 0 {
			t.Fatalf("alarm on values that were not known: %+v", a)
		}
	}
}

func TestModelsSurviveJSON(t *testing.T) {
	text, err := json.Marshal(day())
	if err != nil {
		t.Fatal(err)
	}
	var again Calibrated
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(*day(), again) {
		t.Error("another model comes back")
	}
	wear := func(m *machine, h float64) { m.wear = h / 2 }
	a, b := run(day(), newMachine(13), 1, wear), run(&again, newMachine(13), 1, wear)
	if len(a) == 0 || fmt.Sprint(a) != fmt.Sprint(b) {
		t.Errorf("alarms %v, and after JSON %v", a, b)
	}
}

func TestConstantsAndCountersAreLeftOut(t *testing.T) {
	var got []string
	for _, l := range day().Model.Left {
		got = append(got, l.Name+": "+l.Why)
	}
	if s := strings.Join(got, ", "); s != "pump/total: counter, pump/setpoint: constant" {
		t.Errorf("left out: %s", s)
	}
	// And a constant that moves later is no crash and no alarm.
	w := NewWatch(day())
	m := newMachine(14)
	for range 3600 {
		at, state, x := m.second()
		x[chSetpoint] = 99
		if a := w.Step(at, state, x); len(by(a, DetectorPCA)) > 0 {
			t.Fatalf("alarm %+v", a)
		}
	}
}

func TestTooLittleToLearnFrom(t *testing.T) {
	tr := NewTrainer(newMachine(1).spec())
	if _, err := tr.Done(); err == nil || !strings.Contains(err.Error(), "pump") || !strings.Contains(err.Error(), "0 rows") {
		t.Errorf("error %v names neither the machine nor the cause", err)
	}
	flat := make([][]float64, 100)
	for i := range flat {
		flat[i] = []float64{1, 2}
	}
	if _, err := fit(samples(flat), []string{"a", "b"}, Options{}); err == nil || !strings.Contains(err.Error(), "varies") {
		t.Errorf("constant channels: error %v", err)
	}
}

func TestEpisodes(t *testing.T) {
	for _, c := range []struct{ name, rows, want string }{
		{"persistence", "xx.xxx", ".....S"},
		{"one start while it lasts", "xxxxxxxxx", "..S......"},
		{"short gaps are merged", "xxx..xxx.xx", "..S........"},
		{"a long gap ends it", "xxx...xxx", "..S......"}, // but the hold-off is on
		{"after the hold-off", "xxx........xxx", "..S..........S"},
	} {
		e := episode{persist: 3, clear: 3, holdOff: 4 * time.Second}
		got := ""
		for i, r := range c.rows {
			mark := "."
			if e.step(time.Unix(int64(i), 0), r == 'x') {
				mark = "S"
			}
			got += mark
		}
		if got != c.want {
			t.Errorf("%s:\n%s gives\n%s, want\n%s", c.name, c.rows, got, c.want)
		}
	}
}

func BenchmarkStep(b *testing.B) {
	w := NewWatch(day())
	m := newMachine(15)
	at, state, x := m.second()
	b.ReportAllocs()
	for k := 0; b.Loop(); k++ {
		w.Step(at.Add(time.Duration(k)*time.Second), state, x)
	}
}
