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
	since    time.Duration
	finish   sim.Timer
	suspend  sim.Timer
	resume   sim.Timer
	cycles   *rand.Rand // one stream per purpose, so that one change of
	spoiling *rand.Rand // the config leaves the other draws where they were
	stops    *rand.Rand
	scrap    float64

	takes, gives int        // units per cycle
	sides        []*buffer  // what else it takes one unit from, per cycle: assembly
	offs         []*buffer  // what else it gives one unit to: disassembly
	left         int        // units that it holds for out
	owed         []int      // and for each of offs
	law          *times     // of cycles, or nil for the usual one
	reworks      *rand.Rand // or nil for none
	rework       float64    // share of spoiled units
	reworkTo     *station
	again        int       // units that wait to be worked again
	products     []product // of its line, if it makes several
	started      *int      // units, to know the lot; of all machines that work in parallel
	product      int       // of the unit in work
	setup        int       // what it is set up for
	loading      bool      // it is taking, and must not be woken by what that sets free
	loaded       bool      // a unit is in it that it is not set up for
	closed       bool      // outside of its line's hours
	stopMean     float64   // units between minor stops; 0 for none
	stopS        float64
	unitsTo      int // units until the next minor stop

	finished, suspended, resumed func() // made once: an event each costs no allocation
}

// source is where a station takes its units from.
type source interface {
	ready(n int) bool
	take(n int) (product int, ok bool)
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
		scrap: p["scrap"] / 100, stopS: p["minor_stop_time"], takes: 1, gives: 1, started: new(int),
	}
	if perHour := p["minor_stops"]; perHour > 0 && m.IdealCycle > 0 {
		s.stopMean = 3600 / perHour / m.IdealCycle
	}
	s.drawStop()
	s.finished, s.suspended, s.resumed = s.onFinished, s.onSuspend, s.onResume
	return s
}

// configure takes in what a machine's configuration says of its work.
func (s *station) configure(cfg MachineConfig, c chance) {
	s.takes, s.gives = max(1, cfg.Takes), max(1, cfg.Gives)
	s.law = cfg.Cycle.times()
	if cfg.Rework != nil {
		s.reworks, s.rework, s.reworkTo = c.kernel.Rand(c.machine+"/rework"), cfg.Rework.Share, s
	}
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
	if s.law != nil {
		return max(1, seconds(s.law.mean*s.law.draw(s.cycles)*s.m.IdealCycle))
	}
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

// free: it has no unit in work and is neither broken nor stopped.
func (s *station) free() bool { return !s.working && s.m.working() }

// next begins a unit if it can.
func (s *station) next() {
	if s.working || s.holding || !s.m.working() {
		return
	}
	switch {
	case len(s.m.due) > 0:
		s.m.serve()
		return
	case s.closed:
		s.endWait()
		s.m.enter(Stopped, noShift)
		return
	case s.m.def.feeds || s.m.def.utility:
		return
	case s.unitsTo <= 0:
		s.jam()
		return
	}
	if s.upkeep() {
		return
	}
	if !s.loaded && !s.load() {
		s.wait(starved)
		return
	}
	if s.product != s.setup {
		s.change()
		return
	}
	s.loaded = false
	s.begin()
}

// load takes what a cycle needs: units to be worked again first.
func (s *station) load() bool {
	s.loading = true
	defer func() { s.loading = false }()
	if s.again > 0 {
		s.again--
		s.product = s.setup
		s.loaded = true
		return true
	}
	for _, b := range s.sides {
		if !b.ready(1) {
			return false
		}
	}
	switch b := s.in.(type) {
	case nil:
		s.product = s.lot()
	default:
		product, ok := b.take(s.takes)
		if !ok {
			return false
		}
		if _, bulk := b.(*bowl); bulk {
			product = s.lot()
		}
		s.product = product
	}
	for _, b := range s.sides {
		b.take(1)
	}
	*s.started++
	s.loaded = true
	return true
}

// lot is the product of the next unit by plan: lot after lot, round and round.
func (s *station) lot() int {
	if len(s.products) < 2 {
		return 0
	}
	round := 0
	for _, p := range s.products {
		round += p.Lot
	}
	n := *s.started % round
	for i, p := range s.products {
		if n < p.Lot {
			return i
		}
		n -= p.Lot
	}
	return 0
}

// change sets the station up for the product that it has before it.
func (s *station) change() {
	s.endWait()
	s.m.enter(Held, changeOver)
	p := s.products[s.product]
	s.resume = s.m.kernel.After(p.change, func() {
		s.setup = s.product
		if recipe := p.Recipe[s.m.Name]; recipe != nil {
			_ = s.m.SetRecipe(recipe) // Validate has tried it
		}
		s.onResume()
	})
}

func (s *station) begin() {
	s.unitsTo--
	s.endWait()
	s.m.enter(Execute, producing)
	s.working = true
	cycle := s.cycle()
	s.m.pace(true, cycle)
	s.finish = s.m.kernel.After(cycle, s.finished)
	for _, b := range s.m.breakdowns {
		b.begun(cycle)
	}
}

// upkeep is work on itself that a machine needs before its next unit.
func (s *station) upkeep() bool {
	u, ok := s.m.model.(interface{ upkeep() (float64, reason) })
	if !ok {
		return false
	}
	s.m.watch()
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
	s.unitEnds()
	s.m.total++
	s.m.measured = -1
	if s.spoiling.Float64() < s.spoiled() {
		if s.reworks != nil && s.reworks.Float64() < s.rework {
			s.reworkTo.again++
			if s.reworkTo != s {
				s.reworkTo.wake()
			}
		}
		s.next()
		return
	}
	s.m.good++
	s.left = s.gives
	for i := range s.owed {
		s.owed[i] = 1
	}
	s.pass()
}

func (s *station) unitEnds() {
	s.working = false
	s.m.pace(false, 0)
	for _, b := range s.m.breakdowns {
		b.ended()
	}
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

// pass hands the finished units on, or keeps what there is no room for.
func (s *station) pass() {
	s.holding = false
	for ; s.left > 0 && s.out != nil; s.left-- {
		if !s.out.put(s.product) {
			s.holding = true
			break
		}
	}
	for i, b := range s.offs {
		for ; s.owed[i] > 0; s.owed[i]-- {
			if !b.put(s.product) {
				s.holding = true
				break
			}
		}
	}
	if s.holding {
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
	s.waiting, s.since = why, s.m.kernel.Now()
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
		s.unitEnds()
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
	if s.waiting == starved && !s.loading {
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
