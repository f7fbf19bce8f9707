package modbus_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"testing"

	client "github.com/grid-x/modbus"

	"github.com/plantbed/plantbed/sim/plc/modbus"
)

var ctx = context.Background()

// Every type of tag, read by a client as holding and as input registers.
func TestReadRegisters(t *testing.T) {
	r := newRig(t, modbus.Config{}, modbus.Options{})
	c := r.connect()
	raw, err := c.ReadHoldingRegisters(ctx, 0, 20)
	if err != nil || !bytes.Equal(raw, make([]byte, 40)) {
		t.Fatalf("before the first scan: % x, %v", raw, err)
	}
	r.base, r.speed, r.level, r.total, r.valve = -1000, -2.5, -12.3, 1<<53-1, true
	r.scan()
	r.scan()
	for name, read := range map[string]func(context.Context, uint16, uint16) ([]byte, error){"holding": c.ReadHoldingRegisters, "input": c.ReadInputRegisters} {
		raw, err := read(ctx, 0, 32)
		if err != nil {
			t.Fatal(err)
		}
		u16 := func(a int) uint16 { return binary.BigEndian.Uint16(raw[2*a:]) }
		u64 := func(a int) uint64 { return binary.BigEndian.Uint64(raw[2*a:]) }
		u32 := func(a int) uint32 { return binary.BigEndian.Uint32(raw[2*a:]) }
		got := fmt.Sprint(u32(0), u16(2), int16(u16(3)), u16(4), int32(u32(5)), u32(7), math.Float32frombits(u32(9)),
			math.Float64frombits(binary.BigEndian.Uint64(raw[22:])), math.Float32frombits(u32(15)), int16(u16(17)), int32(u32(18)), int64(u64(20)), u64(24), u16(28), u32(29), int16(u16(31)))
		if want := "2 1 -999 0 -997 0 -995 -994 -2.5 -123 -1000 -992 9007199254740991 1 20 -993"; got != want {
			t.Errorf("%s registers: %s, want %s", name, got, want)
		}
	}
}

func TestReadLimits(t *testing.T) {
	r := newRig(t, modbus.Config{}, modbus.Options{})
	c := r.connect()
	if raw, err := c.ReadHoldingRegisters(ctx, modbus.MarkerStart, 125); err != nil || len(raw) != 250 {
		t.Errorf("125 registers: %d bytes, %v", len(raw), err)
	}
	if raw, err := c.ReadCoils(ctx, lastBit-1999, 2000); err != nil || len(raw) != 250 {
		t.Errorf("2000 coils: %d bytes, %v", len(raw), err)
	}
	if raw, err := c.ReadDiscreteInputs(ctx, modbus.MarkerStart+3, 9); err != nil || len(raw) != 2 {
		t.Errorf("9 discrete inputs: %d bytes, %v", len(raw), err)
	}
}

const lastBit = modbus.MarkerStart + modbus.MarkerBits - 1

func TestCoils(t *testing.T) {
	r := newRig(t, modbus.Config{}, modbus.Options{})
	c := r.connect()
	const at = modbus.MarkerStart
	if _, err := c.WriteSingleCoil(ctx, at+10, 0xFF00); err != nil {
		t.Fatal(err)
	}
	if _, err := c.WriteMultipleCoils(ctx, at+11, 10, []byte{0b10100101, 0b11}); err != nil {
		t.Fatal(err)
	}
	for name, read := range map[string]func(context.Context, uint16, uint16) ([]byte, error){"coils": c.ReadCoils, "inputs": c.ReadDiscreteInputs} {
		if raw, err := read(ctx, at+9, 14); err != nil || !bytes.Equal(raw, []byte{0b10010110, 0b00001110}) {
			t.Errorf("%s: %08b, %v", name, raw, err)
		}
	}
	if _, err := c.WriteSingleCoil(ctx, at+10, 0); err != nil {
		t.Fatal(err)
	}
	if raw, err := c.ReadCoils(ctx, at+10, 1); err != nil || raw[0] != 0 {
		t.Errorf("switched off: %08b, %v", raw, err)
	}
	if _, err := c.WriteMultipleCoils(ctx, lastBit-1967, 1968, bytes.Repeat([]byte{0xFF}, 246)); err != nil {
		t.Errorf("1968 coils: %v", err)
	}
	if raw, err := c.ReadCoils(ctx, lastBit, 1); err != nil || raw[0] != 1 {
		t.Errorf("last coil: %08b, %v", raw, err)
	}
}

// A bool tag is a coil and a discrete input: it shows what was latched, and a
// coil that may be written reaches the machine at the next scan.
func TestBoolTagsAreBits(t *testing.T) {
	r := newRig(t, modbus.Config{}, modbus.Options{})
	c := r.connect()
	bits := func(want byte) {
		t.Helper()
		for name, read := range map[string]func(context.Context, uint16, uint16) ([]byte, error){"coils": c.ReadCoils, "inputs": c.ReadDiscreteInputs} {
			if raw, err := read(ctx, 0, 2); err != nil || raw[0] != want {
				t.Errorf("%s: %02b, %v, want %02b", name, raw, err, want)
			}
		}
	}
	bits(0b00) // nothing scanned yet
	r.scan()
	bits(0b01)
	if _, err := c.WriteSingleCoil(ctx, 1, 0xFF00); err != nil {
		t.Fatal(err)
	}
	bits(0b01)
	r.scan()
	bits(0b11)
	if !r.valve {
		t.Error("the machine's valve is shut")
	}
	if _, err := c.WriteMultipleCoils(ctx, 1, 1, []byte{0}); err != nil {
		t.Fatal(err)
	}
	r.scan()
	bits(0b01)
	if _, err := c.WriteMultipleCoils(ctx, 0, 2, []byte{3}); exception(err) != 2 {
		t.Errorf("a read-only tag: %v, want exception 2", err)
	}
	r.scan()
	bits(0b01)
	if raw, err := c.ReadHoldingRegisters(ctx, valveRegister, 1); err != nil || raw[1] != 0 {
		t.Errorf("the valve's register shows % x, %v", raw, err)
	}
}

// Marker words show at once what was written to them.
func TestMarkers(t *testing.T) {
	r := newRig(t, modbus.Config{}, modbus.Options{})
	c := r.connect()
	const at = modbus.MarkerStart
	show := func(want string, address, n uint16) {
		t.Helper()
		raw, err := c.ReadInputRegisters(ctx, address, n)
		if got := fmt.Sprintf("%x", raw); err != nil || got != want {
			t.Errorf("registers from %d: %s, want %s, %v", address, got, want, err)
		}
	}
	if _, err := c.WriteSingleRegister(ctx, at, 0x1234); err != nil {
		t.Error(err)
	}
	if _, err := c.WriteMultipleRegisters(ctx, at+1, 2, []byte{1, 2, 3, 4}); err != nil {
		t.Error(err)
	}
	show("123401020304", at, 3)
	// The book's own example of a mask write: 0x12 becomes 0x17.
	if _, err := c.WriteSingleRegister(ctx, at+4, 0x12); err != nil {
		t.Error(err)
	}
	if _, err := c.MaskWriteRegister(ctx, at+4, 0xF2, 0x25); err != nil {
		t.Error(err)
	}
	show("0017", at+4, 1)
	raw, err := c.ReadWriteMultipleRegisters(ctx, at, 4, at+2, 2, []byte{9, 9, 8, 8})
	if got := fmt.Sprintf("%x", raw); err != nil || got != "1234010209090808" {
		t.Errorf("read and write: %s, %v", got, err)
	}
	all := bytes.Repeat([]byte{0xAB, 0xCD}, 123)
	if _, err := c.WriteMultipleRegisters(ctx, at+modbus.MarkerCount-123, 123, all); err != nil {
		t.Errorf("123 registers: %v", err)
	}
	if _, err := c.ReadWriteMultipleRegisters(ctx, at, 125, at, 121, all[:242]); err != nil {
		t.Errorf("125 and 121 registers: %v", err)
	}
	show("abcd", at+modbus.MarkerCount-1, 1)
}

// Requests and responses by the book, byte for byte.
func TestExceptions(t *testing.T) {
	r := newRig(t, modbus.Config{}, modbus.Options{})
	r.scan()
	c := r.dial()
	for _, x := range []struct{ name, pdu, want string }{
		{"unknown function", "07", "87 01"},
		{"reserved function", "80 00 00", "80 01"},
		{"no data", "03", "83 03"},
		{"short", "03 00 00 00", "83 03"},
		{"long", "03 00 00 00 01 00", "83 03"},
		{"no registers", "03 0000 0000", "83 03"},
		{"126 registers", "03 0000 007e", "83 03"},
		{"65535 input registers", "04 0000 ffff", "84 03"},
		{"register behind the last tag", "03 001f 0002", "83 02"},
		{"between tags and markers", "04 1000 0001", "84 02"},
		{"behind the markers", "03 f0ff 0002", "83 02"},
		{"over the end of the address space", "03 ffff 007d", "83 02"},
		{"2001 coils", "01 0000 07d1", "81 03"},
		{"no inputs", "02 0000 0000", "82 03"},
		{"coil between tags and markers", "01 1000 0001", "81 02"},
		{"bits behind the last tag", "01 0000 0003", "81 02"},
		{"inputs over the end of the address space", "02 ffff 0002", "82 02"},
		{"coil neither on nor off", "05 0000 0100", "85 03"},
		{"missing coil", "05 1000 ff00", "85 02"},
		{"short coils, fatal to others", "0f 00 00", "8f 03"},
		{"coils without bytes", "0f 0000 0008 00", "8f 03"},
		{"coils with too few bytes", "0f 0000 0009 01 ff", "8f 03"},
		{"coils with a wrong count", "0f 0000 0008 02 ff", "8f 03"},
		{"1969 coils", "0f 0000 07b1 f7 00*247", "8f 03"},
		{"missing coils", "0f 0fff 0002 01 03", "8f 02"},
		{"read-only coil", "05 0000 ff00", "85 02"},
		{"short registers", "10 f000 0001", "90 03"},
		{"124 registers", "10 f000 007c f8 00*248", "90 03"},
		{"registers with a wrong count", "10 f000 0002 02 0000", "90 03"},
		{"missing registers", "10 f0ff 0002 04 00*4", "90 02"},
		{"short register", "06 f000 00", "86 03"},
		{"scan counter", "06 0001 0005", "86 02"},
		{"read-only tag", "06 0003 0005", "86 02"},
		{"writable and read-only tags", "10 000d 0004 08 00*8", "90 02"},
		{"tag and counter behind it", "10 0012 0004 08 00*8", "90 02"},
		{"out of range", "06 0011 03e9", "86 03"},
		{"no number", "10 000f 0002 04 7fc00000", "90 03"},
		{"short mask", "16 f000 0000 00", "96 03"},
		{"mask on a missing register", "16 1000 0000 0000", "96 02"},
		{"mask on a read-only tag", "16 0003 0000 0000", "96 02"},
		{"short read and write", "17 f000 0001 f000 0001", "97 03"},
		{"126 read", "17 f000 007e f000 0001 02 0000", "97 03"},
		{"122 written", "17 f000 0001 f000 007a f4 00*244", "97 03"},
		{"written with a wrong count", "17 f000 0001 f000 0001 04 0000", "97 03"},
		{"missing to read", "17 1000 0001 f000 0001 02 0000", "97 02"},
		{"missing to write", "17 f000 0001 1000 0001 02 0000", "97 02"},
		{"read-only to write", "17 f000 0001 0003 0001 02 0000", "97 02"},
		{"encapsulated nothing", "2b", "ab 03"},
		{"another MEI type", "2b 0d 00 00", "ab 01"},
		{"identification, code 0", "2b 0e 00 00", "ab 03"},
		{"identification, code 5", "2b 0e 05 00", "ab 03"},
		{"identification, missing object", "2b 0e 04 07", "ab 02"},
		{"still there", "03 0003 0001", "03 02 0001"},
	} {
		if got := ask(t, c, x.pdu); !bytes.Equal(got, unhex(x.want)) {
			t.Errorf("%s: %s is answered by % x, want %s", x.name, x.pdu, got, x.want)
		}
	}
	if r.level != 0 || r.speed != 0 {
		t.Errorf("a refused write came through: level %v, speed %v", r.level, r.speed)
	}
}

func TestWrongUnit(t *testing.T) {
	r := newRig(t, modbus.Config{Unit: 17}, modbus.Options{})
	c := r.dial()
	for _, unit := range []byte{1, 2, 247, 248, 254} {
		c.Write(request(5, unit, "03 f000 0001"))
		if n, pdu, err := response(c); err != nil || n != 5 || !bytes.Equal(pdu, []byte{0x83, 0x0B}) {
			t.Errorf("unit %d: % x, %v", unit, pdu, err)
		}
	}
	for _, unit := range []byte{17, 255, 0} {
		c.Write(request(6, unit, "03 f000 0001"))
		if _, pdu, err := response(c); err != nil || pdu[0] != 3 {
			t.Errorf("unit %d: % x, %v", unit, pdu, err)
		}
	}
	silent := newRig(t, modbus.Config{Unit: 17, WrongUnit: "silence"}, modbus.Options{})
	c = silent.dial()
	c.Write(append(request(5, 1, "03 f000 0001"), request(6, 17, "03 f000 0001")...))
	if n, pdu, err := response(c); err != nil || n != 6 || pdu[0] != 3 {
		t.Errorf("after silence: transaction %d, % x, %v", n, pdu, err)
	}
}

func TestIdentification(t *testing.T) {
	id := modbus.Identity{Vendor: "Plantbed", ProductCode: "PB-7", Revision: "2.1", URL: "https://example.org", Product: "Filler", Model: "F", Application: "line 1", Extended: []string{"one", "two"}}
	texts := map[byte]string{0: "Plantbed", 1: "PB-7", 2: "2.1", 3: "https://example.org", 4: "Filler", 5: "F", 6: "line 1", 0x80: "one", 0x81: "two"}
	c := newRig(t, modbus.Config{Identity: id}, modbus.Options{}).connect()
	// This client asks for regular objects from 3 on, for extended ones from 0x80 on.
	for code, want := range map[client.ReadDeviceIDCode][]byte{client.ReadDeviceIDCodeBasic: {0, 1, 2}, client.ReadDeviceIDCodeRegular: {3, 4, 5, 6}, client.ReadDeviceIDCodeExtended: {0x80, 0x81}} {
		got, err := c.ReadDeviceIdentification(ctx, code)
		if err != nil || len(got) != len(want) {
			t.Errorf("code %d: %q, %v", code, got, err)
		}
		for _, o := range want {
			if string(got[o]) != texts[o] {
				t.Errorf("code %d: object %d is %q, want %q", code, o, got[o], texts[o])
			}
		}
	}
	for o, text := range texts {
		if got, err := c.ReadDeviceIdentificationSpecificObject(ctx, o); err != nil || string(got[o]) != text || len(got) != 1 {
			t.Errorf("object %d: %q, %v", o, got, err)
		}
	}
	for _, o := range []byte{7, 9, 0x7F, 0x82, 0xFF} {
		if _, err := c.ReadDeviceIdentificationSpecificObject(ctx, o); exception(err) != 2 {
			t.Errorf("object %d: %v", o, err)
		}
	}
}

// By the book, byte for byte: from an object that there is not, all from the
// beginning; what a category does not hold is not in it.
func TestIdentificationBytes(t *testing.T) {
	r := newRig(t, modbus.Config{Identity: modbus.Identity{Vendor: "V", ProductCode: "P", Revision: "R", URL: "u", Product: "p", Model: "m", Application: "a", Extended: []string{"x"}}}, modbus.Options{})
	c := r.dial()
	const three, seven = " 00 01 56 01 01 50 02 01 52", " 00 01 56 01 01 50 02 01 52 03 01 75 04 01 70 05 01 6d 06 01 61"
	for pdu, want := range map[string]string{
		"2b 0e 01 00": "2b 0e 01 83 00 00 03" + three,
		"2b 0e 01 02": "2b 0e 01 83 00 00 01 02 01 52",
		"2b 0e 01 05": "2b 0e 01 83 00 00 03" + three,
		"2b 0e 02 00": "2b 0e 02 83 00 00 07" + seven,
		"2b 0e 02 80": "2b 0e 02 83 00 00 07" + seven,
		"2b 0e 03 00": "2b 0e 03 83 00 00 08" + seven + " 80 01 78",
		"2b 0e 04 80": "2b 0e 04 83 00 00 01 80 01 78",
	} {
		if got := ask(t, c, pdu); !bytes.Equal(got, unhex(want)) {
			t.Errorf("%s is answered by % x, want %s", pdu, got, want)
		}
	}
}

// Objects that do not fit into one response come in several.
func TestIdentificationInParts(t *testing.T) {
	long := strings.Repeat("x", 244)
	id := modbus.Identity{Vendor: long, ProductCode: long, Revision: "1", URL: long, Product: "a", Model: "b", Application: long, Extended: []string{long, "c", long}}
	c := newRig(t, modbus.Config{Identity: id}, modbus.Options{}).connect()
	all := map[byte][]byte{}
	for _, code := range []client.ReadDeviceIDCode{client.ReadDeviceIDCodeBasic, client.ReadDeviceIDCodeRegular, client.ReadDeviceIDCodeExtended} {
		got, err := c.ReadDeviceIdentification(ctx, code)
		if err != nil {
			t.Fatal(err)
		}
		for o, text := range got {
			all[o] = text
		}
	}
	if len(all) != 10 {
		t.Errorf("%d objects", len(all))
	}
	for _, i := range []byte{0, 1, 3, 6, 0x80, 0x82} {
		if string(all[i]) != long {
			t.Errorf("object %d has %d bytes", i, len(all[i]))
		}
	}
	id.Model, id.Extended = long+"y", make([]string, 129)
	if ps := (modbus.Config{Identity: id}).Validate(); len(ps) != 2 {
		t.Errorf("an object too long for any response, and too many of them: %v", ps)
	}
}
