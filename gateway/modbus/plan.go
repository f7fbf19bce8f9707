package modbus

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/signal"
)

// Point is a tag of the device that stands in no block: which request reads it
// is planned.
type Point struct {
	ID signal.ID `toml:"id"`
	// Address, Type, Scale and Order are as a Tag's, Registers and Poll as a
	// Block's.
	Address   uint16          `toml:"address"`
	Type      string          `toml:"type"`
	Scale     float64         `toml:"scale"`
	Order     string          `toml:"order"`
	Registers string          `toml:"registers"`
	Poll      strict.Duration `toml:"poll"`
}

func (p Point) tag() Tag {
	return Tag{ID: p.ID, Address: p.Address, Type: p.Type, Scale: p.Scale, Order: p.Order}
}

func (p Point) end() int { return int(p.Address) + kinds[p.Type].words }

func (p Point) validate() strict.Problems {
	ps := p.tag().validate(Block{Start: p.Address, Count: max(1, kinds[p.Type].words)})
	if p.Poll.D() < time.Millisecond {
		ps.Add("poll", fmt.Sprintf("must be at least 1ms, is %s", p.Poll))
	}
	if p.Registers != "holding" && p.Registers != "input" {
		ps.Add("registers", fmt.Sprintf("%q is neither \"holding\" nor \"input\"", p.Registers))
	}
	if p.end() > 1<<16 {
		ps.Add("address", fmt.Sprintf("registers %d to %d: the last one there is is 65535", p.Address, p.end()-1))
	}
	return ps
}

// plan puts points into as few blocks as can be: those of one table and one
// period, in the order of their addresses, none reaching over more than most
// registers nor over more than gap registers that nobody asked for. Taking as
// many as fit from the lowest address on is the fewest there can be.
func plan(points []Point, gap, most int) (blocks []Block) {
	type class struct {
		registers string
		poll      time.Duration
	}
	of := func(p Point) class { return class{p.Registers, p.Poll.D()} }
	sorted := slices.Clone(points)
	slices.SortStableFunc(sorted, func(a, b Point) int {
		return cmp.Or(cmp.Compare(a.Registers, b.Registers), cmp.Compare(a.Poll, b.Poll), cmp.Compare(a.Address, b.Address))
	})
	for i, p := range sorted {
		last := len(blocks) - 1
		if i > 0 && of(sorted[i-1]) == of(p) {
			b := &blocks[last]
			if end := int(b.Start) + b.Count; int(p.Address)-end <= gap && p.end()-int(b.Start) <= most {
				b.Count = max(b.Count, p.end()-int(b.Start))
				b.Tags = append(b.Tags, p.tag())
				continue
			}
		}
		blocks = append(blocks, Block{Start: p.Address, Count: p.end() - int(p.Address), Poll: p.Poll, Registers: p.Registers, Tags: []Tag{p.tag()}})
	}
	return blocks
}

// all are the blocks of the config and those that its points are read by.
func (c *Config) all() []Block {
	return append(slices.Clip(c.Blocks), plan(c.Tags, c.MaxGap, c.MaxRegisters)...)
}

// IDs are the tags in the order of the config, and where each stands in it.
func (c *Config) IDs(each func(id signal.ID, path string)) {
	for i, b := range c.Blocks {
		for k, t := range b.Tags {
			each(t.ID, fmt.Sprintf("block[%d].tag[%d].id", i, k))
		}
	}
	for i, p := range c.Tags {
		each(p.ID, fmt.Sprintf("tag[%d].id", i))
	}
}
