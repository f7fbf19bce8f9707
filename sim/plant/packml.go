package plant

import "time"

// Machine states, numbered as in PackML (ISA-TR88.00.02, OPC 30050).
const (
	Clearing  = 1
	Stopped   = 2
	Starting  = 3
	Idle      = 4
	Suspended = 5 // waits for its neighbours
	Execute   = 6
	Aborted   = 9
	Held      = 11 // waits for its operator

	states = 18
)

// StateName is what PackML calls a state.
func StateName(state int) string {
	switch state {
	case Clearing:
		return "Clearing"
	case Stopped:
		return "Stopped"
	case Starting:
		return "Starting"
	case Idle:
		return "Idle"
	case Suspended:
		return "Suspended"
	case Execute:
		return "Execute"
	case Aborted:
		return "Aborted"
	case Held:
		return "Held"
	}
	return "Undefined"
}

// StateNames are the names of all states that a machine can be in.
func StateNames() (names []string) {
	for s := range states {
		if name := StateName(s); name != "Undefined" {
			names = append(names, name)
		}
	}
	return names
}

// reason is why a machine is in its state.
type reason int

const (
	producing reason = iota
	starved
	blocked
	minorStop
	waitingCrew
	inRepair
	restarting
	toolChange
	changeOver
	maintenance
	noShift
	reasons
)

var reasonNames = [reasons]string{"producing", "starved", "blocked", "minor stop", "waiting for crew", "repair", "restart", "tool change", "change-over", "maintenance", "no shift"}

// Spell is the time that a machine has spent in a state for a reason. A wait
// too short for the machine to suspend itself is Execute, starved or blocked.
type Spell struct {
	State   int
	Reason  string
	Seconds float64
}

// ledger books every instant of a machine's life under one state and reason.
//
// Outside of the line's hours nothing is lost: whatever a machine waits for,
// a crew or a neighbour, is "no shift". Only a unit in work is finished.
type ledger struct {
	state  int
	reason reason
	closed bool
	since  time.Duration
	spent  [states][reasons]time.Duration
}

// why is the reason that the present time is booked under.
func (l *ledger) why() reason {
	if l.closed && l.reason != producing {
		return noShift
	}
	return l.reason
}

func (l *ledger) book(now time.Duration, state int, why reason) {
	l.spent[l.state][l.why()] += now - l.since
	l.state, l.reason, l.since = state, why, now
}

// shift begins or ends the planned time.
func (l *ledger) shift(now time.Duration, open bool) {
	l.book(now, l.state, l.reason)
	l.closed = !open
}

// in is the time in a state up to now.
func (l *ledger) in(state int, now time.Duration) (sum time.Duration) {
	for _, d := range l.spent[state] {
		sum += d
	}
	if l.state == state {
		sum += now - l.since
	}
	return sum
}

// because is the time for a reason up to now.
func (l *ledger) because(why reason, now time.Duration) (sum time.Duration) {
	for s := range l.spent {
		sum += l.spent[s][why]
	}
	if l.why() == why {
		sum += now - l.since
	}
	return sum
}

func (l *ledger) spells(now time.Duration) []Spell {
	closed := *l
	closed.book(now, l.state, l.reason)
	var out []Spell
	for s := range closed.spent {
		for r, d := range closed.spent[s] {
			if d > 0 {
				out = append(out, Spell{State: s, Reason: reasonNames[r], Seconds: d.Seconds()})
			}
		}
	}
	return out
}

// OEE is overall equipment effectiveness by ISO 22400-2, with all of the run
// but what lies outside of a line's hours as planned time: Availability is time in Execute over the run, Performance
// is ideal time for all units over time in Execute (short waits are speed
// losses), Quality is good units over all; OEE is their product.
type OEE struct {
	Availability, Performance, Quality, OEE float64
}

func effectiveness(now, execute time.Duration, idealS, total, good float64) (o OEE) {
	if now > 0 {
		o.Availability = execute.Seconds() / now.Seconds()
	}
	if execute > 0 {
		o.Performance = idealS * total / execute.Seconds()
	}
	if total > 0 {
		o.Quality = good / total
	}
	o.OEE = o.Availability * o.Performance * o.Quality
	return o
}
