package plant

import (
	"testing"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim"
)

// bottling is a line of five.
func bottling() Config {
	return Config{
		Machines: []MachineConfig{
			{Name: "pump", Kind: "pump-skid"},
			{Name: "filler", Kind: "filler"},
			{Name: "conveyor", Kind: "conveyor"},
			{Name: "oven", Kind: "oven"},
			{Name: "capper", Kind: "capper"},
		},
		Lines: []LineConfig{{
			Name:     "line",
			Stations: []string{"pump", "filler", "conveyor", "oven", "capper"},
			Buffers:  []int{15, 20, 20, 20},
		}},
	}
}

func build(t testing.TB, seed uint64, cfg Config) (*sim.Kernel, *Plant) {
	t.Helper()
	k := sim.New(seed)
	p, err := Build(k, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return k, p
}

func knob(t testing.TB, p *Plant, machine, component string) Knob {
	t.Helper()
	n, ok := p.Machine(machine).Knob(component)
	if !ok {
		t.Fatalf("no knob %s on %s", component, machine)
	}
	return n
}

func wearOut(t testing.TB, p *Plant, machine, component string, onset, failure time.Duration) {
	t.Helper()
	if err := knob(t, p, machine, component).Wear(onset, failure); err != nil {
		t.Fatal(err)
	}
}

// history keeps all events.
func history(p *Plant) *[]Event {
	var events []Event
	p.OnEvent(func(e Event) { events = append(events, e) })
	return &events
}

// damageEvents leaves the states out.
func damageEvents(events []Event) (out []Event) {
	for _, e := range events {
		if e.Kind != "state" {
			out = append(out, e)
		}
	}
	return out
}

func value(t testing.TB, m *Machine, name string, now time.Duration) float64 {
	t.Helper()
	for _, s := range m.Signals() {
		if s.Name == name {
			return s.Read(now)
		}
	}
	t.Fatalf("%s has no signal %s", m.Name, name)
	return 0
}

// dur is so many seconds, as a configuration has them.
func dur(s float64) strict.Duration { return strict.Duration(seconds(s)) }
