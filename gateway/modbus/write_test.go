package modbus

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/plantbed/plantbed/gateway/pipeline"
	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/signal"
)

// TestPut: what put writes, value reads; what does not fit is refused.
func TestPut(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	limits := map[string][2]float64{"bool": {0, 1}, "int16": {-32768, 32767}, "uint16": {0, 65535}, "int32": {-1 << 31, 1<<31 - 1}, "uint32": {0, 1<<32 - 1},
		"int64": {-1 << 53, 1 << 53}, "uint64": {0, 1 << 53}}
	for name, k := range kinds {
		for turn, o := range orders {
			for range 200 {
				f := field{0, k, o, []float64{1, 0.1, 2}[rng.IntN(3)]}
				raw := rng.NormFloat64() * 1e4
				if k.float == false {
					l := limits[name]
					raw = math.Round(l[0] + rng.Float64()*(l[1]-l[0]))
				}
				if name == "float" {
					raw = float64(float32(raw))
				}
				p, err := f.put(raw * f.scale)
				if err != nil {
					t.Fatalf("%s %s: %v: %v", name, turn, raw, err)
				}
				if got := f.value(p); math.Abs(got-raw*f.scale) > 1e-6*math.Abs(raw*f.scale) {
					t.Fatalf("%s %s: %v came back as %v", name, turn, raw*f.scale, got)
				}
			}
			f := field{0, k, o, 1}
			if l, ok := limits[name]; ok {
				for _, v := range []float64{l[1] + 1e20, l[0] - 1e20, 0.5, math.NaN()} {
					if p, err := f.put(v); err == nil {
						t.Errorf("%s takes %v as %x", name, v, p)
					}
				}
			}
		}
	}
}

// TestWrites: a write goes between two polls, is left out if the registers hold
// the value already, and is refused with a reason.
func TestWrites(t *testing.T) {
	f, c := newFake(t), &catcher{}
	cfg := Config{Name: "plc", URL: "tcp://" + f.addr(), Timeout: strict.Duration(200 * time.Millisecond), Tags: []Point{
		{ID: "set", Address: 20, Type: "int16", Scale: 0.1, Poll: strict.Duration(10 * time.Millisecond)},
		{ID: "wide", Address: 30, Type: "float", Poll: strict.Duration(10 * time.Millisecond)},
		{ID: "in", Address: 20, Type: "int16", Registers: "input"},
	}}
	cfg.Defaults()
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan error, 1)
	writes := make(chan pipeline.Write)
	go func() { over <- RunWriting(ctx, cfg, 1, nil, c.sink, c.status, writes) }()
	eventually(t, "up", func() bool { return c.state(0) != "" })
	write := func(id string, v float64) error {
		answer := make(chan error, 1)
		writes <- pipeline.Write{ID: signal.ID(id), Value: v, Answer: func(err error) { answer <- err }}
		return <-answer
	}
	if err := write("set", 61.5); err != nil {
		t.Error(err)
	}
	if err := write("wide", 1.5); err != nil {
		t.Error(err)
	}
	if err := write("set", 61.5); err != nil {
		t.Error(err)
	}
	f.with(func() {
		if f.writes != 2 || f.registers[20] != 615 || f.registers[30] != 0x3fc0 || f.registers[31] != 0 {
			t.Errorf("%d writes, registers %d %x %x", f.writes, f.registers[20], f.registers[30], f.registers[31])
		}
	})
	for id, v := range map[string]float64{"set": 1e6, "in": 1, "nobody": 1} {
		if err := write(id, v); err == nil || errors.Is(err, pipeline.ErrAway) {
			t.Errorf("%s: %v", id, err)
		}
	}
	f.with(func() { f.swallow = true }) // the write is done, its answer is lost
	if err := write("set", 5); !errors.Is(err, pipeline.ErrAway) {
		t.Errorf("an answer that never came: %v", err)
	}
	f.with(func() { f.swallow = false })
	if err := write("set", 5); err != nil { // taken only once there is a connection again
		t.Error(err)
	}
	f.with(func() {
		if f.writes != 3 || f.registers[20] != 50 {
			t.Errorf("%d writes, register %d", f.writes, f.registers[20])
		}
	})
	cancel()
	if err := <-over; err != nil {
		t.Error(err)
	}
}
