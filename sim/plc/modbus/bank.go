package modbus

import (
	"sync"
	"sync/atomic"

	"github.com/tbrandon/mbserver"

	"github.com/plantbed/plantbed/sim/plc"
)

// bank is the register memory of one device, behind one lock.
type bank struct {
	img Image
	m   *Map
	// tapped tells that somebody wants to know what a response carries.
	tapped bool
	// task lists the tags of each task by address, blocks its blocks, bits
	// its tags that are bits.
	task   [][]Register
	blocks [][]Block
	bits   [][]bit

	mu sync.RWMutex
	// shown is what is read: the latest scan of every task, and the markers.
	shown mbserver.Server
	// wanted is what is written to: the same, with the writes in it that wait
	// for their scan, so that two words of one value may come one by one.
	wanted mbserver.Server
	// seq is the scan that shown holds of each task, 0 before the first.
	seq []uint64
	// missing is what is there at other times.
	missing atomic.Pointer[missing]
}

const addressSpace = 1 << 16

// bit is a bool tag: its address and its place in the task.
type bit struct{ address, index int }

func newBank(img Image, m *Map, tapped bool) *bank {
	n := len(img.Tasks())
	b := &bank{img: img, m: m, tapped: tapped, seq: make([]uint64, n), task: make([][]Register, n), blocks: make([][]Block, n), bits: make([][]bit, n)}
	for _, r := range m.Registers {
		b.task[r.Task] = append(b.task[r.Task], r)
	}
	for _, k := range m.Blocks {
		b.blocks[k.Task] = append(b.blocks[k.Task], k)
	}
	for address, i := range m.Bits {
		r := &m.Registers[i]
		b.bits[r.Task] = append(b.bits[r.Task], bit{address, r.Index})
	}
	b.shown.HoldingRegisters = make([]uint16, addressSpace)
	b.shown.Coils = make([]byte, addressSpace)
	b.wanted.HoldingRegisters = make([]uint16, addressSpace)
	for _, t := range img.Tasks() {
		if latest := img.Latest(t.Index); latest != nil {
			b.scan(latest)
		}
	}
	return b
}

// scan takes over what a task has latched, all of it at once.
func (b *bank) scan(block *plc.Block) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seq[block.Task] = block.Seq
	regs := b.shown.HoldingRegisters
	for i := range b.task[block.Task] {
		r := &b.task[block.Task][i]
		encode(regs[r.Address:], r, block.Values[r.Index])
	}
	for _, at := range b.bits[block.Task] {
		b.shown.Coils[at.address] = 0
		if block.Values[at.index] != 0 {
			b.shown.Coils[at.address] = 1
		}
	}
	for _, k := range b.blocks[block.Task] {
		put32(regs[k.Counter:], block.Counter())
		copy(b.wanted.HoldingRegisters[k.Start:k.Start+k.Count], regs[k.Start:])
	}
}

// readable tells whether count registers from start all exist: within the
// tags, or within the markers.
func (b *bank) readable(start, count int) bool {
	if m := b.missing.Load(); m != nil && hits(m.words, start, count) {
		return false
	}
	return start+count <= b.m.end() || markers(start, count)
}

func markers(start, count int) bool {
	return start >= MarkerStart && start+count <= MarkerStart+MarkerCount
}

// items adds every sample that lies wholly in count registers from start. The
// caller holds the lock.
func (b *bank) items(into []Ref, start, count int) []Ref {
	if !b.tapped {
		return into
	}
	for i := b.m.from(start); i < len(b.m.Registers); i++ {
		r := &b.m.Registers[i]
		if int(r.Address)+r.Words() > start+count {
			break
		}
		into = b.item(into, r)
	}
	return into
}

// item adds the sample that a tag shows, if its task has scanned yet.
func (b *bank) item(into []Ref, r *Register) []Ref {
	if seq := b.seq[r.Task]; seq > 0 {
		into = append(into, Ref{r.Task, r.Index, seq})
	}
	return into
}

// setting is a tag that a client sets.
type setting struct {
	tag   *plc.Tag
	value float64
}

// set lets write change count wanted registers from start, and hands the tags
// in them to the PLC: all of them, or, with an exception, none. The caller
// holds the lock.
func (b *bank) set(start, count int, write func()) mbserver.Exception {
	regs := b.wanted.HoldingRegisters[start : start+count]
	if markers(start, count) {
		write()
		copy(b.shown.HoldingRegisters[start:], regs)
		return none
	}
	if !b.settable(start, count) {
		return badAddress
	}
	var before [maxWriteRegisters]uint16
	copy(before[:], regs)
	write()
	settings, exc := b.settings(start, count)
	if exc != none {
		copy(regs, before[:])
		return exc
	}
	for _, s := range settings {
		if err := b.img.Write(s.tag.ID, s.value); err != nil {
			copy(regs, before[:])
			return deviceFailure
		}
	}
	return none
}

// settable tells whether count registers from start belong to writable tags
// alone; scan counters are nobody's to write.
func (b *bank) settable(start, count int) bool {
	covered := 0
	b.touched(start, count, func(r *Register, t *plc.Tag) bool {
		if t.Write == nil {
			return false
		}
		covered += min(int(r.Address)+r.Words(), start+count) - max(int(r.Address), start)
		return true
	})
	return covered == count
}

// settings reads the tags in count wanted registers from start.
func (b *bank) settings(start, count int) (all []setting, exc mbserver.Exception) {
	b.touched(start, count, func(r *Register, t *plc.Tag) bool {
		v := decode(b.wanted.HoldingRegisters[r.Address:], r)
		if t.Accepts(v) != nil {
			exc = badValue
			return false
		}
		all = append(all, setting{t, v})
		return true
	})
	return all, exc
}

// touched calls f for every tag with a register among count from start, until
// f says false.
func (b *bank) touched(start, count int, f func(*Register, *plc.Tag) bool) {
	const widest = 4 // registers of a double
	for i := b.m.from(start - widest + 1); i < len(b.m.Registers); i++ {
		r := &b.m.Registers[i]
		if int(r.Address) >= start+count {
			return
		}
		if int(r.Address)+r.Words() <= start {
			continue
		}
		if !f(r, &b.img.Tasks()[r.Task].Tags[r.Index]) {
			return
		}
	}
}
