// Command trips measures what a wire adds to round trips under the fake clock.
//
//	trips LATENCY   (on the pipes of package virtual)
//
// It makes a thousand trips with a server and as many through a wire in front of
// it, with frames of several sizes, and reports how long the longest of either took.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/plantbed/plantbed/faults/wire"
	"github.com/plantbed/plantbed/harness/virtual"
)

func main() {
	_, report := virtual.Attach(context.Background())
	if err := run(report); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(report func(string)) error {
	latency, err := time.ParseDuration(os.Args[1])
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go io.Copy(struct{ io.Writer }{c}, struct{ io.Reader }{c})
		}
	}()
	// As a run has it: with a tap, and with frames that are followed.
	w, err := wire.Listen(wire.Config{Name: "a", Upstream: ln.Addr().String(), Frames: wire.FramesModbus}, wire.Options{Delivered: func(int, int64, int64, time.Time) {}})
	if err != nil {
		return err
	}
	defer w.Close()
	w.SetLatency(latency, 0)
	for _, path := range []struct{ name, addr string }{{"direct", ln.Addr().String()}, {"wired", w.Addr()}} {
		longest, err := trips(path.addr)
		if err != nil {
			return err
		}
		report(fmt.Sprintf("%s %d", path.name, longest.Nanoseconds()))
	}
	return nil
}

// trips makes them with pauses of an odd length between, and the first on a new
// connection counts as well.
func trips(addr string) (longest time.Duration, err error) {
	begun := time.Now()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	for i := range 1000 {
		b := make([]byte, 12+i%7*40)
		b[5] = byte(len(b) - 6) // a Modbus frame
		if _, err := c.Write(b); err != nil {
			return 0, err
		}
		if _, err := io.ReadFull(c, b); err != nil {
			return 0, err
		}
		longest = max(longest, time.Since(begun))
		time.Sleep(1_713_331 * time.Nanosecond)
		begun = time.Now()
	}
	return longest, nil
}
