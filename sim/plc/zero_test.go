package plc

import (
	"errors"
	"testing"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim"
	"github.com/plantbed/plantbed/sim/signal"
)

// A counter that is reset begins again at 0 at the next scan; no instrument
// can be reset.
func TestZero(t *testing.T) {
	k := sim.New(1)
	count := func(now time.Duration) float64 { return 100 + now.Seconds() }
	p, err := New(k, Config{Name: "x", Protocol: "opcua", Scan: strict.Duration(time.Second)}, time.Unix(0, 0), []Tag{
		{ID: "count", Type: UInt32, Read: count}, {ID: "flow", Type: Float64, Hi: 10, Noise: 0.1, Read: count},
	})
	if err != nil {
		t.Fatal(err)
	}
	value := func() float64 { k.Run(k.Now() + time.Second); return p.Latest(0).Values[0] }
	p.Start()
	before := value()
	if err := p.Zero("count"); err != nil {
		t.Fatal(err)
	}
	if p.Latest(0).Values[0] != before {
		t.Error("it has changed between two scans")
	}
	if a, b := value(), value(); before < 100 || a != 0 || b != 1 {
		t.Errorf("%v, then %v and %v", before, a, b)
	}
	for _, id := range []signal.ID{"flow", "level"} {
		if err := p.Zero("count", id); err == nil {
			t.Errorf("%s was reset", id)
		}
	}
	if err := p.Zero("flow"); !errors.Is(err, ErrReadOnly) {
		t.Errorf("%v", err)
	}
	if a := value(); a != 2 {
		t.Errorf("a reset that was refused left %v", a)
	}
}
