package gateway

import (
	"slices"

	"github.com/plantbed/plantbed/gateway/buffer"
	"github.com/plantbed/plantbed/sim/signal"
)

// DropPriority is the reason of samples that a filling buffer under the policy
// by-priority has no more place for, while it has for those of more weight.
const DropPriority = "buffer-priority"

// priorities is the policy by-priority: of n priorities that the config names
// (0 is one of them) the lowest finds the buffer full at 1/n of its size, the
// next at 2/n, and the highest when it is full. Nil is any other policy.
type priorities struct {
	limits map[signal.ID]int64 // bytes; of those that are not here, least
	least  int64
}

func (c Config) priorities() *priorities {
	if c.Buffer.Policy != buffer.ByPriority {
		return nil
	}
	levels := []int{0}
	for _, t := range c.Tags {
		levels = append(levels, t.Priority)
	}
	slices.Sort(levels)
	levels = slices.Compact(levels)
	limit := func(priority int) int64 {
		i, _ := slices.BinarySearch(levels, priority)
		return int64(c.Buffer.MaxBytes) * int64(i+1) / int64(len(levels))
	}
	p := &priorities{limits: map[signal.ID]int64{}, least: limit(0)}
	for _, t := range c.Tags {
		p.limits[t.ID] = limit(t.Priority)
	}
	return p
}

// over tells whether a tag finds a buffer of so many bytes full.
func (p *priorities) over(id signal.ID, used int64) bool {
	limit, ok := p.limits[id]
	if !ok {
		limit = p.least
	}
	return used >= limit
}

// admit keeps the samples that there is place for when so many bytes are used.
func (p *priorities) admit(in []signal.Sample, used int64) (out []signal.Sample) {
	if p == nil {
		return in
	}
	over := func(s signal.Sample) bool { return p.over(s.ID, used) }
	if !slices.ContainsFunc(in, over) {
		return in
	}
	return slices.DeleteFunc(slices.Clone(in), over)
}
