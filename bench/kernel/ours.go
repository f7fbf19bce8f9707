package main

import (
	"time"

	"github.com/plantbed/plantbed/sim"
)

// mm1Events is one clerk and a source of customers, in the event style: a
// function for each thing that happens.
func mm1Events(customers int, between, service []time.Duration) time.Duration {
	k := sim.New(1)
	var arrived, served uint
	var inSystem time.Duration           // the sum over those served
	since := make([]time.Duration, 1024) // a ring: when each customer in the system came
	var arrive, depart func()
	arrive = func() {
		if arrived-served == uint(len(since)) {
			since = widen(since, served)
		}
		since[arrived&uint(len(since)-1)] = k.Now()
		arrived++
		if arrived-served == 1 {
			k.After(service[served%draws], depart)
		}
		if arrived < uint(customers) {
			k.After(between[arrived%draws], arrive)
		}
	}
	depart = func() {
		inSystem += k.Now() - since[served&uint(len(since)-1)]
		served++
		if arrived > served {
			k.After(service[served%draws], depart)
		}
	}
	k.After(between[0], arrive)
	k.Run(endOfTime)
	return inSystem
}

// widen doubles a full ring whose oldest entry is number first.
func widen(ring []time.Duration, first uint) []time.Duration {
	wider := make([]time.Duration, 2*len(ring))
	for i := first; i < first+uint(len(ring)); i++ {
		wider[i&uint(len(wider)-1)] = ring[i&uint(len(ring)-1)]
	}
	return wider
}

// counter is the same in the process style: a process per customer.
type counter struct {
	between, service []time.Duration
	clerk            *sim.Resource
	served           int
	inSystem         time.Duration
}

func (c *counter) customer(p *sim.Process) {
	came := p.Now()
	c.clerk.Acquire(p)
	p.Sleep(c.service[c.served%draws])
	c.served++
	c.clerk.Release(p)
	c.inSystem += p.Now() - came
}

func mm1Processes(customers int, between, service []time.Duration) time.Duration {
	k := sim.New(1)
	defer k.Close()
	c := &counter{between: between, service: service, clerk: sim.NewResource(k, 1)}
	customer := c.customer
	k.Go(func(p *sim.Process) {
		for i := range customers {
			p.Sleep(between[i%draws])
			k.Go(customer)
		}
	})
	k.Run(endOfTime)
	return c.inSystem
}

// hold keeps so many events pending: each schedules its successor. It returns
// the time that the loop took, and the instant of the last event.
func hold(pending, events int, delay []time.Duration) (took, last time.Duration) {
	k := sim.New(1)
	i, end := 0, pending+events
	var next func()
	next = func() {
		k.After(delay[i%draws], next)
		if i++; i == end {
			k.Halt()
		}
	}
	for ; i < pending; i++ {
		k.After(delay[i%draws], next)
	}
	w := start()
	k.Run(endOfTime)
	return w.took(), k.Now()
}
