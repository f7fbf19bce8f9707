package modbus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/grid-x/modbus"
)

// skew makes the timeout incommensurable with any poll period.
const skew = 137713 * time.Nanosecond

// device is one connection. After any error but an exception response it is of
// no more use: grid-x keeps a connection on which a response is overdue, and we
// do not.
type device struct {
	handler *modbus.TCPClientHandler
	client  modbus.Client
	conn    net.Conn
	release func() bool
}

// connect dials. The connection is closed when ctx ends.
func connect(ctx context.Context, cfg *Config) (*device, error) {
	address, err := cfg.address()
	if err != nil {
		return nil, err
	}
	d := &device{}
	d.handler = modbus.NewTCPClientHandler(address, modbus.WithDialer(func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, addr)
		d.conn = c
		return c, err
	}))
	d.handler.Timeout = cfg.Timeout.D() + skew
	d.handler.IdleTimeout = -1 // ours is never idle
	d.handler.SetSlave(byte(cfg.Unit))
	dialling, cancel := context.WithTimeout(ctx, cfg.Timeout.D()+skew)
	defer cancel()
	if err := d.handler.Connect(dialling); err != nil {
		d.handler.Close()
		return nil, cause(err)
	}
	// grid-x does not look at ctx while it reads, so closing has to wake it.
	conn := d.conn
	d.release = context.AfterFunc(ctx, func() { conn.Close() })
	d.client = modbus.NewClient(d.handler)
	return d, nil
}

func (d *device) close() {
	d.release()
	d.handler.Close()
}

// exception is the device's refusal of a request.
type exception struct{ text string }

func (e exception) Error() string { return e.text }

// read asks for registers. The response belongs to the request by transaction
// id, unit, function and length.
func (d *device) read(ctx context.Context, registers string, start, count int) ([]byte, error) {
	ask, function := d.client.ReadHoldingRegisters, byte(modbus.FuncCodeReadHoldingRegisters)
	if registers == "input" {
		ask, function = d.client.ReadInputRegisters, modbus.FuncCodeReadInputRegisters
	}
	data, err := ask(ctx, uint16(start), uint16(count))
	var refusal *modbus.Error
	switch {
	case errors.As(err, &refusal) && refusal.FunctionCode == function|0x80:
		return nil, exception{fmt.Sprintf("registers %d to %d: exception %d", start, start+count-1, refusal.ExceptionCode)}
	case err != nil:
		return nil, fmt.Errorf("registers %d to %d: %w", start, start+count-1, cause(err))
	case len(data) != 2*count:
		return nil, fmt.Errorf("registers %d to %d: %d bytes", start, start+count-1, len(data))
	}
	return data, nil
}

// cause drops the addresses from what the network says: one of them is random,
// and the reason of a status should read the same each time.
func cause(err error) error {
	var op *net.OpError
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("the connection was dropped")
	case errors.As(err, &op):
		return fmt.Errorf("%s: %w", op.Op, op.Err)
	}
	return err
}
