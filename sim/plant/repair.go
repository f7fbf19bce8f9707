package plant

import "time"

// breakDown stops the machine at once and calls the crew for a component.
func (m *Machine) breakDown(w *wear) {
	m.restartAt.Stop()
	m.broken++
	m.station.abort()
	if m.inWork == 0 {
		m.enter(Aborted, waitingCrew)
	}
	m.crew.call(func() {
		m.inWork++
		m.enter(Aborted, inRepair)
		m.kernel.After(m.repairTime, func() { m.repaired(w) })
	})
}

func (m *Machine) repaired(w *wear) {
	m.inWork--
	m.broken--
	w.renew()
	m.emit(w.event("repair"))
	if m.inWork == 0 && m.broken > 0 {
		m.enter(Aborted, waitingCrew)
	}
	m.crew.done()
	if m.broken == 0 {
		m.restartFrom(0)
	}
}

// restartSteps is the way back from Aborted, with each step's share of the
// restart time.
var restartSteps = []struct {
	state int
	share float64
}{{Clearing, 0.4}, {Stopped, 0.1}, {Idle, 0.1}, {Starting, 0.4}}

func (m *Machine) restartFrom(step int) {
	if step == len(restartSteps) {
		m.enter(Execute, producing)
		m.station.restart()
		return
	}
	m.enter(restartSteps[step].state, restarting)
	d := time.Duration(restartSteps[step].share * float64(m.restart))
	m.restartAt = m.kernel.After(d, func() { m.restartFrom(step + 1) })
}

// crew repairs the machines of a line, first come, first served.
type crew struct {
	free    int
	waiting []func()
}

// call begins the job as soon as somebody is free.
func (c *crew) call(begin func()) {
	if c.free == 0 {
		c.waiting = append(c.waiting, begin)
		return
	}
	c.free--
	begin()
}

// done frees who did a job for the next.
func (c *crew) done() {
	if len(c.waiting) == 0 {
		c.free++
		return
	}
	begin := c.waiting[0]
	c.waiting = c.waiting[1:]
	begin()
}
