package plc

import "github.com/plantbed/plantbed/sim/signal"

// Sample looks at a task's machines now, through its instruments, and writes
// what a scan would latch into values and quality, which have the length of
// the task's tags. It counts no scan, makes no block and tells nobody: it is
// for the fast gear, where rows are all that is wanted. It belongs to the
// kernel's goroutine.
func (p *PLC) Sample(task int, values []float64, quality []signal.Quality) {
	c := p.cycle[task]
	now := p.k.Now()
	for i, ch := range c.channels {
		values[i], quality[i] = ch.read(now, ch.tag.Read(now))
	}
}
