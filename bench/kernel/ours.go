package main

import (
	"time"

	"github.com/plantbed/plantbed/sim"
)

// queue is one clerk and a source of customers, in the event style: a state,
// and a function for each thing that happens.
type queue struct {
	k                *sim.Kernel
	between, service []time.Duration
	customers        int
	arrived, served  int
	since            []time.Duration // a ring: when each customer in the system came
	inSystem         time.Duration   // the sum over those served
	arrive, depart   func()
}

func mm1Events(customers int, between, service []time.Duration) time.Duration {
	q := &queue{
		k: sim.New(1), customers: customers, between: between, service: service,
		since: make([]time.Duration, 1024),
	}
	q.arrive, q.depart = q.arrival, q.departure
	q.k.After(between[0], q.arrive)
	q.k.Run(endOfTime)
	return q.inSystem
}

func (q *queue) arrival() {
	if q.arrived-q.served == len(q.since) {
		q.widen()
	}
	q.since[q.arrived&(len(q.since)-1)] = q.k.Now()
	q.arrived++
	if q.arrived-q.served == 1 {
		q.k.After(q.service[q.served%draws], q.depart)
	}
	if q.arrived < q.customers {
		q.k.After(q.between[q.arrived%draws], q.arrive)
	}
}

func (q *queue) departure() {
	q.inSystem += q.k.Now() - q.since[q.served&(len(q.since)-1)]
	q.served++
	if q.arrived > q.served {
		q.k.After(q.service[q.served%draws], q.depart)
	}
}

func (q *queue) widen() {
	wider := make([]time.Duration, 2*len(q.since))
	for i := q.served; i < q.arrived; i++ {
		wider[i&(len(wider)-1)] = q.since[i&(len(q.since)-1)]
	}
	q.since = wider
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
