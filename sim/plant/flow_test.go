package plant

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/plantbed/plantbed/sim"
)

var smooth = map[string]string{"scrap": "0 %", "minor_stops": "0 /h"}

// tandem is a line of unlike stations without stops or scrap.
func tandem(cycles []string, buffers []int) Config {
	cfg := Config{Lines: []LineConfig{{Name: "l", Buffers: buffers}}}
	for i, c := range cycles {
		name := fmt.Sprintf("s%d", i)
		cfg.Machines = append(cfg.Machines, MachineConfig{Name: name, Kind: "filler", Params: map[string]string{
			"cycle": c, "scrap": smooth["scrap"], "minor_stops": smooth["minor_stops"]}})
		cfg.Lines[0].Stations = append(cfg.Lines[0].Stations, name)
	}
	return cfg
}

// dumbTandem counts the finished units of each station by the recursion for
// a line with blocking after service:
//
//	start(i,k)  = max(leave(i,k-1), leave(i-1, k-n0))   first n0 units lie there
//	leave(i,k)  = max(start(i,k)+cycle, start(i+1, k+n0-b))
func dumbTandem(t *testing.T, seed uint64, cfg Config, until time.Duration) []int {
	_, p := build(t, seed, cfg) // for its cycle times, drawn here in the same order
	n, buffers := len(p.machines), cfg.Lines[0].Buffers
	const most = 4000
	cycle := make([][]time.Duration, n)
	first := make([]time.Duration, n)
	start, leave := make([]map[int]time.Duration, n), make([]map[int]time.Duration, n)
	for i, m := range p.machines {
		s := m.station
		first[i] = time.Duration(s.cycles.Float64() * float64(s.cycle()))
		for range most {
			cycle[i] = append(cycle[i], s.cycle())
		}
		start[i], leave[i] = map[int]time.Duration{}, map[int]time.Duration{}
	}
	var starts, leaves func(i, k int) time.Duration
	starts = func(i, k int) time.Duration {
		if v, ok := start[i][k]; ok {
			return v
		}
		v := first[i]
		if k > 0 {
			v = leaves(i, k-1)
		}
		if i > 0 {
			if n0 := buffers[i-1] / 2; k >= n0 {
				v = max(v, leaves(i-1, k-n0))
			}
		}
		start[i][k] = v
		return v
	}
	leaves = func(i, k int) time.Duration {
		if v, ok := leave[i][k]; ok {
			return v
		}
		v := starts(i, k) + cycle[i][k]
		if i+1 < n {
			b := buffers[i]
			switch j := k + b/2 - b; {
			case b == 0 && k > 0:
				v = max(v, leaves(i+1, k-1))
			case b == 0:
				v = max(v, first[i+1])
			case j >= 0:
				v = max(v, starts(i+1, j))
			}
		}
		leave[i][k] = v
		return v
	}
	counts := make([]int, n)
	for i := range counts {
		for k := 0; starts(i, k)+cycle[i][k] <= until; k++ {
			counts[i]++
		}
	}
	return counts
}

func TestLineAgainstRecursion(t *testing.T) {
	for seed, cfg := range []Config{
		tandem([]string{"1 s"}, nil),
		tandem([]string{"1 s", "900 ms"}, []int{5}),
		tandem([]string{"900 ms", "1 s"}, []int{5}),
		tandem([]string{"1 s", "1 s"}, []int{0}),
		tandem([]string{"1 s", "1 s", "1 s"}, []int{1, 1}),
		tandem([]string{"1 s", "990 ms", "1.01 s", "1 s"}, []int{3, 0, 2}),
		tandem([]string{"0.9 s", "1.1 s", "0.8 s", "1.2 s", "1 s"}, []int{2, 7, 1, 4}),
	} {
		k, p := build(t, uint64(seed), cfg)
		p.Start()
		for _, until := range []time.Duration{17 * time.Second, 5 * time.Minute, 30 * time.Minute} {
			k.Run(until)
			for i, want := range dumbTandem(t, uint64(seed), cfg, until) {
				if got := p.machines[i].Total(); got != want {
					t.Errorf("config %d, station %d, %v: %d units, want %d", seed, i, until, got, want)
				}
			}
		}
	}
}

// The slowest station sets the pace: 1.0233 of its ideal cycle each.
func TestBottleneckSetsThePace(t *testing.T) {
	k, p := build(t, 2, tandem([]string{"500 ms", "1 s", "500 ms"}, []int{10, 10}))
	p.Start()
	k.Run(3 * time.Hour)
	mean := (0.97 + 1 + 1.10) / 3
	if got, want := float64(p.machines[2].Total()), 3*3600/mean; math.Abs(got/want-1) > 0.005 {
		t.Errorf("%g units in 3 h, want %.0f", got, want)
	}
	for i, why := range []string{"blocked", "producing", "starved"} {
		spent := map[string]float64{}
		for _, s := range p.machines[i].Ledger() {
			spent[s.Reason] += s.Seconds
		}
		if spent[why] < 0.45*3*3600 {
			t.Errorf("station %d: %v, want much %s", i, spent, why)
		}
	}
}

// Looked at every so often, a machine waits for as large a part of the time as
// the ledger books.
func TestStarvedAndBlocked(t *testing.T) {
	k, p := build(t, 2, tandem([]string{"500 ms", "1 s", "500 ms"}, []int{10, 10}))
	p.Start()
	const looks = 20_000
	const every = 371 * time.Millisecond // in no step with the cycles
	var starvedAt, blockedAt [3]float64
	for i := range looks {
		k.Run(time.Duration(i+1) * every)
		for j, m := range p.machines {
			if m.Starved() {
				starvedAt[j]++
			}
			if m.Blocked() {
				blockedAt[j]++
			}
		}
	}
	for j, m := range p.machines {
		spent := map[string]float64{}
		for _, s := range m.Ledger() {
			spent[s.Reason] += s.Seconds
		}
		for why, seen := range map[string]float64{"starved": starvedAt[j], "blocked": blockedAt[j]} {
			if want := spent[why] / (looks * every).Seconds(); math.Abs(seen/looks-want) > 0.01 {
				t.Errorf("station %d: %s in %.1f %% of the looks, in %.1f %% of the time", j, why, 100*seen/looks, 100*want)
			}
		}
	}
}

// Little: units in a buffer on average = rate x time that a unit lies there,
// the first seen by looking at random instants, the second by following each
// unit first in, first out.
func TestLittlesLaw(t *testing.T) {
	cfg := tandem([]string{"1 s", "1 s"}, []int{12})
	for i := range cfg.Machines {
		cfg.Machines[i].Params = map[string]string{"cycle": "1 s", "minor_stops": "60 /h", "minor_stop_time": "5 s", "scrap": "0 %"}
	}
	k, p := build(t, 4, cfg)
	b := p.machines[1].station.in.(*buffer)
	p.Start()
	var in []time.Duration // when each unit that lies there was put down
	var lain time.Duration
	out := 0
	for range b.n {
		in = append(in, 0)
	}
	before := b.n
	// A step of a millisecond sees every change: cycles are a thousand times longer.
	put, taken := 0, 0
	sum, looks := 0.0, 0
	rng := rand.New(rand.NewPCG(1, 1))
	for at := time.Duration(0); at < 2*time.Hour; at += 5 * time.Millisecond {
		k.Run(at)
		up, down := p.machines[0].station, p.machines[1].station
		nowPut := p.machines[0].Good() - count(up.holding)
		nowTaken := p.machines[1].Total() + count(down.working)
		for ; put < nowPut; put++ {
			in = append(in, at)
		}
		for ; taken < nowTaken; taken++ {
			lain += at - in[out]
			out++
		}
		if rng.IntN(100) == 0 {
			sum += float64(b.n)
			looks++
		}
	}
	if before != 6 {
		t.Errorf("%d units lay there at the start, want half of 12", before)
	}
	rate := float64(out) / (2 * 3600)
	l, w := sum/float64(looks), lain.Seconds()/float64(out)
	if math.Abs(l/(rate*w)-1) > 0.02 || l < 1 || l > 11 {
		t.Errorf("%.3f units lie there on average; rate x time is %.3f x %.3f = %.3f", l, rate, w, rate*w)
	}
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Whatever breaks down when, no unit is lost, doubled or stuck.
func TestUnitsAreConserved(t *testing.T) {
	for seed := range uint64(20) {
		cfg := bottling()
		cfg.Lines[0].Crew = 1 + int(seed%2)
		for i := range cfg.Machines {
			cfg.Machines[i].Params = map[string]string{"repair_time": "40 s", "restart": "7 s"}
			if i > 0 {
				cfg.Machines[i].Params["minor_stops"] = "60 /h"
				cfg.Machines[i].Params["scrap"] = "5 %"
			}
		}
		cfg.Lines[0].Buffers = []int{3, int(seed % 4), 1, 2}
		k, p := build(t, seed, cfg)
		rng := sim.Rand(seed, "break")
		fed := p.Machine("filler").station.in.(*bowl)
		initial := map[*Machine]int{}
		for _, m := range p.Machines()[2:] {
			initial[m] = m.station.in.(*buffer).n
		}
		p.Start()
		for at := time.Duration(0); at < 40*time.Minute; at += time.Duration(rng.ExpFloat64() * 10e9) {
			k.Run(at)
			m := p.machines[rng.IntN(5)]
			w := m.wears[rng.IntN(len(m.wears))]
			if at < 30*time.Minute && rng.IntN(4) == 0 && !w.failed {
				if err := w.Set(1); err != nil {
					t.Fatal(err)
				}
			}
			for _, m := range p.machines {
				if (m.broken > 0) != (m.State() == Aborted) {
					t.Fatalf("seed %d, %v: %s with %d broken components is in %s", seed, at, m.Name, m.broken, StateName(m.State()))
				}
			}
			f := p.Machine("filler")
			if got, want := fed.fed+fed.capacity-fed.level, float64(f.total+count(f.station.working)); math.Abs(got-want) > 1e-6 {
				t.Fatalf("seed %d, %v: the pump gave %g portions, the filler took %g", seed, at, got, want)
			}
			for _, m := range p.Machines()[2:] {
				b := m.station.in.(*buffer)
				put := initial[m] + b.up[0].m.good - count(b.up[0].holding)
				taken := m.total + count(m.station.working)
				if put != taken+b.n || b.n < 0 || b.n > max(1, b.capacity) {
					t.Fatalf("seed %d, %v: %d units put before %s, %d taken, %d lie there", seed, at, put, m.Name, taken, b.n)
				}
			}
		}
		before := p.Machine("capper").Good()
		k.Run(70 * time.Minute)
		if p.Machine("capper").Good() < before+400 {
			t.Errorf("seed %d: the line made %d units in its last half hour", seed, p.Machine("capper").Good()-before)
		}
	}
}

func TestBreakdownOfThePumpHoldsTheLine(t *testing.T) {
	cfg := bottling()
	for i := range cfg.Machines[1:] {
		cfg.Machines[i+1].Params = smooth
	}
	k, p := build(t, 9, cfg)
	p.Start()
	wearOut(t, p, "pump", "motor/bearing-de", 5*time.Minute, 10*time.Minute)
	k.Run(10 * time.Minute)
	filler, pump := p.Machine("filler"), p.Machine("pump")
	flow, pressure, level := value(t, pump, "pump/flow", k.Now()-1), value(t, pump, "pump/discharge-pressure", k.Now()-1), value(t, filler, "bowl/level", k.Now())
	begun := filler.Total() + count(filler.station.working)
	k.Run(11 * time.Minute)
	// What is in the bowl is still filled; the full one held 15, less what was just taken.
	if more := filler.Total() - begun; more < 13 || more > 15 {
		t.Errorf("the filler began %d units after the pump had stopped", more)
	}
	if s := filler.State(); s != Suspended {
		t.Errorf("the filler is in %s", StateName(s))
	}
	if s := p.Machine("capper").State(); s != Suspended {
		t.Errorf("the capper is in %s", StateName(s))
	}
	for _, c := range []struct {
		name   string
		m      *Machine
		before float64
	}{{"pump/flow", pump, flow}, {"pump/discharge-pressure", pump, pressure}, {"bowl/level", filler, level}} {
		if now := value(t, c.m, c.name, k.Now()); now > 0.3*c.before {
			t.Errorf("%s was %g before the breakdown and is %g a minute later", c.name, c.before, now)
		}
	}
	k.Run(25 * time.Minute)
	if p.Machine("capper").State() != Execute || pump.State() != Execute {
		t.Errorf("pump in %s, capper in %s long after the repair", StateName(pump.State()), StateName(p.Machine("capper").State()))
	}
}

// One crew does two breakdowns one after the other, two crews do both at once.
func TestCrew(t *testing.T) {
	for crews, want := range map[int][]time.Duration{1: {18 * time.Minute, 26 * time.Minute}, 2: {18 * time.Minute, 18*time.Minute + time.Second}} {
		cfg := bottling()
		cfg.Lines[0].Crew = crews
		k, p := build(t, 1, cfg)
		log := history(p)
		p.Start()
		wearOut(t, p, "oven", "fan/bearing", time.Minute, 10*time.Minute)
		wearOut(t, p, "capper", "head/clutch", time.Minute, 10*time.Minute+time.Second)
		k.Run(time.Hour)
		var got []time.Duration
		for _, e := range damageEvents(*log) {
			if e.Kind == "repair" {
				got = append(got, e.At)
			}
		}
		if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
			t.Errorf("%d crews: repairs at %v, want %v", crews, got, want)
		}
	}
}

// Two components of one machine fail: it runs again after both repairs.
func TestTwoFailuresOfOneMachine(t *testing.T) {
	for _, gap := range []time.Duration{time.Minute, 8 * time.Minute, 8*time.Minute + 5*time.Second} {
		k, p := build(t, 1, bottling())
		p.Start()
		wearOut(t, p, "pump", "motor/bearing-de", time.Minute, 10*time.Minute)
		wearOut(t, p, "pump", "motor/bearing-nde", time.Minute, 10*time.Minute+gap)
		k.Run(10*time.Minute + gap + time.Second)
		if s := p.Machine("pump").State(); s != Aborted {
			t.Errorf("gap %v: in %s", gap, StateName(s))
		}
		k.Run(time.Hour)
		m := p.Machine("pump")
		spent := map[string]float64{}
		for _, s := range m.Ledger() {
			spent[s.Reason] += s.Seconds
		}
		if m.State() != Execute || math.Abs(spent["repair"]-960) > 1e-6 {
			t.Errorf("gap %v: %s after %v of repair", gap, StateName(m.State()), spent)
		}
	}
}

func TestLedgerAndOEE(t *testing.T) {
	k, p := build(t, 6, bottling())
	log := history(p)
	p.Start()
	wearOut(t, p, "conveyor", "drum/bearing", 10*time.Minute, 30*time.Minute)
	k.Run(2 * time.Hour)
	for _, m := range p.Machines() {
		// What the events say is what the ledger says.
		spent, state, since := map[int]float64{}, 0, time.Duration(0)
		for _, e := range *log {
			if e.Machine != m.Name || e.Kind != "state" {
				continue
			}
			spent[state] += (e.At - since).Seconds()
			state, since = e.State, e.At
		}
		spent[state] += (k.Now() - since).Seconds()
		sum := 0.0
		for _, s := range m.Ledger() {
			sum += s.Seconds
			spent[s.State] -= s.Seconds
		}
		if math.Abs(sum-7200) > 1e-6 {
			t.Errorf("%s: the ledger holds %g s of 7200", m.Name, sum)
		}
		for state, rest := range spent {
			if math.Abs(rest) > 1e-6 {
				t.Errorf("%s: events and ledger differ by %g s in %s", m.Name, rest, StateName(state))
			}
		}
		o := m.OEE(k.Now())
		// Availability x performance x quality is the ideal time of all good units over the run.
		if want := m.IdealCycle * float64(m.Good()) / 7200; math.Abs(o.OEE-want) > 1e-12 || o.OEE > 1 || o.Availability > 1 || o.Performance > 1 || o.Quality > 1 {
			t.Errorf("%s: %+v, want a product of %g", m.Name, o, want)
		}
		if m.Total() < 5000 || value(t, m, m.GoodSignal(), k.Now()) != float64(m.Good()) || value(t, m, m.TotalSignal(), k.Now()) != float64(m.Total()) || value(t, m, m.StateSignal(), k.Now()) != float64(m.State()) {
			t.Errorf("%s: counters %d %d, state %d do not agree with their signals", m.Name, m.Good(), m.Total(), m.State())
		}
	}
	if (&Machine{kernel: k}).OEE(0) != (OEE{}) {
		t.Error("OEE of no time is not 0")
	}
}

// Outside any line a machine works for itself.
func TestAlone(t *testing.T) {
	for _, kd := range Kinds() {
		k, p := build(t, 1, Config{Machines: []MachineConfig{{Name: "m", Kind: kd.Name}}})
		p.Start()
		k.Run(20 * time.Hour)
		m := p.Machine("m")
		o := m.OEE(k.Now())
		if m.def.utility {
			if o.Availability != 1 || m.GoodSignal() != "" || m.TotalSignal() != "" {
				t.Errorf("%s: %+v", kd.Name, o)
			}
			continue
		}
		if o.OEE < 0.9 || o.OEE > 1 {
			t.Errorf("%s: %+v", kd.Name, o)
		}
	}
}
