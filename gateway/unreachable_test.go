package gateway

import (
	"testing"
	"time"

	"github.com/plantbed/plantbed/faults/wire"
	"github.com/plantbed/plantbed/gateway/opcua"
	"github.com/plantbed/plantbed/internal/disk"
	"github.com/plantbed/plantbed/sim/signal"
)

// TestUnreachableIsSaidBySamples takes a PLC's link away twice: each time every
// tag comes once more with its last value and source time, uncertain, behind
// its last good sample; then it is good again.
func TestUnreachableIsSaidBySamples(t *testing.T) {
	l := &ledger{}
	broker, addr := l.open(t, "")
	defer shut(broker)
	d := newDevice(t, "a")
	w, err := wire.Listen(wire.Config{Name: "link", Upstream: d.addr, Seed: 1}, wire.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	time.Sleep(50 * time.Millisecond)
	src := d.source()
	src.URL = "opc.tcp://" + w.Addr()
	src.Tags = append(src.Tags, opcua.Tag{ID: "a/set", Node: "ns=2;s=a/set"})
	cfg := Config{Name: "edge-1", Unreachable: UnreachableSamples, OPCUA: []opcua.Config{src}}
	cfg.MQTT.URL = "mqtt://" + addr
	cfg.Defaults()
	if ps := cfg.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	g := start(cfg, Options{FS: disk.NewModel(disk.Model{Sync: -1})})
	marks := func() (out []signal.Sample, last map[signal.ID]signal.Sample) {
		l.mu.Lock()
		defer l.mu.Unlock()
		last = map[signal.ID]signal.Sample{}
		for _, b := range l.data {
			for _, s := range b.Samples {
				if s.Quality == signal.UncertainNoCommunicationLastUsable {
					before, ok := last[s.ID]
					if !ok || before.Quality != signal.Good || before.Value != s.Value || !before.SourceTime.Equal(s.SourceTime) {
						t.Errorf("%+v comes after %+v", s, before)
					}
					out = append(out, s)
				}
				last[s.ID] = s
			}
		}
		return out, last
	}
	until := func(what string, cond func() bool) {
		t.Helper()
		for range 2000 {
			if cond() {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
		t.Fatal(what)
	}
	for round := 1; round <= 2; round++ {
		until("good samples", func() bool {
			_, last := marks()
			return last["a/count"].Quality == signal.Good && last["a/count"].Value > 0 && len(last) == 2 && last["a/set"].Quality == signal.Good
		})
		if err := w.Down(wire.RST); err != nil {
			t.Fatal(err)
		}
		want := 2 * round
		until("the marks", func() bool { m, _ := marks(); return len(m) >= want })
		time.Sleep(100 * time.Millisecond)
		if m, _ := marks(); len(m) != want {
			t.Errorf("%d marks after %d outages: %+v", len(m), round, m)
		}
		w.Up()
	}
	until("good again, also the one that never changes", func() bool {
		_, last := marks()
		return last["a/count"].Quality == signal.Good && last["a/set"].Quality == signal.Good
	})
	g.stop(nil)
	if err := <-g.end; err != nil {
		t.Error(err)
	}
}
