package modbus

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plantbed/plantbed/gateway/pipeline"
	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/signal"
)

type catcher struct {
	mu     sync.Mutex
	got    []signal.Sample
	states []string
	block  chan struct{}
}

func (c *catcher) sink(ctx context.Context, b pipeline.Batch) error {
	if c.block != nil {
		select {
		case <-c.block:
		case <-ctx.Done():
			b.Done(ctx.Err())
			return ctx.Err()
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = append(c.got, b.Samples...)
	b.Done(nil)
	return nil
}

func (c *catcher) status(source string, up bool, why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.states = append(c.states, fmt.Sprintf("%v %s", up, why))
}

func (c *catcher) samples() []signal.Sample {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]signal.Sample(nil), c.got...)
}

func (c *catcher) state(n int) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n < len(c.states) {
		return c.states[n]
	}
	return ""
}

// testConfig reads registers 10 to 12: a counter and ten times the counter.
func testConfig(addr string, poll time.Duration) Config {
	counter := uint16(10)
	c := Config{Name: "plc", URL: "tcp://" + addr, Timeout: strict.Duration(400 * time.Millisecond), Blocks: []Block{{
		Counter: &counter, Start: 10, Count: 3, Poll: strict.Duration(poll),
		Tags: []Tag{{ID: "m/c/q", Address: 12, Type: "uint16", Scale: 0.1}}}}}
	c.Defaults()
	return c
}

func start(t *testing.T, cfg Config, c *catcher) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Run(ctx, cfg, 1, nil, c.sink, c.status) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			select {
			case err := <-done:
				if err != nil {
					t.Errorf("Run: %v", err)
				}
			case <-time.After(5 * time.Second):
				t.Error("Run did not end")
			}
		})
	}
	t.Cleanup(stop)
	return stop
}

func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if cond() {
			return
		}
	}
	t.Fatalf("never happened: %s", what)
}

func noLeak(t *testing.T) {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
			if runtime.NumGoroutine() <= before {
				return
			}
		}
		buf := make([]byte, 1<<16)
		t.Errorf("goroutines left: %d, before %d\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
	})
}

// wantScans checks that the samples are scans 1, 2, ... n, each once, each with
// the value that its own scan had.
func wantScans(t *testing.T, got []signal.Sample, n int) {
	t.Helper()
	for i, s := range got {
		// The scale is applied in floating point, and so is the wish.
		if want := float64(uint16(10*(i+1))) * 0.1; s.Seq != uint64(i+1) || s.Value != want || s.Quality != signal.Good {
			t.Fatalf("sample %d is %+v, want scan %d with %v", i, s, i+1, want)
		}
	}
	if len(got) != n {
		t.Errorf("%d samples, want %d", len(got), n)
	}
}

func TestDelivers(t *testing.T) {
	noLeak(t)
	f, c := newFake(t), &catcher{}
	f.scan(1)
	start(t, testConfig(f.addr(), 5*time.Millisecond), c)
	for n := 1; n <= 20; n++ {
		f.scan(n)
		eventually(t, "the scan", func() bool { return len(c.samples()) == n })
	}
	time.Sleep(30 * time.Millisecond) // polls that find nothing new
	wantScans(t, c.samples(), 20)
	if c.state(0) != "true " || c.state(1) != "" {
		t.Errorf("states %q", c.states)
	}
	f.with(func() {
		if r := f.requests[0]; r.unit != 1 || r.fn != 3 || r.start != 10 || r.count != 3 {
			t.Errorf("asked for %+v", r)
		}
	})
}

func TestInputRegistersAndCounterOutside(t *testing.T) {
	noLeak(t)
	f, c := newFake(t), &catcher{}
	f.scan(1)
	cfg := testConfig(f.addr(), 5*time.Millisecond)
	cfg.Unit = 17
	cfg.Blocks[0].Registers, cfg.Blocks[0].Start, cfg.Blocks[0].Count = "input", 12, 1
	start(t, cfg, c)
	eventually(t, "the scan", func() bool { return len(c.samples()) == 1 })
	wantScans(t, c.samples(), 1)
	f.with(func() {
		if r := f.requests[0]; r.unit != 17 || r.fn != 4 || r.start != 10 || r.count != 3 {
			t.Errorf("asked for %+v", r)
		}
	})
}

// TestLateAnswer: an answer that comes after its timeout is never taken for the
// answer to the next request. Without the dial in between, scan 2 would be
// handed on with the registers of scan 1.
func TestLateAnswer(t *testing.T) {
	noLeak(t)
	f, c := newFake(t), &catcher{}
	f.scan(1)
	f.bend = func(n int, a []byte) ([]byte, time.Duration) {
		if n%3 == 2 {
			return a, 120 * time.Millisecond
		}
		return a, 0
	}
	cfg := testConfig(f.addr(), 5*time.Millisecond)
	cfg.Timeout = strict.Duration(80 * time.Millisecond)
	start(t, cfg, c)
	for n := 1; n <= 6; n++ {
		f.scan(n)
		eventually(t, "the scan", func() bool { return len(c.samples()) == n })
	}
	wantScans(t, c.samples(), 6)
	f.with(func() {
		if f.dials < 2 {
			t.Error("the connection was kept with an answer overdue")
		}
	})
}

// TestWrongAnswers: whatever does not belong to the request costs the
// connection and nothing else.
func TestWrongAnswers(t *testing.T) {
	for name, bend := range map[string]func(a []byte) []byte{
		"transaction":    func(a []byte) []byte { a[1]++; return a },
		"transaction -1": func(a []byte) []byte { a[1]--; return a },
		"protocol":       func(a []byte) []byte { a[2] = 1; return a },
		"unit":           func(a []byte) []byte { a[6]++; return a },
		"function":       func(a []byte) []byte { a[7] = 4; return a },
		"foreign refusal": func(a []byte) []byte {
			return append(a[:4:4], 0, 3, a[6], 0x84, 2)
		},
		"fewer registers": func(a []byte) []byte { a[5] -= 2; a[8] -= 2; return a[:len(a)-2] },
		"more registers":  func(a []byte) []byte { a[5] += 2; a[8] += 2; return append(a, 1, 2) },
		"byte count":      func(a []byte) []byte { a[8] = 2; return a },
		"length 0":        func(a []byte) []byte { a[5] = 0; return a },
		"length 1":        func(a []byte) []byte { a[5] = 1; return a },
		"length huge":     func(a []byte) []byte { a[4] = 0xff; return a },
		"half a header":   func(a []byte) []byte { return a[:3] },
		"empty":           func(a []byte) []byte { return append(a[:4:4], 0, 2, a[6], a[7]) },
		"nothing":         func(a []byte) []byte { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, c := newFake(t), &catcher{}
			f.scan(1)
			f.bend = func(n int, a []byte) ([]byte, time.Duration) {
				if n == 2 {
					return bend(a), 0
				}
				return a, 0
			}
			start(t, testConfig(f.addr(), 5*time.Millisecond), c)
			for n := 1; n <= 3; n++ {
				f.scan(n)
				eventually(t, "the scan", func() bool { return len(c.samples()) == n })
			}
			wantScans(t, c.samples(), 3)
			f.with(func() {
				if f.dials != 2 {
					t.Errorf("dialled %d times, want 2", f.dials)
				}
			})
			if !strings.HasPrefix(c.state(1), "false registers 10 to 12: ") || c.state(2) != "true " {
				t.Errorf("states %q", c.states)
			}
		})
	}
}

// TestException: a refusal is an answer; three in a row are told, and the
// connection stays.
func TestException(t *testing.T) {
	noLeak(t)
	f, c := newFake(t), &catcher{}
	f.scan(1)
	f.bend = func(n int, a []byte) ([]byte, time.Duration) {
		if n >= 2 && n < 10 {
			return append(a[:4:4], 0, 3, a[6], a[7]|0x80, 2), 0
		}
		return a, 0
	}
	start(t, testConfig(f.addr(), 5*time.Millisecond), c)
	eventually(t, "down and up", func() bool { return c.state(2) != "" })
	if c.state(1) != "false 1 of 1 blocks refused, first registers 10 to 12: exception 2" || c.state(2) != "true " {
		t.Errorf("states %q", c.states)
	}
	f.with(func() {
		if f.dials != 1 {
			t.Errorf("dialled %d times, want once", f.dials)
		}
	})
}

// TestDrop: the poll that met the drop is made up for.
func TestDrop(t *testing.T) {
	noLeak(t)
	f, c := newFake(t), &catcher{}
	f.scan(1)
	start(t, testConfig(f.addr(), 20*time.Millisecond), c)
	for n := 1; n <= 5; n++ {
		f.scan(n)
		eventually(t, "the scan", func() bool { return len(c.samples()) == n })
		f.cut()
	}
	wantScans(t, c.samples(), 5)
}

func TestDown(t *testing.T) {
	noLeak(t)
	f, c := newFake(t), &catcher{}
	f.scan(1)
	addr := f.addr()
	start(t, testConfig(addr, 5*time.Millisecond), c)
	eventually(t, "up", func() bool { return c.state(0) != "" })
	f.down()
	eventually(t, "down", func() bool { return c.state(1) != "" })
	f.scan(2)
	f.listen(addr)
	eventually(t, "the scan", func() bool { return len(c.samples()) == 2 })
	wantScans(t, c.samples(), 2)
}

// TestStop ends a source in each of the places where it can be.
func TestStop(t *testing.T) {
	for name, prepare := range map[string]func(*fake, *catcher, *Config){
		"idle": func(_ *fake, _ *catcher, cfg *Config) { cfg.Blocks[0].Poll = strict.Duration(time.Hour) },
		"reading": func(f *fake, _ *catcher, _ *Config) {
			f.bend = func(int, []byte) ([]byte, time.Duration) { return nil, 0 }
		},
		"blocked":     func(_ *fake, c *catcher, _ *Config) { c.block = make(chan struct{}) },
		"unreachable": func(f *fake, _ *catcher, _ *Config) { f.down() },
	} {
		t.Run(name, func(t *testing.T) {
			noLeak(t)
			f, c := newFake(t), &catcher{}
			f.scan(1)
			cfg := testConfig(f.addr(), 5*time.Millisecond)
			cfg.Timeout = strict.Duration(time.Hour)
			prepare(f, c, &cfg)
			stop := start(t, cfg, c)
			time.Sleep(40 * time.Millisecond)
			stop()
		})
	}
}

func TestRefusesConfig(t *testing.T) {
	if err := Run(context.Background(), Config{Name: "x"}, 1, nil, nil, nil); err == nil || !strings.Contains(err.Error(), `modbus source "x": url: `) {
		t.Errorf("got %v", err)
	}
}
