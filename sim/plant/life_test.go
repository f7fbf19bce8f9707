package plant

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/plantbed/plantbed/sim/physics"
)

// living is a motor whose bearing lives by itself.
func living(component, law string, mean, kijima float64) Config {
	return Config{Machines: []MachineConfig{{Name: "m", Kind: "motor", Params: map[string]string{"repair_time": "0.05 min", "restart": "1 s"},
		Lives: []LifeConfig{{Component: component, Law: law, Mean: dur(mean), Kijima: kijima}}}}}
}

// lives are the running times between failures over a while.
func lives(t *testing.T, cfg Config, until time.Duration, turn func(*Plant)) (out []float64) {
	t.Helper()
	k, p := build(t, 5, cfg)
	m := p.Machine("m")
	ran := 0.0
	p.OnEvent(func(e Event) {
		if e.Kind == "failure" {
			now := m.ledger.in(Execute, e.At).Seconds()
			out = append(out, now-ran)
			ran = now
		}
	})
	p.Start()
	if turn != nil {
		turn(p)
	}
	k.Run(until)
	return out
}

// A part that is as good as new after each repair lives by its law: first
// passage times of the plant, against theory (Kolmogorov and Smirnov, 5 %).
func TestLivesOfAPlantHaveTheirLaw(t *testing.T) {
	for _, law := range []physics.Law{physics.Abrasion, physics.Wander, physics.Burnout} {
		const mean = 2000.0
		got := lives(t, living("rotor", law.Name, mean, 0), 160*time.Hour, nil)
		unit := &physics.Unit{Law: law, GrowthS: mean, MeanS: mean}
		cdf := func(s float64) float64 { return unit.FirstPassage(0, 0, s) }
		if law.Process == physics.Sudden {
			cdf = func(s float64) float64 {
				return -math.Expm1(-math.Pow(s/mean*math.Gamma(1+1/law.Beta), law.Beta))
			}
		}
		slices.Sort(got)
		n, d := float64(len(got)), 0.0
		for i, x := range got {
			d = max(d, math.Abs(cdf(x)-(float64(i)+0.5)/n)+0.5/n)
		}
		if bound := 1.358/math.Sqrt(n) + 0.004; d > bound || n < 200 { // a second of restart each
			t.Errorf("%s: distance %.3f for %g lives, bound %.3f", law.Name, d, n, bound)
		}
	}
}

func average(x []float64) (m float64) {
	for _, v := range x {
		m += v / float64(len(x))
	}
	return m
}

// Twice the load costs a bearing eight lives; a hall that is 10 K warmer costs
// an insulation half of one.
func TestExposure(t *testing.T) {
	usual := average(lives(t, living("bearing", "", 4000, 0), 100*time.Hour, nil))
	hard := average(lives(t, living("bearing", "", 4000, 0), 100*time.Hour, func(p *Plant) { p.Machine("m").SetLoad(1.5) }))
	if r := usual / hard; math.Abs(r-1.5*1.5*1.5) > 0.7 {
		t.Errorf("1.5 times the load divides the life by %.2f, want 3.4", r)
	}
	usual = average(lives(t, living("winding", "", 4000, 0), 100*time.Hour, nil))
	hot := average(lives(t, living("winding", "", 4000, 0), 100*time.Hour, func(p *Plant) { p.SetAmbient(10) }))
	if r := usual / hot; math.Abs(r-2) > 0.1 {
		t.Errorf("10 K divide the life by %.2f, want 2", r)
	}
}

// Kijima: repairs that leave age behind make later lives shorter.
func TestRepairQuality(t *testing.T) {
	asNew := lives(t, living("rotor", "abrasion", 4000, 0), 60*time.Hour, nil)
	poor := lives(t, living("rotor", "abrasion", 4000, 0.5), 60*time.Hour, nil)
	if len(poor) < 3*len(asNew)/2 || average(poor[1:10]) > 0.8*average(asNew) {
		t.Errorf("%d failures after poor repairs, %d after good ones", len(poor), len(asNew))
	}
}

// A life tells its onset, when it shows, and its failure, in this order; the
// remaining life that an oracle gives covers what came nine times out of ten.
func TestLifeTellsAndTheOracleKnows(t *testing.T) {
	k, p := build(t, 2, living("rotor", "abrasion", 3000, 0))
	log := history(p)
	p.Start()
	type guess struct{ at, lo, hi time.Duration }
	var guesses []guess
	for k.Now() < 90*time.Hour {
		k.Run(k.Now() + 21*time.Minute)
		if p.Machine("m").State() != Execute {
			continue
		}
		r, err := p.Machine("m").Remaining("rotor")
		if err != nil {
			t.Fatal(err)
		}
		lo, ok1 := r.Quantile(0.05)
		hi, ok2 := r.Quantile(0.95)
		if !ok1 || !ok2 || lo > hi {
			t.Fatalf("from %v to %v", lo, hi)
		}
		guesses = append(guesses, guess{k.Now(), k.Now() + lo, k.Now() + hi})
	}
	want := []string{"onset", "detectable", "failure", "repair"}
	next := 0
	var failures []time.Duration
	for _, e := range damageEvents(*log) {
		if e.Kind != want[next%4] {
			t.Fatalf("%v: %s, want %s", e.At, e.Kind, want[next%4])
		}
		if next++; e.Kind == "failure" {
			failures = append(failures, e.At)
		}
	}
	covered, n := 0, 0
	for _, g := range guesses {
		i, _ := slices.BinarySearch(failures, g.at)
		if i == len(failures) {
			break
		}
		n++
		if failures[i] >= g.lo && failures[i] <= g.hi {
			covered++
		}
	}
	if share := float64(covered) / float64(n); share < 0.82 || share > 0.97 || n < 150 {
		t.Errorf("the 90 %% interval covers %.2f of %d failures", share, n)
	}
}

// Preventive work in time keeps a part from failing; condition-based work
// does it less often; without any it runs to failure.
func TestMaintenancePolicies(t *testing.T) {
	above := 4.0
	count := func(m ...MaintenanceConfig) (failures, works int) {
		cfg := living("rotor", "abrasion", 20_000, 0)
		cfg.Machines[0].Maintenance = m
		k, p := build(t, 4, cfg)
		p.OnEvent(func(e Event) {
			switch e.Kind {
			case "failure":
				failures++
			case "maintenance":
				works++
			}
		})
		p.Start()
		k.Run(240 * time.Hour)
		return failures, works
	}
	rotor := []string{"rotor"}
	f0, w0 := count()
	f1, w1 := count(MaintenanceConfig{Components: rotor, After: dur(8000), Work: dur(60)})
	f2, w2 := count(MaintenanceConfig{Components: rotor, Signal: "vibration", Above: &above, For: dur(120), Work: dur(60)})
	f3, w3 := count(MaintenanceConfig{Components: rotor, Every: dur(9000), Work: dur(60), Kijima: 1})
	if f0 < 32 || w0 != 0 {
		t.Errorf("to failure: %d failures, %d works", f0, w0)
	}
	if f1 > 1 || w1 < 95 {
		t.Errorf("preventive: %d failures, %d works", f1, w1)
	}
	if f2 > f0/4 || w2 < 30 || w2 > w1 {
		t.Errorf("condition-based: %d failures, %d works", f2, w2)
	}
	if f3 < f0/2 || w3 < 60 {
		t.Errorf("work that mends nothing: %d failures, %d works", f3, w3)
	}
}

// An alarm that people trust has a part seen to.
func TestMaintain(t *testing.T) {
	k, p := build(t, 4, living("rotor", "", 20_000, 0))
	log := history(p)
	p.Start()
	k.Run(time.Hour)
	if err := p.Machine("m").Maintain("rotor", time.Minute, 0); err != nil {
		t.Fatal(err)
	}
	if p.Machine("m").Maintain("rtoor", time.Minute, 0) == nil {
		t.Error("maintained what does not exist")
	}
	k.Run(2 * time.Hour)
	if i := slices.IndexFunc(*log, func(e Event) bool { return e.Kind == "maintenance" && e.At == time.Hour+time.Minute }); i < 0 {
		t.Errorf("no maintenance in %v", *log)
	}
}

// A planned failure is certain, what does not age is never due.
func TestRemainingOfAPlan(t *testing.T) {
	k, p := build(t, 1, bottling())
	p.Start()
	wearOut(t, p, "pump", "motor/bearing-de", time.Hour, 3*time.Hour)
	k.Run(2 * time.Hour)
	m := p.Machine("pump")
	r, _ := m.Remaining("motor/bearing-de")
	if d, ok := r.Quantile(0.5); !ok || (d-time.Hour).Abs() > time.Second || r.CDF(59*time.Minute) != 0 || r.CDF(61*time.Minute) != 1 {
		t.Errorf("remaining life %v", d)
	}
	r, _ = m.Remaining("pump/impeller")
	if _, ok := r.Quantile(0.5); ok || r.CDF(time.Hour) != 0 {
		t.Error("a part that does not age fails")
	}
	if _, err := m.Remaining("wheel"); err == nil {
		t.Error("remaining life of what does not exist")
	}
}
