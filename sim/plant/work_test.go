package plant

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
)

// Every law of times has its mean and its scatter.
func TestTimes(t *testing.T) {
	for _, law := range timesLaws {
		c := Times{Law: law, CV: 0.3}
		draw, ok := c.drawer()
		if !ok || len(c.validate()) > 0 {
			t.Fatal(law)
		}
		rng := rand.New(rand.NewPCG(1, 2))
		const n = 100_000
		var sum, squares float64
		for range n {
			x := draw(rng)
			if x < 0 {
				t.Fatalf("%s: %g", law, x)
			}
			sum, squares = sum+x, squares+x*x
		}
		want := map[string]float64{"constant": 0, "exponential": 1}
		cv, known := want[law]
		if !known {
			cv = 0.3
		}
		mean := sum / n
		if sd := math.Sqrt(squares/n - mean*mean); math.Abs(mean-1) > 0.015 || math.Abs(sd-cv) > 0.015 && !math.IsNaN(sd) {
			t.Errorf("%s: mean %.4f, standard deviation %.4f, want 1 and %g", law, mean, sd, cv)
		}
	}
	for _, bad := range []Times{{Law: "poisson"}, {Law: "normal", CV: 0.6}, {Law: "gamma", Mean: -1}, {Law: "gamma", CV: math.NaN()}} {
		if len(bad.validate()) != 1 {
			t.Errorf("%+v was taken", bad)
		}
	}
}

func TestCalendar(t *testing.T) {
	c, err := newCalendar([]string{"mon-fri 06:00-14:00", "mon-fri 14:00-22:00", "sat 22:00-02:00"}, "mon 06:00")
	if err != nil {
		t.Fatal(err)
	}
	// Against a dumb calendar, minute by minute through two weeks.
	for m := range 2 * 7 * 24 * 60 {
		at := time.Duration(m) * time.Minute
		clock := (m + 6*60) % (7 * 24 * 60)
		d, h := clock/(24*60), clock%(24*60)/60
		want := d < 5 && h >= 6 && h < 22 || d == 5 && h >= 22 || d == 6 && h < 2
		open, next := c.at(at)
		if open != want {
			t.Fatalf("%v: open is %v", at, open)
		}
		if o, _ := c.at(next - 1); next <= at || o != open {
			t.Fatalf("%v: it changes at %v", at, next)
		}
		if o, _ := c.at(next); o == open {
			t.Fatalf("%v: it does not change at %v", at, next)
		}
	}
	for _, bad := range [][2]string{{"mon-fri", ""}, {"fri-mon 06:00-14:00", ""}, {"mon 06:00-25:00", ""}, {"mon 06:00-14:00", "noon"}, {"mon 06:00-06:00", ""}} {
		if _, err := newCalendar([]string{bad[0]}, bad[1]); err == nil {
			t.Errorf("%q from %q was taken", bad[0], bad[1])
		}
	}
}

// plain is a line of stations with constant cycles and nothing that disturbs.
func plain(n int, cycle string, buffers ...int) Config {
	cfg := Config{Lines: []LineConfig{{Name: "l", Buffers: buffers}}}
	for i := range n {
		name := fmt.Sprintf("s%d", i)
		cfg.Machines = append(cfg.Machines, MachineConfig{Name: name, Kind: "filler", Cycle: &Times{Law: "constant"},
			Params: map[string]string{"cycle": cycle, "scrap": "0 %", "minor_stops": "0 /h"}})
		cfg.Lines[0].Stations = append(cfg.Lines[0].Stations, name)
	}
	return cfg
}

func run(t *testing.T, cfg Config, until time.Duration) *Plant {
	t.Helper()
	k, p := build(t, 1, cfg)
	p.Start()
	k.Run(until)
	return p
}

// Six go into a carton, three cartons come out of a case; units are conserved.
func TestTakesAndGives(t *testing.T) {
	cfg := plain(3, "1 s", 24, 24)
	cfg.Machines[1].Takes = 6
	cfg.Machines[1].Gives = 2
	p := run(t, cfg, time.Hour)
	a, b, c := p.machines[0], p.machines[1], p.machines[2]
	in, out := b.station.in.(*buffer), b.station.out
	if got := 12 + a.Good() - count(a.station.holding); got != 6*(b.Total()+count(b.station.working))+in.n {
		t.Errorf("%d units put before the packer; it took 6 times %d and %d lie there", got, b.Total(), in.n)
	}
	if got := 12 + 2*b.Good() - b.station.left; got != c.Total()+count(c.station.working)+out.n {
		t.Errorf("%d units behind the packer, %d taken, %d lie there", got, c.Total(), out.n)
	}
	if want := 3600 / 6; math.Abs(float64(b.Total()-want)) > 4 {
		t.Errorf("%d cartons, want about %d", b.Total(), want)
	}
}

// A unit that travels for a minute arrives a minute later, and the way holds
// what its room allows.
func TestTravel(t *testing.T) {
	cfg := plain(2, "10 s", 4)
	cfg.Lines[0].Travel = []strict.Duration{dur(60)}
	p := run(t, cfg, time.Hour)
	// Four places, each taken for a minute: four units a minute at the most.
	if got := p.machines[1].Total(); got < 230 || got > 242 {
		t.Errorf("%d units in an hour, want about 240", got)
	}
	if l := p.machines[1].station.in.(*buffer); l.n > 4 {
		t.Errorf("%d units on a way for 4", l.n)
	}
}

// Assembly takes one of each; disassembly gives one of each.
func TestAssemblyAndDisassembly(t *testing.T) {
	cfg := plain(2, "2 s", 5)
	side := plain(1, "5 s")
	side.Machines[0].Name, side.Lines[0] = "lids", LineConfig{Name: "lids", Stations: []string{"lids"}, Into: "s1", IntoBuffer: 10}
	off := MachineConfig{Name: "trays", Kind: "capper", Params: map[string]string{"cycle": "1 s", "scrap": "0 %", "minor_stops": "0 /h"}}
	cfg.Machines = append(cfg.Machines, side.Machines[0], off)
	cfg.Lines = append(cfg.Lines, side.Lines[0], LineConfig{Name: "off", Stations: []string{"trays"}, From: "s1", FromBuffer: 6})
	p := run(t, cfg, time.Hour)
	s1, lids, trays := p.Machine("s1"), p.Machine("lids"), p.Machine("trays")
	if d := s1.Total() - lids.Good(); d < 0 || d > 6 || s1.Total() < 715 {
		t.Errorf("%d put together of %d lids; a lid takes 5 s", s1.Total(), lids.Good())
	}
	if d := s1.Good() + 3 - trays.Total(); d < 0 || d > 7 {
		t.Errorf("%d came apart, %d of what came off them were worked", s1.Good(), trays.Total())
	}
}

// What is spoiled and can be saved goes round again: with a share r of scrap s,
// 1/(1 - r s) of attempts a unit.
func TestRework(t *testing.T) {
	cfg := plain(2, "1 s", 50)
	cfg.Machines[1].Params["scrap"] = "20 %"
	cfg.Machines[1].Params["cycle"] = "500 ms"
	cfg.Machines[1].Rework = &ReworkConfig{Share: 0.5}
	p := run(t, cfg, 5*time.Hour)
	taken, total := float64(p.machines[0].Good()+25), float64(p.machines[1].Total())
	if want := taken / (1 - 0.5*0.2); math.Abs(total/want-1) > 0.01 {
		t.Errorf("%g attempts at %g units, want %g", total, taken, want)
	}
	cfg.Machines[1].Rework.To = "s0"
	p = run(t, cfg, 50*time.Hour)
	if again := float64(p.machines[0].Total()); math.Abs(float64(p.machines[1].Good())/(again*0.8)-1) > 0.01 {
		t.Errorf("%d good of %g that went through the first station", p.machines[1].Good(), again)
	}
}

// Lots follow each other, every station changes over, and the recipe is set.
func TestChangeOver(t *testing.T) {
	cfg := plain(2, "1 s", 10)
	cfg.Lines[0].Products = []ProductConfig{{Name: "large", Lot: 100, ChangeOver: dur(60)},
		{Name: "small", Lot: 50, ChangeOver: dur(30), Recipe: map[string]map[string]string{"s1": {"volume": "330 ml"}}}}
	if ps := cfg.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	k, p := build(t, 1, cfg)
	p.Start()
	seen := map[bool]bool{}
	for k.Now() < 2*time.Hour {
		k.Run(k.Now() + time.Second)
		m := p.machines[1]
		small := value(t, m, "fill/volume", k.Now()) < 500
		if m.State() == Execute && m.station.working {
			seen[small] = true
			if (m.station.product == 1) != small && m.station.setup == 1 {
				t.Fatalf("%v: product %d is filled as small: %v", k.Now(), m.station.product, small)
			}
		}
	}
	for _, m := range p.machines {
		changes := m.ledger.because(changeOver, k.Now()).Seconds() / 45
		if rounds := float64(m.Total()) / 75; math.Abs(changes-rounds) > 1.5 {
			t.Errorf("%s changed over %.1f times for %d units", m.Name, changes, m.Total())
		}
	}
	if !seen[true] || !seen[false] {
		t.Errorf("sizes seen: %v", seen)
	}
}

// Outside its hours a line stands, a unit in work is finished first, and the
// time is nobody's loss.
func TestHours(t *testing.T) {
	cfg := plain(2, "10 s", 3)
	cfg.Lines[0].Hours = []string{"mon-fri 06:00-14:00"}
	p := run(t, cfg, 7*day)
	for _, m := range p.machines {
		off := m.ledger.because(noShift, 7*day)
		if want := 128 * time.Hour; (off - want).Abs() > 5*time.Minute {
			t.Errorf("%s stood for %v, want %v", m.Name, off, want)
		}
		if o := m.OEE(7 * day); o.OEE < 0.95 || o.OEE > 1 {
			t.Errorf("%s: %+v", m.Name, o)
		}
	}
}

// Only who has the skill and is on duty repairs.
func TestTeams(t *testing.T) {
	cfg := plain(2, "10 s", 3)
	trouble := func(skill string) []BreakdownConfig {
		return []BreakdownConfig{{Name: "trip", By: "calendar", Mean: dur(3600), Times: &Times{Law: "constant"}, Repair: dur(600), Skill: skill}}
	}
	cfg.Machines[0].Breakdowns, cfg.Machines[1].Breakdowns = trouble("electrical"), trouble("")
	cfg.Lines[0].Teams = []TeamConfig{{Name: "fitters", Skills: []string{"mechanical"}}, {Name: "night", Skills: []string{"electrical"}, Hours: []string{"10:00-12:00"}}}
	if ps := cfg.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	k, p := build(t, 1, cfg)
	log := history(p)
	p.Start()
	k.Run(6 * time.Hour) // from Monday, 6:00
	first := map[string]time.Duration{}
	for _, e := range *log {
		if e.Kind == "repair" && first[e.Machine] == 0 {
			first[e.Machine] = e.At
		}
	}
	if first["s0"] != 4*time.Hour+10*time.Minute || first["s1"] != time.Hour+10*time.Minute {
		t.Errorf("first repairs at %v; the electrician comes at 10:00", first)
	}
	cfg.Lines[0].Teams = cfg.Lines[0].Teams[:1]
	if ps := cfg.Validate(); len(ps) != 1 {
		t.Errorf("nobody can repair s0: %v", ps)
	}
}

// Breakdowns by usage come when they are due by their own count, whatever the
// machine stood still for: a machine that starves half of the time breaks down
// half as often.
func TestBreakdownsByUsageAndByUnits(t *testing.T) {
	cfg := plain(2, "1 s", 5)
	cfg.Machines[0].Params["cycle"] = "2 s"
	cfg.Machines[1].Breakdowns = []BreakdownConfig{{Name: "wear", Mean: dur(1000), Times: &Times{Law: "constant"}, Repair: dur(10)}}
	cfg.Machines[0].Breakdowns = []BreakdownConfig{{Name: "jam", By: "units", Units: 500, Times: &Times{Law: "constant"}, Repair: dur(10)}}
	k, p := build(t, 1, cfg)
	log := history(p)
	p.Start()
	k.Run(20 * time.Hour)
	n := map[string]int{}
	for _, e := range *log {
		if e.Kind == "breakdown" {
			n[e.Component]++
		}
	}
	if want := p.machines[1].Total() / 1000; math.Abs(float64(n["wear"]-want)) > 1 || want < 30 {
		t.Errorf("%d breakdowns by usage, want %d", n["wear"], want)
	}
	if want := p.machines[0].Total() / 500; math.Abs(float64(n["jam"]-want)) > 1 || want < 60 {
		t.Errorf("%d breakdowns by units, want %d", n["jam"], want)
	}
}

// Every second of every machine and of every line is somebody's.
func TestLossesAddUp(t *testing.T) {
	cfg := bottling()
	cfg.Machines[1].Breakdowns = []BreakdownConfig{{Name: "jam", Mean: dur(1800), Repair: dur(120)}}
	cfg.Machines[2].Lives = []LifeConfig{{Component: "belt", Mean: dur(20_000)}}
	cfg.Machines[3].Maintenance = []MaintenanceConfig{{Components: []string{"fan/bearing"}, Every: dur(7200), Work: dur(600)}}
	k, p := build(t, 3, cfg)
	p.Start()
	k.Run(20 * time.Hour)
	sum := func(losses []Loss) (s float64) {
		for _, l := range losses {
			s += l.Seconds
		}
		return s
	}
	for _, m := range p.machines {
		if s := sum(m.Losses(k.Now())); math.Abs(s-72_000) > 1e-3 {
			t.Errorf("%s: %g s of 72000 are accounted for", m.Name, s)
		}
		if e := m.Energy(k.Now()); e.TotalKWh <= 0 || e.IdleKWh < 0 || e.IdleKWh > e.TotalKWh {
			t.Errorf("%s: %+v", m.Name, e)
		}
	}
	l := p.Lines()[0]
	losses := l.Losses(k.Now())
	if s := sum(losses); math.Abs(s-72_000) > 1e-3 {
		t.Errorf("the line: %g s of 72000 are accounted for", s)
	}
	if i := slices.IndexFunc(losses, func(l Loss) bool { return l.Machine == "filler" && l.Reason == "repair" }); i < 0 || losses[i].Seconds < 1000 {
		t.Errorf("the filler's repairs are not among %v", losses)
	}
	if o := l.OEE(k.Now()); o.OEE <= 0 || o.OEE > 1 || math.Abs(o.OEE-o.Availability*o.Performance*o.Quality) > 1e-12 {
		t.Errorf("%+v", o)
	}
}
