package plant

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
)

// interval is the mean of independent runs and half the width of its 95 %
// confidence interval (Student's t for nine degrees of freedom).
func interval(run func(seed uint64) float64) (mean, half float64) {
	const n, t9 = 10, 2.262
	var sum, squares float64
	for seed := range uint64(n) {
		x := run(seed + 1)
		sum, squares = sum+x, squares+x*x
	}
	mean = sum / n
	return mean, t9 * math.Sqrt((squares/n-mean*mean)/(n-1))
}

func within(t *testing.T, what string, want, mean, half float64) {
	t.Helper()
	if math.Abs(mean-want) > half || half > 0.05*want {
		t.Errorf("%s: %.5g +- %.2g, theory says %.5g", what, mean, half, want)
	}
}

// exponential is a line of exponential stations without stops or scrap.
func exponential(meansMS []int, buffers ...int) Config {
	cfg := Config{Lines: []LineConfig{{Name: "l", Buffers: buffers}}}
	for i, ms := range meansMS {
		name := fmt.Sprintf("s%d", i)
		cfg.Machines = append(cfg.Machines, MachineConfig{Name: name, Kind: "filler", Cycle: &Times{Law: "exponential"},
			Params: map[string]string{"cycle": fmt.Sprintf("%d ms", ms), "scrap": "0 %", "minor_stops": "0 /h"}})
		cfg.Lines[0].Stations = append(cfg.Lines[0].Stations, name)
	}
	return cfg
}

// Two machines with exponential times and a finite buffer between them: a
// birth and death process of the units behind the first machine, of which one
// is in the second and one may stay in the blocked first. The throughput is
// mu2 (1 - p0) in closed form (Buzacott & Shanthikumar 1993).
func TestTwoMachineLine(t *testing.T) {
	for _, c := range []struct {
		ms1, ms2, buffer int
	}{{1000, 1000, 0}, {1000, 1000, 4}, {800, 1000, 3}, {1000, 700, 10}} {
		mu1, mu2 := 1000/float64(c.ms1), 1000/float64(c.ms2)
		states, sum, p := c.buffer+3, 0.0, 1.0
		for range states {
			sum += p
			p *= mu1 / mu2
		}
		want := mu2 * (1 - 1/sum)
		mean, half := interval(func(seed uint64) float64 {
			k, p := build(t, seed, exponential([]int{c.ms1, c.ms2}, c.buffer))
			p.Start()
			k.Run(time.Hour) // warm-up
			before := p.machines[1].Total()
			w := watchLittle(p.machines[0].station.out, "two machines")
			k.Run(9 * time.Hour)
			w.law(t, k.Now())
			return float64(p.machines[1].Total()-before) / (8 * 3600)
		})
		within(t, fmt.Sprintf("%d and %d ms with %d between them", c.ms1, c.ms2, c.buffer), want, mean, half)
	}
}

// Machines that fail at random and crews that repair them: the share of
// machines that run, by the machine repair model (Palm 1943).
func TestMachineRepair(t *testing.T) {
	const machines, failS, repairS = 6, 3600.0, 900.0
	for crews := 1; crews <= 3; crews++ {
		// p[n] with n broken: births (machines-n)/fail, deaths min(n,crews)/repair.
		p, sum, up := 1.0, 0.0, 0.0
		for n := 0; n <= machines; n++ {
			sum += p
			up += p * float64(machines-n)
			p *= float64(machines-n) / failS * repairS / float64(min(n+1, crews))
		}
		want := up / sum / machines
		mean, half := interval(func(seed uint64) float64 {
			cfg := Config{Lines: []LineConfig{{Name: "l", Stations: []string{"s"}, Crew: crews}},
				Machines: []MachineConfig{{Name: "s", Kind: "filler", Params: map[string]string{"cycle": "600 s", "minor_stops": "0 /h"}}}}
			for i := range machines {
				name := fmt.Sprintf("m%d", i)
				cfg.Lines[0].Utilities = append(cfg.Lines[0].Utilities, name)
				cfg.Machines = append(cfg.Machines, MachineConfig{Name: name, Kind: "motor", Params: map[string]string{"restart": "1 s"},
					Breakdowns: []BreakdownConfig{{Name: "trip", Mean: dur(failS), Repair: dur(repairS), RepairTimes: &Times{Law: "exponential"}}}})
			}
			k, pl := build(t, seed, cfg)
			var down littleWatch // the machines that lie there
			pl.OnEvent(func(e Event) {
				switch e.Kind {
				case "breakdown":
					down.seen(1, e.At)
				case "repair":
					down.seen(-1, e.At)
				}
			})
			pl.Start()
			const until = 600 * time.Hour
			k.Run(until)
			ran := 0.0
			for _, m := range pl.machines[1:] {
				ran += m.ledger.in(Execute, until).Seconds() + m.ledger.because(restarting, until).Seconds()
			}
			down.seen(0, until)
			if stood := machines*until.Seconds() - ran; math.Abs(stood-down.area) > 1e-3*stood {
				t.Errorf("%d crews: %.0f machine seconds down, the machines stood for %.0f", crews, down.area, stood)
			}
			return ran / until.Seconds() / machines
		})
		within(t, fmt.Sprintf("%d crews", crews), want, mean, half)
	}
}

// Little's law holds on every line that is shipped, buffer by buffer: units
// that lie there on average = units that come per second x seconds that one lies.
func TestLittlesLawOnEveryShippedModel(t *testing.T) {
	files, err := filepath.Glob("../../scenarios/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatal("no shipped scenarios", err)
	}
	checked := 0
	for _, file := range files {
		var cfg Config
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := toml.Decode(string(text), &cfg); err != nil {
			t.Fatal(err)
		}
		if len(cfg.Lines) == 0 || len(cfg.Machines) == 0 {
			continue // stands on another one
		}
		k, p := build(t, 4, cfg)
		var watched []*littleWatch
		for _, m := range p.machines {
			for _, b := range append([]*buffer{m.station.out}, m.station.offs...) {
				if b != nil {
					watched = append(watched, watchLittle(b, filepath.Base(file)+" "+m.Name))
				}
			}
		}
		p.Start()
		until := 200 * time.Hour
		if file == "../../scenarios/first-light.toml" {
			until = 20 * time.Hour
		}
		k.Run(until)
		for _, w := range watched {
			w.law(t, until)
			rate, mean, lain := float64(w.out)/until.Seconds(), w.area/until.Seconds(), w.lain.Seconds()/float64(max(1, w.out))
			if w.out < 20 || math.Abs(mean-rate*lain) > 0.02*mean+0.05 {
				t.Errorf("%s: %.3f units lie behind it, %.5f per second x %.2f s = %.3f (%d units)", w.name, mean, rate, lain, rate*lain, w.out)
			}
			checked++
		}
	}
	if checked < 3 {
		t.Errorf("%d buffers looked at", checked)
	}
}

type littleWatch struct {
	name string
	n    int
	at   time.Duration
	area float64         // unit seconds
	in   []time.Duration // when each unit that lies there came
	out  int
	lain time.Duration
}

func watchLittle(b *buffer, name string) *littleWatch {
	w := &littleWatch{name: name, n: b.n, at: b.kernel.Now(), in: make([]time.Duration, b.n)}
	for i := range w.in {
		w.in[i] = w.at
	}
	b.watch = w.seen
	return w
}

// law as an identity: what the number of units there integrates to is what
// each of them has lain.
func (w *littleWatch) law(t *testing.T, now time.Duration) {
	t.Helper()
	w.seen(0, now)
	lain := w.lain
	for _, in := range w.in {
		lain += now - in
	}
	if math.Abs(w.area-lain.Seconds()) > 1e-9*w.area+1e-6 {
		t.Errorf("%s: the number of units integrates to %v s, they have lain for %v", w.name, w.area, lain.Seconds())
	}
}

func (w *littleWatch) seen(by int, now time.Duration) {
	w.area += float64(w.n) * (now - w.at).Seconds()
	w.at = now
	w.n += by
	for ; by > 0; by-- {
		w.in = append(w.in, now)
	}
	for ; by < 0; by++ {
		w.lain += now - w.in[0]
		w.in = w.in[1:]
		w.out++
	}
}

// A first machine with exponential times, whose buffer is never full, feeds
// the next ones like Poisson's customers: M/M/1, M/D/1 and M/G/1 (Pollaczek
// and Khinchine), and a tandem in which each queue is as if alone (Jackson).
func TestQueuesOfAPlant(t *testing.T) {
	const betweenMS, buffer, until = 1600, 80, 45 * time.Hour
	for _, c := range []struct {
		name  string
		means []int // ms of service
		law   *Times
		cv2   float64 // of service
	}{
		{"M/M/1", []int{1000}, &Times{Law: "exponential"}, 1},
		{"M/D/1", []int{1000}, &Times{Law: "constant"}, 0},
		{"M/G/1, lognormal", []int{1000}, &Times{Law: "lognormal", Mean: 1, CV: 1.5}, 2.25},
		{"tandem", []int{1000, 1300, 700}, &Times{Law: "exponential"}, 1},
	} {
		want := make([]float64, len(c.means))
		got := make([][]float64, len(c.means))
		for i, ms := range c.means {
			rho := float64(ms) / betweenMS
			want[i] = rho * rho * (1 + c.cv2) / 2 / (1 - rho)
		}
		interval(func(seed uint64) float64 {
			all := append([]int{betweenMS}, c.means...)
			buffers := make([]int, len(c.means))
			for i := range buffers {
				buffers[i] = buffer
			}
			cfg := exponential(all, buffers...)
			for i := range c.means {
				cfg.Machines[i+1].Cycle = c.law
			}
			k, p := build(t, seed, cfg)
			p.Start()
			k.Run(2 * time.Hour) // the buffers were half full
			var watched []*littleWatch
			for i := range c.means {
				watched = append(watched, watchLittle(p.machines[i].station.out, c.name))
			}
			k.Run(until)
			for i, w := range watched {
				w.law(t, until)
				got[i] = append(got[i], w.area/(until-2*time.Hour).Seconds())
			}
			return 0
		})
		for i := range c.means {
			at := -1
			mean, half := interval(func(uint64) float64 { at++; return got[i][at] })
			if math.Abs(mean-want[i]) > half || half > 0.1*want[i] {
				t.Errorf("%s, queue %d: %.4f +- %.3f wait, theory says %.4f", c.name, i+1, mean, half, want[i])
			}
		}
	}
}
