package main

import (
	"bufio"
	"context"
	"fmt"
	"math"
	"os"
	"strings"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim"
	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/plc/opcua"
	"github.com/plantbed/plantbed/sim/signal"
)

// serve is so many PLCs of so many tags each that scan every 100 ms, as they
// stand in a plant: through their public API, in the live gear. It prints the
// port of the first, the seconds until all listened, and its memory then.
func serve(servers, tags int) error {
	k, start := sim.New(1), time.Now()
	first := ""
	for n := range servers {
		var list []plc.Tag
		for i := range tags {
			list = append(list, plc.Tag{ID: signal.ID(fmt.Sprintf("m%d/t%d", i/100, i)), Type: plc.Float64, Lo: 0, Hi: 100, Unit: "degC",
				Read: func(now time.Duration) float64 { return 50 + math.Sin(now.Seconds()+float64(i)) }})
		}
		p, err := plc.New(k, plc.Config{Name: fmt.Sprintf("bench-%d", n), Protocol: "opcua", Scan: strict.Duration(100 * time.Millisecond)}, start, list)
		if err != nil {
			return err
		}
		s, err := opcua.Listen(opcua.Config{}, p, opcua.Options{Seed: uint64(n)})
		if err != nil {
			return err
		}
		defer s.Close()
		if first == "" {
			first = s.Addr().String()
		}
		p.Start()
	}
	up := time.Since(start)
	k.After(time.Second, func() { fmt.Printf("%s %.3f %.1f\n", first, up.Seconds(), resident()) })
	return k.Pace(context.Background(), start, time.Hour, nil)
}

// resident is the memory of this process in MB, as the kernel sees it.
func resident() float64 {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if v, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			var kb float64
			fmt.Sscan(v, &kb)
			return kb / 1024
		}
	}
	return 0
}
