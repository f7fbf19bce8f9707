package sim_test

import (
	"context"
	"fmt"
	"sort"
	"testing"
	"time"

	"github.com/plantbed/plantbed/sim"
)

func ExampleKernel_Run() {
	k := sim.New(1)
	k.After(2*time.Second, func() { fmt.Println(k.Now(), "second") })
	k.After(time.Second, func() {
		fmt.Println(k.Now(), "first")
		k.After(0, func() { fmt.Println(k.Now(), "at once") })
	})
	k.Run(time.Minute)
	fmt.Println(k.Now())
	// Output:
	// 1s first
	// 1s at once
	// 2s second
	// 1m0s
}

// The queue is held against a stable sort, with stops in between.
func TestOrderAgainstSort(t *testing.T) {
	for seed := uint64(0); seed < 50; seed++ {
		r := sim.Rand(seed, "order")
		k := sim.New(seed)
		type planned struct {
			at time.Duration
			n  int
		}
		var want []planned
		var got []int
		var timers []sim.Timer
		stopped := map[int]bool{}
		for n := range 400 {
			at := time.Duration(r.IntN(50))
			want = append(want, planned{at, n})
			timers = append(timers, k.At(at, func() { got = append(got, n) }))
		}
		for range 100 {
			n := r.IntN(400)
			if timers[n].Stop() == stopped[n] {
				t.Fatalf("seed %d: Stop of %d said %v", seed, n, stopped[n])
			}
			stopped[n] = true
		}
		sort.SliceStable(want, func(i, j int) bool { return want[i].at < want[j].at })
		k.Run(49)
		i := 0
		for _, w := range want {
			if stopped[w.n] {
				continue
			}
			if i >= len(got) || got[i] != w.n {
				t.Fatalf("seed %d: event %d is %v, want %d", seed, i, got[min(i, len(got)-1)], w.n)
			}
			i++
		}
		if i != len(got) {
			t.Fatalf("seed %d: %d events, want %d", seed, len(got), i)
		}
	}
}

func TestStopAfterReuseIsNoStop(t *testing.T) {
	k := sim.New(1)
	old := k.At(1, func() {})
	k.Run(1)
	ran := false
	k.At(2, func() { ran = true }) // takes over the event that old held
	if old.Stop() {
		t.Error("Stop of an event that has happened said true")
	}
	k.Run(2)
	if !ran {
		t.Error("a stale timer stopped somebody else's event")
	}
}

func TestStreamsAreIndependent(t *testing.T) {
	a, b := sim.Rand(7, "press-1/bearing"), sim.Rand(7, "press-2/bearing")
	if a.Uint64() == b.Uint64() {
		t.Error("two names, one stream")
	}
	if sim.Rand(7, "x").Uint64() != sim.Rand(7, "x").Uint64() {
		t.Error("one name, two streams")
	}
	if sim.Rand(7, "x").Uint64() == sim.Rand(8, "x").Uint64() {
		t.Error("two seeds, one stream")
	}
}

func TestPaceWakesForVisibleEventsOnly(t *testing.T) {
	k := sim.New(1)
	var inner, wakes int
	var tick func()
	tick = func() { inner++; k.After(time.Millisecond, tick) }
	tick()
	k.AtVisible(10*time.Millisecond, func() {})
	k.AtVisible(20*time.Millisecond, func() {}).Stop()
	err := k.Pace(context.Background(), time.Now(), 30*time.Millisecond, func(time.Duration) { wakes++ })
	if err != nil || wakes != 2 || inner != 31 {
		t.Errorf("err %v, woke %d times (want 2: the visible event and the end), %d inner events (want 31)", err, wakes, inner)
	}
}

func TestPaceServesDoAndStops(t *testing.T) {
	k := sim.New(1)
	ctx, cancel := context.WithCancel(context.Background())
	go k.Do(ctx, cancel)
	if err := k.Pace(ctx, time.Now(), time.Hour, nil); err != context.Canceled {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

func TestHaltEndsPace(t *testing.T) {
	ctx := context.Background()
	k := sim.New(1)
	k.AtVisible(time.Millisecond, k.Halt)
	if err := k.Pace(ctx, time.Now(), time.Hour, nil); err != nil || k.Now() != time.Millisecond {
		t.Errorf("%v at %v, want an end at 1 ms", err, k.Now())
	}
	k = sim.New(1)
	go k.Do(ctx, k.Halt)
	if err := k.Pace(ctx, time.Now(), time.Hour, nil); err != nil {
		t.Errorf("got %v, want an end", err)
	}
}

func BenchmarkHold1000(b *testing.B) {
	k := sim.New(1)
	r := k.Rand("hold")
	n := 0
	var f func()
	f = func() { n++; k.After(time.Duration(r.ExpFloat64()*1e6), f) }
	for range 1000 {
		f()
	}
	n = 0
	b.ReportAllocs()
	for n < b.N {
		k.Run(k.Now() + 1e5)
	}
}
