// Package modbus serves the tags of a PLC over Modbus TCP.
//
//	s, err := modbus.Listen(modbus.Config{Addr: "127.0.0.1:5020", Unit: 1}, p, modbus.Options{})
//	defer s.Close()
//	for _, r := range s.Map().Registers {
//		fmt.Println(r.Address, r.ID, r.Type, r.Scale)
//	}
//
// The register map (see Map) is the same for holding and input registers:
//
//	0 1        scan counter of the first block, 32 bits, high word first
//	2 ...      its tags, each of 1, 2 or 4 registers, in the order of bytes that the PLC has for it
//	...        further blocks of up to 125 registers, each with its own copy of the counter
//	61440 ...  256 marker words that belong to nobody: what is written there is read there
//
// Coils and discrete inputs are the same bits:
//
//	0 ...      the bool tags, in the order of their registers
//	61440 ...  4,096 marker bits
//
// Every other address is refused.
//
// A block shows one scan, never parts of two. A write to a tag's registers
// goes to the PLC, which hands it to the machine at its next scan; until that
// scan the registers go on showing what was latched.
//
// The bank and the functions that write are mbserver's; the listener, the
// framing, the checks, the functions that read (which cost no allocation) and
// the codes 22, 23 and 43/14 are our own.
package modbus
