package twin

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plantbed/plantbed/internal/payload"
	"github.com/plantbed/plantbed/sim/signal"
	"github.com/plantbed/plantbed/twin/mqtt"
	"github.com/plantbed/plantbed/twin/mqtt/mqtttest"
	"github.com/plantbed/plantbed/twin/predict"
)

// log is what the hooks were told, one line each, in order.
type log struct {
	mu    sync.Mutex
	lines []string
}

func (l *log) add(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}

func (l *log) options() Options {
	return Options{
		Seed:    1,
		OnReady: func() { l.add("ready") },
		OnApplied: func(_ time.Time, b payload.Batch, cs []Change) {
			l.add("applied %s/%d %s", b.Stream, b.First, kinds(cs))
		},
		OnMark: func(ms []Mark) {
			for _, m := range ms {
				l.add("mark %d %v", m.Index, m.Quality)
			}
		},
		OnAlarm: func(a predict.Alarm) { l.add("alarm %s %s %s %s", a.Machine, a.Detector, a.Class, a.Tag) },
	}
}

func TestRunOverARealBroker(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("", func(t *testing.T) {
		b := mqtttest.Start(t)
		cfg := plant()
		cfg.MQTT.URL = b.URL
		var l log
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- Run(ctx, cfg, l.options()) }()
		mqtttest.Eventually(t, "subscribed", func() bool { return b.Subscribed("twin-1") })
		gw := b.Client(t, "gw")
		send := func(b payload.Batch) {
			b.Gateway = "gw"
			gw.Publish(payload.DataTopic("plantbed", "gw"), payload.Append(nil, b), false)
		}
		now := time.Now().UTC()
		one := payload.Batch{Stream: "s", First: 1, Samples: []signal.Sample{{ID: "m/a", SourceTime: now}, {ID: "m/set", SourceTime: now}}}
		send(one)
		send(one)
		gw.Publish(payload.StatusTopic("plantbed", "gw", "plc"), payload.AppendStatus(nil, payload.Status{Gateway: "gw", Source: "plc"}), true)
		one.First, one.Samples = 3, []signal.Sample{{ID: "m/a", SourceTime: now.Add(time.Second)}}
		send(one)
		const nc = "UncertainNoCommunicationLastUsableValue"
		want := "ready\napplied s/1 ll\napplied s/1 dd\nmark 0 " + nc + "\nmark 2 " + nc + "\napplied s/3 l\nmark 0 " + nc
		mqtttest.Eventually(t, "everything was told:\n"+want, func() bool { return l.String() == want })
		mqtttest.Eventually(t, "everything acknowledged", func() bool { return b.Unacknowledged("twin-1") == 0 })
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	mqtttest.Eventually(t, "no goroutine left", func() bool { return runtime.NumGoroutine() <= before })
}

func TestRunRefusesWhatItCannotDo(t *testing.T) {
	cfg := plant()
	if err := Run(t.Context(), cfg, Options{}); err == nil || !strings.Contains(err.Error(), "mqtt.url") {
		t.Errorf("no broker: %v", err)
	}
	cfg.MQTT.URL = "mqtt://127.0.0.1:1"
	model := predict.Calibrated{Spec: predict.Spec{Machine: "m", Channels: []signal.ID{"m/none"}}}
	err := Run(t.Context(), cfg, Options{Models: []predict.Calibrated{model}})
	if err == nil || !strings.Contains(err.Error(), "m/none") || !strings.Contains(err.Error(), `"m"`) {
		t.Errorf("a model of a tag that is not there: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := Run(ctx, cfg, Options{}); err != nil || !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		t.Errorf("no broker there: %v; it is to go on trying", err)
	}
}

// wobble is a machine of two channels that follow one another.
func wobble(rng *rand.Rand, k int, bias float64) (a, b float64) {
	load := math.Sin(float64(k)/300) + 0.5*math.Sin(float64(k)/47)
	return 10 + load + 0.1*rng.NormFloat64() + bias, 20 + 2*load + 0.1*rng.NormFloat64() + 2*bias
}

// The detectors see the machine as the twin has it, at each tick: a shift is
// found, and none is invented while the source is away.
func TestDetectorsLookAtTheTwin(t *testing.T) {
	spec := predict.Spec{Machine: "m", State: "m/set", Channels: []signal.ID{"m/a", "m/b"}}
	tr := predict.NewTrainer(spec)
	rng := rand.New(rand.NewPCG(1, 1))
	for k := range 6 * 3600 {
		a, b := wobble(rng, k, 0)
		tr.Add(sec(float64(k)), 6, []float64{a, b})
	}
	cal, err := tr.Done()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		bias  float64 // after half an hour
		cut   bool    // the source goes away instead
		state float64
		alarm bool
	}{
		{"healthy", 0, false, 6, false},
		{"shifted", 5, false, 6, true},
		{"shifted, but stopped", 5, false, 2, false},
		{"cut off", 0, true, 6, false},
	} {
		var l log
		opts := l.options()
		opts.OnApplied, opts.OnMark = nil, nil
		opts.Models = []predict.Calibrated{*cal}
		scores, over := 0, 0
		opts.OnScore = func(machine string, _ time.Time, value, limit float64) {
			if scores++; value > limit {
				over++
			}
			if machine != "m" {
				t.Errorf("%s: a score of %q", c.name, machine)
			}
		}
		cfg := plant()
		cfg.MQTT.URL = "mqtt://unused:1"
		r, err := newRunner(cfg, opts)
		if err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(2, 2))
		for k := range 2 * 3600 {
			fault := k > 1800
			bias := 0.0
			if fault {
				bias = c.bias
			}
			a, b := wobble(rng, k, bias)
			if !fault || !c.cut {
				at := sec(float64(k) + 0.3)
				r.message(mqtt.Message{Kind: mqtt.Batch, At: at, Batch: live(sample("m/a", float64(k), a), sample("m/b", float64(k), b), sample("m/set", float64(k), c.state))})
			}
			r.tick(sec(float64(k) + 0.7))
		}
		pca := strings.Count(l.String(), "alarm m pca")
		if (pca > 0) != c.alarm {
			t.Errorf("%s: alarms:\n%s", c.name, l.String())
		}
		// Half an hour warms up; what stands still or is cut off is not judged.
		if want := map[bool]int{true: 500, false: 0}[!c.cut && c.state == 6]; scores < want || scores > 560 || want == 0 && scores > 5 {
			t.Errorf("%s: %d scores, want about %d", c.name, scores, want)
		}
		if (over > 5) != c.alarm {
			t.Errorf("%s: %d scores over the limit", c.name, over)
		}
	}
}

func TestLostBrokerCutsEverythingOff(t *testing.T) {
	var l log
	cfg := plant()
	cfg.MQTT.URL = "mqtt://unused:1"
	r, err := newRunner(cfg, l.options())
	if err != nil {
		t.Fatal(err)
	}
	r.message(mqtt.Message{Kind: mqtt.Link, Up: true, At: sec(0)})
	r.message(mqtt.Message{Kind: mqtt.Batch, At: sec(1), Batch: live(sample("n/a", 1, 1))})
	r.message(mqtt.Message{Kind: mqtt.Link, At: sec(2)})
	if got, want := l.String(), "ready\napplied /0 l\nmark 3 UncertainNoCommunicationLastUsableValue"; got != want {
		t.Errorf("told:\n%s\nwant\n%s", got, want)
	}
}

func TestPhaseIsSeeded(t *testing.T) {
	phase := func(seed uint64) time.Duration { return (&runner{opts: Options{Seed: seed}}).phase() }
	a, again, other := phase(1), phase(1), phase(2)
	if a != again || a == other || a < 0 || a >= tickEvery {
		t.Errorf("phases %v, again %v, of another seed %v", a, again, other)
	}
}
