package plc_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim"
	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/signal"
)

func TestStopAndStart(t *testing.T) {
	k, p, o := makePLC(t, 1, config())
	p.Start()
	k.Run(3 * time.Second)
	p.Switch().Stop()
	last := p.Latest(0)
	if err := p.Write("oven/setpoint", 170); err != nil {
		t.Fatal(err)
	}
	k.Run(6 * time.Second)
	if p.Latest(0) != last || o.setpoint != 150 || !p.Switch().Stopped() {
		t.Fatalf("a stopped device went on: %+v, set-point %v", p.Latest(0), o.setpoint)
	}
	p.Switch().Start()
	k.Run(7 * time.Second)
	b := p.Latest(0)
	if b.Seq != last.Seq+1 || (b.At-last.At)%time.Second != 0 || o.setpoint != 170 {
		t.Errorf("started again with Seq %d after %d, %v later, set-point %v", b.Seq, last.Seq, b.At-last.At, o.setpoint)
	}
}

func TestFreeze(t *testing.T) {
	k, p, _ := makePLC(t, 1, config())
	p.Switch().Freeze(true)
	p.Start()
	k.Run(time.Second)
	first := p.Latest(0)
	p.Switch().BadQuality(signal.BadDeviceFailure)
	k.Run(2 * time.Second)
	p.Switch().BadQuality(signal.Good)
	k.Run(3 * time.Second)
	b := p.Latest(0)
	if b.Seq != 3 || fmt.Sprint(b.Values, b.Quality) != fmt.Sprint(first.Values, first.Quality) {
		t.Errorf("frozen block %+v, want the values of %+v", b, first)
	}
	p.Switch().Clear()
	k.Run(4 * time.Second)
	if p.Latest(0).Values[0] == first.Values[0] {
		t.Error("still frozen")
	}
}

func TestBadQuality(t *testing.T) {
	k, p, _ := makePLC(t, 1, config())
	p.Switch().BadQuality(signal.BadOutOfService)
	p.Start()
	k.Run(time.Second)
	for i, q := range p.Latest(0).Quality {
		if q != signal.BadOutOfService {
			t.Errorf("tag %d says %v", i, q)
		}
	}
	if v := p.Latest(0).Values[0]; v < 900 {
		t.Errorf("the value is touched: %v", v)
	}
	p.Switch().BadQuality(signal.Good)
	k.Run(2 * time.Second)
	if q := p.Latest(0).Quality[0]; q != signal.Good {
		t.Errorf("still %v", q)
	}
}

// Modbus has no way to tell a quality, so its clients see Good.
func TestModbusCarriesNoQuality(t *testing.T) {
	cfg := config()
	cfg.Protocol = "modbus"
	k, p, _ := makePLC(t, 1, cfg)
	p.Channel("pump/speed").Dropout(1, 0)
	p.Switch().BadQuality(signal.BadDeviceFailure)
	p.Start()
	k.Run(3 * time.Second)
	if q := p.Latest(0).Quality[0]; q != signal.Good {
		t.Errorf("got %v", q)
	}
}

func TestClock(t *testing.T) {
	k, p, _ := makePLC(t, 1, config())
	p.Start()
	k.Run(5 * time.Second)
	p.Switch().Clock(-40*time.Second, 0.001)
	k.Run(105 * time.Second)
	b := p.Latest(0)
	want := start.Add(b.At - 40*time.Second + (b.At-5*time.Second)/1000)
	if d := b.Stamp.Sub(want); d < -time.Microsecond || d > time.Microsecond {
		t.Errorf("stamp %v, want %v", b.Stamp, want)
	}
	if b.Stamp.Nanosecond()%100 != 0 {
		t.Errorf("stamp %v is finer than 100 ns", b.Stamp)
	}
	p.Switch().Clock(0, 0)
	k.Run(106 * time.Second)
	if b := p.Latest(0); !b.Stamp.Equal(start.Add(b.At).Truncate(100)) {
		t.Errorf("stamp %v after the clock was set right at %v", b.Stamp, b.At)
	}
}

// Stamps that jitter stand about where the scans were, and every scan is where
// it was without.
func TestClockJitter(t *testing.T) {
	k := sim.New(1)
	start := time.Unix(0, 0)
	p, err := plc.New(k, plc.Config{Name: "p", Protocol: "opcua", Scan: strict.Duration(100 * time.Millisecond), ClockJitter: strict.Duration(time.Millisecond)}, start,
		[]plc.Tag{{ID: "a/x", Type: plc.Float64, Read: func(time.Duration) float64 { return 1 }}})
	if err != nil {
		t.Fatal(err)
	}
	sum, square, n := 0.0, 0.0, 0.0
	p.OnTruth(func(b *plc.Block) {
		off := b.Stamp.Sub(start.Add(b.At)).Seconds() * 1000
		sum, square, n = sum+off, square+off*off, n+1
	})
	p.Start()
	k.Run(100 * time.Second)
	if mean, sd := sum/n, math.Sqrt(square/n); n < 999 || math.Abs(mean) > 0.1 || sd < 0.9 || sd > 1.1 {
		t.Errorf("%v scans, stamps off by %.3f ms on average and %.3f ms in spread, want 0 and 1", n, mean, sd)
	}
	if ps := (plc.Config{Name: "p", Protocol: "opcua", Scan: strict.Duration(time.Millisecond), ClockJitter: strict.Duration(time.Millisecond), Machines: []string{"m"}}).Validate(); !strings.Contains(ps.Error(), "clock_jitter") {
		t.Errorf("a jitter as long as the scan: %v", ps)
	}
}
