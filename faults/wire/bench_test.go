package wire

import (
	"io"
	"net"
	"slices"
	"testing"
	"time"
)

// BenchmarkRoundTrip measures what a wire adds to a round trip of 200 bytes:
// both paths are taken in turn, so that they meet the same machine.
func BenchmarkRoundTrip(b *testing.B) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); echo(c) }()
		}
	}()
	w := open(b, Config{Name: "a", Upstream: ln.Addr().String()}, Options{Delivered: func(int, int64, int64, time.Time) {}})
	direct, wired := dial(b, ln.Addr().String()), dial(b, w.Addr())
	for _, c := range []net.Conn{direct, wired} {
		c.SetDeadline(time.Time{})
		ask(b, c, "hello", "hello")
	}
	buf := make([]byte, 200)
	trip := func(c net.Conn) time.Duration {
		start := time.Now()
		c.Write(buf)
		io.ReadFull(c, buf)
		return time.Since(start)
	}
	var took [2][]time.Duration
	for b.Loop() {
		took[0] = append(took[0], trip(direct))
		took[1] = append(took[1], trip(wired))
	}
	for i := range took {
		slices.Sort(took[i])
	}
	at := func(i int, p float64) float64 {
		return float64(took[i][int(p*float64(len(took[i])-1))]) / 1e3
	}
	b.ReportMetric(at(0, 0.5), "direct-p50-µs")
	b.ReportMetric(at(1, 0.5)-at(0, 0.5), "added-p50-µs")
	b.ReportMetric(at(1, 0.99)-at(0, 0.99), "added-p99-µs")
}
