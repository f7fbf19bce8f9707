package plant

import (
	"time"

	"github.com/plantbed/plantbed/sim"
)

// buffer is the room for units between two stations. With capacity 0 a unit
// goes from hand to hand. A conveyor that takes its time is one too: what is on
// the way has its place, and cannot be taken yet.
type buffer struct {
	n, capacity int
	kernel      *sim.Kernel
	up, down    []*station // several where machines work in parallel
	travel      time.Duration
	moving      int                             // of n, those on their way
	products    []int                           // of what lies there, if the line makes several; first in, first out
	watch       func(by int, now time.Duration) // told of what comes and goes; for tests
	arrived     func()
}

func newBuffer(capacity int, up, down []*station, travel time.Duration) *buffer {
	b := &buffer{n: capacity / 2, capacity: capacity, kernel: up[0].m.kernel, up: up, down: down, travel: travel}
	b.arrived = func() {
		b.moving--
		b.wake()
	}
	if up[0].products != nil {
		b.products = make([]int, b.n)
	}
	return b
}

// put takes a unit from the station before it, if there is room.
func (b *buffer) put(product int) bool {
	inHand := b.capacity == 0 && b.n == 0 && longest(b.down, starved, 0) >= 0
	if b.n >= b.capacity && !inHand {
		return false
	}
	b.n++
	if b.products != nil {
		b.products = append(b.products, product)
	}
	if b.watch != nil {
		b.watch(1, b.kernel.Now())
	}
	if b.travel > 0 {
		b.moving++
		b.kernel.After(b.travel, b.arrived)
		return true
	}
	b.wake()
	return true
}

// wake tells those who starve that there is something to take.
func (b *buffer) wake() {
	if len(b.down) == 1 {
		b.down[0].wake()
		return
	}
	for tried, i := uint64(0), 0; ; tried |= 1 << i {
		if i = longest(b.down, starved, tried); i < 0 {
			return
		}
		b.down[i].wake()
	}
}

// release tells those who are blocked that there is room.
func (b *buffer) release() {
	if len(b.up) == 1 {
		b.up[0].release()
		return
	}
	for tried, i := uint64(0), 0; ; tried |= 1 << i {
		if i = longest(b.up, blocked, tried); i < 0 {
			return
		}
		b.up[i].release()
	}
}

// longest of the stations has waited so, of those not tried; -1 for none. Who
// has waited longest is the next.
func longest(stations []*station, why reason, tried uint64) int {
	best := -1
	for i, s := range stations {
		if s.waiting == why && tried>>i&1 == 0 && (best < 0 || s.since < stations[best].since) {
			best = i
		}
	}
	return best
}

// ready tells whether n units can be taken.
func (b *buffer) ready(n int) bool { return b.n-b.moving >= n }

// take gives n units to the station behind it, if they are there.
func (b *buffer) take(n int) (product int, ok bool) {
	if b.n == 0 && n == 1 {
		return b.fromHand()
	}
	if !b.ready(n) {
		return 0, false
	}
	b.n -= n
	if len(b.products) >= n {
		product = b.products[0]
		b.products = b.products[:copy(b.products, b.products[n:])]
	}
	if b.watch != nil {
		b.watch(-n, b.kernel.Now())
	}
	b.release()
	return product, true
}

// fromHand takes what the station before it could not put down.
func (b *buffer) fromHand() (product int, ok bool) {
	up := b.up[0]
	if i := longest(b.up, blocked, 0); i >= 0 {
		up = b.up[i]
	}
	if b.capacity > 0 || !up.holding || !up.m.working() {
		return 0, false
	}
	up.holding, up.left = false, 0
	// Not at once: the taker has to begin its own unit first.
	b.kernel.After(0, up.next)
	return up.product, true
}

func (b *buffer) share(time.Duration) (full, units float64) {
	return float64(b.n) / float64(max(1, b.capacity)), float64(b.n)
}

// bowl is the room behind a feeder: portions that flow in at the feeder's
// rate while it runs and are taken one by one.
type bowl struct {
	capacity float64
	level    float64 // portions
	want     float64 // portions that the station takes at a time
	at       time.Duration
	fed      float64 // portions since the start
	feeder   *Machine
	down     *station
	wake     sim.Timer
	woken    func()
}

func newBowl(capacity int, feeder *Machine, down *station) *bowl {
	b := &bowl{capacity: float64(capacity), level: float64(capacity), feeder: feeder, down: down, want: 1}
	b.woken = b.down.wake
	feeder.feed = b
	return b
}

// inflow is what flows in from the last update until now.
func (b *bowl) inflow(now time.Duration) float64 {
	if b.feeder.ledger.state != Execute {
		return 0
	}
	return min(b.capacity-b.level, (now-b.at).Seconds()/b.feeder.IdealCycle)
}

func (b *bowl) update(now time.Duration) {
	gain := b.inflow(now)
	b.at = now
	if gain <= 0 {
		return
	}
	b.level += gain
	b.fed += gain
	b.feeder.supply(gain)
	b.feeder.good = int(b.fed + tiny)
	b.feeder.total = b.feeder.good
}

// tiny forgives the rounding of a level that should be a whole number.
const tiny = 1e-6

func (b *bowl) ready(n int) bool {
	now := b.feeder.kernel.Now()
	b.update(now)
	b.want = float64(n)
	if b.level < b.want-tiny {
		b.wakeLater(now)
		return false
	}
	return true
}

func (b *bowl) take(n int) (product int, ok bool) {
	if !b.ready(n) {
		return 0, false
	}
	b.level = max(0, b.level-b.want)
	return 0, true
}

// wakeLater calls the taker when the next portion will have flowed in.
func (b *bowl) wakeLater(now time.Duration) {
	b.wake.Stop()
	if b.feeder.ledger.state == Execute && b.level < b.want-tiny {
		b.wake = b.feeder.kernel.At(now+seconds((b.want-b.level)*b.feeder.IdealCycle), b.woken)
	}
}

func (b *bowl) share(now time.Duration) (full, units float64) {
	level := b.level + b.inflow(now)
	return level / b.capacity, 0
}
