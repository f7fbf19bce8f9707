package harness

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/plantbed/plantbed/scenarios"
	"github.com/plantbed/plantbed/sim/plant"
	"github.com/plantbed/plantbed/sim/signal"
	"github.com/plantbed/plantbed/twin/predict"
)

// tended is a motor that is maintained on an alarm.
func tended(t *testing.T, alarm string) *world {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tended.toml")
	text := `name = "tended"
duration = "2h"
[[machine]]
name = "m"
kind = "motor"
[[machine.maintenance]]
components = ["rotor"]
work = "50ms"
` + alarm + `
[[plc]]
name = "plc"
protocol = "opcua"
scan = "500ms"
machines = ["m"]
[[plc.alarm]]
tag = "m/vibration"
high = 3.0
deadband = 0.5
`
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	sc, ps := scenarios.Load(file, nil)
	if err := append(ps, sc.Validate(nil)...).Err(); err != nil {
		t.Fatal(err)
	}
	w, err := newWorld(sc, 3, time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func works(w *world) *[]time.Duration {
	var at []time.Duration
	w.plant.OnEvent(func(e plant.Event) {
		if e.Kind == "maintenance" {
			at = append(at, e.At)
		}
	})
	return &at
}

// A controller's alarm brings the crew, once until it has ended.
func TestPLCAlarmOrdersMaintenance(t *testing.T) {
	w := tended(t, `alarm = "vibration"`)
	done := works(w)
	w.start()
	w.kernel.Run(10 * time.Minute)
	knob, _ := w.plant.Machine("m").Knob("rotor")
	if err := knob.Set(0.9); err != nil {
		t.Fatal(err)
	}
	w.kernel.Run(20 * time.Minute)
	if len(*done) != 1 || (*done)[0] < 10*time.Minute || (*done)[0] > 10*time.Minute+5*time.Second {
		t.Errorf("work was done at %v, want once, just after 10m", *done)
	}
}

// The same where PLCs are sampled row by row.
func TestSampledAlarmOrdersMaintenance(t *testing.T) {
	for _, policy := range []string{`alarm = "vibration"`, "signal = \"vibration\"\nabove = 3.0\nlook = \"10s\""} {
		w := &World{tended(t, policy)}
		done := works(w.w)
		w.Plant().Start()
		n := len(w.PLCs()[0].Tasks()[0].Tags)
		values, quality := make([]float64, n), make([]signal.Quality, n)
		for now := time.Second; now <= 20*time.Minute; now += time.Second {
			w.Kernel().Run(now)
			if now == 10*time.Minute {
				knob, _ := w.Plant().Machine("m").Knob("rotor")
				if err := knob.Set(0.9); err != nil {
					t.Fatal(err)
				}
			}
			w.PLCs()[0].Sample(0, values, quality)
			w.Sampled(0, values, quality)
		}
		if len(*done) != 1 || (*done)[0] < 10*time.Minute || (*done)[0] > 10*time.Minute+15*time.Second {
			t.Errorf("%s: work was done at %v, want once, just after 10m", policy, *done)
		}
	}
}

// An alarm of the twin reaches the plant on the kernel's goroutine; one of a
// class that nobody waits for does not.
func TestTwinAlarmOrdersMaintenance(t *testing.T) {
	w := tended(t, "alarm = \"pca\"\nclass = \"process\"")
	done := works(w)
	w.start()
	w.heed(t.Context(), predict.Alarm{Machine: "m", Detector: "pca", Class: "sensor"})
	w.heed(t.Context(), predict.Alarm{Machine: "m", Detector: "shewhart"})
	w.heed(t.Context(), predict.Alarm{Machine: "other", Detector: "pca", Class: "process"})
	if err := w.kernel.Pace(t.Context(), time.Now(), 100*time.Millisecond, nil); err != nil || len(*done) != 0 {
		t.Fatalf("work was done at %v, want none; %v", *done, err)
	}
	w.heed(t.Context(), predict.Alarm{Machine: "m", Detector: "pca", Class: "process"})
	if err := w.kernel.Pace(t.Context(), time.Now().Add(-100*time.Millisecond), 400*time.Millisecond, nil); err != nil || len(*done) != 1 {
		t.Errorf("work was done at %v, want once; %v", *done, err)
	}
}

// A plant that nobody maintains by what is measured has no ears: an alarm
// costs nothing and does not wait for a kernel that is gone.
func TestNobodyHeeds(t *testing.T) {
	w := tended(t, `after = "2000h"`)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 1000 {
		w.heed(ctx, predict.Alarm{Machine: "m", Detector: "pca"})
	}
	if w.upkeep != nil {
		t.Error("it listens")
	}
}
