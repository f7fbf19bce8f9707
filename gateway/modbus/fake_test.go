package modbus

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// fake is a Modbus TCP device that a test can have answer wrongly.
type fake struct {
	t  *testing.T
	l  net.Listener
	wg sync.WaitGroup

	mu        sync.Mutex
	conns     map[net.Conn]bool
	registers map[uint16]uint16
	dials     int
	requests  []request
	writes    int  // requests of functions 6 and 16
	swallow   bool // their answers
	// bend may change a response, keep it back (nil) or delay the answer; it is
	// called with the number of the request, counted from 1.
	bend func(n int, response []byte) ([]byte, time.Duration)
}

type request struct {
	unit, fn     byte
	start, count uint16
}

func newFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{t: t, conns: map[net.Conn]bool{}, registers: map[uint16]uint16{}}
	f.listen("127.0.0.1:0")
	t.Cleanup(func() {
		f.down()
		f.wg.Wait()
	})
	return f
}

func (f *fake) addr() string { return f.l.Addr().String() }

func (f *fake) listen(addr string) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		f.t.Fatal(err)
	}
	f.l = l
	f.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f.mu.Lock()
			f.conns[c] = true
			f.dials++
			f.mu.Unlock()
			f.wg.Go(func() { f.serve(c) })
		}
	})
}

func (f *fake) cut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.conns {
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}
	clear(f.conns)
}

func (f *fake) down() {
	f.l.Close()
	f.cut()
}

func (f *fake) with(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
}

// scan sets the counter at address 10 and register 12.
func (f *fake) scan(n int) {
	f.with(func() {
		f.registers[10], f.registers[11], f.registers[12] = uint16(n>>16), uint16(n), uint16(n*10)
	})
}

func (f *fake) serve(c net.Conn) {
	defer c.Close()
	for {
		q := make([]byte, 12)
		if _, err := io.ReadFull(c, q); err != nil {
			return
		}
		r := request{q[6], q[7], binary.BigEndian.Uint16(q[8:]), binary.BigEndian.Uint16(q[10:])}
		f.mu.Lock()
		if r.fn == 6 || r.fn == 16 {
			a, err := f.write(c, q, r)
			swallow := f.swallow
			f.mu.Unlock()
			if err != nil {
				return
			}
			if !swallow {
				c.Write(a)
			}
			continue
		}
		f.requests = append(f.requests, r)
		a := append([]byte(nil), q[:9]...)
		a[8] = byte(2 * r.count)
		binary.BigEndian.PutUint16(a[4:], 3+2*r.count)
		for i := range r.count {
			a = binary.BigEndian.AppendUint16(a, f.registers[r.start+i])
		}
		var wait time.Duration
		if f.bend != nil {
			a, wait = f.bend(len(f.requests), a)
		}
		f.mu.Unlock()
		time.Sleep(wait)
		if _, err := c.Write(a); err != nil {
			return
		}
	}
}

// write does a request of function 6 or 16 and gives the answer.
func (f *fake) write(c net.Conn, q []byte, r request) ([]byte, error) {
	f.writes++
	if r.fn == 6 {
		f.registers[r.start] = r.count
		return q, nil
	}
	rest := make([]byte, 1+2*r.count)
	if _, err := io.ReadFull(c, rest); err != nil {
		return nil, err
	}
	for i := range r.count {
		f.registers[r.start+i] = binary.BigEndian.Uint16(rest[1+2*i:])
	}
	a := append([]byte(nil), q...)
	binary.BigEndian.PutUint16(a[4:], 6)
	return a, nil
}
