package plant

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/plantbed/plantbed/sim"
)

// station is a machine's part in the flow: it takes a unit from what stands
// before it, works, and passes it on; when the place behind it is full it
// keeps the unit and is blocked (blocking after service).
//
//	next: take ──► work ──► finished: scrap, or pass ──► next
//	        └ starved                           └ blocked
type station struct {
	m        *Machine
	in       source // nil: endless supply
	out      *buffer
	working  bool
	holding  bool   // has a finished unit that it could not pass on
	waiting  reason // starved or blocked, or producing for neither
	finish   sim.Timer
	suspend  sim.Timer
	resume   sim.Timer
	cycles   *rand.Rand // one stream per purpose, so that one change of
	spoiling *rand.Rand // the config leaves the other draws where they were
	stops    *rand.Rand
	scrap    float64
	stopMean float64 // units between minor stops; 0 for none
	stopS    float64
	unitsTo  int // units until the next minor stop

	finished, suspended, resumed func() // made once: an event each costs no allocation
}

// source is where a station takes its units from.
type source interface {
	take() bool
	share(now time.Duration) (full, units float64)
}

// suspendAfter is how long a machine waits for its neighbours before it
// stops its drive and says so.
const suspendAfter = 3 * time.Second

func newStation(m *Machine, p params, c chance) *station {
	s := &station{
		m:      m,
		cycles: c.kernel.Rand(c.machine + "/cycle"), spoiling: c.kernel.Rand(c.machine + "/scrap"),
		stops: c.kernel.Rand(c.machine + "/stop"),
		scrap: p["scrap"] / 100, stopS: p["minor_stop_time"],
	}
	if perHour := p["minor_stops"]; perHour > 0 && m.IdealCycle > 0 {
		s.stopMean = 3600 / perHour / m.IdealCycle
	}
	s.drawStop()
	s.finished, s.suspended, s.resumed = s.onFinished, s.onSuspend, s.onResume
	return s
}

func (s *station) drawStop() {
	s.unitsTo = math.MaxInt
	if s.stopMean > 0 {
		s.unitsTo = 1 + int(s.stops.ExpFloat64()*s.stopMean)
	}
}

// cycle is triangular from 0.97 to 1.10 of the ideal time with its mode
// there: the mean is 1.023 of it, the coefficient of variation 2.7 %.
func (s *station) cycle() time.Duration {
	const low, mode, high = 0.97, 1.0, 1.10
	const rise = (mode - low) / (high - low)
	u, x := s.cycles.Float64(), 0.0
	if u < rise {
		x = low + math.Sqrt(u*(high-low)*(mode-low))
	} else {
		x = high - math.Sqrt((1-u)*(high-low)*(high-mode))
	}
	return seconds(x * s.m.IdealCycle)
}

// start begins at a random point of a cycle.
func (s *station) start() {
	if s.m.def.utility {
		return
	}
	if s.m.def.feeds {
		if s.m.feed == nil {
			s.drain()
		}
		return
	}
	s.resume = s.m.kernel.After(time.Duration(s.cycles.Float64()*float64(s.cycle())), s.resumed)
}

// drain is the endless demand for what a feeder outside any line supplies.
func (s *station) drain() {
	s.m.kernel.After(s.cycle(), func() {
		if s.m.ledger.state == Execute {
			s.m.supply(1)
			s.m.good++
			s.m.total++
		}
		s.drain()
	})
}

// next begins a unit if it can.
func (s *station) next() {
	if s.working || s.holding || s.m.def.feeds || s.m.def.utility || !s.m.working() {
		return
	}
	if s.unitsTo <= 0 {
		s.jam()
		return
	}
	if s.upkeep() {
		return
	}
	if s.in != nil && !s.in.take() {
		s.wait(starved)
		return
	}
	s.unitsTo--
	s.endWait()
	s.m.enter(Execute, producing)
	s.working = true
	cycle := s.cycle()
	s.m.pace(true, cycle)
	s.finish = s.m.kernel.After(cycle, s.finished)
}

// upkeep is work on itself that a machine needs before its next unit.
func (s *station) upkeep() bool {
	u, ok := s.m.model.(interface{ upkeep() (float64, reason) })
	if !ok {
		return false
	}
	s.m.touch(s.m.kernel.Now())
	d, why := u.upkeep()
	if d <= 0 {
		return false
	}
	s.endWait()
	s.m.enter(Held, why)
	s.resume = s.m.kernel.After(seconds(d), s.resumed)
	return true
}

func (s *station) onFinished() {
	s.working = false
	s.m.pace(false, 0)
	s.m.total++
	s.m.measured = -1
	if s.spoiling.Float64() < s.spoiled() {
		s.next()
		return
	}
	s.m.good++
	s.pass()
}

// spoiled is the chance that this unit is scrap.
func (s *station) spoiled() float64 {
	p := s.scrap
	tS := s.m.kernel.Now().Seconds()
	for i, w := range s.m.wears {
		if share := s.m.def.spoils[i]; share > 0 {
			d := w.damage(tS)
			p += share * d * d
		}
	}
	return p
}

// pass hands the finished unit on, or keeps it.
func (s *station) pass() {
	s.holding = false
	if s.out != nil && !s.out.put() {
		s.holding = true
		s.wait(blocked)
		return
	}
	s.next()
}

func (s *station) wait(why reason) {
	if s.waiting == why {
		return
	}
	s.endWait()
	s.waiting = why
	if s.m.ledger.state == Suspended {
		s.m.enter(Suspended, why)
		return
	}
	s.m.enter(Execute, why)
	s.suspend = s.m.kernel.After(suspendAfter, s.suspended)
}

func (s *station) endWait() {
	if s.waiting != producing {
		s.waiting = producing
		s.suspend.Stop()
	}
}

func (s *station) onSuspend() { s.m.enter(Suspended, s.waiting) }

// jam is a minor stop that the operator clears.
func (s *station) jam() {
	s.endWait()
	s.m.enter(Held, minorStop)
	s.resume = s.m.kernel.After(seconds(s.stopS*s.stops.ExpFloat64()), s.resumed)
	s.drawStop()
}

func (s *station) onResume() {
	s.m.enter(Execute, producing)
	s.next()
}

// abort loses the unit in work; a finished one stays where it is.
func (s *station) abort() {
	s.finish.Stop()
	s.resume.Stop()
	s.endWait()
	if s.working {
		s.working = false
		s.m.pace(false, 0)
		s.m.total++
	}
}

func (s *station) restart() {
	if s.holding {
		s.pass()
		return
	}
	s.next()
}

// release is called when a place behind the station has become free.
func (s *station) release() {
	if s.holding && s.m.working() {
		s.pass()
	}
}

// wake is called when there is something to take.
func (s *station) wake() {
	if s.waiting == starved {
		s.next()
	}
}

// stateChanged tells a feeder whether its product is being drawn.
func (s *station) stateChanged(now time.Duration) {
	if b, ok := s.in.(*bowl); ok {
		b.feeder.touch(now)
		b.feeder.in.drawing = s.m.ledger.state == Execute
	}
}

// fullness is how full the place before the station is, and how many units
// lie on both sides of it.
func (s *station) fullness(now time.Duration) (share, queue float64) {
	share = 1
	if s.in != nil {
		share, queue = s.in.share(now)
	}
	if s.out != nil {
		queue += float64(s.out.n)
	}
	return share, queue
}
