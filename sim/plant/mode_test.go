package plant

import (
	"math"
	"testing"
	"time"
)

// Every failure mode of every kind has a law, a signal in which it shows, and
// a benign look-alike that moves that signal the same way by more than the
// sensor's noise.
func TestEveryModeShowsAndHasALookAlike(t *testing.T) {
	for _, kd := range Kinds() {
		for i, c := range kd.Components {
			name := kd.Name + "/" + c.Name
			if c.Law.Name == "" || c.LookAlike.Doc == "" || c.Doc == "" || c.Mode == "" {
				t.Errorf("%s: %+v says too little", name, c)
				continue
			}
			effect := effect
			if c.Mode == "stiction" { // it moves nothing on average, and all of it to and fro
				effect = swing
			}
			worn := effect(t, kd.Name, c.Shows, func(p *Plant) error { return knob(t, p, "m", c.Name).Set(0.6) })
			benign := effect(t, kd.Name, c.Shows, func(p *Plant) error { return p.Turn("m", c.LookAlike) })
			noise := 0.0
			for _, s := range kd.Signals {
				if s.Name == c.Shows {
					noise = math.Hypot(s.Noise, s.Flicker)
				}
			}
			if math.Abs(worn) < noise || math.Abs(benign) < noise || worn*benign <= 0 {
				t.Errorf("%s, component %d: damage 0.6 moves %s by %.4g, its look-alike by %.4g, noise %.4g", name, i, c.Shows, worn, benign, noise)
			}
		}
	}
}

// swing is by how much a change adds to the standard deviation of a signal in
// the half hour after it.
func swing(t *testing.T, kind, signal string, turn func(*Plant) error) float64 {
	t.Helper()
	sd := func(turn func(*Plant) error) float64 {
		k, p := build(t, 3, Config{Machines: []MachineConfig{{Name: "m", Kind: kind}}})
		p.Start()
		k.Run(10 * time.Minute)
		if err := turn(p); err != nil {
			t.Fatal(err)
		}
		var sum, squares, n float64
		for at := 10 * time.Minute; at < 40*time.Minute; at += 1717 * time.Millisecond {
			k.Run(at)
			v := value(t, p.Machine("m"), signal, at)
			sum, squares, n = sum+v, squares+v*v, n+1
		}
		return math.Sqrt(squares/n - sum*sum/n/n)
	}
	return sd(turn) - sd(func(*Plant) error { return nil })
}

// effect is by how much a change moves the mean of a signal over two hours,
// from an hour after the change on.
func effect(t *testing.T, kind, signal string, turn func(*Plant) error) float64 {
	t.Helper()
	mean := func(turn func(*Plant) error) float64 {
		cfg := Config{Machines: []MachineConfig{{Name: "m", Kind: kind}}}
		if k, _ := findKind(kind); !k.feeds && !k.utility {
			cfg.Machines[0].Params = smooth
		}
		k, p := build(t, 3, cfg)
		p.Start()
		k.Run(10 * time.Minute)
		if err := turn(p); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		sum, n := 0.0, 0
		for at := 70 * time.Minute; at < 190*time.Minute; at += 7717 * time.Millisecond {
			k.Run(at)
			sum += value(t, p.Machine("m"), signal, at)
			n++
		}
		return sum / float64(n)
	}
	return mean(turn) - mean(func(*Plant) error { return nil })
}

func TestTurnRefuses(t *testing.T) {
	_, p := build(t, 1, bottling())
	for _, err := range []error{p.Turn("pmup", LookAlike{Load: 1.1}), p.Turn("pump", LookAlike{Load: 99}),
		p.Turn("pump", LookAlike{AmbientK: 99}), p.Turn("pump", LookAlike{Recipe: map[string]string{"x": "1 s"}})} {
		if err == nil {
			t.Error("took what cannot be")
		}
	}
}

// Healthy or worn, running or broken: no kind leaves its spans.
func TestEveryKindStaysInSpan(t *testing.T) {
	for _, kd := range Kinds() {
		k, p := build(t, 5, Config{Machines: []MachineConfig{{Name: "m", Kind: kd.Name}}})
		for j, name := range p.Machine("m").Knobs() {
			from := time.Duration(10+29*j) * time.Minute
			wearOut(t, p, "m", name, from, from+25*time.Minute)
		}
		p.Start()
		for at := 137 * time.Millisecond; at < 3*time.Hour; at += 1717 * time.Millisecond {
			k.Run(at)
			for _, s := range p.Machine("m").Signals() {
				if v := s.Read(at); !(v >= s.Lo && v <= s.Hi) {
					t.Fatalf("%v: %s/%s = %g is not from %g to %g", at, kd.Name, s.Name, v, s.Lo, s.Hi)
				}
			}
		}
	}
}

// A spindle changes its tool about once in Taylor's life of cutting.
func TestToolChanges(t *testing.T) {
	k, p := build(t, 2, Config{Machines: []MachineConfig{{Name: "m", Kind: "cnc-spindle", Params: map[string]string{"cutting_speed": "260 m/min", "minor_stops": "0 /h"}}}})
	p.Start()
	k.Run(40 * time.Hour)
	m := p.Machine("m")
	life := m.model.(*spindle).lifeS
	cutting := 0.74 * 1.0233 * m.IdealCycle * float64(m.Total())
	if got, want := value(t, m, "tool/changes", k.Now()), cutting/life; math.Abs(got-want) > 0.1*want || got < 10 {
		t.Errorf("%g tools changed in %.0f s of cutting, %.1f expected by a life of %.0f s", got, cutting, want, life)
	}
	spent := 0.0
	for _, s := range m.Ledger() {
		if s.Reason == "tool change" {
			spent += s.Seconds
		}
	}
	if want := 25 * value(t, m, "tool/changes", k.Now()); math.Abs(spent-want) > 25 {
		t.Errorf("%g s of tool changes, want %g", spent, want)
	}
}
