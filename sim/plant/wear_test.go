package plant

import (
	"math"
	"slices"
	"testing"
	"time"
)

// reads runs a plant with a bearing and a valve that wear out, looking at it
// every so often, and tells what it saw at whole tens of seconds.
func reads(t *testing.T, seed uint64, cfg Config, every time.Duration) (events []Event, values []float64, counts []int) {
	k, p := build(t, seed, cfg)
	log := history(p)
	wearOut(t, p, "pump", "motor/bearing-de", 10*time.Minute, 40*time.Minute)
	wearOut(t, p, "filler", "valve", 5*time.Minute, 70*time.Minute)
	p.Start()
	for at := time.Duration(0); at <= time.Hour; at += every {
		k.Run(at)
		for _, m := range p.Machines() {
			for _, s := range m.Signals() {
				v := s.Read(at)
				if at%(10*time.Second) == 0 {
					values = append(values, v)
				}
			}
		}
	}
	for _, m := range p.Machines() {
		counts = append(counts, m.Good(), m.Total())
	}
	return *log, values, counts
}

func TestReadingChangesNothing(t *testing.T) {
	slow, slowValues, slowCounts := reads(t, 7, bottling(), 10*time.Second)
	for _, every := range []time.Duration{time.Second, 100 * time.Millisecond} {
		events, values, counts := reads(t, 7, bottling(), every)
		if !slices.Equal(events, slow) {
			t.Errorf("read every %v: %d events, %d when read every 10 s", every, len(events), len(slow))
		}
		if !slices.Equal(values, slowValues) {
			t.Errorf("read every %v, signals differ", every)
		}
		if !slices.Equal(counts, slowCounts) {
			t.Errorf("read every %v: counts %v, want %v", every, counts, slowCounts)
		}
	}
}

func TestSeeds(t *testing.T) {
	events, values, counts := reads(t, 7, bottling(), 10*time.Second)
	sameEvents, sameValues, sameCounts := reads(t, 7, bottling(), 10*time.Second)
	if !slices.Equal(events, sameEvents) || !slices.Equal(values, sameValues) || !slices.Equal(counts, sameCounts) {
		t.Error("one seed gave two runs")
	}
	otherEvents, otherValues, _ := reads(t, 8, bottling(), 10*time.Second)
	if slices.Equal(events, otherEvents) || slices.Equal(values, otherValues) {
		t.Error("two seeds gave one run")
	}
}

// A new machine shifts nobody's noise, and nobody's life.
func TestAnotherMachineShiftsNothing(t *testing.T) {
	cfg := bottling()
	events, values, _ := reads(t, 7, cfg, 10*time.Second)
	cfg.Machines = append(cfg.Machines, MachineConfig{Name: "spare", Kind: "pump-skid"})
	more, moreValues, _ := reads(t, 7, cfg, 10*time.Second)
	more = slices.DeleteFunc(more, func(e Event) bool { return e.Machine == "spare" })
	if !slices.Equal(events, more) {
		t.Error("events differ")
	}
	all, spare := len(moreValues)/361, len(pumpSkidKind.signals())
	var kept []float64
	for i := 0; i < len(moreValues); i += all {
		kept = append(kept, moreValues[i:i+all-spare]...)
	}
	if !slices.Equal(values, kept) {
		t.Error("signals differ")
	}
}

func TestLifeOfABearing(t *testing.T) {
	const onset, failure = 600137 * time.Millisecond, 3600731 * time.Millisecond
	k, p := build(t, 11, bottling())
	log := history(p)
	wearOut(t, p, "pump", "motor/bearing-de", onset, failure)
	p.Start()
	m := p.Machine("pump")
	damage := func(at time.Duration) float64 {
		k.Run(at)
		d, err := m.Damage("motor/bearing-de")
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if d := damage(onset - 1); d != 0 {
		t.Errorf("damage %g before the onset", d)
	}
	healthy := value(t, m, "motor/bearing-de/vibration", onset-1)
	if d := damage(onset); math.Abs(d-0.01) > 1e-9 {
		t.Errorf("damage %g at the onset", d)
	}
	last := 0.0
	for at := onset; at < failure; at += time.Second {
		d := damage(at)
		if d < last {
			t.Fatalf("damage falls at %v", at)
		}
		last = d
	}
	if d := damage(failure - time.Millisecond); d < 0.999 || d > 1 {
		t.Errorf("damage %g just before the failure", d)
	}
	if v := value(t, m, "motor/bearing-de/vibration", k.Now()); v < 5*healthy {
		t.Errorf("vibration %g g at the failure, %g g when healthy", v, healthy)
	}
	if d := damage(failure); d != 1 || m.State() != Aborted {
		t.Errorf("damage %g, state %s at the failure", d, StateName(m.State()))
	}
	k.Run(failure + 20*time.Minute)
	if d := damage(k.Now()); d != 0 || m.State() != Execute {
		t.Errorf("damage %g, state %s after the repair", d, StateName(m.State()))
	}
	got := damageEvents(*log)
	want := []Event{
		{At: onset, Kind: "onset"},
		{At: got[min(1, len(got)-1)].At, Kind: "detectable"},
		{At: failure, Kind: "failure"},
		{At: failure + 8*time.Minute, Kind: "repair"},
	}
	for i := range want {
		want[i].Machine, want[i].Component, want[i].Mode = "pump", "motor/bearing-de", "bearing_wear"
	}
	if !slices.Equal(got, want) {
		t.Fatalf("events\n%v\nwant\n%v", got, want)
	}
	if share := float64(got[1].At-onset) / float64(failure-onset); share < 0.02 || share > 0.6 {
		t.Errorf("detectable after %.0f %% of the way to the failure", 100*share)
	}
}

// d' > 1 is held against what an oracle sees on two real plants, one of which wears.
func TestDetectableIsWhereTheEffectExceedsTheNoise(t *testing.T) {
	for _, c := range []struct{ machine, component string }{
		{"pump", "motor/bearing-de"}, {"pump", "motor/cooling"}, {"conveyor", "belt"}, {"oven", "zone-2/heater"},
	} {
		look := func(wears bool) (at func(time.Duration) []float64, noise []float64) {
			// Undisturbed, so that both work at the usual point all the time.
			cfg := Config{Machines: bottling().Machines}
			for i := range cfg.Machines[1:] {
				cfg.Machines[i+1].Params = map[string]string{"minor_stops": "0 /h"}
			}
			k, p := build(t, 21, cfg)
			if wears {
				wearOut(t, p, c.machine, c.component, time.Minute, 2*time.Hour)
			}
			p.Start()
			m := p.Machine(c.machine)
			in := inputs{state: Execute, drawing: true, bowl: 1, steady: true}
			m.advance(0) // through the morning
			noise = m.noise(m.model.fork(), in)
			at = func(now time.Duration) (values []float64) {
				k.Run(now)
				for _, s := range m.Signals()[flowSignals:] {
					values = append(values, s.Read(now))
				}
				return values
			}
			return at, noise
		}
		healthy, noise := look(false)
		worn, _ := look(true)
		first := time.Duration(0)
		for now := time.Minute; first == 0 && now < 2*time.Hour; now += 5 * time.Second {
			h, w := healthy(now), worn(now)
			for i := range h {
				if math.Abs(h[i]-w[i]) > noise[i] {
					first = now
				}
			}
		}
		k, p := build(t, 21, Config{Machines: bottling().Machines})
		log := history(p)
		wearOut(t, p, c.machine, c.component, time.Minute, 2*time.Hour)
		k.Run(2 * time.Hour)
		got := damageEvents(*log)[1]
		if got.Kind != "detectable" || (got.At-first).Abs() > 5*time.Minute {
			t.Errorf("%s/%s: %s at %v, an oracle sees it at %v", c.machine, c.component, got.Kind, got.At, first)
		}
	}
}

func TestSetAndClear(t *testing.T) {
	k, p := build(t, 1, bottling())
	log := history(p)
	p.Start()
	n := knob(t, p, "conveyor", "belt")
	k.Run(time.Minute)
	before := value(t, p.Machine("conveyor"), "belt/torque", k.Now())
	if err := n.Set(0.5); err != nil {
		t.Fatal(err)
	}
	if after := value(t, p.Machine("conveyor"), "belt/torque", k.Now()); math.Abs(after/before-1.28) > 0.03 {
		t.Errorf("torque %g, before %g; half of 60 %% is 30 %% of friction", after, before)
	}
	k.Run(2 * time.Minute)
	n.Clear()
	k.Run(3 * time.Minute)
	if err := n.Set(1); err != nil {
		t.Fatal(err)
	}
	if s := p.Machine("conveyor").State(); s != Aborted {
		t.Errorf("damage 1, and the machine is in %s", StateName(s))
	}
	n.Clear() // the crew is at it: nothing happens
	k.Run(30 * time.Minute)
	var kinds []string
	for _, e := range damageEvents(*log) {
		kinds = append(kinds, e.Kind)
	}
	if want := []string{"onset", "detectable", "repair", "onset", "failure", "repair"}; !slices.Equal(kinds, want) {
		t.Errorf("events %v, want %v", kinds, want)
	}
}

func TestKnobRefuses(t *testing.T) {
	k, p := build(t, 1, bottling())
	p.Start()
	k.Run(time.Hour)
	n := knob(t, p, "pump", "motor/bearing-de")
	h := time.Hour
	for name, err := range map[string]error{
		"an onset in the past": n.Wear(h-1, 2*h),
		"a failure at once":    n.Wear(2*h, 2*h),
		"less than nothing":    n.Set(-0.1),
		"more than all":        n.Set(1.1),
		"no number":            n.Set(math.NaN()),
	} {
		if err == nil {
			t.Errorf("took %s", name)
		}
	}
	if err := n.Set(0.3); err != nil {
		t.Fatal(err)
	}
	if n.Wear(2*h, 3*h) == nil {
		t.Error("planned wear on what is worn already")
	}
	if err := n.Set(1); err != nil {
		t.Fatal(err)
	}
	if n.Set(0.5) == nil || n.Wear(2*h, 3*h) == nil {
		t.Error("turned the knob of what is broken down")
	}
	if _, ok := p.Machine("pump").Knob("motor/bearing"); ok {
		t.Error("gave a knob for a component that does not exist")
	}
	if _, err := p.Machine("pump").Damage("motor/bearing"); err == nil {
		t.Error("gave the damage of a component that does not exist")
	}
}

// A plan that is replaced leaves no event behind; a second life is another one.
func TestPlansAreReplaced(t *testing.T) {
	k, p := build(t, 1, bottling())
	log := history(p)
	p.Start()
	wearOut(t, p, "pump", "motor/bearing-de", 10*time.Minute, 20*time.Minute)
	wearOut(t, p, "pump", "motor/bearing-de", 30*time.Minute, 40*time.Minute)
	k.Run(35 * time.Minute)
	first, _ := p.Machine("pump").Damage("motor/bearing-de")
	k.Run(60 * time.Minute)
	wearOut(t, p, "pump", "motor/bearing-de", 60*time.Minute, 70*time.Minute)
	k.Run(65 * time.Minute)
	second, _ := p.Machine("pump").Damage("motor/bearing-de")
	if got := damageEvents(*log); got[0].At != 30*time.Minute || len(got) != 6 {
		t.Errorf("events %v", got)
	}
	if first == second || first == 0 || second == 0 {
		t.Errorf("damage %g in mid-life, %g in the next one", first, second)
	}
}
