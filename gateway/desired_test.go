package gateway

import (
	"strings"
	"testing"
	"time"

	"github.com/plantbed/plantbed/faults/wire"
	"github.com/plantbed/plantbed/internal/disk"
	"github.com/plantbed/plantbed/sim/signal"
)

// TestDesired sends desired values to a PLC through outages of the broker, of
// the device and of the gateway: each version is written once, older ones
// never, and what the config does not open is refused and says why.
func TestDesired(t *testing.T) {
	l := &ledger{}
	broker, addr := l.open(t, "")
	defer func() { shut(broker) }()
	d := newDevice(t, "a")
	w, err := wire.Listen(wire.Config{Name: "link", Upstream: d.addr, Seed: 1}, wire.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	time.Sleep(50 * time.Millisecond)
	cfg := Config{Name: "edge-1"}
	src := d.source()
	src.URL = "opc.tcp://" + w.Addr()
	for _, id := range []string{"set", "safe", "other"} {
		src.Tags = append(src.Tags, src.Tags[0])
		tag := &src.Tags[len(src.Tags)-1]
		tag.ID, tag.Node = signal.ID("a/"+id), "ns=2;s=a/"+id
	}
	cfg.OPCUA = append(cfg.OPCUA, src)
	least, most := 0.0, 100.0
	cfg.Tags = []Tag{{ID: "a/set", Factor: 0.5, Writable: true, Min: &least, Max: &most}, {ID: "a/safe", Writable: true, Safety: true}}
	cfg.MQTT.URL = "mqtt://" + addr
	cfg.Defaults()
	fs := disk.NewModel(disk.Model{Sync: -1})
	g := start(cfg, Options{FS: fs})
	want, reported := desiring(t, broker)
	written := func(values ...float64) {
		t.Helper()
		time.Sleep(50 * time.Millisecond)
		d.mu.Lock()
		defer d.mu.Unlock()
		if len(d.written) != len(values) {
			t.Fatalf("written %v, want %v", d.written, values)
		}
		for i, v := range values {
			if d.written[i] != v {
				t.Fatalf("written %v, want %v", d.written, values)
			}
		}
	}

	want("a/set", 1, 10)
	if r := reported("a/set", 1); !r.Done || r.Value != 10 {
		t.Errorf("%+v", r)
	}
	written(20) // 10 in its unit is 20 in the device's
	want("a/set", 3, 12)
	reported("a/set", 3)
	want("a/set", 2, 99)
	want("a/set", 3, 13)
	time.Sleep(50 * time.Millisecond)
	written(20, 24)

	want("a/set", 4, 1000)
	want("a/safe", 1, 1)
	want("a/other", 1, 1)
	want("a/nobody", 1, 1)
	for id, why := range map[string]string{"a/safe": "safety", "a/other": "read-only", "a/nobody": "read-only"} {
		if r := reported(id, 1); r.Done || !strings.Contains(r.Why, why) {
			t.Errorf("%s: %+v, want %q", id, r, why)
		}
	}
	if r := reported("a/set", 4); r.Done || !strings.Contains(r.Why, "outside") {
		t.Errorf("%+v", r)
	}
	written(20, 24)

	// the device is away, two versions come, the newer is written when it is back
	if err := w.Down(wire.RST); err != nil {
		t.Fatal(err)
	}
	want("a/set", 5, 30)
	time.Sleep(100 * time.Millisecond)
	want("a/set", 6, 31)
	time.Sleep(300 * time.Millisecond)
	written(20, 24)
	w.Up()
	if r := reported("a/set", 6); !r.Done {
		t.Errorf("%+v", r)
	}
	written(20, 24, 62)

	// the broker is away and has forgotten nothing; the gateway is killed meanwhile
	want("a/set", 7, 40)
	reported("a/set", 7)
	fs.Kill()
	g.stop(ErrKilled)
	<-g.end
	want("a/set", 8, 41)
	fs = fs.Reopen()
	g = start(cfg, Options{FS: fs})
	reported("a/set", 8)
	cut(broker)
	time.Sleep(300 * time.Millisecond)
	written(20, 24, 62, 80, 82)
	g.stop(nil)
	if err := <-g.end; err != nil {
		t.Error(err)
	}
}
