package main

import (
	"time"

	"github.com/fschuetz04/simgo"
)

// desk is a clerk for simgo, which has events but no resource: free, or a
// line of events that those wait for who wait.
type desk struct {
	busy bool
	line []*simgo.Event
}

func (d *desk) acquire(p simgo.Process) {
	if !d.busy {
		d.busy = true
		return
	}
	turn := p.Event()
	d.line = append(d.line, turn)
	p.Wait(turn)
}

func (d *desk) release() {
	if len(d.line) == 0 {
		d.busy = false
		return
	}
	d.line[0].Trigger()
	d.line = d.line[1:]
}

// mm1Simgo is mm1Processes for simgo; times are float64 nanoseconds, which
// are exact up to 2^53.
func mm1Simgo(customers int, between, service []time.Duration) time.Duration {
	var s simgo.Simulation
	var d desk
	var inSystem float64
	served := 0
	customer := func(p simgo.Process) {
		came := p.Now()
		d.acquire(p)
		p.Wait(p.Timeout(float64(service[served%draws])))
		served++
		d.release()
		inSystem += p.Now() - came
	}
	s.Process(func(p simgo.Process) {
		for i := range customers {
			p.Wait(p.Timeout(float64(between[i%draws])))
			p.Process(customer)
		}
	})
	s.Run()
	return time.Duration(inSystem)
}
