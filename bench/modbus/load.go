package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// registers is how many each request reads.
const registers = 100

// load is a number of clients that ask and ask.
type load struct {
	conns  []net.Conn
	count  atomic.Int64
	broken atomic.Pointer[error]
	ending atomic.Bool
	wg     sync.WaitGroup
}

func newLoad(addr string, clients int) (*load, error) {
	l := &load{}
	for range clients {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			l.stop()
			return nil, err
		}
		l.conns = append(l.conns, c)
		l.wg.Add(1)
		go func() {
			defer l.wg.Done()
			if err := l.ask(c); !l.ending.Load() {
				l.broken.Store(&err)
			}
		}()
	}
	return l, nil
}

// ask reads the same registers over and over, looks at every answer's head,
// and says what ended it.
func (l *load) ask(c net.Conn) error {
	request := []byte{0, 0, 0, 0, 0, 6, 1, 3, 0, 0, 0, registers}
	answer := make([]byte, 9+2*registers)
	for n := uint16(0); ; n++ {
		binary.BigEndian.PutUint16(request, n)
		if _, err := c.Write(request); err != nil {
			return err
		}
		if _, err := io.ReadFull(c, answer); err != nil {
			return err
		}
		if binary.BigEndian.Uint16(answer) != n || answer[7] != 3 || answer[8] != 2*registers {
			return fmt.Errorf("request %d is answered by % x", n, answer[:9])
		}
		l.count.Add(1)
	}
}

func (l *load) failure() error {
	if err := l.broken.Load(); err != nil {
		return *err
	}
	return nil
}

func (l *load) stop() {
	l.ending.Store(true)
	for _, c := range l.conns {
		c.Close()
	}
	l.wg.Wait()
}
