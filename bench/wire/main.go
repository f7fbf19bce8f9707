// Command wire measures what a link without a fault adds to a round trip,
// beside a proxy of io.Copy and no proxy at all, in one run on one machine:
//
//	make bench-wire
//
// All paths are taken in turn, so that they meet the same machine; each figure
// is the median of seven rounds. It prints a table and writes bench/wire.json.
package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"time"

	"github.com/plantbed/plantbed/bench/internal/rows"
	"github.com/plantbed/plantbed/faults/wire"
)

const (
	rounds = 7
	trips  = 20_000 // of each path in each round
	size   = 200    // bytes there and back, a publish response of ten values
)

func main() {
	out := flag.String("out", "bench/wire.json", "where the rows go")
	flag.Parse()
	if err := run(*out); err != nil {
		fmt.Fprintln(os.Stderr, "bench-wire:", err)
		os.Exit(1)
	}
}

func run(file string) error {
	server, err := listen(func(c net.Conn) { io.Copy(struct{ io.Writer }{c}, c) })
	if err != nil {
		return err
	}
	w, err := wire.Listen(wire.Config{Name: "bench", Upstream: server}, wire.Options{Delivered: func(int, int64, int64, time.Time) {}})
	if err != nil {
		return err
	}
	defer w.Close()
	copier, err := listen(func(c net.Conn) { relay(c, server) })
	if err != nil {
		return err
	}
	var paths [3]net.Conn // direct, ours, the peer's
	for i, addr := range []string{server, w.Addr(), copier} {
		if paths[i], err = net.Dial("tcp", addr); err != nil {
			return err
		}
		defer paths[i].Close()
	}
	var p50, p99 [3][]float64
	for r := range rounds + 1 {
		took, err := round(paths)
		if err != nil {
			return err
		}
		for i := range paths {
			if r > 0 { // the first one warms up
				p50[i] = append(p50[i], at(took[i], 0.5)-at(took[0], 0.5))
				p99[i] = append(p99[i], at(took[i], 0.99)-at(took[0], 0.99))
			}
		}
	}
	return rows.Report(os.Stdout, []rows.Row{
		rows.New("added to a round trip, median", "µs", rows.Lower, "io.Copy", p50[1], p50[2]),
		rows.New("added to a round trip, 99th percentile", "µs", rows.Lower, "io.Copy", p99[1], p99[2]),
	}, file)
}

func listen(serve func(net.Conn)) (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); serve(c) }()
		}
	}()
	return ln.Addr().String(), nil
}

// relay is the simplest proxy there is, in user space as ours is.
func relay(c net.Conn, server string) {
	s, err := net.Dial("tcp", server)
	if err != nil {
		return
	}
	defer s.Close()
	go io.Copy(struct{ io.Writer }{c}, struct{ io.Reader }{s})
	io.Copy(struct{ io.Writer }{s}, struct{ io.Reader }{c})
}

func round(paths [3]net.Conn) (took [3][]float64, err error) {
	buf := make([]byte, size)
	for range trips {
		for i, c := range paths {
			start := time.Now()
			if _, err = c.Write(buf); err == nil {
				_, err = io.ReadFull(c, buf)
			}
			if err != nil {
				return took, err
			}
			took[i] = append(took[i], float64(time.Since(start).Nanoseconds())/1e3)
		}
	}
	for i := range took {
		slices.Sort(took[i])
	}
	return took, nil
}

func at(sorted []float64, p float64) float64 { return sorted[int(p*float64(len(sorted)-1))] }
