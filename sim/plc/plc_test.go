package plc_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim"
	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/signal"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func config() plc.Config {
	return plc.Config{
		Name: "plc-fill", Protocol: "opcua", Scan: strict.Duration(time.Second),
		FastScan: strict.Duration(100 * time.Millisecond), FastTags: []string{"pump/current"},
	}
}

// oven is a machine whose set-point can be written.
type oven struct{ setpoint float64 }

func (o *oven) tags() []plc.Tag {
	zero := func(time.Duration) float64 { return 0 }
	return []plc.Tag{
		{ID: "pump/speed", Unit: "rpm", Hi: 3000, Type: plc.Float32, Noise: 1, Read: func(now time.Duration) float64 { return 1000 + now.Seconds() }},
		{ID: "pump/current", Unit: "A", Hi: 50, Type: plc.Int16, Scale: 0.01, Noise: 0.1, Read: func(time.Duration) float64 { return 12 }},
		{ID: "oven/setpoint", Unit: "degC", Hi: 300, Type: plc.Float32,
			Read: func(time.Duration) float64 { return o.setpoint }, Write: func(v float64) error { o.setpoint = v; return nil }},
		{ID: "oven/on", Type: plc.Bool, Read: zero, Write: func(float64) error { return errors.New("interlocked") }},
		{ID: "pump/count", Type: plc.UInt32, Read: func(now time.Duration) float64 { return math.Floor(now.Seconds()) }},
	}
}

func makePLC(t testing.TB, seed uint64, cfg plc.Config) (*sim.Kernel, *plc.PLC, *oven) {
	t.Helper()
	k, o := sim.New(seed), &oven{setpoint: 150}
	p, err := plc.New(k, cfg, start, o.tags())
	if err != nil {
		t.Fatal(err)
	}
	return k, p, o
}

func Example() {
	k := sim.New(42)
	level := plc.Tag{ID: "tank/level", Unit: "m", Hi: 4, Type: plc.Int16, Scale: 0.001, Read: func(now time.Duration) float64 { return 2 }}
	p, err := plc.New(k, plc.Config{Name: "plc-tank", Protocol: "opcua"}, time.Now(), []plc.Tag{level})
	if err != nil {
		fmt.Println(err)
		return
	}
	p.OnScan(func(b *plc.Block) { fmt.Println(b.Seq, b.Values, b.Quality) })
	p.Start()
	k.Run(2 * time.Second)
	p.Channel("tank/level").SetBias(0.25)
	k.Run(3 * time.Second)
	// Output:
	// 1 [2] [Good]
	// 2 [2] [Good]
	// 3 [2.25] [Good]
}

func TestTasks(t *testing.T) {
	_, p, _ := makePLC(t, 1, config())
	var got []string
	for _, task := range p.Tasks() {
		for _, tag := range task.Tags {
			got = append(got, fmt.Sprint(task.Index, task.Name, task.Period, tag.ID, tag.Scale))
		}
	}
	want := "0scan1spump/speed1 0scan1soven/setpoint1 0scan1soven/on1 0scan1spump/count1 1fast100mspump/current0.01"
	if strings.ReplaceAll(strings.Join(got, " "), " ", "") != strings.ReplaceAll(want, " ", "") {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
}

// A scan comes every period from its phase on, counts from 1, and is recorded
// before it is served.
func TestScanCycle(t *testing.T) {
	k, p, _ := makePLC(t, 7, config())
	seen := map[int][]*plc.Block{}
	var truth *plc.Block
	p.OnTruth(func(b *plc.Block) { truth = b })
	p.OnScan(func(b *plc.Block) {
		if truth != b || p.Latest(b.Task) != b {
			t.Fatalf("block %d of task %d reached a server before the recorder", b.Seq, b.Task)
		}
		seen[b.Task] = append(seen[b.Task], b)
	})
	if p.Latest(0) != nil {
		t.Error("a block before the first scan")
	}
	p.Start()
	k.Run(10 * time.Second)
	if len(seen[0]) != 10 || len(seen[1]) != 100 {
		t.Fatalf("%d slow and %d fast scans in 10 s", len(seen[0]), len(seen[1]))
	}
	for task, blocks := range seen {
		period := p.Tasks()[task].Period
		for i, b := range blocks {
			at := blocks[0].At + time.Duration(i)*period
			if b.Seq != uint64(i+1) || b.At != at || !b.Stamp.Equal(start.Add(at).Truncate(100)) || len(b.Values) != len(p.Tasks()[task].Tags) {
				t.Fatalf("scan %d of task %d: Seq %d at %v stamped %v", i, task, b.Seq, b.At, b.Stamp)
			}
			if blocks[0].At <= 0 || blocks[0].At >= period {
				t.Fatalf("first scan of task %d at %v", task, blocks[0].At)
			}
		}
	}
	if v := seen[0][9].Values[3]; v != 9 {
		t.Errorf("the count of the last scan is %v, want 9", v)
	}
}

// Whatever the seed and the periods, scans of two tasks stay apart; all their
// instants of a while are compared.
func TestTasksNeverMeet(t *testing.T) {
	for seed := uint64(0); seed < 60; seed++ {
		for _, periods := range [][2]time.Duration{{time.Second, 100 * time.Millisecond}, {500 * time.Millisecond, 20 * time.Millisecond}, {time.Second, 300 * time.Millisecond}, {10 * time.Millisecond, 10 * time.Millisecond}} {
			cfg := config()
			cfg.Scan, cfg.FastScan = strict.Duration(periods[0]), strict.Duration(periods[1])
			k, p, _ := makePLC(t, seed, cfg)
			last, from := time.Duration(-time.Hour), -1
			p.OnScan(func(b *plc.Block) {
				if b.Task != from && b.At-last < time.Millisecond {
					t.Fatalf("seed %d, periods %v: scans %v apart", seed, periods, b.At-last)
				}
				last, from = b.At, b.Task
			})
			p.Start()
			k.Run(5 * time.Second)
		}
	}
}

// Periods that must meet now and then are taken as they are.
func TestOddPeriods(t *testing.T) {
	cfg := config()
	cfg.Scan, cfg.FastScan = strict.Duration(time.Second+1), strict.Duration(100*time.Millisecond)
	k, p, _ := makePLC(t, 1, cfg)
	p.Start()
	k.Run(3 * time.Second)
	if b := p.Latest(0); b == nil || b.Seq < 2 {
		t.Errorf("latest block %+v", b)
	}
}

func TestSameSeedSameBlocks(t *testing.T) {
	run := func(seed uint64) string {
		k, p, _ := makePLC(t, seed, config())
		var out strings.Builder
		p.OnTruth(func(b *plc.Block) { fmt.Fprintln(&out, b.Task, b.Seq, b.At, b.Stamp, b.Values, b.Quality) })
		p.Start()
		k.Run(20 * time.Second)
		return out.String()
	}
	first, again, other := run(3), run(3), run(4)
	if first != again {
		t.Error("one seed, two runs")
	}
	if first == other {
		t.Error("two seeds, one run")
	}
}

// The offset of an instrument belongs to it, not to the run's seed, and its
// spread over instruments is what the configuration says.
func TestInstallBias(t *testing.T) {
	const n = 400
	offsets := func(seed uint64, cfg plc.Config) []float64 {
		var tags []plc.Tag
		for i := range n {
			tags = append(tags, plc.Tag{ID: signal.ID(fmt.Sprint("t", i)), Hi: 100, Type: plc.Float64, Noise: 1e-9, Read: func(time.Duration) float64 { return 50 }})
		}
		k := sim.New(seed)
		p, err := plc.New(k, cfg, start, tags)
		if err != nil {
			t.Fatal(err)
		}
		p.Start()
		k.Run(time.Second)
		return p.Latest(0).Values
	}
	cfg := plc.Config{Name: "p", Protocol: "opcua"}
	a, b := offsets(1, cfg), offsets(2, cfg)
	var square float64
	for i := range a {
		if math.Abs(a[i]-b[i]) > 1e-6 {
			t.Fatalf("instrument %d is off by %v under one seed and %v under another", i, a[i]-50, b[i]-50)
		}
		square += (a[i] - 50) * (a[i] - 50) / n
	}
	if sd := math.Sqrt(square); math.Abs(sd-0.1) > 5*0.1/math.Sqrt(2*n) {
		t.Errorf("standard deviation %v, want 0.1", sd)
	}
	zero := 0.0
	cfg.InstallBias = &zero
	for i, v := range offsets(1, cfg) {
		if math.Abs(v-50) > 1e-6 {
			t.Fatalf("instrument %d reads %v without install bias", i, v)
		}
	}
	cfg.InstallBias, cfg.InstallSeed = nil, 5
	if math.Abs(offsets(1, cfg)[0]-a[0]) < 1e-6 {
		t.Error("another install seed, the same instruments")
	}
}

func TestWrite(t *testing.T) {
	k, p, o := makePLC(t, 1, config())
	p.Start()
	k.Run(time.Second)
	for _, v := range []float64{160, 180} {
		if err := p.Write("oven/setpoint", v); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Write("oven/on", 1); err != nil { // the machine will refuse it
		t.Fatal(err)
	}
	if o.setpoint != 150 {
		t.Error("the write did not wait for its scan")
	}
	k.Run(2 * time.Second)
	if b := p.Latest(0); o.setpoint != 180 || b.Values[1] != 180 || b.Values[2] != 0 {
		t.Errorf("set-point %v, block %v", o.setpoint, b.Values)
	}
	o.setpoint = 200 // at the machine's own panel
	k.Run(3 * time.Second)
	if o.setpoint != 200 {
		t.Errorf("an old write came again: %v", o.setpoint)
	}
	for _, c := range []struct {
		id    signal.ID
		v     float64
		cause error
	}{
		{"pump/speed", 1, plc.ErrReadOnly}, {"oven/setpoint", 301, plc.ErrRange}, {"oven/setpoint", -1, plc.ErrRange},
		{"oven/setpoint", math.NaN(), plc.ErrRange}, {"oven/on", 2, plc.ErrRange}, {"oven/door", 1, nil},
	} {
		err := p.Write(c.id, c.v)
		if err == nil || c.cause != nil && !errors.Is(err, c.cause) || !strings.Contains(err.Error(), string(c.id)) {
			t.Errorf("writing %v to %s: %v, want %v", c.v, c.id, err, c.cause)
		}
	}
}

// Latest and Write from other goroutines while the kernel scans; the race
// detector watches.
func TestLatestAndWriteFromElsewhere(t *testing.T) {
	k, p, _ := makePLC(t, 1, config())
	p.Start()
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			var seq uint64
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				if b := p.Latest(1); b != nil {
					if b.Seq < seq {
						t.Errorf("block %d after block %d", b.Seq, seq)
						return
					}
					seq = b.Seq
				}
				p.Write("oven/setpoint", float64(100+i%100))
			}
		}()
	}
	k.Run(time.Minute)
	close(stop)
	wg.Wait()
}

// One scan of 100 tags, without servers.
func BenchmarkScan100(b *testing.B) {
	var tags []plc.Tag
	for i := range 100 {
		tags = append(tags, plc.Tag{ID: signal.ID(fmt.Sprint("t", i)), Hi: 100, Type: plc.Float32, Noise: 0.1, Read: func(time.Duration) float64 { return 50 }})
	}
	k := sim.New(1)
	p, err := plc.New(k, plc.Config{Name: "p", Protocol: "opcua"}, start, tags)
	if err != nil {
		b.Fatal(err)
	}
	p.Start()
	b.ReportAllocs()
	k.Run(time.Duration(b.N) * time.Second)
}

// An instrument whose temperature is not made up for reads what the air around
// it adds; a healthy one, and a number that the controller knows, do not.
func TestCrossSensitivity(t *testing.T) {
	read := func(share, noise, fault float64) float64 {
		air, k := 35.0, sim.New(1)
		p, err := plc.New(k, plc.Config{Name: "p", Protocol: "opcua", CrossSensitivity: share, InstallBias: new(float64)}, time.Unix(0, 0), []plc.Tag{{ID: "a/x", Lo: 0, Hi: 100, Type: plc.Float64, Noise: noise,
			Read: func(time.Duration) float64 { return 50 }, AmbientC: func(time.Duration) float64 { return air }}})
		if err != nil {
			t.Fatal(err)
		}
		if fault != 0 {
			p.Channel("a/x").SetCross(fault)
		}
		var got float64
		p.OnTruth(func(b *plc.Block) { got = b.Values[0] })
		p.Start()
		k.Run(2 * time.Second)
		return got
	}
	if v := read(0, 1e-9, 0); math.Abs(v-50) > 1e-6 {
		t.Errorf("compensated: %v, want 50", v)
	}
	if v := read(0.001, 1e-9, 0); math.Abs(v-50) < 0.01 || math.Abs(v-50) > 5 {
		t.Errorf("0.1 %% of the span for each of 10 K: %v", v)
	}
	if v := read(0.001, 0, 0); v != 50 {
		t.Errorf("a number of the controller's own: %v, want 50", v)
	}
	if v := read(0, 1e-9, 0.2); math.Abs(v-52) > 1e-6 {
		t.Errorf("0.2 for each of 10 K: %v, want 52", v)
	}
}
