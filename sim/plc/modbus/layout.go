package modbus

import (
	"fmt"
	"sort"

	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/signal"
)

// Limits of the protocol (Modbus Application Protocol V1.1b3, section 6).
const (
	maxReadRegisters  = 125
	maxWriteRegisters = 123
	maxReadWrite      = 121 // written by function 23
	maxReadCoils      = 2000
	maxWriteCoils     = 1968
)

// Addresses of the marker words and of the marker bits, which begin at the same
// address, each in its own table.
const (
	MarkerStart = 0xF000
	MarkerCount = 256
	MarkerBits  = 4096
)

// counterWords is the size of a block's scan counter.
const counterWords = 2

// Register is one tag in the register map.
type Register struct {
	ID signal.ID
	// Address is that of its first register, counted from 0.
	Address uint16
	Type    plc.Type
	// Scale is engineering units per raw count.
	Scale float64
	// Order is how the bytes of the value lie.
	Order plc.Order
	// Task and Index are its place in the image.
	Task, Index int
}

// Words is how many registers the tag takes.
func (r Register) Words() int { return words(r.Type) }

func words(t plc.Type) int {
	switch t {
	case plc.Int32, plc.UInt32, plc.Float32:
		return 2
	case plc.Int64, plc.UInt64, plc.Float64:
		return 4
	}
	return 1
}

// Block is a run of registers that is read in one request: a scan counter and
// the tags that were latched with it.
type Block struct {
	Task int
	// Counter is the address of the 32-bit scan counter, high word first.
	Counter uint16
	// Start and Count are all registers of the block, counter and tags.
	Start, Count uint16
}

// Map is where everything stands. Registers and Blocks go by address.
type Map struct {
	Registers []Register
	Blocks    []Block
	// Bits are the tags that are coils and discrete inputs too: address n is
	// Registers[Bits[n]], the n-th bool tag.
	Bits []int
}

// NewMap lays out tasks one after another, from address 0: for each task a
// block of its counter and its tags in their order, and a further such block
// wherever a tag would be the 126th register of one.
func NewMap(tasks []*plc.Task) (*Map, error) {
	m := &Map{}
	next := 0
	for _, t := range tasks {
		open := false
		for i := range t.Tags {
			tag := &t.Tags[i]
			w := words(tag.Type)
			if !open || int(m.last().Count)+w > maxReadRegisters {
				m.Blocks = append(m.Blocks, Block{Task: t.Index, Counter: uint16(next), Start: uint16(next), Count: counterWords})
				next += counterWords
				open = true
			}
			if next+w > MarkerStart {
				return nil, fmt.Errorf("task %q: tag %q does not fit in: the registers of tags end at %d", t.Name, tag.ID, MarkerStart)
			}
			if tag.Type == plc.Bool {
				m.Bits = append(m.Bits, len(m.Registers))
			}
			m.Registers = append(m.Registers, Register{
				ID: tag.ID, Address: uint16(next), Type: tag.Type, Scale: tag.Scale, Order: tag.Order, Task: t.Index, Index: i,
			})
			m.last().Count += uint16(w)
			next += w
		}
	}
	return m, nil
}

func (m *Map) last() *Block { return &m.Blocks[len(m.Blocks)-1] }

// end is the first address behind the tags.
func (m *Map) end() int {
	if len(m.Blocks) == 0 {
		return 0
	}
	return int(m.last().Start) + int(m.last().Count)
}

// from is the index of the first tag at or behind an address.
func (m *Map) from(address int) int {
	return sort.Search(len(m.Registers), func(i int) bool { return int(m.Registers[i].Address) >= address })
}

// Layout is the register map of tasks, by address; nil where it does not fit.
func Layout(tasks []*plc.Task) []Register {
	if m, err := NewMap(tasks); err == nil {
		return m.Registers
	}
	return nil
}

// Blocks are the blocks of Layout.
func Blocks(tasks []*plc.Task) []Block {
	if m, err := NewMap(tasks); err == nil {
		return m.Blocks
	}
	return nil
}
