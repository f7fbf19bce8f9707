package main

import (
	"fmt"
	"math"
	"runtime"
	"time"

	"github.com/plantbed/plantbed/sim"
	"github.com/plantbed/plantbed/sim/plant"
)

// scannedTags is how many are scanned, of so many machines with ten tags each.
const scannedTags, tagsEach = 100, 10

// unscanned compares a plant of which a thousandth is scanned with that
// thousandth alone: a signal that nobody samples costs nothing. What counts is
// the running; a plant must be built once.
func (b *bench) unscanned(tags int) comparison {
	return comparison{
		name: fmt.Sprintf("%d tags scanned of %d", scannedTags, tags), unit: "ns/reading", per: readings,
		ours:  func() (time.Duration, int64, error) { return scan(tags / tagsEach) },
		peers: []peer{{"the same alone", 1.2, func() (time.Duration, int64, error) { return scan(scannedTags / tagsEach) }}},
	}
}

const (
	scanned  = time.Hour // simulated
	readings = scannedTags * int(scanned/time.Second)
)

// scan runs so many machines for an hour and reads the first hundred tags
// every second. The checksum is of what was read.
func scan(machines int) (time.Duration, int64, error) {
	var cfg plant.Config
	for i := range machines {
		kind := []string{"motor", "gearbox", "heat-exchanger"}[i%3]
		cfg.Machines = append(cfg.Machines, plant.MachineConfig{Name: fmt.Sprintf("m%d", i), Kind: kind})
	}
	k := sim.New(1)
	p, err := plant.Build(k, cfg)
	if err != nil {
		return 0, 0, err
	}
	p.Start()
	var read []func(time.Duration) float64
	for _, m := range p.Machines() {
		for _, s := range m.Signals() {
			if len(read) < scannedTags {
				read = append(read, s.Read)
			}
		}
	}
	sum := 0.0
	runtime.GC() // the garbage of building it is not the run's
	w := start()
	for at := time.Second; at <= scanned; at += time.Second {
		k.Run(at)
		for _, r := range read {
			sum += r(at)
		}
	}
	return w.took(), int64(math.Float64bits(sum)), nil
}
