package plant

import "time"

// breakDown stops the machine at once and calls the crew for it.
func (m *Machine) breakDown(w fault) {
	m.restartAt.Stop()
	m.broken++
	m.station.abort()
	if m.inWork == 0 {
		m.enter(Aborted, waitingCrew)
	}
	m.crew.call(w.skill(), func(t *team) {
		m.inWork++
		m.enter(Aborted, inRepair)
		m.kernel.After(w.repairTime(), func() { m.repaired(w, t) })
	})
}

// fault is what stops a machine until a crew has repaired it.
type fault interface {
	skill() string
	repairTime() time.Duration
	// renew makes it as good as a repair does.
	renew()
	event(kind string) Event
}

func (m *Machine) repaired(w fault, t *team) {
	m.inWork--
	m.broken--
	w.renew()
	m.emit(w.event("repair"))
	if m.inWork == 0 && m.broken > 0 {
		m.enter(Aborted, waitingCrew)
	}
	m.crew.done(t)
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
		if m.station.closed {
			m.enter(Stopped, noShift)
			return
		}
		m.station.restart()
		return
	}
	m.enter(restartSteps[step].state, restarting)
	d := time.Duration(restartSteps[step].share * float64(m.restart))
	m.restartAt = m.kernel.After(d, func() { m.restartFrom(step + 1) })
}
