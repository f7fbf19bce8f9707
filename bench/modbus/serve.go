package main

import (
	"context"
	"fmt"
	"math"
	"net"
	"time"

	"github.com/tbrandon/mbserver"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim"
	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/plc/modbus"
	"github.com/plantbed/plantbed/sim/signal"
)

// serve is one of the Go servers, until it is killed.
func serve(which string) error {
	switch which {
	case "ours":
		return serveOurs()
	case "mbserver":
		return serveMbserver()
	}
	return fmt.Errorf("no server %q", which)
}

// serveOurs is a PLC with 60 tags in 122 registers that scans every 100 ms, as
// it stands in a plant: read through its public API, in the live gear.
func serveOurs() error {
	k, start := sim.New(1), time.Now()
	var tags []plc.Tag
	for i := range 60 {
		tags = append(tags, plc.Tag{ID: signal.ID(fmt.Sprintf("m/t%d", i)), Type: plc.Float32, Lo: 0, Hi: 100, Noise: 0.1,
			Read: func(now time.Duration) float64 { return 50 + math.Sin(now.Seconds()) }})
	}
	p, err := plc.New(k, plc.Config{Name: "bench", Protocol: "modbus", Scan: strict.Duration(100 * time.Millisecond)}, start, tags)
	if err != nil {
		return err
	}
	s, err := modbus.Listen(modbus.Config{}, p, modbus.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	p.Start()
	fmt.Println(s.Addr().(*net.TCPAddr).Port)
	return k.Pace(context.Background(), start, time.Hour, nil)
}

// serveMbserver is mbserver with its own listener, which tells no port: a free
// one is found for it.
func serveMbserver() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	addr := l.Addr().(*net.TCPAddr)
	l.Close()
	s := mbserver.NewServer()
	defer s.Close()
	if err := s.ListenTCP(addr.String()); err != nil {
		return err
	}
	fmt.Println(addr.Port)
	select {}
}
