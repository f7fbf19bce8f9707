package modbus

import (
	"github.com/tbrandon/mbserver"

	"github.com/plantbed/plantbed/sim/plc"
)

// bitsExist tells whether count bits from start all exist: among the tags, or
// among the markers.
func (b *bank) bitsExist(start, count int) bool {
	if m := b.missing.Load(); m != nil && hits(m.bits, start, count) {
		return false
	}
	return start+count <= len(b.m.Bits) || start >= MarkerStart && start+count <= MarkerStart+MarkerBits
}

// readBits is functions 1 and 2.
func (b *bank) readBits(p *pdu, items []Ref) ([]Ref, mbserver.Exception) {
	start, count := p.word(0), p.word(1)
	if !b.bitsExist(start, count) {
		return items, badAddress
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	p.data = packBits(p.scratch(), b.shown.Coils[start:start+count])
	if b.tapped && start < len(b.m.Bits) {
		for _, i := range b.m.Bits[start : start+count] {
			items = b.item(items, &b.m.Registers[i])
		}
	}
	return items, none
}

// packBits adds the number of bytes and the bits, the first in the lowest place.
func packBits(out, bits []byte) []byte {
	out = append(out, byte((len(bits)+7)/8))
	for len(bits) > 0 {
		var octet byte
		n := min(8, len(bits))
		for i, v := range bits[:n] {
			octet |= v << i
		}
		out, bits = append(out, octet), bits[n:]
	}
	return out
}

// writeBits is functions 5 and 15: markers at once, tags by their PLC, all of
// them or none.
func (b *bank) writeBits(p *pdu, count int, f function) mbserver.Exception {
	start := p.word(0)
	if !b.bitsExist(start, count) {
		return badAddress
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if start >= MarkerStart {
		return run(f, &b.shown, p)
	}
	for _, i := range b.m.Bits[start : start+count] {
		if b.tag(i).Write == nil {
			return badAddress
		}
	}
	for n, i := range b.m.Bits[start : start+count] {
		if b.tag(i).Accepts(p.bit(n)) != nil {
			return badValue
		}
	}
	for n, i := range b.m.Bits[start : start+count] {
		r := &b.m.Registers[i]
		if err := b.img.Write(r.ID, p.bit(n)); err != nil {
			return deviceFailure
		}
		encode(b.wanted.HoldingRegisters[r.Address:], r, p.bit(n))
	}
	p.data = p.data[:4]
	return none
}

// tag is the tag of a register.
func (b *bank) tag(register int) *plc.Tag {
	r := &b.m.Registers[register]
	return &b.img.Tasks()[r.Task].Tags[r.Index]
}

// bit is the n-th bit that functions 5 and 15 set, 0 or 1.
func (p *pdu) bit(n int) float64 {
	if p.function == writeCoil {
		if p.word(1) != 0 {
			return 1
		}
		return 0
	}
	return float64(p.data[5+n/8] >> (n % 8) & 1)
}
