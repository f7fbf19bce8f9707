package sim

import (
	"math"
	"time"
)

// Monitor is a value that holds until it is set anew, such as a queue's
// length, with its mean and variance over time.
type Monitor struct {
	k        *Kernel
	value    float64
	since    time.Duration // when the value was set
	start    time.Duration // of the statistics
	base     float64       // the areas are of value - base, which spares digits
	area     float64       // value * ns
	squares  float64       // value² * ns
	min, max float64
}

// NewMonitor makes a monitor of a value that is v now.
func NewMonitor(k *Kernel, v float64) *Monitor {
	m := &Monitor{k: k, value: v}
	m.Reset()
	return m
}

// Set makes the value v from now on.
func (m *Monitor) Set(v float64) {
	m.advance()
	m.value = v
	if v < m.min {
		m.min = v
	}
	if v > m.max {
		m.max = v
	}
}

// Add changes the value by d.
func (m *Monitor) Add(d float64) { m.Set(m.value + d) }

// Reset starts the statistics anew, as at the end of a warm-up; the value stays.
func (m *Monitor) Reset() {
	m.start, m.since = m.k.now, m.k.now
	m.base, m.area, m.squares = m.value, 0, 0
	m.min, m.max = m.value, m.value
}

// Value is the present one.
func (m *Monitor) Value() float64 { return m.value }

// Min and Max are the extremes since the start or Reset.
func (m *Monitor) Min() float64 { return m.min }

// Max is described at Min.
func (m *Monitor) Max() float64 { return m.max }

// Mean is the mean over time since the start or Reset; the present value
// where no time has passed.
func (m *Monitor) Mean() float64 {
	m.advance()
	if m.since == m.start {
		return m.value
	}
	return m.base + m.area/float64(m.since-m.start)
}

// Variance is the mean over time of the squared distance to Mean.
func (m *Monitor) Variance() float64 {
	m.advance()
	if m.since == m.start {
		return 0
	}
	d := float64(m.since - m.start)
	return math.Max(0, m.squares/d-(m.area/d)*(m.area/d))
}

// Integral is the value times the time it held, in seconds.
func (m *Monitor) Integral() float64 {
	m.advance()
	return m.base*(m.since-m.start).Seconds() + m.area*1e-9
}

func (m *Monitor) advance() {
	d, v := float64(m.k.now-m.since), m.value-m.base
	m.area += v * d
	m.squares += v * v * d
	m.since = m.k.now
}
