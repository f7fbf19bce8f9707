package sim

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// lastOrder is the last one before the sequence runs out.
const lastOrder = math.MaxUint64 - (1<<slotBits - 1)

// dumb is the kernel as one would write it without a thought for speed: a
// list, searched for the earliest event each time.
type dumb struct {
	now     time.Duration
	pending []*dumbEvent
}

type dumbEvent struct {
	at time.Duration
	f  func()
}

func (d *dumb) after(wait time.Duration, f func()) func() bool {
	e := &dumbEvent{d.now + max(wait, 0), f}
	d.pending = append(d.pending, e)
	return func() bool {
		i := slices.Index(d.pending, e)
		if i < 0 {
			return false
		}
		d.pending = slices.Delete(d.pending, i, i+1)
		return true
	}
}

func (d *dumb) run(until time.Duration) {
	for {
		first := -1
		for i, e := range d.pending {
			if e.at <= until && (first < 0 || e.at < d.pending[first].at) {
				first = i
			}
		}
		if first < 0 {
			d.now = max(d.now, until)
			return
		}
		e := d.pending[first]
		d.pending = slices.Delete(d.pending, first, first+1)
		d.now = e.at
		e.f()
	}
}

// tangle plans events that plan and stop events, with few instants so that
// many are equal, and returns what happened when.
func tangle(seed uint64, after func(time.Duration, func()) func() bool, now func() time.Duration, run func(time.Duration)) []int {
	r := Rand(seed, "tangle")
	var trace []int
	var stops []func() bool
	n, spread := 0, 1+r.IntN(200)
	var plan func()
	plan = func() {
		id := n
		n++
		stops = append(stops, after(time.Duration(r.IntN(spread)-1), func() {
			trace = append(trace, id, int(now()))
			for range r.IntN(3) {
				if n < 3000 {
					plan()
				}
			}
			for range r.IntN(3) {
				if stops[r.IntN(len(stops))]() {
					trace = append(trace, -1)
				}
			}
		}))
	}
	for until := time.Duration(0); until < 3000; until += time.Duration(r.IntN(100)) {
		for range 20 {
			plan()
		}
		run(until)
	}
	return trace
}

// The order of events is held against the dumb kernel: with stops, sweeps,
// plans within events, and sequence numbers that run out on the way.
func TestKernelAgainstTheDumbOne(t *testing.T) {
	for seed := range uint64(60) {
		d := &dumb{}
		want := tangle(seed, d.after, func() time.Duration { return d.now }, d.run)
		k := New(seed)
		k.order = lastOrder - 500<<slotBits
		got := tangle(seed, func(wait time.Duration, f func()) func() bool { return k.After(wait, f).Stop }, k.Now, k.Run)
		if k.order > 1<<60 {
			t.Fatal("the sequence has not run out; the test is too short")
		}
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: the kernel and the dumb one part", seed)
		}
		if len(want) < 500 {
			t.Errorf("seed %d: %d happenings only", seed, len(want))
		}
	}
}

// Sleepers keep their order when the sequence numbers run out under them.
func TestRenumberKeepsSleepers(t *testing.T) {
	k := New(1)
	defer k.Close()
	var got []int
	for i := range 100 {
		k.Go(func(p *Process) {
			p.Sleep(1000)
			got = append(got, i)
		})
	}
	h := k.Go(func(p *Process) {
		if p.Sleep(1000) == nil {
			t.Error("the interrupted one slept through")
		}
	})
	k.Run(10)
	h.Interrupt("up")
	k.order = lastOrder
	k.After(5, func() {})
	k.Run(2000)
	if len(got) != 100 || !slices.IsSorted(got) {
		t.Errorf("woke in the order %v", got)
	}
}

// Time-outs that are nearly always taken back do not pile up.
func TestStoppedEventsAreSwept(t *testing.T) {
	k := New(1)
	defer k.Close()
	var tick func()
	tick = func() {
		k.After(time.Hour, func() { t.Error("a time-out happened") }).Stop()
		k.After(1, tick)
	}
	tick()
	sleeper := k.Go(func(p *Process) {
		for {
			p.Sleep(time.Hour)
		}
	})
	k.After(1, func() {})
	var poke func()
	poke = func() { sleeper.Interrupt(nil); k.After(1, poke) }
	poke()
	k.Run(100_000)
	if k.queue.n > 300 || len(k.slots) > 300 {
		t.Errorf("%d events in the queue, %d slots; want a few, of which most are stopped", k.queue.n, len(k.slots))
	}
}

func TestAfterTheEndOfTimeIsNeverSoon(t *testing.T) {
	k := New(1)
	defer k.Close()
	k.Run(time.Hour)
	k.After(math.MaxInt64, func() { t.Error("happened") })
	k.Go(func(p *Process) { p.Sleep(math.MaxInt64); t.Error("woke") })
	k.Run(1 << 62)
}

// Looking ahead changes nothing: whatever the size of the queue, and however
// many events fall on one instant, it is put in the same order.
func TestReplaceAheadAgainstReplace(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 5))
	for range 200 {
		size, instants := 3+r.IntN(300), 1+r.IntN(1000)
		k := New(1)
		k.slots = make([]slot, 8) // some events are of slots, the others of processes
		plain := queue{root: never}
		key := uint64(0)
		draw := func(from uint64) item {
			key += 1 << slotBits
			n := uint64(r.IntN(8))
			if r.IntN(2) == 0 {
				n = aProcess + uint64(r.IntN(8))
			}
			return item{from + uint64(r.IntN(instants)), key | n}
		}
		for range size {
			it := draw(0)
			k.queue.push(it)
			plain.push(it)
		}
		for range 3 * size {
			it := draw(k.queue.root.at)
			k.replaceAhead(it)
			plain.replace(it)
			if k.queue.root != plain.root {
				t.Fatalf("%d events over %d instants: %v is first, want %v", size, instants, k.queue.root, plain.root)
			}
		}
		for plain.n > 0 {
			if k.queue.root != plain.root {
				t.Fatalf("in the end %v is first, want %v", k.queue.root, plain.root)
			}
			k.queue.pop()
			plain.pop()
		}
	}
}
