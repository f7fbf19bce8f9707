package plant

import (
	"math"
	"testing"
	"time"
)

// onAlarm is a motor that somebody comes to see when an alarm is told.
func onAlarm(m MaintenanceConfig) Config {
	cfg := living("rotor", "abrasion", 1e7, 0)
	m.Components, m.Work = []string{"rotor"}, dur(60)
	cfg.Machines[0].Maintenance = []MaintenanceConfig{m}
	return cfg
}

// An alarm orders the work that waits for it, by its name and its class, once
// until the work is done and has rested; any other does nothing.
func TestAlarmOrdersWork(t *testing.T) {
	k, p := build(t, 4, onAlarm(MaintenanceConfig{Alarm: "pca", Class: "process", Rest: dur(600)}))
	log := history(p)
	p.Start()
	works := func() (n int) {
		for _, e := range *log {
			if e.Kind == "maintenance" && e.Component == "rotor" {
				n++
			}
		}
		return n
	}
	for _, c := range []struct {
		at                   time.Duration
		machine, name, class string
		ordered, done        int // what it orders, what is done ten seconds later
	}{
		{10 * time.Minute, "m", "shewhart", "", 0, 0},
		{20 * time.Minute, "m", "pca", "sensor", 0, 0},
		{30 * time.Minute, "n", "pca", "process", 0, 0},
		{40 * time.Minute, "m", "", "", 0, 0},
		{time.Hour, "m", "pca", "process", 1, 0},
		{time.Hour + 30*time.Second, "m", "pca", "process", 0, 0}, // somebody is at it
		{time.Hour + 55*time.Second, "m", "pca", "process", 0, 1},
		{time.Hour + 5*time.Minute, "m", "pca", "process", 0, 1}, // it rests
		{2 * time.Hour, "m", "pca", "process", 1, 1},
		{2*time.Hour + 55*time.Second, "m", "pca", "process", 0, 2},
	} {
		k.Run(c.at)
		if got := p.Alarm(c.machine, c.name, c.class); got != c.ordered {
			t.Errorf("%v: the alarm %s %s of %s orders %d works, want %d", c.at, c.name, c.class, c.machine, got, c.ordered)
		}
		k.Run(c.at + 10*time.Second)
		if got := works(); got != c.done {
			t.Errorf("%v: %d works are done, want %d", c.at, got, c.done)
		}
	}
	if s := p.Machine("m").State(); s != Execute && s != Starting {
		k.Run(k.Now() + time.Minute)
		if s := p.Machine("m").State(); s != Execute {
			t.Errorf("it is %s afterwards", StateName(s))
		}
	}
}

// Who maintains by a signal sees what the instrument says: one that reads too
// much brings people in vain, one that sticks keeps them away from what
// breaks, and one that says nothing does neither.
func TestMaintenanceSeesInstruments(t *testing.T) {
	above := 4.0
	run := func(wears bool, read func(machine, signal string) (float64, bool)) (works, failures int) {
		cfg := onAlarm(MaintenanceConfig{Signal: "vibration", Above: &above, For: dur(120)})
		k, p := build(t, 4, cfg)
		p.Measure(read)
		p.OnEvent(func(e Event) {
			switch e.Kind {
			case "maintenance":
				works++
			case "failure":
				failures++
			}
		})
		p.Start()
		if wears {
			wearOut(t, p, "m", "rotor", time.Hour, 5*time.Hour)
		}
		k.Run(6 * time.Hour)
		return works, failures
	}
	says := func(v float64, ok bool) func(string, string) (float64, bool) {
		return func(machine, signal string) (float64, bool) {
			if machine != "m" || signal != "vibration" {
				t.Errorf("asked for %s/%s", machine, signal)
			}
			return v, ok
		}
	}
	for _, c := range []struct {
		name            string
		wears           bool
		read            func(string, string) (float64, bool)
		works, failures int // works: at least
	}{
		{"no instrument, healthy", false, nil, 0, 0},
		{"no instrument, worn", true, nil, 1, 0},
		{"an instrument of something else", true, says(0, false), 1, 0},
		{"reads too much", false, says(9, true), 50, 0},
		{"sticks", true, says(1.2, true), 0, 1},
		{"says nothing", true, says(math.NaN(), true), 0, 1},
	} {
		works, failures := run(c.wears, c.read)
		if works < c.works || c.works == 0 && works > 0 || failures != c.failures {
			t.Errorf("%s: %d works and %d failures, want %d and %d", c.name, works, failures, c.works, c.failures)
		}
	}
}

// What lies outside of a line's hours is no planned time, whatever a machine
// waits for meanwhile, and the plant tells when it begins and ends.
func TestClosedIsNoLoss(t *testing.T) {
	cfg := Config{
		Machines: []MachineConfig{{Name: "s", Kind: "filler", Params: map[string]string{"minor_stops": "0 /h", "scrap": "0 %"},
			Breakdowns: []BreakdownConfig{{Name: "trip", By: "calendar", Mean: dur(7.5 * 3600), Times: &Times{Law: "constant"}, Repair: dur(7200)}}}},
		Lines: []LineConfig{{Name: "l", Stations: []string{"s"}, Hours: []string{"mon-fri 06:00-14:00"}, Starts: "mon 06:00"}},
	}
	k, p := build(t, 1, cfg)
	log := history(p)
	p.Start()
	k.Run(24 * time.Hour)
	m := p.Machine("s")
	// It trips half an hour before the end of the shift, and the crew works on.
	repair, closed := m.ledger.because(inRepair, k.Now()), m.ledger.because(noShift, k.Now())
	if repair != 30*time.Minute || (closed-16*time.Hour).Abs() > 2*time.Second {
		t.Errorf("repair %v of planned time, want 30m; no shift %v, want 16h", repair, closed)
	}
	if a := m.OEE(k.Now()).Availability; math.Abs(a-7.5/8) > 0.001 {
		t.Errorf("availability %.4f, want %.4f", a, 7.5/8)
	}
	var told []Event
	for _, e := range *log {
		if e.Kind == "closed" || e.Kind == "open" {
			told = append(told, e)
		}
	}
	if len(told) != 2 || told[0].Kind != "closed" || told[0].At != 8*time.Hour || told[1].Kind != "open" || told[1].At != 24*time.Hour {
		t.Errorf("told %v", told)
	}
	for name, losses := range map[string][]Loss{"machine": m.Losses(k.Now()), "line": p.Lines()[0].Losses(k.Now())} {
		sum := 0.0
		for _, l := range losses {
			sum += l.Seconds
		}
		if math.Abs(sum-24*3600) > 1e-6 {
			t.Errorf("losses of the %s add up to %v s: %v", name, sum, losses)
		}
	}
}

// Work before anything is wrong does not keep a planned failure away; work
// after its onset does.
func TestMaintenanceAndAPlan(t *testing.T) {
	for _, c := range []struct {
		at    time.Duration
		fails bool
	}{{time.Hour, true}, {3 * time.Hour, false}} {
		k, p := build(t, 4, Config{Machines: []MachineConfig{{Name: "m", Kind: "motor"}}})
		log := history(p)
		p.Start()
		wearOut(t, p, "m", "rotor", 2*time.Hour, 4*time.Hour)
		k.Run(c.at)
		if err := p.Machine("m").Maintain("rotor", time.Minute, 0); err != nil {
			t.Fatal(err)
		}
		k.Run(5 * time.Hour)
		fails := false
		for _, e := range *log {
			fails = fails || e.Kind == "failure"
		}
		if fails != c.fails {
			t.Errorf("maintained at %v: it fails: %v", c.at, fails)
		}
	}
}
