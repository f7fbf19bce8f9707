package harness_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/gateway"
	"github.com/plantbed/plantbed/gateway/modbus"
	"github.com/plantbed/plantbed/gateway/opcua"
	"github.com/plantbed/plantbed/harness"
	"github.com/plantbed/plantbed/harness/score"
	"github.com/plantbed/plantbed/harness/sut"
	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/scenarios"
)

// ownGateway is what a stranger's test would have in its place: a gateway that
// the test itself starts, at the addresses that the run gives it.
func ownGateway(t *testing.T, e sut.Endpoints) (stop func()) {
	cfg := gateway.Config{Name: "edge-1"}
	for _, p := range e.OPCUA() {
		c := opcua.Config{Name: p.Name, URL: p.URL, Sampling: strict.Duration(p.Sampling), Publishing: strict.Duration(p.Publishing),
			Queue: p.Queue, Lifetime: strict.Duration(p.Lifetime), Trigger: p.Trigger}
		for _, tag := range p.Tags {
			c.Tags = append(c.Tags, opcua.Tag{ID: tag.ID, Node: tag.Node, Namespace: p.Namespace})
			if tag.Scale != 1 {
				cfg.Tags = append(cfg.Tags, gateway.Tag{ID: tag.ID, Factor: tag.Scale})
			}
		}
		cfg.OPCUA = append(cfg.OPCUA, c)
	}
	for _, p := range e.Modbus() {
		c := modbus.Config{Name: p.Name, URL: p.URL, Unit: p.Unit}
		for _, b := range p.Blocks {
			counter := uint16(b.Counter)
			block := modbus.Block{Counter: &counter, Start: uint16(b.Start), Count: b.Count, Poll: strict.Duration(b.Poll)}
			for _, tag := range b.Tags {
				block.Tags = append(block.Tags, modbus.Tag{ID: tag.ID, Address: uint16(tag.Register), Type: tag.Type, Scale: tag.Scale, Order: tag.Order})
			}
			c.Blocks = append(c.Blocks, block)
		}
		cfg.Modbus = append(cfg.Modbus, c)
	}
	cfg.MQTT.URL, cfg.MQTT.Prefix = e.Broker.URL, "plantbed"
	cfg.Buffer.Dir = t.TempDir()
	cfg.Defaults()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- gateway.Run(ctx, cfg, gateway.Options{}) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func foreignScenario(t *testing.T, sets ...string) *scenarios.Scenario {
	sc, ps := scenarios.Load(filepath.Join("testdata", "foreign.toml"), append([]string{"fault=[]", "duration=1m"}, sets...))
	if len(ps) > 0 {
		t.Fatal(ps.Err())
	}
	return sc
}

func value(t *testing.T, c score.Card, name string) float64 {
	t.Helper()
	v := c.Metrics[name].Value
	if v == nil {
		t.Fatalf("%s is not known: %v", name, c.Why)
	}
	return *v
}

// A stranger's test: a gateway of its own, a link that it breaks when it likes,
// and the card at the end.
func TestStart(t *testing.T) {
	t.Parallel()
	run := harness.Start(t, foreignScenario(t, "sut.kind=external"), harness.Options{})
	stop := ownGateway(t, run.Endpoints())
	defer stop()
	run.WaitUntil(3 * time.Second)
	if run.Samples() == 0 {
		t.Error("nothing has come after 3 s")
	}
	id := run.Inject(faults.Config{Kind: "link.down", Target: "plc-oven"})
	run.Inject(faults.Config{Kind: "link.down", Target: "plc-pump", For: strict.Duration(time.Second)})
	run.WaitUntil(5 * time.Second)
	run.Clear(id)
	run.WaitUntil(8 * time.Second)
	card := run.Card()
	for _, name := range []string{"loss.count", "corrupt.count", "orphan.count", "dup.unmarked"} {
		if v := value(t, card, name); v != 0 {
			t.Errorf("%s = %v: %v", name, v, card.Why)
		}
	}
	if v := value(t, card, "samples.delivered"); v < 50 {
		t.Errorf("delivered %v", v)
	}
	if len(card.ByFault) != 2 || card.ByFault[0].Kind != "link.down" {
		t.Errorf("the faults are %+v", card.ByFault)
	}
	if card.DurationS < 7.5 || card.DurationS > 10 {
		t.Errorf("the run took %v s", card.DurationS)
	}
}

// A gateway that stops without being asked to loses what it owes; and the
// record can be scored again.
func TestStartFindsLoss(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	run := harness.Start(t, foreignScenario(t, "sut.kind=external"), harness.Options{Dir: dir})
	stop := ownGateway(t, run.Endpoints())
	run.WaitUntil(4 * time.Second)
	stop()
	run.WaitUntil(7 * time.Second)
	if v := value(t, run.Card(), "loss.count"); v < 10 {
		t.Errorf("lost %v", v)
	}
	if _, err := os.Stat(filepath.Join(dir, "record", "end.json")); err != nil {
		t.Error(err)
	}
}

// The built-in gateway, within the test.
func TestStartBuiltIn(t *testing.T) {
	t.Parallel()
	run := harness.Start(t, foreignScenario(t, "sut.kind=builtin"), harness.Options{})
	run.WaitUntil(4 * time.Second)
	card := run.Card()
	if v := value(t, card, "loss.count"); v != 0 || value(t, card, "samples.delivered") < 20 {
		t.Errorf("lost %v, delivered %v", v, card.Metrics["samples.delivered"])
	}
}

// failing is a T that notes its end.
type failing struct {
	*testing.T
	said string
}

type ended struct{}

func (f *failing) Fatalf(format string, args ...any) {
	f.said = fmt.Sprintf(format, args...)
	panic(ended{})
}

// What is wrong ends the test, and says what.
func TestStartRefuses(t *testing.T) {
	t.Parallel()
	says := func(want string, do func(f *failing)) {
		t.Helper()
		f := &failing{T: t}
		func() {
			defer func() {
				if p := recover(); p != nil && p != (ended{}) {
					panic(p)
				}
			}()
			do(f)
		}()
		if !strings.Contains(f.said, want) {
			t.Errorf("said %q; want %q", f.said, want)
		}
	}
	says("Start needs live", func(f *failing) { harness.Start(f, foreignScenario(t, "gear=virtual"), harness.Options{}) })
	says("is not valid", func(f *failing) { harness.Start(f, foreignScenario(t, "plc[0].scan=-1s"), harness.Options{}) })
	run := func(f *failing) *harness.Running {
		return harness.Start(f, foreignScenario(t, "sut.kind=external", "sut.ready.within=1m"), harness.Options{})
	}
	says(`no link "plc-pumpe"`, func(f *failing) { run(f).Inject(faults.Config{Kind: "link.down", Target: "plc-pumpe"}) })
	says("the run has ended", func(f *failing) {
		harness.Start(f, foreignScenario(t, "sut.kind=external", "duration=1s", "sut.ready.data=true"), harness.Options{}).WaitUntil(30 * time.Second)
	})
}
