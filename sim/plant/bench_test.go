package plant

import (
	"testing"
	"time"
)

// One operation is one read at 1 Hz, with all that happens in between: the
// flow, the wear, the physics.
func BenchmarkRead1Hz(b *testing.B) { benchmarkRead(b, time.Second) }

// The same for a 100 ms scan of all signals.
func BenchmarkRead10Hz(b *testing.B) { benchmarkRead(b, 100*time.Millisecond) }

func benchmarkRead(b *testing.B, every time.Duration) {
	k, p := build(b, 1, bottling())
	var reads []func(time.Duration) float64
	for _, m := range p.Machines() {
		for _, s := range m.Signals() {
			reads = append(reads, s.Read)
		}
	}
	wearOut(b, p, "pump", "motor/bearing-de", time.Second, 1000*time.Hour)
	p.Start()
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += len(reads) {
		at := k.Now() + every
		k.Run(at)
		for _, read := range reads {
			read(at)
		}
	}
}

// One operation is two hours of flow that nobody looks at.
func BenchmarkFlow2h(b *testing.B) {
	for range b.N {
		k, p := build(b, 1, bottling())
		p.Start()
		k.Run(2 * time.Hour)
	}
}
