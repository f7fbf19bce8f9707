package harness

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/plantbed/plantbed/faults"
	"github.com/plantbed/plantbed/faults/wire"
)

// What a scenario may say of a link, the wire knows: frames, actions, spreads,
// and the modes of being down.
func TestLinkSpeaksAsTheWire(t *testing.T) {
	for protocol, said := range map[string][]string{wire.FramesModbus: faults.ModbusFrames, wire.FramesMQTT: faults.MQTTFrames} {
		var known []string
		for _, f := range wire.FramesOf(protocol) {
			known = append(known, f.Name)
		}
		if !slices.Equal(known, said) {
			t.Errorf("%s: the wire knows %v, a scenario %v", protocol, known, said)
		}
	}
	if !slices.Equal(wire.Actions(), faults.FrameActions) || !slices.Equal(wire.Spreads(), faults.Spreads) {
		t.Errorf("the wire knows %v and %v, a scenario %v and %v", wire.Actions(), wire.Spreads(), faults.FrameActions, faults.Spreads)
	}
	s := faults.Shape{Delays: []faults.Delay{{Delay: 1, Jitter: 2, Spread: "normal"}}, Losses: []faults.Loss{{Good: 3, Bad: 4, RTO: 5}}, Rate: 6, Slice: 7, Gap: 8}
	want := wire.Shape{Delays: []wire.Delay{{Delay: 1, Jitter: 2, Spread: wire.Normal}}, Losses: []wire.Loss{{Good: 3, Bad: 4, RTO: 5}}, Rate: 6, Slice: 7, Gap: 8}
	if got := shapeOf(s); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v became %+v", s, got)
	}
}

// Stalls of a paused gateway and of the link itself compose, each way; rules go
// the way of their frame, or both.
func TestLinkComposes(t *testing.T) {
	w, err := wire.Listen(wire.Config{Name: "a", Upstream: "127.0.0.1:1", Frames: wire.FramesMQTT}, wire.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	l := &link{Wire: w, frames: wire.FramesMQTT}
	for _, step := range []struct {
		way  string
		on   bool
		want [2]int
	}{{"", true, [2]int{1, 1}}, {faults.ToClient, true, [2]int{2, 1}}, {"", false, [2]int{1, 0}}, {faults.ToClient, false, [2]int{0, 0}}} {
		if l.Stall(step.way, step.on); l.stalls != step.want {
			t.Errorf("%+v: stalls %v", step, l.stalls)
		}
	}
	if err := l.SetRules([]faults.Rule{{ID: 1, Do: "drop", Frame: "puback", Nth: 1, Count: 1}, {ID: 2, Do: "cut", After: 9}, {ID: 3, Do: "hold", Frame: "publish", Way: faults.ToClient, Hold: time.Second}}); err != nil {
		t.Error(err)
	}
	if err := l.SetRules([]faults.Rule{{Do: "drop", Frame: "response"}}); err == nil {
		t.Error("MQTT has no response")
	}
	if err := l.Down("blackhole", faults.ToClient); err != nil {
		t.Error(err)
	}
	if err := l.Down("rust", ""); err == nil {
		t.Error("there is no mode rust")
	}
	l.Up()
}
