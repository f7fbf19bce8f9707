package plant

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

// inParallel is a source of exponential times before a buffer, from which c
// exponential machines take.
func inParallel(sourceMS, serviceMS, c, buffer int) Config {
	cfg := exponential([]int{sourceMS, serviceMS}, buffer)
	for i := 1; i < c; i++ {
		m := cfg.Machines[1]
		m.Name, m.ParallelTo = fmt.Sprintf("s1-%d", i+1), "s1"
		cfg.Machines = append(cfg.Machines, m)
	}
	return cfg
}

// Several machines at one buffer are the servers of M/M/c: Erlang's C says how
// many units wait.
func TestParallelMachinesAreMMc(t *testing.T) {
	const betweenMS, buffer, warm, until = 1000, 120, 2 * time.Hour, 42 * time.Hour
	for _, c := range []struct{ servers, serviceMS int }{{2, 1500}, {3, 2300}, {5, 3800}} {
		a := float64(c.serviceMS) / betweenMS // Erlangs
		sum, term := 0.0, 1.0
		for i := range c.servers {
			sum += term
			term *= a / float64(i+1)
		}
		n := float64(c.servers)
		last := term * n / (n - a)
		want := last / (sum + last) * a / (n - a)
		mean, half := interval(func(seed uint64) float64 {
			k, p := build(t, seed, inParallel(betweenMS, c.serviceMS, c.servers, buffer))
			p.Start()
			k.Run(warm) // the buffer was half full
			w := watchLittle(p.machines[0].station.out, "M/M/c")
			k.Run(until)
			w.law(t, until)
			made := 0.0
			for _, m := range p.machines[1:] {
				made += float64(m.Total())
			}
			for _, m := range p.machines[1:] { // who has waited longest is the next: nobody has more work
				if share := float64(m.Total()) * n / made; math.Abs(share-1) > 0.05 {
					t.Errorf("%d servers: %s has %.3f times its share", c.servers, m.Name, share)
				}
			}
			return w.area / (until - warm).Seconds()
		})
		t.Logf("M/M/%d: %.4f +- %.3f wait, theory says %.4f", c.servers, mean, half, want)
		if math.Abs(mean-want) > half || half > 0.1*want {
			t.Errorf("M/M/%d: %.4f +- %.3f wait, theory says %.4f", c.servers, mean, half, want)
		}
	}
}

// three has two machines in parallel between a source and a sink, one of which
// is half as quick.
func three(buffers ...int) Config {
	cfg := Config{Lines: []LineConfig{{Name: "l", Stations: []string{"in", "mill", "out"}, Buffers: buffers, Crew: 2}}}
	for _, m := range []struct{ name, cycle, to string }{{"in", "500 ms", ""}, {"mill", "1500 ms", ""}, {"slow", "3 s", "mill"}, {"out", "500 ms", ""}} {
		cfg.Machines = append(cfg.Machines, MachineConfig{Name: m.name, Kind: "filler", ParallelTo: m.to,
			Params: map[string]string{"cycle": m.cycle, "scrap": "0 %", "minor_stops": "0 /h"}})
	}
	return cfg
}

// Both machines of a place make what their paces allow, with and without room
// around them, and no unit comes or goes on the way.
func TestParallelMachinesShareTheWork(t *testing.T) {
	for _, buffers := range [][]int{{10, 10}, {0, 0}, {1, 0}, {0, 7}} {
		cfg := three(buffers...)
		k, p := build(t, 2, cfg)
		p.Start()
		before := 0
		for _, b := range buffers {
			before += b / 2
		}
		k.Run(10 * time.Hour)
		in, mill, slow, out := p.machines[0], p.machines[1], p.machines[2], p.machines[3]
		if want := 36_000 / 1.023; math.Abs(float64(out.Total())-want) > 0.03*want {
			t.Errorf("buffers %v: %d units, want %.0f", buffers, out.Total(), want)
		}
		if r := float64(mill.Total()) / float64(slow.Total()); math.Abs(r-2) > 0.05 {
			t.Errorf("buffers %v: the mill makes %.3f times as many", buffers, r)
		}
		inside := mill.station.in.(*buffer).n + mill.station.out.n
		for _, m := range p.machines {
			inside += count(m.station.holding) + count(m.station.working && m != in)
		}
		if in.Total()+before != out.Total()+inside {
			t.Errorf("buffers %v: %d went in and %d were there, %d came out and %d are inside", buffers, in.Total(), before, out.Total(), inside)
		}
		if p.lines[0].slowest != 1 || math.Abs(p.lines[0].ideal()-1) > 1e-12 {
			t.Errorf("the pace of the line is %v s, of place %d", p.lines[0].ideal(), p.lines[0].slowest)
		}
	}
}

// While one of two is broken, the line loses its share of the pace, and every
// second is still somebody's.
func TestLossesOfParallelMachines(t *testing.T) {
	cfg := three(10, 10)
	cfg.Machines[2].Breakdowns = []BreakdownConfig{{Name: "jam", Mean: dur(1800), Repair: dur(900)}}
	k, p := build(t, 3, cfg)
	p.Start()
	k.Run(40 * time.Hour)
	l := p.lines[0]
	sum, mended := 0.0, 0.0
	for _, loss := range l.Losses(k.Now()) {
		sum += loss.Seconds
		if loss.Machine == "slow" && loss.Reason == "repair" {
			mended += loss.Seconds
		}
	}
	down := p.machines[2].ledger.because(inRepair, k.Now()).Seconds()
	if math.Abs(sum-144_000) > 1e-3 || down < 20_000 || math.Abs(mended-down/3) > 0.05*down {
		t.Errorf("%.3f s of 144000 are accounted for, %.0f of them the repair of a third of the pace, down for %.0f", sum, mended, down)
	}
	if o := l.OEE(k.Now()); math.Abs(o.OEE-l.ideal()*float64(l.Good())/144_000) > 1e-9 || o.OEE < 0.8 || o.OEE > 0.95 {
		t.Errorf("%+v", o)
	}
	svg := string(SVG(cfg, "three"))
	for _, m := range cfg.Machines {
		if strings.Count(svg, ">"+m.Name+"</text>") != 1 {
			t.Errorf("%s is not in the picture once", m.Name)
		}
	}
}

// The lots of a line are those of all machines that begin it: what comes behind
// changes over once a lot, and no more.
func TestLotsOfParallelMachines(t *testing.T) {
	cfg := three(20, 20)
	cfg.Machines = append(cfg.Machines, cfg.Machines[0])
	cfg.Machines[4].Name, cfg.Machines[4].ParallelTo = "in-2", "in"
	cfg.Lines[0].Products = []ProductConfig{{Name: "a", Lot: 400, ChangeOver: dur(60)}, {Name: "b", Lot: 250, ChangeOver: dur(60)}}
	k, p := build(t, 2, cfg)
	changes, last := 0, 0
	p.OnEvent(func(e Event) {
		if e.Machine == "out" && e.Kind == "state" {
			if e.State == Held {
				changes++
			}
			last = p.machines[3].Total()
		}
	})
	p.Start()
	k.Run(20 * time.Hour)
	if want := 2 * last / 650; changes < want-3 || changes > want+3 || want < 100 {
		t.Errorf("%d change-overs for %d units, want %d", changes, last, want)
	}
}

func TestParallelsThatCannotBe(t *testing.T) {
	for _, c := range []struct {
		want string
		make func(c *Config)
	}{
		{`no station "slow" stands in a line`, func(c *Config) {
			c.Machines[3].ParallelTo = "slow"
			c.Lines[0].Stations, c.Lines[0].Buffers = c.Lines[0].Stations[:2], []int{4}
		}},
		{`machine "out" stands in line "l" already`, func(c *Config) { c.Machines[3].ParallelTo = "mill" }},
		{`does not take and give as many units`, func(c *Config) { c.Machines[2].Gives = 2 }},
		{`the bowl of a feeder`, func(c *Config) { c.Machines[0] = MachineConfig{Name: "in", Kind: "pump-skid"} }},
		{`which one machine does alone`, func(c *Config) {
			c.Machines = append(c.Machines, MachineConfig{Name: "side", Kind: "filler"})
			c.Lines = append(c.Lines, LineConfig{Name: "k", Stations: []string{"side"}, Into: "mill", IntoBuffer: 4})
		}},
		{`33 machines do the work`, func(c *Config) {
			for i := range 31 {
				c.Machines = append(c.Machines, MachineConfig{Name: fmt.Sprintf("m%d", i), Kind: "filler", ParallelTo: "mill"})
			}
		}},
	} {
		cfg := three(4, 4)
		c.make(&cfg)
		ps := cfg.Validate()
		if len(ps) == 0 || !strings.Contains(ps.Err().Error(), c.want) {
			t.Errorf("want %q, have %v", c.want, ps)
		}
	}
}
