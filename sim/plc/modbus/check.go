package modbus

import "github.com/tbrandon/mbserver"

// The function codes that are answered.
const (
	readCoils          = 1
	readDiscreteInputs = 2
	readHolding        = 3
	readInput          = 4
	writeCoil          = 5
	writeRegister      = 6
	writeCoils         = 15
	writeRegisters     = 16
	maskWrite          = 22
	readWrite          = 23
	encapsulated       = 43
)

// What a request may be answered with instead of data.
const (
	none           = mbserver.Exception(0)
	badFunction    = mbserver.Exception(1)
	badAddress     = mbserver.Exception(2)
	badValue       = mbserver.Exception(3)
	deviceFailure  = mbserver.Exception(4)
	targetNoAnswer = mbserver.Exception(11)
)

// check says what is wrong with the form of a request, in the order of the
// protocol's state diagrams: function, then length and quantity. Addresses
// are for those to check who know what stands there. mbserver's functions rely
// on it: they check no length.
func check(p *pdu) mbserver.Exception {
	n := len(p.data)
	ok := false
	switch p.function {
	case readCoils, readDiscreteInputs:
		ok = n == 4 && within(p.word(1), maxReadCoils)
	case readHolding, readInput:
		ok = n == 4 && within(p.word(1), maxReadRegisters)
	case writeCoil:
		ok = n == 4 && (p.word(1) == 0 || p.word(1) == 0xFF00)
	case writeRegister:
		ok = n == 4
	case writeCoils:
		ok = n >= 5 && within(p.word(1), maxWriteCoils) && int(p.data[4]) == (p.word(1)+7)/8 && n == 5+int(p.data[4])
	case writeRegisters:
		ok = n >= 5 && within(p.word(1), maxWriteRegisters) && int(p.data[4]) == 2*p.word(1) && n == 5+int(p.data[4])
	case maskWrite:
		ok = n == 6
	case readWrite:
		ok = n >= 9 && within(p.word(1), maxReadRegisters) && within(p.word(3), maxReadWrite) &&
			int(p.data[8]) == 2*p.word(3) && n == 9+int(p.data[8])
	case encapsulated:
		return checkEncapsulated(p)
	default:
		return badFunction
	}
	if !ok {
		return badValue
	}
	return none
}

func within(quantity, most int) bool { return quantity >= 1 && quantity <= most }
