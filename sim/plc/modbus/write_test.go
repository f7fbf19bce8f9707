package modbus_test

import (
	"encoding/binary"
	"errors"
	"math"
	"testing"

	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/plc/modbus"
	"github.com/plantbed/plantbed/sim/signal"
)

// A write reaches the machine at the next scan, and shows in the registers
// then; until then they show what was latched.
func TestWritesReachTheMachine(t *testing.T) {
	r := newRig(t, modbus.Config{}, modbus.Options{})
	r.scan()
	c := r.connect()
	if _, err := c.WriteMultipleRegisters(ctx, 15, 3, []byte{0x42, 0x48, 0, 0, 0xFF, 0x85}); err != nil { // 50.0, -12.3
		t.Fatal(err)
	}
	speed := func() float32 {
		raw, err := c.ReadHoldingRegisters(ctx, 15, 2)
		if err != nil {
			t.Fatal(err)
		}
		return math.Float32frombits(binary.BigEndian.Uint32(raw))
	}
	if r.speed != 0 || speed() != 0 {
		t.Errorf("before the scan the machine has %v and the registers show %v", r.speed, speed())
	}
	r.scan()
	if r.speed != 50 || math.Abs(r.level+12.3) > 1e-9 || speed() != 50 {
		t.Errorf("after the scan the machine has %v and %v, the registers show %v", r.speed, r.level, speed())
	}
}

// The two words of a float, written one by one, make one value; so do a mask
// and what was written before it.
func TestWritesInParts(t *testing.T) {
	r := newRig(t, modbus.Config{}, modbus.Options{})
	r.scan()
	c := r.connect()
	bits := math.Float32bits(123.456)
	for i, word := range []uint16{uint16(bits >> 16), uint16(bits)} {
		if _, err := c.WriteSingleRegister(ctx, uint16(15+i), word); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.WriteSingleRegister(ctx, 17, 0x12); err != nil {
		t.Fatal(err)
	}
	if _, err := c.MaskWriteRegister(ctx, 17, 0xF2, 0x25); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ReadWriteMultipleRegisters(ctx, 0, 2, 18, 2, []byte{0, 1, 0, 2}); err != nil {
		t.Fatal(err)
	}
	r.scan()
	if r.speed != float64(float32(123.456)) || math.Abs(r.level-2.3) > 1e-9 || r.base != 65538 {
		t.Errorf("the machine has %v, %v and %v", r.speed, r.level, r.base)
	}
}

// What is refused leaves nothing behind for a later write to build on.
func TestRefusedWriteLeavesNothing(t *testing.T) {
	r := newRig(t, modbus.Config{}, modbus.Options{})
	r.scan()
	c := r.connect()
	// speed 1.0 is fine, level 3000 is not: neither is set.
	if _, err := c.WriteMultipleRegisters(ctx, 15, 3, []byte{0x3F, 0x80, 0, 0, 0x75, 0x30}); exception(err) != 3 {
		t.Fatalf("got %v, want exception 3", err)
	}
	if _, err := c.WriteSingleRegister(ctx, 16, 0); err != nil { // low word of a speed that is still 0
		t.Fatal(err)
	}
	r.scan()
	if r.speed != 0 || r.level != 0 {
		t.Errorf("the machine has %v and %v", r.speed, r.level)
	}
}

// refusing is an image whose device takes no writes.
type refusing struct{ *plc.PLC }

func (refusing) Write(signal.ID, float64) error { return errors.New("out of order") }

func TestDeviceFailure(t *testing.T) {
	r := newRig(t, modbus.Config{}, modbus.Options{})
	s, err := modbus.Listen(modbus.Config{}, refusing{r.p}, modbus.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r.s = s
	if _, err := r.connect().WriteSingleRegister(ctx, 17, 5); exception(err) != 4 {
		t.Errorf("got %v, want exception 4", err)
	}
}

// A write in parts builds on what the last scan showed, not on what some
// client wrote before it.
func TestWriteBuildsOnTheLastScan(t *testing.T) {
	r := newRig(t, modbus.Config{}, modbus.Options{})
	r.scan()
	c := r.connect()
	if _, err := c.WriteSingleRegister(ctx, 17, 50); err != nil {
		t.Fatal(err)
	}
	r.scan()
	r.level = 3.2 // the machine changes it by itself
	r.scan()
	if _, err := c.MaskWriteRegister(ctx, 17, 0xFFFF, 0); err != nil { // nothing changes
		t.Fatal(err)
	}
	r.scan()
	if math.Abs(r.level-3.2) > 1e-9 {
		t.Errorf("the machine has %v, want 3.2", r.level)
	}
}
