package sim_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/plantbed/plantbed/sim"
)

// Three vans share two charging points.
func Example() {
	k := sim.New(42)
	defer k.Close()
	charger := sim.NewResource(k, 2)
	van := func(name string, arrives time.Duration) {
		k.Go(func(p *sim.Process) {
			p.Sleep(arrives)
			fmt.Println(p.Now(), name, "arrives")
			charger.Acquire(p)
			fmt.Println(p.Now(), name, "charges")
			p.Sleep(30 * time.Minute)
			charger.Release(p)
			fmt.Println(p.Now(), name, "leaves")
		})
	}
	for i, name := range []string{"a", "b", "c"} {
		van(name, time.Duration(i)*10*time.Minute)
	}
	k.Run(2 * time.Hour)
	fmt.Printf("%.2f in use, %.2f waiting\n", charger.InUse().Mean(), charger.Waiting().Mean())
	// Output:
	// 0s a arrives
	// 0s a charges
	// 10m0s b arrives
	// 10m0s b charges
	// 20m0s c arrives
	// 30m0s a leaves
	// 30m0s c charges
	// 40m0s b leaves
	// 1h0m0s c leaves
	// 0.75 in use, 0.08 waiting
}

// A machine breaks down; the part that is in it takes that much longer.
func ExampleHandle_Interrupt() {
	k := sim.New(1)
	defer k.Close()
	press := k.Go(func(p *sim.Process) {
		for part := 1; part <= 2; part++ {
			for left := 10 * time.Second; left > 0; {
				start := p.Now()
				err := p.Sleep(left)
				left -= p.Now() - start
				if err != nil {
					fmt.Println(p.Now(), err, "with", left, "to go")
					p.Sleep(time.Minute) // repair
				}
			}
			fmt.Println(p.Now(), "part", part)
		}
	})
	k.After(14*time.Second, func() { press.Interrupt("tool broken") })
	k.Run(time.Hour)
	// Output:
	// 10s part 1
	// 14s interrupted: tool broken with 6s to go
	// 1m20s part 2
}

// A customer who has waited for long enough goes away.
func ExampleKernel_AnyOf() {
	k := sim.New(1)
	defer k.Close()
	clerk := sim.NewResource(k, 1)
	clerk.Claim(sim.Terms{}, func() {}) // busy all day
	k.Go(func(p *sim.Process) {
		turn := k.Event()
		claim := clerk.Claim(sim.Terms{}, turn.Trigger)
		p.Wait(k.AnyOf(turn, k.Timeout(5*time.Minute)))
		if !turn.Triggered() {
			claim.Release()
			fmt.Println(p.Now(), "had enough;", clerk.Waiting().Value(), "wait")
		}
	})
	k.Run(time.Hour)
	// Output: 5m0s had enough; 0 wait
}

func ExampleKernel_AllOf() {
	k := sim.New(1)
	defer k.Close()
	part := func(d time.Duration) *sim.Event {
		return k.Go(func(p *sim.Process) { p.Sleep(d) }).Done()
	}
	k.Go(func(p *sim.Process) {
		p.Wait(k.AllOf(part(3*time.Second), part(8*time.Second), part(5*time.Second)))
		fmt.Println(p.Now(), "all parts are there")
	})
	k.Run(time.Hour)
	// Output: 8s all parts are there
}

// A breakdown takes the fitter away from a planned job.
func ExampleTerms() {
	k := sim.New(1)
	defer k.Close()
	fitter := sim.NewResource(k, 1)
	k.Go(func(p *sim.Process) {
		fitter.AcquireWith(p, sim.Terms{Priority: 5})
		var lost *sim.Interrupt
		if err := p.Sleep(2 * time.Hour); errors.As(err, &lost) {
			fmt.Println(p.Now(), "planned job:", lost.Cause)
		}
	})
	k.Go(func(p *sim.Process) {
		p.Sleep(time.Hour)
		fitter.AcquireWith(p, sim.Terms{Priority: 1, Preempt: true})
		fmt.Println(p.Now(), "breakdown: the fitter is here")
	})
	k.Run(8 * time.Hour)
	// Output:
	// 1h0m0s breakdown: the fitter is here
	// 1h0m0s planned job: preempted by priority 1; had been granted at 0s
}

// Two machines with room for one part in between: the first is blocked while
// the second, which is slower, has no room.
func ExampleStore() {
	k := sim.New(1)
	defer k.Close()
	buffer := sim.NewStore[int](k, 1)
	k.Go(func(p *sim.Process) {
		for part := 1; part <= 4; part++ {
			p.Sleep(time.Second)
			buffer.Put(p, part)
		}
		fmt.Println(p.Now(), "first machine is done")
	})
	k.Go(func(p *sim.Process) {
		for {
			part, _ := buffer.Get(p)
			p.Sleep(3 * time.Second)
			fmt.Println(p.Now(), "part", part)
		}
	})
	k.Run(time.Minute)
	// Output:
	// 4s part 1
	// 7s part 2
	// 7s first machine is done
	// 10s part 3
	// 13s part 4
}

// A tank is filled up when a customer has to wait for it.
func ExampleContainer() {
	k := sim.New(1)
	defer k.Close()
	tank := sim.NewContainer(k, 100, 40) // litres
	k.Go(func(p *sim.Process) {
		tank.Get(p, 30)
		fmt.Println(p.Now(), "30 l drawn")
		tank.Get(p, 30)
		fmt.Println(p.Now(), "30 l drawn")
	})
	k.Go(func(p *sim.Process) {
		p.Sleep(10 * time.Minute)
		tank.Put(p, 90)
	})
	k.Run(time.Hour)
	fmt.Printf("%.0f l, at most %.0f\n", tank.Level().Value(), tank.Level().Max())
	// Output:
	// 0s 30 l drawn
	// 10m0s 30 l drawn
	// 70 l, at most 100
}

func ExampleMonitor() {
	k := sim.New(1)
	power := sim.NewMonitor(k, 2) // kW
	k.After(15*time.Minute, func() { power.Set(10) })
	k.After(45*time.Minute, func() { power.Add(-8) })
	k.Run(time.Hour)
	fmt.Printf("mean %.0f kW, %.0f kWh, peak %.0f kW\n", power.Mean(), power.Integral()/3600, power.Max())
	// Output: mean 6 kW, 6 kWh, peak 10 kW
}
