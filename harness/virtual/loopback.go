package virtual

import (
	"fmt"
	"net"
	"time"
)

// Loopback measures, in a binary with the fake clock, how much virtual time
// passes while bytes travel over loopback: anything but zero means that this
// machine cannot run the virtual gear truthfully.
func Loopback(rounds int) (worst time.Duration, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("loopback: %w", err)
	}
	defer l.Close()
	go echo(l)
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return 0, fmt.Errorf("loopback: %w", err)
	}
	defer c.Close()
	buf := make([]byte, 1024)
	for range rounds {
		time.Sleep(7_000_013) // so that the clock has somewhere to jump to
		before := time.Now()
		if _, err := c.Write(buf); err != nil {
			return worst, fmt.Errorf("loopback: %w", err)
		}
		for n := 0; n < len(buf); {
			k, err := c.Read(buf[n:])
			if err != nil {
				return worst, fmt.Errorf("loopback: %w", err)
			}
			n += k
		}
		worst = max(worst, time.Since(before))
	}
	return worst, nil
}

func echo(l net.Listener) {
	c, err := l.Accept()
	if err != nil {
		return
	}
	defer c.Close()
	buf := make([]byte, 1024)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		if _, err := c.Write(buf[:n]); err != nil {
			return
		}
	}
}
