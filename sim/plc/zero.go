package plc

import (
	"fmt"

	"github.com/plantbed/plantbed/sim/signal"
)

// Zero has counters begin again at 0 at the next scan of their task, as a
// totaliser does when it is reset. It may be called from any goroutine. Tags
// with an instrument in front of them are no counters.
func (p *PLC) Zero(ids ...signal.ID) error {
	for _, id := range ids {
		at, ok := p.where[id]
		if !ok {
			return fmt.Errorf("plc %q has no tag %q", p.cfg.Name, id)
		}
		if t := &p.cycle[at.task].task.Tags[at.index]; t.Noise > 0 || !t.Type.IsInteger() {
			return fmt.Errorf("plc %q: tag %q is no counter: %w", p.cfg.Name, id, ErrReadOnly)
		}
	}
	for _, id := range ids {
		at := p.where[id]
		c := p.cycle[at.task]
		c.mu.Lock()
		c.zeroing = append(c.zeroing, at.index)
		c.mu.Unlock()
	}
	return nil
}

// takeZeros makes the present readings those from which counters count. It is
// called at a scan, with the machines as they are then.
func (c *cycle) takeZeros(read func(index int) float64) {
	c.mu.Lock()
	list := c.zeroing
	c.zeroing = nil
	c.mu.Unlock()
	for _, i := range list {
		if c.zero == nil {
			c.zero = make([]float64, len(c.channels))
		}
		c.zero[i] = read(i)
	}
}
