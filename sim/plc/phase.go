package plc

import "time"

// apart is the least distance in time between scans of two tasks. Where their
// periods leave less room it is an eighth of their greatest common divisor,
// and nothing can be done about periods without a common divisor to speak of.
const apart = time.Millisecond

// setPhases draws the instant of each task's first scan, in nanoseconds within
// its period, from a stream of its own. Two tasks whose phases differ by a
// multiple of the greatest common divisor of their periods would meet again
// and again; those are drawn anew.
func (p *PLC) setPhases() {
	for i, c := range p.cycle {
		rng := p.k.Rand("plc/" + p.cfg.Name + "/phase/" + c.task.Name)
		for {
			c.phase = 1 + time.Duration(rng.Int64N(int64(c.task.Period)-1))
			if i == 0 || !meets(p.cycle[0], c) {
				break
			}
		}
	}
}

// meets tells whether scans of a and b ever come too near to one another.
func meets(a, b *cycle) bool {
	g := gcd(a.task.Period, b.task.Period)
	d := (a.phase - b.phase) % g
	if d < 0 {
		d += g
	}
	return min(d, g-d) < min(apart, g/8)
}

func gcd(a, b time.Duration) time.Duration {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
