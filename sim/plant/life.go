package plant

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim"
	"github.com/plantbed/plantbed/sim/physics"
)

// LifeConfig has a component wear out by itself.
type LifeConfig struct {
	Component string `toml:"component"`
	// Law is a law of wear by name; "" is the component's own.
	Law string `toml:"law,omitempty"`
	// Mean life, in hours of running at the usual load in the usual hall.
	Mean strict.Duration `toml:"mean"`
	// Kijima is the share of its age that a repair after a failure leaves: 0
	// as good as new, 1 as bad as old.
	Kijima float64 `toml:"kijima"`
}

func (c LifeConfig) validate(k kind) strict.Problems {
	var ps strict.Problems
	ps = append(ps, componentProblems("component", c.Component, k)...)
	if _, ok := physics.FindLaw(c.Law); !ok && c.Law != "" {
		var names []string
		for _, l := range physics.Laws {
			names = append(names, l.Name)
		}
		ps.AddName("law", fmt.Sprintf("there is no law of wear %q", c.Law), c.Law, names)
	}
	if c.Mean.D() < time.Second {
		ps.Addf("mean", "%v is no life", c.Mean)
	}
	if !(c.Kijima >= 0 && c.Kijima <= 1) {
		ps.Addf("kijima", "%v is not from 0, as good as new, to 1, as bad as old", c.Kijima)
	}
	return ps
}

func componentProblems(path, name string, k kind) strict.Problems {
	var ps strict.Problems
	var names []string
	for _, c := range k.Components {
		if c.Name == name {
			return nil
		}
		names = append(names, c.Name)
	}
	ps.AddName(path, fmt.Sprintf("a %s has no component %q", k.Name, name), name, names)
	return ps
}

// life is a component's own ageing. Its clock is exposure tau: time in which
// the machine runs, faster under more load (the cube of it for what rolls) and,
// for insulation, in a warmer hall (twice per 10 K). That rate changes at
// events only, so tau is a closed form in between, and nothing is computed
// until somebody asks or the next milestone is due:
//
//	born ──► onset ──► detectable ──► failure        in tau
//
// The whole of a life is drawn at birth.
type life struct {
	w      *wear
	cfg    LifeConfig
	law    physics.Law
	unit   *physics.Unit
	births int
	ageS   float64 // virtual age at birth (Kijima I)
	tau    float64 // exposure at since
	since  float64
	rate   float64
	told   int // milestones that are past
	check  sim.Timer
	armed  time.Duration // when check is due
}

func newLife(w *wear, cfg LifeConfig) *life {
	l := &life{w: w, cfg: cfg, law: w.Law}
	if cfg.Law != "" {
		l.law, _ = physics.FindLaw(cfg.Law)
	}
	l.born(0)
	return l
}

// rng is a stream of this life alone.
func (l *life) rng() *rand.Rand {
	l.births++
	return l.w.m.kernel.Rand(l.w.m.chance.machine + "/" + l.w.Name + "/life/" + strconv.Itoa(l.births))
}

// born draws a life that outlasts a virtual age: among all lives, one of those
// that have come that far.
func (l *life) born(ageS float64) {
	rng, mean := l.rng(), l.cfg.Mean.D().Seconds()
	for range 1000 {
		if l.unit = l.law.Draw(mean, rng); l.unit.FailureS > ageS {
			break
		}
	}
	if l.unit.FailureS <= ageS { // hardly any lasts so long: it has had its time
		ageS = 0.99 * l.unit.FailureS
	}
	l.ageS, l.tau, l.told = ageS, ageS, 0
	l.since = l.w.m.kernel.Now().Seconds()
	for ageS > 0 && l.told < 2 && l.milestone() <= ageS {
		l.told++ // it was born with them
	}
}

func (l *life) restore(kijima float64) {
	l.check.Stop()
	l.armed = 0
	now := l.w.m.kernel.Now().Seconds()
	lived := l.tauAt(now) - l.ageS
	l.born(l.ageS + kijima*lived)
}

func (l *life) tauAt(tS float64) float64 { return l.tau + l.rate*max(0, tS-l.since) }

// milestone is the exposure at which the next thing happens to it.
func (l *life) milestone() float64 {
	switch l.told {
	case 0:
		return l.unit.OnsetS
	case 1:
		if d := l.w.shows(); d < 1 {
			return l.unit.Reach(d)
		}
		return l.unit.FailureS
	}
	return l.unit.FailureS
}

// exposure is the rate at which it ages now.
func (l *life) exposure() float64 {
	m := l.w.m
	if l.w.failed || !m.in.driving() {
		return 0
	}
	power := 1.0
	if l.law.Name == physics.Spall.Name {
		power = 3 // ISO 281
	}
	warmer := 0.0
	if l.law.Process == physics.Wiener1 { // insulation
		warmer = m.surround.hall.to
	}
	return physics.ExposureS(1, 1+m.in.extra, power, warmer, 1)
}

// exposed takes in that the rate may have changed.
func (l *life) exposed() {
	now := l.w.m.kernel.Now().Seconds()
	rate := l.exposure()
	if rate == l.rate {
		return
	}
	l.tau, l.since, l.rate = l.tauAt(now), now, rate
	l.arm()
}

// arm has the next milestone looked at in time. A check that comes too early
// is put off then, so that a machine which stops and starts all the time
// leaves no trail of timers.
func (l *life) arm() {
	if l.rate <= 0 || l.w.failed || l.w.path != nil {
		return
	}
	now := l.w.m.kernel.Now()
	due := now + seconds(min(max(0, l.milestone()-l.tauAt(now.Seconds()))/l.rate, 9e9))
	if l.armed > now && l.armed <= due {
		return
	}
	l.check.Stop()
	l.armed = due
	l.check = l.w.m.kernel.At(due, l.look)
}

func (l *life) look() {
	l.armed = 0
	w := l.w
	if w.failed || w.path != nil {
		return
	}
	if l.tauAt(w.m.kernel.Now().Seconds()) < l.milestone()-1e-6 {
		l.arm()
		return
	}
	l.told++
	switch l.told {
	case 1:
		w.m.emit(w.event("onset"))
	case 2:
		w.m.emit(w.event("detectable"))
	case 3:
		w.fail()
		return
	}
	l.arm()
}

func (w *wear) kijima() float64 {
	if w.life == nil {
		return 0
	}
	return w.life.cfg.Kijima
}

// shows is the damage from which on a component shows in some signal by more
// than its noise, at the usual operating point in the steady state; 1 for one
// that never does.
func (w *wear) shows() float64 {
	if w.showsAt > 0 {
		return w.showsAt
	}
	m := w.m
	m.advance(m.kernel.Now().Truncate(grid))
	in := inputs{state: Execute, drawing: true, bowl: 1, steady: true}
	m.surround.at(0, &in)
	healthy := m.model.fork()
	settle(healthy, in)
	noise := m.noise(healthy, in)
	want, got := make([]float64, len(noise)), make([]float64, len(noise))
	healthy.measure(&in, 0, want)
	lo, hi := 0.0, 1.0
	for range 20 {
		d := (lo + hi) / 2
		in.damage[w.index] = d
		worn := healthy.fork()
		settle(worn, in)
		worn.measure(&in, 0, got)
		seen := false
		for j := range noise {
			seen = seen || math.Abs(got[j]-want[j]) > noise[j]
		}
		if seen {
			hi = d
		} else {
			lo = d
		}
	}
	w.showsAt = hi
	return hi
}

// ageing sets up what a machine's configuration says of its lives,
// breakdowns and maintenance.
func (m *Machine) ageing(cfg MachineConfig) {
	for _, c := range cfg.Lives {
		for _, w := range m.wears {
			if w.Name == c.Component {
				m.watched = true // its damage is no moment that is kept
				w.life = newLife(w, c)
			}
		}
	}
	for _, c := range cfg.Breakdowns {
		m.breakdowns = append(m.breakdowns, newBreakdown(m, c))
	}
	for _, c := range cfg.Maintenance {
		m.orders = append(m.orders, newOrder(m, c))
	}
}

func (m *Machine) startAgeing() {
	for _, b := range m.breakdowns {
		b.start()
	}
	for _, o := range m.orders {
		o.start()
	}
	m.exposed()
}

// exposed tells all that counts running time that it may run otherwise now.
func (m *Machine) exposed() {
	for _, w := range m.wears {
		if w.life != nil {
			w.life.exposed()
		}
	}
	for _, b := range m.breakdowns {
		b.stateChanged()
	}
	for _, o := range m.orders {
		o.stateChanged()
	}
}

// Remaining is the true distribution of the time until a component fails if
// the machine goes on as it does now.
type Remaining struct {
	law  physics.Remaining
	rate float64 // exposure per second; 0 for one that does not age
}

// CDF is the chance that it has failed d from now.
func (r Remaining) CDF(d time.Duration) float64 {
	if r.rate == 0 {
		return 0
	}
	return r.law.CDF(d.Seconds() * r.rate)
}

// Quantile is when it has failed with chance p; not ok for what does not age.
func (r Remaining) Quantile(p float64) (d time.Duration, ok bool) {
	if r.rate == 0 {
		return 0, false
	}
	return seconds(min(r.law.Quantile(p)/r.rate, 9e9)), true
}

// Remaining life of a component now: of one that wears by a knob's plan it is
// certain, of one that lives by itself it is what its law and its latent state
// leave open. It is the answer key of remaining-life models.
func (m *Machine) Remaining(component string) (Remaining, error) {
	now := m.kernel.Now().Seconds()
	for _, w := range m.wears {
		switch {
		case w.Name != component:
		case w.failed:
			return Remaining{physics.Certain(0), 1}, nil
		case w.path != nil:
			return Remaining{physics.Certain(w.path.FailureS - now), 1}, nil
		case w.life != nil:
			return Remaining{w.life.unit.Remaining(w.life.tauAt(now)), w.life.rate}, nil
		default:
			return Remaining{}, nil
		}
	}
	return Remaining{}, fmt.Errorf("machine %q has no component %q", m.Name, component)
}
