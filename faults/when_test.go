package faults

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim"
)

// starts are the nominal starts, in seconds, of the windows of fault i.
func starts(plan []Window, i int) (out []string) {
	for _, w := range plan {
		if w.Index == i {
			out = append(out, fmt.Sprint(int(w.From.Seconds())))
		}
	}
	return out
}

func TestEveryWithAndFollows(t *testing.T) {
	cfgs := []Config{
		fault("link.down", "l", 60, 5, func(c *Config) { c.Every, c.Name = sec(600), "cut" }),
		fault("link.stall", "l", 10, 2, func(c *Config) { c.With = "cut" }),
		fault("link.stall", "l", 10, 2, func(c *Config) { c.Follows, c.Name = "cut", "after" }),
		fault("gateway.kill", "", 1, 2, func(c *Config) { c.Follows = "after" }),
		fault("sensor.stuck", "c", 100, 2, func(c *Config) { c.Every, c.Times = sec(10), 3 }),
		fault("sensor.stuck", "c", 100, 2, func(c *Config) { c.Every, c.Until = sec(10), sec(121) }),
		fault("broker.restart", "", 30, 0, func(c *Config) { c.Every = sec(900) }),
	}
	plan, ps := Resolve(cfgs, 31*time.Minute, 7)
	if err := ps.Err(); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"60 660 1260", "70 670 1270", "75 675 1275", "78 678 1278", "100 110 120", "100 110 120", "30 930 1830"} {
		if got := strings.Join(starts(plan, i), " "); got != want {
			t.Errorf("fault[%d] starts at %s, want %s", i, got, want)
		}
	}
	seen := map[int]bool{}
	for _, w := range plan {
		if seen[w.id()] || w.To <= w.From {
			t.Errorf("window %+v", w)
		}
		seen[w.id()] = true
	}
	again, _ := Resolve(cfgs, 31*time.Minute, 7)
	if !slices.Equal(plan, again) {
		t.Error("the same seed gave another plan")
	}
}

// Gaps have the mean and the deviation that their distribution has in theory,
// and are others for another seed, and for another fault.
func TestGapsAgainstTheory(t *testing.T) {
	for _, tc := range []struct {
		gaps  string
		shape float64
		cv    float64 // deviation over mean
	}{
		{"poisson", 0, 1},
		{"weibull", 1, 1},
		{"weibull", 3, math.Sqrt(math.Gamma(1+2./3)/math.Pow(math.Gamma(1+1./3), 2) - 1)},
		{"weibull", 0.7, math.Sqrt(math.Gamma(1+2/0.7)/math.Pow(math.Gamma(1+1/0.7), 2) - 1)},
	} {
		c := fault("link.stall", "l", 0, 1, func(c *Config) { c.Every, c.Gaps, c.Shape = sec(60), tc.gaps, tc.shape })
		plan, ps := Resolve([]Config{c}, 6000*time.Minute, 1)
		if len(ps) > 0 {
			t.Fatal(ps)
		}
		var sum, square float64
		last := time.Duration(0)
		for _, w := range plan {
			gap := (w.From - last).Seconds()
			sum, square, last = sum+gap, square+gap*gap, w.From
		}
		n := float64(len(plan))
		mean := sum / n
		dev := math.Sqrt(square/n - mean*mean)
		// The standard error of the mean of 6,000 is cv*60/77.
		if math.Abs(mean-60) > 5*tc.cv*60/77 || math.Abs(dev/mean-tc.cv) > 0.1*tc.cv {
			t.Errorf("%s %v: %v gaps, mean %.1f s, deviation/mean %.2f, want 60 and %.2f", tc.gaps, tc.shape, n, mean, dev/mean, tc.cv)
		}
		other, _ := Resolve([]Config{c}, 6000*time.Minute, 2)
		twins, _ := Resolve([]Config{c, c}, 6000*time.Minute, 1)
		if other[0].From == plan[0].From || !slices.ContainsFunc(twins, func(w Window) bool { return w.Index == 0 && w.From == plan[0].From }) ||
			slices.ContainsFunc(twins, func(w Window) bool {
				return w.Index == 1 && w.From.Round(time.Millisecond) == plan[0].From.Round(time.Millisecond)
			}) {
			t.Errorf("%s: another seed, or a twin, has the same gaps, or a twin shifts them", tc.gaps)
		}
	}
}

func TestScheduleProblems(t *testing.T) {
	base := func(change func(*Config)) Config { return fault("link.stall", "broker", 10, 5, change) }
	for _, tc := range []struct {
		cfgs []Config
		want string
	}{
		{[]Config{base(func(c *Config) { c.Gaps = "poisson" })}, "gaps: goes with every, which is missing"},
		{[]Config{base(func(c *Config) { c.Times = 2 })}, "times: goes with every"},
		{[]Config{base(func(c *Config) { c.Every, c.Gaps = sec(9), "posson" })}, `gaps: there is no distribution "posson"`},
		{[]Config{base(func(c *Config) { c.Every, c.Gaps = sec(9), "weibull" })}, "shape: is missing"},
		{[]Config{base(func(c *Config) { c.Every, c.Shape = sec(9), 2 })}, "shape: is that of a Weibull"},
		{[]Config{base(func(c *Config) { c.Every, c.Gaps, c.Shape = sec(9), "weibull", 1e9 })}, "shape: 1e+09 is not from"},
		{[]Config{base(func(c *Config) { c.Every, c.Times = sec(9), -2 })}, "times: -2 is negative"},
		{[]Config{base(func(c *Config) { c.Every = -sec(9) })}, "every: -9s is negative"},
		{[]Config{base(func(c *Config) { c.Every, c.Until = sec(9), sec(9) })}, "until: 9s is not after at"},
		{[]Config{base(func(c *Config) { c.Every = strict.Duration(time.Millisecond) })}, "a plan has 10000 at most"},
		{[]Config{base(func(c *Config) { c.With, c.Follows = "a", "b" })}, "follows: and with exclude each other"},
		{[]Config{base(func(c *Config) { c.With = "cutt" }), base(func(c *Config) { c.Name = "cut" })}, `with: there is no fault of the name "cutt" (did you mean "cut"?)`},
		{[]Config{base(func(c *Config) { c.With, c.Name = "a", "b" }), base(func(c *Config) { c.Follows, c.Name = "b", "a" })}, "goes round in a circle"},
		{[]Config{base(func(c *Config) { c.With, c.Name = "a", "a" })}, "goes round in a circle"},
		{[]Config{base(func(c *Config) { c.While, c.Name = "filler is Idle", "w" }), base(func(c *Config) { c.With = "w" })}, `"w" is decided in the run`},
		{[]Config{base(func(c *Config) { c.While = "Execute" })}, "while: \"Execute\" is not a machine's state"},
		{[]Config{base(func(c *Config) { c.While = "filer is Execute" })}, `there is no machine "filer" (did you mean "filler"?)`},
		{[]Config{base(func(c *Config) { c.While = "filler is Exekute" })}, `no machine has a state "Exekute"`},
		{[]Config{base(func(c *Config) { c.While, c.Every = "filler is Idle", sec(9) })}, "while: goes with at, for and until alone"},
		{[]Config{fault("broker.restart", "", 1, 0, func(c *Config) { c.While = "filler is Idle" })}, "while: broker.restart has no end"},
	} {
		var all strict.Problems
		for _, c := range tc.cfgs {
			all = append(all, c.Validate(names)...)
		}
		_, ps := Resolve(tc.cfgs, time.Hour, 1)
		all = append(all, ps...)
		if !strings.Contains(all.Error(), tc.want) {
			t.Errorf("%+v:\n%s\nwant %s", tc.cfgs[0].When, all.Error(), tc.want)
		}
	}
}

// A fault that waits for a machine has its windows where the machine is in the
// state, within at and until, and no longer than it may last.
func TestWhile(t *testing.T) {
	for _, tc := range []struct {
		change func(*Config)
		want   []string
	}{
		{func(*Config) {}, []string{"10s l Stall(true)", "20s l Stall(false)", "30s l Stall(true)", "50s l Stall(false)"}},
		{func(c *Config) { c.At = sec(15) }, []string{"15s l Stall(true)", "20s l Stall(false)", "30s l Stall(true)", "50s l Stall(false)"}},
		{func(c *Config) { c.Until = sec(25) }, []string{"10s l Stall(true)", "20s l Stall(false)"}},
		{func(c *Config) { c.For = sec(15) }, []string{"10s l Stall(true)", "20s l Stall(false)", "30s l Stall(true)", "45s l Stall(false)"}},
	} {
		c := fault("link.stall", "l", 0, 0, func(c *Config) { c.While = "m is Execute" }, tc.change)
		k := sim.New(1)
		plant := newFake(k)
		plan, ps := Resolve([]Config{c}, time.Minute, 1)
		if len(plan) != 0 || len(ps) != 0 {
			t.Fatalf("%v, %v", plan, ps)
		}
		var labels []string
		err := Schedule(k, plan, []Config{c}, plant, func(w Window, started bool) {
			if started != w.Open || w.Class != ClassCommunication || !started && w.To != k.Now() {
				t.Errorf("label %+v", w)
			}
			labels = append(labels, fmt.Sprint(w.Nth, started))
		})
		if err != nil {
			t.Fatal(err)
		}
		m := plant.machine("m")
		for second, state := range map[int]string{10: "Execute", 20: "Idle", 30: "Execute", 50: "Held"} {
			k.At(sec(second).D(), func() { m.turn(state) })
		}
		// A flicker shorter than an edge's shift makes no window.
		k.At(sec(55).D(), func() { m.turn("Execute") })
		k.At(sec(55).D()+50*time.Microsecond, func() { m.turn("Idle") })
		k.Run(time.Minute)
		if !slices.Equal(plant.calls, tc.want) || len(labels) != len(tc.want) {
			t.Errorf("calls:\n\t%s\nwant:\n\t%s\nlabels %v", strings.Join(plant.calls, "\n\t"), strings.Join(tc.want, "\n\t"), labels)
		}
	}
	waits := Waiting([]Config{fault("link.latency", "l", 5, 0, func(c *Config) { c.While, c.Delay = "m is Execute", sec(1) })}, time.Minute)
	if len(waits) != 1 || waits[0].From != 5*time.Second || waits[0].To != time.Minute || waits[0].Note != "while m is Execute, delay 1s" {
		t.Errorf("waiting: %+v", waits)
	}
}
