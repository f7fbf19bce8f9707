package modbus_test

import (
	"fmt"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/tbrandon/mbserver"

	"github.com/plantbed/plantbed/sim/plc/modbus"
)

// Requests for 100 registers from 1 and from 8 clients, of this server and of
// mbserver's own listener, client and server in one process.
func BenchmarkRead100(b *testing.B) {
	ours := newRig(b, modbus.Config{}, modbus.Options{}).s.Addr().String()
	peer := mbserver.NewServer()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	theirs := l.Addr().String()
	l.Close()
	if err := peer.ListenTCP(theirs); err != nil {
		b.Fatal(err)
	}
	defer peer.Close()
	for _, clients := range []int{1, 8} {
		for _, s := range []struct{ name, addr string }{{"ours", ours}, {"mbserver", theirs}} {
			b.Run(fmt.Sprintf("%s/clients=%d", s.name, clients), func(b *testing.B) { hammer(b, s.addr, clients) })
		}
	}
}

func hammer(b *testing.B, addr string, clients int) {
	var wg sync.WaitGroup
	frame := request(1, 1, "03 f000 0064")
	b.ReportAllocs()
	for range clients {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			b.Fatal(err)
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer c.Close()
			answer := make([]byte, 209)
			for range (b.N + clients - 1) / clients {
				if _, err := c.Write(frame); err != nil {
					b.Error(err)
					return
				}
				if _, err := io.ReadFull(c, answer); err != nil {
					b.Error(err)
					return
				}
			}
		}()
	}
	wg.Wait()
}
