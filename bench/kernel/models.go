package main

import (
	_ "embed"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// draws is the length of a file of draws; models use it over and over.
const draws = 65536

// bench is what the comparisons share: the draws, and the peers that are there.
type bench struct {
	dir     string
	delays  []delays
	missing []string
	c       bool // there is a C compiler, and it made dir/heap
	simpy2  bool
	simpy3  bool
}

// delays is a distribution, drawn; its mean is 1 s.
type delays struct {
	name string
	draw []time.Duration
	file string
}

//go:embed peers/heap.c
var heapC string

//go:embed peers/simpy2.py
var simpy2Py string

//go:embed peers/simpy3.py
var simpy3Py string

// python is Debian's, which knows Debian's packages.
const python = "/usr/bin/python3"

func (b *bench) prepare() error {
	r := rand.New(rand.NewPCG(1, 2))
	for _, d := range []struct {
		name string
		f    func() float64
	}{
		{"exponential", r.ExpFloat64},
		{"uniform", func() float64 { return 2 * r.Float64() }},
		{"bimodal", func() float64 { // nine short ones for each long one
			if r.Float64() < 0.9 {
				return 0.1 * r.Float64()
			}
			return 9.55 * 2 * r.Float64()
		}},
		{"services", func() float64 { return 0.8 * r.ExpFloat64() }},
	} {
		if err := b.draw(d.name, d.f); err != nil {
			return err
		}
	}
	for name, text := range map[string]string{"heap.c": heapC, "simpy2.py": simpy2Py, "simpy3.py": simpy3Py} {
		if err := os.WriteFile(filepath.Join(b.dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	b.c = b.lookFor("C compiler", "cc", "-O3", "-march=native", "-o", filepath.Join(b.dir, "heap"), filepath.Join(b.dir, "heap.c"))
	b.simpy2 = b.lookFor("SimPy 2 (python3-simpy)", python, "-c", "import SimPy.Simulation")
	b.simpy3 = b.lookFor("SimPy 3 (python3-simpy3)", python, "-c", "import simpy")
	return nil
}

func (b *bench) draw(name string, f func() float64) error {
	d := delays{name: name, file: filepath.Join(b.dir, name)}
	var bytes []byte
	for range draws {
		ns := int64(math.Round(f() * 1e9))
		d.draw = append(d.draw, time.Duration(ns))
		bytes = binary.LittleEndian.AppendUint64(bytes, uint64(ns))
	}
	b.delays = append(b.delays, d)
	return os.WriteFile(d.file, bytes, 0o644)
}

func (b *bench) comparisons() []comparison {
	var all []comparison
	for _, size := range []struct {
		pending, events int
		reach           float64
	}{{1000, 5_000_000, 1.3}, {100_000, 2_000_000, 1}} {
		for _, d := range b.delays[:3] {
			all = append(all, b.hold(size.pending, size.events, size.reach, d))
		}
	}
	return append(all, b.mm1Events(1_000_000), b.mm1Simgo(1_000_000), b.mm1SimPy(200_000), b.unscanned(100_000))
}

func (b *bench) hold(pending, events int, reach float64, d delays) comparison {
	c := comparison{
		name: fmt.Sprintf("hold %d pending, %s", pending, d.name), unit: "ns/event", per: events,
		ours: func() (time.Duration, int64, error) {
			d.look()
			took, last := hold(pending, events, d.draw)
			return took, int64(last), nil
		},
	}
	if b.c {
		c.peers = []peer{{"C heap loop", reach, b.child(filepath.Join(b.dir, "heap"), "hold", strconv.Itoa(pending), strconv.Itoa(events), d.file)}}
	}
	return c
}

func (b *bench) mm1Events(customers int) comparison {
	between, service := b.delays[0], b.delays[3]
	c := comparison{name: "M/M/1, events", unit: "ns/customer", per: customers, ours: b.timed(mm1Events, customers)}
	if b.c {
		c.peers = []peer{{"C heap loop", 1.8, b.child(filepath.Join(b.dir, "heap"), "mm1", strconv.Itoa(customers), between.file, service.file)}}
	}
	return c
}

func (b *bench) mm1Simgo(customers int) comparison {
	return comparison{
		name: "M/M/1, a process per customer", unit: "ns/customer", per: customers, ours: b.timed(mm1Processes, customers),
		peers: []peer{{"simgo 0.5.0", 0.1, b.timed(mm1Simgo, customers)}},
	}
}

func (b *bench) mm1SimPy(customers int) comparison {
	between, service := b.delays[0], b.delays[3]
	c := comparison{
		name: fmt.Sprintf("M/M/1, a process each, %d", customers), unit: "ns/customer", per: customers,
		ours: b.timed(mm1Processes, customers),
	}
	if b.simpy2 {
		c.peers = append(c.peers, peer{"SimPy 2.3.1", 1. / 15, b.child(python, filepath.Join(b.dir, "simpy2.py"), strconv.Itoa(customers), between.file, service.file)})
	}
	if b.simpy3 {
		c.peers = append(c.peers, peer{"SimPy 3.0.11", 1. / 15, b.child(python, filepath.Join(b.dir, "simpy3.py"), strconv.Itoa(customers), between.file, service.file)})
	}
	return c
}

func (b *bench) timed(f func(int, []time.Duration, []time.Duration) time.Duration, customers int) program {
	return func() (time.Duration, int64, error) {
		b.delays[0].look()
		b.delays[3].look()
		w := start()
		sum := f(customers, b.delays[0].draw, b.delays[3].draw)
		return w.took(), int64(sum), nil
	}
}

// look has the draws in the processor's cache before the clock starts, as
// they are in a peer that has just read them from its file.
func (d delays) look() (sum time.Duration) {
	for _, v := range d.draw {
		sum += v
	}
	return sum
}

// watch measures the lesser of the time that passes and the CPU time of the
// process: the first counts the neighbours' work on a busy machine, the second
// counts threads that only spin.
type watch struct {
	wall time.Time
	cpu  time.Duration
}

func start() watch { return watch{time.Now(), cpuTime()} }

func (w watch) took() time.Duration { return min(time.Since(w.wall), cpuTime()-w.cpu) }

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// child is a program of its own, which measures its loop itself and prints
// the seconds of CPU and the checksum.
func (b *bench) child(name string, args ...string) program {
	return func() (took time.Duration, sum int64, err error) {
		cmd := exec.Command(name, args...)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return 0, 0, fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
		}
		var seconds float64
		if _, err := fmt.Sscan(string(out), &seconds, &sum); err != nil {
			return 0, 0, fmt.Errorf("%s: cannot read %q: %w", name, out, err)
		}
		return time.Duration(seconds * 1e9), sum, nil
	}
}
