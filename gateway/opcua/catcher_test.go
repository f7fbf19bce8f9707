package opcua

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plantbed/plantbed/gateway/pipeline"
	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim/signal"
)

// catcher is a sink that keeps everything; verdict may lose batches.
type catcher struct {
	mu              sync.Mutex
	got             []signal.Sample
	batches         [][]signal.Sample
	states          []string
	gaps, overflows int
	verdict         func(pipeline.Batch) error // nil: all is durable at once
	block           chan struct{}              // while not nil and open, the sink blocks
	later           []func(error)              // Done functions not yet called, if hold is set
	hold            bool
}

func (c *catcher) sink(ctx context.Context, b pipeline.Batch) error {
	c.mu.Lock()
	block := c.block
	c.mu.Unlock()
	if block != nil {
		select {
		case <-block:
		case <-ctx.Done():
			b.Done(ctx.Err())
			return ctx.Err()
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var err error
	if c.verdict != nil {
		err = c.verdict(b)
	}
	c.gaps += b.Gaps
	c.overflows += b.Overflows
	if err == nil && len(b.Samples) > 0 {
		c.got = append(c.got, b.Samples...)
		c.batches = append(c.batches, b.Samples)
	}
	if c.hold {
		c.later = append(c.later, b.Done)
	} else if b.Done != nil {
		b.Done(err)
	}
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

func (c *catcher) ups() (up, down int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.states {
		if strings.HasPrefix(s, "true") {
			up++
		} else {
			down++
		}
	}
	return up, down
}

func testConfig(url string, n int) Config {
	c := Config{Name: "plc", URL: url, Publishing: strict.Duration(10 * time.Millisecond), Sampling: strict.Duration(10 * time.Millisecond)}
	c.Defaults()
	for i := range n {
		c.Tags = append(c.Tags, Tag{ID: tagID(i), Node: nodeOf(i)})
	}
	return c
}

func tagID(i int) signal.ID { return signal.ID(fmt.Sprintf("m/c/q%03d", i)) }
func nodeOf(i int) string   { return fmt.Sprintf("ns=2;s=q%03d", i) }

// start runs a source until the test ends.
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
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if cond() {
			return
		}
	}
	t.Fatalf("never happened: %s", what)
}

// wantCount checks that tag 0 delivered 1, 2, ... n, each once and in order.
func wantCount(t *testing.T, got []signal.Sample, n int) {
	t.Helper()
	var values []float64
	for _, s := range got {
		if s.ID == tagID(0) {
			values = append(values, s.Value)
		}
	}
	if len(values) != n {
		t.Errorf("%d samples, want %d: %v", len(values), n, values)
		return
	}
	for i, v := range values {
		if v != float64(i+1) {
			t.Errorf("sample %d is %v, want %d", i, v, i+1)
			return
		}
	}
}

func up(c *catcher, n int) func() bool {
	return func() bool { got, _ := c.ups(); return got >= n }
}

func at(n int) time.Time { return epoch.Add(time.Duration(n) * time.Millisecond) }
