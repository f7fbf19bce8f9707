package gateway

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/plantbed/plantbed/gateway/pipeline"
	"github.com/plantbed/plantbed/internal/strict"
)

// TestSIGKILL kills a gateway process with SIGKILL at random points, on a real
// disk, while the broker drops. What the process wrote down as durable before
// it died arrives, once per key. PLANTBED_SIGKILLS says how often.
func TestSIGKILL(t *testing.T) {
	if time.Now().Year() == 2009 {
		t.Skip("another process does not share the fake clock")
	}
	t.Parallel()
	n := 4
	fmt.Sscan(os.Getenv("PLANTBED_SIGKILLS"), &n)
	r, dir, l := rand.New(rand.NewPCG(9, 9)), t.TempDir(), &ledger{}
	broker, addr := l.open(t, "")
	p := &plc{durable: map[uint64]bool{}}
	child := func() *exec.Cmd {
		c := exec.Command(os.Args[0], "-test.run", "^TestGatewayProcess$")
		c.Env = append(os.Environ(), "PLANTBED_GATEWAY_DIR="+dir, "PLANTBED_GATEWAY_BROKER="+addr, fmt.Sprintf("PLANTBED_GATEWAY_SCAN=%d", p.scan))
		c.Stderr = os.Stderr
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		return c
	}
	for range n {
		c := child()
		time.Sleep(time.Duration(60+r.IntN(150)) * time.Millisecond)
		switch r.IntN(5) {
		case 0:
			cut(broker)
		case 1:
			shut(broker)
			time.Sleep(time.Duration(r.IntN(50)) * time.Millisecond)
			broker, _ = l.open(t, addr)
		}
		c.Process.Kill()
		c.Wait()
		readJournal(t, dir, p)
	}
	c := child()
	time.Sleep(300 * time.Millisecond)
	os.WriteFile(filepath.Join(dir, "stop"), nil, 0o600)
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
	readJournal(t, dir, p)
	settle(t, l, p)
	shut(broker)
	l.check(t, p)
	got, keys := 0, map[string]bool{}
	for _, b := range l.data {
		for i := range b.Samples {
			got++
			keys[fmt.Sprint(b.Stream, b.First+uint64(i))] = true
		}
	}
	fmt.Printf("torture\tSIGKILL of a process on a real disk, broker drops\t%d\t%d\t%d\t%d\t0\n", n, len(p.durable)*tags, len(keys), got-len(keys))
}

// readJournal takes what the process wrote down: "s N" before scan N was handed
// over, "d N" when it was told durable.
func readJournal(t *testing.T, dir string, p *plc) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "journal"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var kind string
		var scan uint64
		if n, _ := fmt.Sscan(line, &kind, &scan); n != 2 {
			continue
		}
		if p.scan = max(p.scan, scan); kind == "d" {
			p.durable[scan] = true
		}
	}
}

// TestGatewayProcess is the process that TestSIGKILL kills.
func TestGatewayProcess(t *testing.T) {
	dir := os.Getenv("PLANTBED_GATEWAY_DIR")
	if dir == "" {
		t.Skip("it is started by TestSIGKILL")
	}
	journal, err := os.OpenFile(filepath.Join(dir, "journal"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	write := func(kind string, scan uint64) {
		mu.Lock()
		defer mu.Unlock()
		var b bytes.Buffer
		fmt.Fprintln(&b, kind, scan)
		io.Copy(journal, &b)
	}
	p := &plc{period: time.Millisecond, durable: map[uint64]bool{}}
	fmt.Sscan(os.Getenv("PLANTBED_GATEWAY_SCAN"), &p.scan)
	cfg := Config{Name: "edge-1"}
	cfg.MQTT.URL = "mqtt://" + os.Getenv("PLANTBED_GATEWAY_BROKER")
	cfg.MQTT.MaxBackoff = strict.Duration(20 * time.Millisecond)
	cfg.Buffer.Dir = filepath.Join(dir, "buffer")
	cfg.Buffer.Commit = strict.Duration(5 * time.Millisecond)
	cfg.Buffer.Segment = 16 << 10
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		for {
			time.Sleep(10 * time.Millisecond)
			if _, err := os.Stat(filepath.Join(dir, "stop")); err == nil {
				p.mu.Lock()
				p.stopped = true
				p.mu.Unlock()
				time.Sleep(time.Second) // for the broker to have it all
				cancel()
				return
			}
		}
	}()
	journalled := func(ctx context.Context, sink pipeline.Sink, status pipeline.StatusFunc) error {
		return p.run(ctx, func(ctx context.Context, b pipeline.Batch) error {
			if b.Done != nil { // a scan, not the repetition at the start
				scan, done := b.Samples[0].Seq, b.Done
				write("s", scan)
				b.Done = func(err error) {
					if err == nil {
						write("d", scan)
					}
					done(err)
				}
			}
			return sink(ctx, b)
		}, status)
	}
	if err := Run(ctx, cfg, Options{sources: []source{{name: "plc", run: journalled}}}); err != nil {
		t.Fatal(err)
	}
}
