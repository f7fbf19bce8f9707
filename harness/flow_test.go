package harness

import (
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/plantbed/plantbed/scenarios"
	"github.com/plantbed/plantbed/sim/stats"
)

// pairOf is a line of two machines with exponential times and a buffer.
func pairOf(t *testing.T, buffer, hours string) *scenarios.Scenario {
	t.Helper()
	file := filepath.Join(t.TempDir(), "pair.toml")
	text := `name = "pair"
duration = "1h"
gear = "fast"
[[machine]]
name = "a"
kind = "filler"
params = { cycle = "20 s", scrap = "0 %", minor_stops = "0 /h" }
cycle = { law = "exponential" }
[[machine]]
name = "b"
kind = "capper"
params = { cycle = "20 s", scrap = "0 %", minor_stops = "0 /h" }
cycle = { law = "exponential" }
[[line]]
name = "l"
stations = ["a", "b"]
buffers = [` + buffer + `]
` + hours + `
[[plc]]
name = "plc"
protocol = "opcua"
machines = ["a", "b"]
`
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	sc, ps := scenarios.Load(file, nil)
	if err := append(ps, sc.Validate(nil)...).Err(); err != nil {
		t.Fatal(err)
	}
	return sc
}

// A line of two makes what the closed form says, its losses add up, and the
// same seed makes the same again.
func TestFlowOfTwo(t *testing.T) {
	o := FlowOptions{Runs: 10, WarmUp: time.Hour, For: 30 * time.Hour, Seed: 3}
	small, err := RunFlow(t.Context(), pairOf(t, "2", ""), o)
	if err != nil {
		t.Fatal(err)
	}
	large, err := RunFlow(t.Context(), pairOf(t, "12", ""), o)
	if err != nil {
		t.Fatal(err)
	}
	rate := func(flows []Flow) (xs []float64) {
		for _, f := range flows {
			xs = append(xs, f.Lines[0].UnitsPerHour)
		}
		return xs
	}
	// mu (1 - p0), with as many equally likely states as places and three more.
	for _, c := range []struct {
		flows  []Flow
		buffer float64
	}{{small, 2}, {large, 12}} {
		want := 180 * (1 - 1/(c.buffer+3))
		if i := stats.Mean(rate(c.flows), 0.95); !i.Contains(want) || i.Half > 0.03*want {
			t.Errorf("%g places: %v units per hour, theory says %.1f", c.buffer, i, want)
		}
	}
	if d := stats.Paired(rate(large), rate(small), 0.95); d.Low() <= 0 {
		t.Errorf("a larger buffer is worth %v", d)
	}
	for _, f := range small {
		for _, m := range append(f.Lines, f.Machines...) {
			sum := 0.0
			for _, l := range m.Lost {
				sum += l.Seconds
			}
			if math.Abs(sum-o.For.Seconds()) > 1e-3 || m.OEE <= 0 || m.OEE > 1 || m.KWhPerHour <= 0 {
				t.Fatalf("%s: %v s are accounted for; %+v", m.Name, sum, m)
			}
		}
	}
	again, err := RunFlow(t.Context(), pairOf(t, "2", ""), o)
	if err != nil || !reflect.DeepEqual(small, again) {
		t.Errorf("the same seed made something else; %v", err)
	}
}

// Hours in which the line is closed are no planned time.
func TestFlowKeepsHours(t *testing.T) {
	o := FlowOptions{Runs: 2, WarmUp: 24 * time.Hour, For: 48 * time.Hour, Seed: 3}
	shifts, err := RunFlow(t.Context(), pairOf(t, "12", `hours = ["mon-sun 06:00-14:00"]`), o)
	if err != nil {
		t.Fatal(err)
	}
	always, err := RunFlow(t.Context(), pairOf(t, "12", ""), o)
	if err != nil {
		t.Fatal(err)
	}
	a, b := shifts[0].Lines[0], always[0].Lines[0]
	if math.Abs(a.OEE-b.OEE) > 0.06 || a.UnitsPerHour > 0.4*b.UnitsPerHour {
		t.Errorf("one shift: OEE %.3f, %.1f units per hour; always: %.3f, %.1f", a.OEE, a.UnitsPerHour, b.OEE, b.UnitsPerHour)
	}
}
