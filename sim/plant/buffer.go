package plant

import (
	"time"

	"github.com/plantbed/plantbed/sim"
)

// buffer is the room for units between two stations. With capacity 0 a unit
// goes from hand to hand.
type buffer struct {
	n, capacity int
	up, down    *station
}

// put takes a unit from the station before it, if there is room.
func (b *buffer) put() bool {
	inHand := b.capacity == 0 && b.n == 0 && b.down.waiting == starved
	if b.n >= b.capacity && !inHand {
		return false
	}
	b.n++
	b.down.wake()
	return true
}

// take gives a unit to the station behind it, if there is one.
func (b *buffer) take() bool {
	if b.n == 0 {
		return b.fromHand()
	}
	b.n--
	b.up.release()
	return true
}

// fromHand takes what the station before it could not put down.
func (b *buffer) fromHand() bool {
	up := b.up
	if !up.holding || !up.m.working() {
		return false
	}
	up.holding = false
	// Not at once: the taker has to begin its own unit first.
	up.m.kernel.After(0, up.next)
	return true
}

func (b *buffer) share(time.Duration) (full, units float64) {
	return float64(b.n) / float64(max(1, b.capacity)), float64(b.n)
}

// bowl is the room behind a feeder: portions that flow in at the feeder's
// rate while it runs and are taken one by one.
type bowl struct {
	capacity float64
	level    float64 // portions
	at       time.Duration
	fed      float64 // portions since the start
	feeder   *Machine
	down     *station
	wake     sim.Timer
	woken    func()
}

func newBowl(capacity int, feeder *Machine, down *station) *bowl {
	b := &bowl{capacity: float64(capacity), level: float64(capacity), feeder: feeder, down: down}
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

func (b *bowl) take() bool {
	now := b.feeder.kernel.Now()
	b.update(now)
	if b.level < 1-tiny {
		b.wakeLater(now)
		return false
	}
	b.level = max(0, b.level-1)
	return true
}

// wakeLater calls the taker when the next portion will have flowed in.
func (b *bowl) wakeLater(now time.Duration) {
	b.wake.Stop()
	if b.feeder.ledger.state == Execute && b.level < 1-tiny {
		b.wake = b.feeder.kernel.At(now+seconds((1-b.level)*b.feeder.IdealCycle), b.woken)
	}
}

func (b *bowl) share(now time.Duration) (full, units float64) {
	level := b.level + b.inflow(now)
	return level / b.capacity, 0
}
