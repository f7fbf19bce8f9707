package modbus

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/grid-x/modbus"

	"github.com/plantbed/plantbed/gateway/pipeline"
)

// idle waits until a poll is due, and meanwhile writes what comes. An error
// means that the connection is of no more use, or that ctx ended.
func (s *source) idle(ctx context.Context, d *device, due time.Time) error {
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			return nil
		case w := <-s.writes:
			err, broken := d.write(ctx, s.cfg.all(), w)
			w.Answer(err)
			if broken {
				return err
			}
		}
	}
}

// write writes a value into the registers of its tag. Registers that hold it
// already, as when an answer was lost, are left alone. Broken tells that the
// connection is of no more use; the error then says that the device is away.
func (d *device) write(ctx context.Context, blocks []Block, w pipeline.Write) (err error, broken bool) {
	f, address, err := place(blocks, w)
	if err != nil {
		return fmt.Errorf("write %s: %w", w.ID, err), false
	}
	want, err := f.put(w.Value)
	if err != nil {
		return fmt.Errorf("write %s: %w", w.ID, err), false
	}
	now, err := d.read(ctx, "holding", address, f.kind.words)
	if err == nil && !bytes.Equal(now, want) {
		if f.kind.words == 1 {
			_, err = d.client.WriteSingleRegister(ctx, uint16(address), binary.BigEndian.Uint16(want))
		} else {
			_, err = d.client.WriteMultipleRegisters(ctx, uint16(address), uint16(f.kind.words), want)
		}
	}
	var refusal *modbus.Error
	var except exception
	switch {
	case err == nil:
		return nil, false
	case errors.As(err, &except):
		return fmt.Errorf("write %s: %w", w.ID, except), false
	case errors.As(err, &refusal):
		return fmt.Errorf("write %s: exception %d", w.ID, refusal.ExceptionCode), false
	}
	return errors.Join(pipeline.ErrAway, cause(err)), true
}

// place finds the tag's field and first register.
func place(blocks []Block, w pipeline.Write) (f field, address int, err error) {
	for _, b := range blocks {
		for _, t := range b.Tags {
			switch {
			case t.ID != w.ID:
			case b.Registers != "holding":
				return f, 0, errors.New("an input register is the device's own")
			default:
				return field{0, kinds[t.Type], orders[t.Order], t.Scale}, int(t.Address), nil
			}
		}
	}
	return f, 0, errors.New("no such tag")
}

// put is the reverse of value: the registers that hold a value, or why none do.
func (f *field) put(v float64) ([]byte, error) {
	raw := v / f.scale
	if near := math.Round(raw); math.Abs(raw-near) <= 1e-9*max(1, math.Abs(raw)) {
		raw = near // 0.3/0.1 is not quite 3
	}
	plain := make([]byte, 2*f.kind.words)
	f.kind.put(plain, raw)
	if back := f.kind.raw(plain); back != raw && !(f.kind.float && math.Abs(back-raw) <= 1e-6*math.Abs(raw)) {
		return nil, fmt.Errorf("%v does not fit its registers", v)
	}
	turned := f.turned(plain)
	return turned[:2*f.kind.words], nil
}
