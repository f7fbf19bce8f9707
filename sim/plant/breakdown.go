package plant

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim"
)

// BreakdownConfig is trouble that comes without warning.
type BreakdownConfig struct {
	Name string `toml:"name"`
	// By is what brings it about: "usage" (the default), time in which the
	// machine works; "calendar", time whatever it does; or "units".
	By string `toml:"by"`
	// Mean time between two, or Units between two.
	Mean  strict.Duration `toml:"mean"`
	Units float64         `toml:"units,omitempty"`
	// Times is how that scatters; exponential if left out.
	Times *Times `toml:"times,omitempty"`
	// Repair is the mean work on it, RepairTimes how that scatters; constant
	// if left out.
	Repair      strict.Duration `toml:"repair"`
	RepairTimes *Times          `toml:"repair_times,omitempty"`
	Skill       string          `toml:"skill,omitempty"`
}

func (b BreakdownConfig) validate() strict.Problems {
	var ps strict.Problems
	if b.Name == "" {
		ps.Add("name", "is missing")
	}
	switch b.By {
	case "", "usage", "calendar":
		if b.Mean <= 0 {
			ps.Addf("mean", "%v is no time between breakdowns", b.Mean)
		}
	case "units":
		if !(b.Units >= 1) {
			ps.Addf("units", "%v is no number of units between breakdowns", b.Units)
		}
	default:
		ps.AddName("by", fmt.Sprintf("%q brings no breakdowns about", b.By), b.By, []string{"usage", "calendar", "units"})
	}
	if b.Repair <= 0 {
		ps.Addf("repair", "%v is no time for a repair", b.Repair)
	}
	for path, t := range map[string]*Times{"times": b.Times, "repair_times": b.RepairTimes} {
		if t != nil {
			ps = append(ps, t.validate().Under(path)...)
		}
	}
	return ps
}

// breakdown is one sort of trouble of one machine.
//
// By usage, a station counts the time of its units down and knows, as a unit
// begins, whether it will see its end; what runs without units counts its
// time in Execute.
type breakdown struct {
	cfg    BreakdownConfig
	m      *Machine
	rng    *rand.Rand
	times  *times
	repair *times
	leftS  float64       // usage or units until the next one
	since  time.Duration // when the count of what runs began
	timer  sim.Timer
	broken bool
}

func newBreakdown(m *Machine, cfg BreakdownConfig) *breakdown {
	if cfg.Times == nil {
		cfg.Times = &Times{Law: "exponential"}
	}
	if cfg.RepairTimes == nil {
		cfg.RepairTimes = &Times{Law: "constant"}
	}
	b := &breakdown{cfg: cfg, m: m, times: cfg.Times.times(), repair: cfg.RepairTimes.times(),
		rng: m.kernel.Rand(m.chance.machine + "/breakdown/" + cfg.Name)}
	b.next()
	return b
}

func (b *breakdown) next() {
	mean := b.cfg.Mean.D().Seconds()
	if b.cfg.By == "units" {
		mean = b.cfg.Units
	}
	b.leftS = mean * b.times.mean * b.times.draw(b.rng)
}

// start sets the calendar going, and what runs without units.
func (b *breakdown) start() {
	if b.cfg.By == "calendar" {
		b.timer = b.m.kernel.After(seconds(b.leftS), b.strike)
		return
	}
	b.stateChanged()
}

// byTime: it counts time in Execute, since there are no units to count.
func (b *breakdown) byTime() bool {
	return b.cfg.By != "calendar" && (b.m.def.utility || b.m.def.feeds)
}

func (b *breakdown) stateChanged() {
	if !b.byTime() || b.broken {
		return
	}
	now := b.m.kernel.Now()
	if b.timer.Stop() {
		b.leftS -= (now - b.since).Seconds()
	}
	if b.m.ledger.state == Execute {
		b.since = now
		b.timer = b.m.kernel.After(seconds(max(0, b.leftS)), b.strike)
	}
}

// begun is told of a unit, and strikes in the midst of it when it is time.
func (b *breakdown) begun(cycle time.Duration) {
	if b.broken {
		return
	}
	use := cycle.Seconds()
	switch b.cfg.By {
	case "calendar":
		return
	case "units":
		if b.leftS--; b.leftS <= 0 {
			b.timer = b.m.kernel.After(seconds(use*(1+max(-1, b.leftS))), b.strike)
		}
		return
	}
	if b.leftS < use {
		b.timer = b.m.kernel.After(seconds(b.leftS), b.strike)
	}
	b.since = b.m.kernel.Now()
}

// ended is told how long a unit was worked on in the end.
func (b *breakdown) ended() {
	if b.cfg.By == "calendar" || b.cfg.By == "units" || b.broken {
		return
	}
	b.timer.Stop()
	b.leftS = math.Max(0, b.leftS-(b.m.kernel.Now()-b.since).Seconds())
}

func (b *breakdown) strike() {
	if b.m.ledger.state == Aborted { // it lies still already: not twice
		b.next()
		b.start()
		return
	}
	b.broken = true
	b.m.emit(b.event("breakdown"))
	b.m.breakDown(b)
}

func (b *breakdown) skill() string { return b.cfg.Skill }

func (b *breakdown) repairTime() time.Duration {
	return seconds(b.cfg.Repair.D().Seconds() * b.repair.mean * b.repair.draw(b.rng))
}

func (b *breakdown) renew() {
	b.broken = false
	b.next()
	if b.cfg.By == "calendar" {
		b.start()
	}
}

func (b *breakdown) event(kind string) Event {
	return Event{At: b.m.kernel.Now(), Machine: b.m.Name, Kind: kind, Component: b.cfg.Name, Mode: "breakdown"}
}
