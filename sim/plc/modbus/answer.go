package modbus

import (
	"encoding/binary"

	"github.com/tbrandon/mbserver"
)

// function is the shape of mbserver's functions.
type function = func(*mbserver.Server, mbserver.Framer) ([]byte, *mbserver.Exception)

// answer turns a request into its response, in place, and adds to items the
// samples that the response carries:
//
//	form → address → memory, under the lock → data or exception
func (b *bank) answer(p *pdu, id *Identity, items []Ref) []Ref {
	exc := check(p)
	if exc == none {
		switch p.function {
		case readCoils, readDiscreteInputs:
			items, exc = b.readBits(p, items)
		case readHolding, readInput:
			items, exc = b.read(p, items)
		case writeCoil:
			exc = b.writeBits(p, 1, mbserver.WriteSingleCoil)
		case writeCoils:
			exc = b.writeBits(p, p.word(1), mbserver.WriteMultipleCoils)
		case writeRegister:
			exc = b.write(p, 1, mbserver.WriteHoldingRegister)
		case writeRegisters:
			exc = b.write(p, p.word(1), mbserver.WriteHoldingRegisters)
		case maskWrite:
			exc = b.maskWrite(p)
		case readWrite:
			items, exc = b.readWrite(p, items)
		case encapsulated:
			exc = id.answer(p)
		}
	}
	if exc != none {
		p.SetException(&exc)
		return items[:0]
	}
	return items
}

// run calls one of mbserver's functions and takes over its data.
func run(f function, s *mbserver.Server, p *pdu) mbserver.Exception {
	data, exc := f(s, p)
	if *exc == mbserver.Success {
		p.data = data
		return none
	}
	return *exc
}

// read is functions 3 and 4.
func (b *bank) read(p *pdu, items []Ref) ([]Ref, mbserver.Exception) {
	start, count := p.word(0), p.word(1)
	if !b.readable(start, count) {
		return items, badAddress
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	p.data = packWords(p.scratch(), b.shown.HoldingRegisters[start:start+count])
	return b.items(items, start, count), none
}

// packWords adds the number of bytes and the words, high byte first.
func packWords(out []byte, words []uint16) []byte {
	at := len(out) + 1
	out = append(out, byte(2*len(words)))
	out = append(out, make([]byte, 2*len(words))...)
	for i, w := range words {
		binary.BigEndian.PutUint16(out[at+2*i:], w)
	}
	return out
}

func (b *bank) write(p *pdu, count int, f function) mbserver.Exception {
	start := p.word(0)
	if !b.readable(start, count) {
		return badAddress
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	var data []byte
	exc := b.set(start, count, func() { data, _ = f(&b.wanted, p) })
	if exc == none {
		p.data = data
	}
	return exc
}

// maskWrite is function 22: bits of AND stay, the others come from OR.
func (b *bank) maskWrite(p *pdu) mbserver.Exception {
	at, and, or := p.word(0), uint16(p.word(1)), uint16(p.word(2))
	if !b.readable(at, 1) {
		return badAddress
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	reg := &b.wanted.HoldingRegisters[at]
	return b.set(at, 1, func() { *reg = *reg&and | or&^and })
}

// readWrite is function 23: it writes first, then reads.
func (b *bank) readWrite(p *pdu, items []Ref) ([]Ref, mbserver.Exception) {
	from, n, to, count := p.word(0), p.word(1), p.word(2), p.word(3)
	if !b.readable(from, n) || !b.readable(to, count) {
		return items, badAddress
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	values := p.data[9:]
	exc := b.set(to, count, func() {
		for i := range count {
			b.wanted.HoldingRegisters[to+i] = binary.BigEndian.Uint16(values[2*i:])
		}
	})
	if exc != none {
		return items, exc
	}
	p.data = packWords(p.scratch(), b.shown.HoldingRegisters[from:from+n])
	return b.items(items, from, n), none
}
