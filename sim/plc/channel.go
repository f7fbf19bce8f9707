package plc

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/plantbed/plantbed/sim/signal"
)

// Channel is the instrument between a machine and a tag. A reading goes
//
//	true value → lag → gain → bias, drift, temperature → noise, 1/f → span → wire type → spike → stuck → dropout
//
// A channel draws from random streams of its own, and always the same number
// of noise draws per reading, so that no fault shifts its own noise or that of
// another channel. Its own lag goes on under a fault's.
type Channel struct {
	tag     *Tag
	install float64 // constant offset, engineering units
	gain    float64 // with which it was installed; 1 is exact
	cross   float64 // engineering units for each kelvin away from 25 degC
	lag     lag
	flicker *flicker // or nil
	noise   *rand.Rand
	streams func(name string) *rand.Rand
	lo, hi  float64 // span, engineering units
	// slackLo and slackHi are how far a value may lie outside the span
	// before it is called saturated.
	slackLo, slackHi float64
	sd               float64 // noise at present

	faulty bool // whether any field of fault is set
	fault  fault
	last   float64 // the last value given out
	seen   bool    // whether there is one
}

// fault is everything that Clear clears.
type fault struct {
	gain, bias       float64
	cross            float64
	lag              lag
	drift            drift
	spikeRate, spike float64
	stuck            bool
	toBad, toGood    float64
	bad              bool
	rng              *rand.Rand
}

// Transmitters signal up to 3.8 mA and 20.5 mA before they call themselves
// saturated (NAMUR NE 43): 1.25 % of the span below and 3.125 % above.
const (
	underRange = 0.0125
	overRange  = 0.03125
)

func newChannel(t *Tag, install float64, streams func(string) *rand.Rand) *Channel {
	c := &Channel{tag: t, install: install, gain: 1, lag: lag{tauS: t.LagS}, streams: streams, noise: streams(""), sd: t.Noise}
	if t.Flicker > 0 {
		c.flicker = newFlicker(t.Flicker, streams("/flicker"))
	}
	c.lo, c.hi = t.span()
	if t.Hi > t.Lo {
		c.slackLo, c.slackHi = underRange*(t.Hi-t.Lo), overRange*(t.Hi-t.Lo)
	}
	c.fault.gain = 1
	return c
}

// read passes the true value x through the instrument at now.
func (c *Channel) read(now time.Duration, x float64) (float64, signal.Quality) {
	if c.lag.tauS > 0 {
		x = c.lag.follow(now, x)
	}
	z := c.gain*x + c.install
	if c.faulty {
		if c.fault.lag.tauS > 0 {
			x = c.fault.lag.follow(now, x)
		}
		z = c.gain*c.fault.gain*x + c.install + c.fault.bias + c.fault.drift.at(now)
	}
	if k := c.cross + c.fault.cross; k != 0 && c.tag.AmbientC != nil {
		z += k * (c.tag.AmbientC(now) - compensatedC)
	}
	if c.sd > 0 {
		z += c.sd * c.noise.NormFloat64()
	}
	if c.flicker != nil {
		z += c.flicker.next(now)
	}
	if c.faulty {
		return c.readFaulty(z)
	}
	return c.latch(z)
}

// compensatedC is the temperature at which instruments are calibrated.
const compensatedC = 25

// latch clips to the span, rounds to the wire type and keeps the result. No
// number at all, as from a broken physical model, is a failed sensor.
func (c *Channel) latch(z float64) (float64, signal.Quality) {
	q := signal.Good
	switch {
	case z > c.hi:
		if z > c.hi+c.slackHi {
			q = signal.UncertainSensorNotAccurate
		}
		z = c.hi
	case z < c.lo:
		if z < c.lo-c.slackLo {
			q = signal.UncertainSensorNotAccurate
		}
		z = c.lo
	case z != z:
		return c.last, signal.BadSensorFailure
	}
	c.last, c.seen = c.tag.quantise(z), true
	return c.last, q
}

// readFaulty is the rest of the chain with the faults in it.
func (c *Channel) readFaulty(z float64) (float64, signal.Quality) {
	f := &c.fault
	spike := 0.0
	if f.spikeRate > 0 && f.rng.Float64() < f.spikeRate {
		spike = math.Copysign(f.spike, f.rng.Float64()-0.5)
	}
	if f.toBad > 0 {
		if p := f.rng.Float64(); f.bad {
			f.bad = p >= f.toGood
		} else {
			f.bad = p < f.toBad
		}
	}
	if f.bad && c.seen {
		return c.last, signal.BadSensorFailure
	}
	if f.stuck && c.seen {
		return c.last, signal.Good
	}
	v, q := c.latch(z)
	if spike != 0 && !q.IsBad() { // on the way, behind the instrument
		lo, hi := c.tag.Type.limits()
		if c.tag.Type.IsInteger() {
			lo, hi = lo*c.tag.Scale, hi*c.tag.Scale
		}
		c.last = c.tag.quantise(min(max(v+spike, lo), hi))
		return c.last, q
	}
	return v, q
}

// drift is a ramp whose rate itself rises smoothly from 0 over driftOnset.
type drift struct {
	from      time.Duration
	perSecond float64
}

// driftOnset is the time in which a drift comes to its full rate.
const driftOnset = time.Minute

func (d drift) at(now time.Duration) float64 {
	if d.perSecond == 0 || now <= d.from {
		return 0
	}
	t, on := (now - d.from).Seconds(), driftOnset.Seconds()
	if t < on {
		return d.perSecond * t * t / (2 * on)
	}
	return d.perSecond * (t - on/2)
}

// SetBias adds v engineering units to every reading.
func (c *Channel) SetBias(v float64) { c.set(func(f *fault) { f.bias = v }) }

// Drift adds a ramp of perSecond engineering units a second, which starts at
// from and takes a minute to come to its full rate.
func (c *Channel) Drift(from time.Duration, perSecond float64) {
	c.set(func(f *fault) { f.drift = drift{from, perSecond} })
}

// SetGain multiplies the true value by g; 1 is healthy.
func (c *Channel) SetGain(g float64) { c.set(func(f *fault) { f.gain = g }) }

// SetCross adds v engineering units for each kelvin that the air around the
// instrument is away from 25 degC, as one whose compensation has failed; 0 is
// healthy.
func (c *Channel) SetCross(v float64) { c.set(func(f *fault) { f.cross = v }) }

// SetLag puts a second lag of tauS seconds behind the instrument's own, as a
// fouled thermowell does; 0 is healthy.
func (c *Channel) SetLag(tauS float64) { c.set(func(f *fault) { f.lag = lag{tauS: tauS} }) }

// SetNoise multiplies the healthy noise by factor; 1 is healthy.
func (c *Channel) SetNoise(factor float64) { c.sd = factor * c.tag.Noise }

// Stuck holds the last reading, with a good quality and no variance at all,
// until it is let go.
func (c *Channel) Stuck(on bool) { c.set(func(f *fault) { f.stuck = on }) }

// Spike adds plus or minus amp engineering units to a share of rate of the
// readings, drawn one by one.
func (c *Channel) Spike(rate, amp float64) {
	c.set(func(f *fault) { f.spikeRate, f.spike = rate, amp })
}

// Dropout loses the signal in bursts (Gilbert and Elliott): a good reading is
// followed by a bad one with probability toBad, a bad one by a good one with
// toGood. A bad reading keeps the last value and says BadSensorFailure;
// toBad 1 and toGood 0 is a cut cable.
func (c *Channel) Dropout(toBad, toGood float64) {
	c.set(func(f *fault) {
		f.toBad, f.toGood = toBad, toGood
		f.bad = f.bad && toBad > 0
	})
}

// Clear makes the channel healthy again.
func (c *Channel) Clear() {
	c.faulty, c.sd = false, c.tag.Noise
	c.fault = fault{gain: 1, rng: c.fault.rng}
}

// set turns a fault; the stream of faults is opened with the first one.
func (c *Channel) set(turn func(*fault)) {
	if c.fault.rng == nil {
		c.fault.rng = c.streams("/fault")
	}
	c.faulty = true
	turn(&c.fault)
}
