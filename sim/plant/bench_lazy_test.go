package plant

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/plantbed/plantbed/sim"
)

// fleet is so many utilities of three kinds.
func fleet(n int) Config {
	var cfg Config
	for i := range n {
		kind := []string{"motor", "gearbox", "heat-exchanger"}[i%3]
		cfg.Machines = append(cfg.Machines, MachineConfig{Name: fmt.Sprintf("m%d", i), Kind: kind})
	}
	return cfg
}

// scanFirst scans the tags of the first ten machines, a hundred, every second
// for an hour.
func scanFirst(k *sim.Kernel, p *Plant) (sum float64) {
	var reads []func(time.Duration) float64
	for _, m := range p.Machines()[:10] {
		for _, s := range m.Signals() {
			reads = append(reads, s.Read)
		}
	}
	for at := time.Second; at <= time.Hour; at += time.Second {
		k.Run(at)
		for _, read := range reads {
			sum += read(at)
		}
	}
	return sum
}

// A hundred tags alone, and the same hundred among a hundred thousand that
// nobody scans: the times are within 1.2 of each other.
func BenchmarkHundredTagsAlone(b *testing.B)    { benchmarkFleet(b, 10) }
func BenchmarkHundredOf100000Tags(b *testing.B) { benchmarkFleet(b, 10_000) }

func benchmarkFleet(b *testing.B, machines int) {
	for range b.N {
		b.StopTimer()
		k, p := build(b, 1, fleet(machines))
		p.Start()
		runtime.GC() // the garbage of building it is not the run's
		b.StartTimer()
		scanFirst(k, p)
	}
	b.ReportMetric(float64(machines)*10, "tags")
}

// The same of counts instead of times: what nobody looks at has no events and
// has run no physics, and the hundred tags read what they read alone.
func TestUnscannedTagsCostNothing(t *testing.T) {
	k0, alone := build(t, 1, fleet(10))
	alone.Start()
	k1, many := build(t, 1, fleet(1000))
	many.Start()
	if a, b := scanFirst(k0, alone), scanFirst(k1, many); a != b {
		t.Errorf("the scanned tags sum up to %v among others, and to %v alone", b, a)
	}
	tags := 0
	for i, m := range many.Machines() {
		tags += len(m.Signals())
		if ran := m.warm || m.advanced != 0; ran != (i < 10) {
			t.Fatalf("machine %d: ran is %v", i, ran)
		}
	}
	if tags < 9_900 {
		t.Errorf("%d tags", tags)
	}
}
