package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/plantbed/plantbed/faults/wire"
	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim"
	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/plc/opcua"
	"github.com/plantbed/plantbed/sim/signal"
)

// plantSpec is so many PLCs of so many tags each that scan so often. The value
// of a tag is the number of the scan, so (tag, value) tells samples apart.
type plantSpec struct {
	servers, tags int
	period        time.Duration
}

func (s plantSpec) String() string { return fmt.Sprintf("%d,%d,%v", s.servers, s.tags, s.period) }

func tagID(server, tag int) string { return fmt.Sprintf("p%d/m%d/t%d", server, tag/100, tag) }

// servePlant is the PLCs, each behind a link. It prints the links' addresses,
// and takes "down" and "up" for all links from its input.
func servePlant(text string) error {
	var spec plantSpec
	var period string
	if _, err := fmt.Sscanf(strings.ReplaceAll(text, ",", " "), "%d %d %s", &spec.servers, &spec.tags, &period); err != nil {
		return err
	}
	var err error
	if spec.period, err = time.ParseDuration(period); err != nil {
		return err
	}
	k, start := sim.New(1), time.Now()
	var links []*wire.Wire
	for n := range spec.servers {
		var list []plc.Tag
		for i := range spec.tags {
			list = append(list, plc.Tag{ID: signal.ID(tagID(n, i)), Type: plc.Float64, Lo: 0, Hi: 1e6, Unit: "1",
				Read: func(now time.Duration) float64 { return math.Floor(float64(now) / float64(spec.period)) }})
		}
		p, err := plc.New(k, plc.Config{Name: fmt.Sprintf("p%d", n), Protocol: "opcua", Scan: strict.Duration(spec.period)}, start, list)
		if err != nil {
			return err
		}
		s, err := opcua.Listen(opcua.Config{Limits: opcua.Limits{MinPublishing: strict.Duration(time.Millisecond)}}, p, opcua.Options{Seed: uint64(n)})
		if err != nil {
			return err
		}
		defer s.Close()
		w, err := wire.Listen(wire.Config{Name: p.Name(), Upstream: s.Addr().String()}, wire.Options{})
		if err != nil {
			return err
		}
		defer w.Close()
		links = append(links, w)
		fmt.Println(w.Addr())
		p.Start()
	}
	go func() {
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			for _, w := range links {
				if lines.Text() == "down" {
					w.Down(wire.RST)
				} else {
					w.Up()
				}
			}
		}
		os.Exit(0) // whoever started us has gone
	}()
	return k.Pace(context.Background(), start, time.Hour, nil)
}

// plant is the PLCs as another process.
type plant struct {
	spec  plantSpec
	addrs []string
	cmd   *exec.Cmd
	in    io.WriteCloser
}

func (b *bed) startPlant(spec plantSpec) (*plant, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &plant{spec: spec, cmd: exec.Command(self, "-plant", spec.String())}
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	for len(p.addrs) < spec.servers && lines.Scan() {
		p.addrs = append(p.addrs, lines.Text())
	}
	if len(p.addrs) < spec.servers {
		p.stop()
		return nil, fmt.Errorf("the PLCs did not start")
	}
	return p, nil
}

func (p *plant) links(word string) { fmt.Fprintln(p.in, word) }

func (p *plant) stop() {
	p.in.Close()
	p.cmd.Wait()
}
