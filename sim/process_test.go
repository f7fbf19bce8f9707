package sim_test

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/plantbed/plantbed/sim"
)

// Processes that sleep, with many equal instants, go on in the order that the
// same thing told in functions has: whichever of the ways to switch is taken.
func TestSleepersAgainstFunctions(t *testing.T) {
	type entry struct {
		at time.Duration
		id int
	}
	for seed := uint64(0); seed < 100; seed++ {
		r := sim.Rand(seed, "plans")
		plans := make([][]time.Duration, 1+r.IntN(8))
		for id := range plans {
			plans[id] = make([]time.Duration, r.IntN(60))
			for i := range plans[id] {
				plans[id][i] = time.Duration(r.IntN(4))
			}
		}
		var got, want []entry

		k := sim.New(seed)
		for id, plan := range plans {
			k.Go(func(p *sim.Process) {
				for _, d := range plan {
					p.Sleep(d)
					got = append(got, entry{p.Now(), id})
				}
			})
		}
		noise := func() {}
		for range 20 {
			k.At(time.Duration(r.IntN(60)), noise) // gives Run something to call
		}
		for until := time.Duration(0); until < 240; until += time.Duration(r.IntN(20)) {
			k.Run(until)
		}
		k.Close()

		k = sim.New(seed)
		for id, plan := range plans {
			i := 0
			var step func()
			step = func() {
				if i > 0 {
					want = append(want, entry{k.Now(), id})
				}
				if i++; i <= len(plan) {
					k.After(plan[i-1], step)
				}
			}
			k.After(0, step)
		}
		k.Run(240)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: processes and functions differ:\n%v\n%v", seed, got, want)
		}
	}
}

// brawl is a small world in which everything happens at once, on purpose: few
// instants, and processes that wait, hold, put, get, interrupt and preempt.
func brawl(seed uint64) (trace []string) {
	k := sim.New(seed)
	defer k.Close()
	r := k.Rand("brawl")
	tools, buffer, tank := sim.NewResource(k, 2), sim.NewStore[int](k, 3), sim.NewContainer(k, 10, 5)
	var all []sim.Handle
	alarm := k.Event()
	note := func(id int, what string, err error) {
		trace = append(trace, fmt.Sprint(k.Now(), " ", id, " ", what, " ", err))
	}
	deeds := []func(p *sim.Process, id int) error{
		func(p *sim.Process, id int) error { return p.Sleep(time.Duration(r.IntN(5))) },
		func(p *sim.Process, id int) error { return tools.AcquireWith(p, sim.Terms{Priority: r.IntN(3)}) },
		func(p *sim.Process, id int) error {
			return tools.AcquireWith(p, sim.Terms{Priority: r.IntN(3), Preempt: true})
		},
		func(p *sim.Process, id int) error { tools.Release(p); return nil },
		func(p *sim.Process, id int) error { return buffer.Put(p, id) },
		func(p *sim.Process, id int) error { _, err := buffer.Get(p); return err },
		func(p *sim.Process, id int) error {
			_, err := buffer.GetWhere(p, func(v int) bool { return v%2 == id%2 })
			return err
		},
		func(p *sim.Process, id int) error { return tank.Put(p, float64(r.IntN(6))) },
		func(p *sim.Process, id int) error { return tank.Get(p, float64(r.IntN(6))) },
		func(p *sim.Process, id int) error { return p.Wait(k.AnyOf(alarm, k.Timeout(time.Duration(r.IntN(4))))) },
		func(p *sim.Process, id int) error { all[r.IntN(len(all))].Interrupt(id); return nil },
	}
	live := func(id int) func(p *sim.Process) {
		return func(p *sim.Process) {
			for range 30 {
				deed := r.IntN(len(deeds))
				err := deeds[deed](p, id)
				note(id, fmt.Sprint("did ", deed), err)
			}
		}
	}
	for id := range 12 {
		all = append(all, k.Go(live(id)))
	}
	for range 3000 { // keeps all of them going
		k.At(time.Duration(r.IntN(400)), func() { all[r.IntN(len(all))].Interrupt("go on") })
	}
	k.After(50, alarm.Trigger)
	for until := time.Duration(0); until < 400; until += 7 {
		k.Run(until)
		if v := tools.InUse().Value(); v < 0 || v > 2 {
			panic(fmt.Sprintf("%v tools of 2 in use", v))
		}
		if v := tank.Level().Value(); v < 0 || v > 10 {
			panic(fmt.Sprintf("%v in a tank of 10", v))
		}
		if buffer.Len() > 3 || float64(buffer.Len()) != buffer.Level().Value() {
			panic(fmt.Sprintf("%d in a buffer of 3", buffer.Len()))
		}
	}
	ended := 0
	for _, h := range all {
		if !h.Alive() {
			ended++
		}
	}
	if ended == len(all) && tools.InUse().Value() != 0 {
		panic("all have ended, and tools are still out")
	}
	return trace
}

func TestTheSameSeedBrawlsTheSameWay(t *testing.T) {
	before := runtime.NumGoroutine()
	for seed := range uint64(20) {
		a, b := brawl(seed), brawl(seed)
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("seed %d went two ways", seed)
		}
		if len(a) < 200 {
			t.Errorf("seed %d: %d deeds only; the world got stuck", seed, len(a))
		}
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines, were %d", after, before)
	}
}

func TestInterruptAtTheInstantOfTheGrant(t *testing.T) {
	k := sim.New(1)
	defer k.Close()
	tool := sim.NewResource(k, 1)
	free := tool.Claim(sim.Terms{}, func() {})
	var acquire, sleep error
	h := k.Go(func(p *sim.Process) {
		p.Sleep(time.Hour) // an earlier interrupt has been and gone
		acquire = tool.Acquire(p)
		sleep = p.Sleep(time.Hour)
	})
	k.After(5, func() { h.Interrupt("up") })
	k.After(10, func() {
		free.Release()
		h.Interrupt("too late for the wait")
	})
	k.Run(20)
	var i *sim.Interrupt
	if acquire != nil || !errors.As(sleep, &i) || i.Cause != "too late for the wait" {
		t.Errorf("Acquire: %v, Sleep: %v; want the grant to stand and the sleep to be cut short", acquire, sleep)
	}
	if tool.InUse().Value() != 0 {
		t.Error("the process has ended and still holds the tool")
	}
}

func TestInterruptedWaitLeavesTheQueue(t *testing.T) {
	k := sim.New(1)
	defer k.Close()
	tool, store, tank, never := sim.NewResource(k, 1), sim.NewStore[int](k, 1), sim.NewContainer(k, 1, 0), k.Event()
	tool.Claim(sim.Terms{}, func() {})
	store.TryPut(1)
	for name, wait := range map[string]func(p *sim.Process) error{
		"Acquire":       tool.Acquire,
		"Put":           func(p *sim.Process) error { return store.Put(p, 2) },
		"GetWhere":      func(p *sim.Process) error { _, err := store.GetWhere(p, func(int) bool { return false }); return err },
		"Container.Get": func(p *sim.Process) error { return tank.Get(p, 1) },
		"Wait":          func(p *sim.Process) error { return p.Wait(never) },
	} {
		var err error
		h := k.Go(func(p *sim.Process) { err = wait(p) })
		k.Run(k.Now() + 10)
		if !h.Alive() {
			t.Errorf("%s did not wait", name)
		}
		h.Interrupt(name)
		k.Run(k.Now() + 10)
		if h.Alive() || err == nil || err.Error() != "interrupted: "+name {
			t.Errorf("%s: %v", name, err)
		}
		if h.Interrupt("again") {
			t.Errorf("%s: interrupted after its end", name)
		}
	}
	if tool.Waiting().Value() != 0 {
		t.Error("somebody still waits for the tool")
	}
	if tank.TryPut(1); tank.Level().Value() != 1 {
		t.Error("somebody still waits for the tank")
	}
	if v, ok := store.TryGet(); !ok || v != 1 || store.Len() != 0 {
		t.Errorf("got %d, %v, %d left; want the 1 and nothing from who was interrupted", v, ok, store.Len())
	}
}

// Who stands behind one that gives up, and wants less, is served at once.
func TestContainerServesBehindWhoGivesUp(t *testing.T) {
	k := sim.New(1)
	defer k.Close()
	tank := sim.NewContainer(k, 10, 5)
	large := k.Go(func(p *sim.Process) { tank.Get(p, 9) })
	small := k.Go(func(p *sim.Process) { tank.Get(p, 2) })
	k.Run(10)
	if !small.Alive() || tank.TryGet(1) {
		t.Error("somebody was served before the first in line")
	}
	large.Interrupt("give up")
	k.Run(20)
	if small.Alive() || tank.Level().Value() != 3 {
		t.Errorf("level %v, want 3", tank.Level().Value())
	}
	var err error
	k.Go(func(p *sim.Process) { err = tank.Put(p, 11) })
	k.Run(30)
	if err == nil || tank.TryPut(8) || !tank.TryPut(7) || tank.TryPut(-1) {
		t.Errorf("11 into a tank of 10: %v; level %v", err, tank.Level().Value())
	}
}

func TestPriorityThenOrderOfComing(t *testing.T) {
	k := sim.New(1)
	defer k.Close()
	dock := sim.NewResource(k, 1)
	var got []string
	ship := func(name string, priority int) {
		k.Go(func(p *sim.Process) {
			dock.AcquireWith(p, sim.Terms{Priority: priority})
			got = append(got, name)
			p.Sleep(1)
		})
	}
	ship("first", 9)
	for _, s := range []struct {
		name     string
		priority int
	}{{"b1", 2}, {"c1", 3}, {"a1", 1}, {"b2", 2}, {"a2", 1}} {
		ship(s.name, s.priority)
	}
	k.Run(100)
	if want := "first a1 a2 b1 b2 c1"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestClaimGivenUpBeforeItsCallIsNotCalled(t *testing.T) {
	k := sim.New(1)
	tool := sim.NewResource(k, 1)
	called, lost := false, false
	c := tool.Claim(sim.Terms{}, func() { called = true })
	if !c.Release() || c.Release() {
		t.Error("Release: want true once")
	}
	k.Run(1)
	if called {
		t.Error("called for a unit that had been given back")
	}
	old := tool.Claim(sim.Terms{Priority: 2, Lost: func() { lost = true }}, func() {})
	k.Run(2)
	tool.Claim(sim.Terms{Priority: 1, Preempt: true}, func() {})
	k.Run(3)
	if !lost || old.Release() || tool.InUse().Value() != 1 {
		t.Errorf("lost %v, in use %v; want a unit that changed hands", lost, tool.InUse().Value())
	}
}

func TestEventFailsThroughConditions(t *testing.T) {
	k := sim.New(1)
	defer k.Close()
	boom := errors.New("boom")
	a, b := k.Event(), k.Event()
	var all, any error = nil, errors.New("not reached")
	k.Go(func(p *sim.Process) { all = p.Wait(k.AllOf(a, b)) })
	k.Go(func(p *sim.Process) { any = p.Wait(k.AnyOf(a, b)) })
	k.After(1, a.Trigger)
	k.After(2, func() { b.Fail(boom); b.Trigger() })
	k.Run(3)
	if all != boom || any != nil || b.Err() != boom {
		t.Errorf("AllOf: %v, want boom; AnyOf: %v, want nil", all, any)
	}
	if !k.AllOf().Triggered() || !k.AnyOf().Triggered() || !k.AnyOf(a, k.Event()).Triggered() {
		t.Error("of nothing, or of what has happened: want it to have happened")
	}
}

func TestPanicOfAProcessComesOutOfRun(t *testing.T) {
	k := sim.New(1)
	defer k.Close()
	boom := errors.New("boom")
	bystander := "not touched"
	k.Go(func(p *sim.Process) {
		defer func() {
			if e := recover(); e != nil {
				bystander = fmt.Sprint("saw ", e)
			}
		}()
		for {
			p.Sleep(1)
		}
	})
	k.Go(func(p *sim.Process) { p.Sleep(10); panic(boom) })
	func() {
		defer func() {
			p, ok := recover().(*sim.Panic)
			if !ok || !errors.Is(p, boom) || !strings.Contains(p.Error(), "process_test.go") {
				t.Errorf("got %v, want boom and the stack of the process", p)
			}
		}()
		k.Run(100)
	}()
	if k.Now() != 10 {
		t.Errorf("at %v, want the 10 ns of the panic", k.Now())
	}
	if bystander != "not touched" {
		t.Errorf("another process %s", bystander)
	}
	k.Run(200) // goes on without the dead one
	if k.Now() != 200 {
		t.Errorf("at %v, want 200 ns", k.Now())
	}
}

func TestCloseEndsProcessesAndRunsTheirDefers(t *testing.T) {
	before := runtime.NumGoroutine()
	k := sim.New(1)
	unwound := 0
	for i := range 50 {
		k.Go(func(p *sim.Process) {
			defer func() { unwound++; p.Sleep(1) }() // a wait in a defer ends, too
			p.Sleep(time.Duration(i))
			if i%2 == 0 {
				p.Sleep(time.Hour)
			}
		})
	}
	k.Go(func(p *sim.Process) {}) // never begins
	timer := k.After(time.Hour, func() {})
	k.Run(60)
	k.Go(func(p *sim.Process) { t.Error("began after Close") })
	k.Close()
	k.Close()
	if unwound != 50 {
		t.Errorf("%d of 50 unwound", unwound)
	}
	if timer.Stop() {
		t.Error("stopped an event that Close had dropped")
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines, were %d", after, before)
	}
}

func TestHaltStopsRunWhereItIs(t *testing.T) {
	k := sim.New(1)
	defer k.Close()
	k.Go(func(p *sim.Process) {
		p.Sleep(10)
		k.Halt()
		p.Sleep(10)
	})
	k.Run(100)
	if k.Now() != 10 {
		t.Errorf("at %v, want 10 ns", k.Now())
	}
	k.Run(15)
	if k.Now() != 15 {
		t.Errorf("at %v, want 15 ns", k.Now())
	}
}

// Nothing is allocated per event, wait or process once the world is warm.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	k := sim.New(1)
	defer k.Close()
	r := k.Rand("steady")
	soon := func() time.Duration { return time.Duration(r.IntN(1000)) }
	var tick func()
	tick = func() { k.After(soon(), tick) }
	clerk, buffer, tank := sim.NewResource(k, 2), sim.NewStore[int](k, 4), sim.NewContainer(k, 10, 5)
	customer := func(p *sim.Process) {
		clerk.AcquireWith(p, sim.Terms{Priority: r.IntN(3)})
		p.Sleep(soon())
	}
	for range 100 {
		tick()
	}
	k.Go(func(p *sim.Process) {
		for {
			p.Sleep(soon())
			k.Go(customer)
		}
	})
	k.Go(func(p *sim.Process) {
		for {
			p.Sleep(soon())
			buffer.Put(p, 1)
			tank.Put(p, 3)
		}
	})
	k.Go(func(p *sim.Process) {
		for {
			p.Sleep(soon())
			buffer.Get(p)
			tank.Get(p, 3)
		}
	})
	k.Run(100_000)
	if n := testing.AllocsPerRun(20, func() { k.Run(k.Now() + 100_000) }); n > 0 {
		t.Errorf("%v allocations in 100 µs of some 20,000 events, want none", n)
	}
}

func TestParkedProcessIsSmall(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector widens stacks")
	}
	const n, limit = 10_000, 4500
	k := sim.New(1)
	defer k.Close()
	clerk := sim.NewResource(k, 1)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range n {
		k.Go(func(p *sim.Process) {
			p.Sleep(time.Second)
			clerk.Acquire(p)
			p.Sleep(time.Hour)
		})
	}
	k.Run(time.Minute)
	runtime.GC()
	runtime.ReadMemStats(&after)
	bytes := float64(after.StackInuse+after.HeapInuse) - float64(before.StackInuse+before.HeapInuse)
	t.Logf("%.0f bytes", bytes/n)
	if bytes/n > limit {
		t.Errorf("a parked process takes %.0f bytes, want at most %d", bytes/n, limit)
	}
}
