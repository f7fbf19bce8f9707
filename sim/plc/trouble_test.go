package plc

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/plantbed/plantbed/internal/strict"
	"github.com/plantbed/plantbed/sim"
	"github.com/plantbed/plantbed/sim/signal"
)

// troubled is a PLC of one writable tag, scanned each second, with all that it
// latched and all that it told its servers.
type troubled struct {
	*PLC
	k      *sim.Kernel
	set    float64
	blocks []*Block
	told   []Trouble
}

func newTroubled(t *testing.T, protocol string) *troubled {
	t.Helper()
	d := &troubled{k: sim.New(1)}
	p, err := New(d.k, Config{Name: "p", Protocol: protocol, Scan: strict.Duration(time.Second)}, time.Unix(0, 0), []Tag{{
		ID: "oven/temp", Type: Float64,
		Read:  func(time.Duration) float64 { return d.set },
		Write: func(v float64) error { d.set = v; return nil },
	}})
	if err != nil {
		t.Fatal(err)
	}
	d.PLC = p
	p.OnScan(func(b *Block) { d.blocks = append(d.blocks, b) })
	p.OnTrouble(func(t Trouble) { d.told = append(d.told, t) })
	p.Start()
	return d
}

func (d *troubled) last() *Block { return d.blocks[len(d.blocks)-1] }

func (d *troubled) now() Trouble { return d.told[len(d.told)-1] }

// A device that restarts scans nothing while it is down, forgets the writes
// that waited and its values, and counts its scans anew; the run's own number
// of a scan goes on.
func TestARestartForgets(t *testing.T) {
	d := newTroubled(t, "opcua")
	d.k.Run(10 * time.Second)
	d.Switch().Restart(true, false)
	if err := d.Write("oven/temp", 7); err != nil {
		t.Fatal(err)
	}
	d.k.Run(15 * time.Second)
	if n := len(d.blocks); n != 10 || !d.now().Down {
		t.Errorf("%d scans, down %v", n, d.now().Down)
	}
	d.Switch().Restart(false, true)
	if d.Latest(0) != nil || d.now().Boots != 1 || d.now().Down || !d.now().SameIDs {
		t.Errorf("after the restart: %v, %+v", d.Latest(0), d.now())
	}
	d.k.Run(18 * time.Second)
	if b := d.last(); b.Seq != 13 || b.Counter() != 3 || b.Values[0] != 0 {
		t.Errorf("seq %d, counter %d, value %v; want 13, 3, 0", b.Seq, b.Counter(), b.Values[0])
	}
	d.Switch().Clear()
	if d.now().Boots != 1 || d.last().Counter() != 3 {
		t.Errorf("Clear undid the restart: %+v", d.now())
	}
}

// Clear in the middle of a restart ends it as any restart ends.
func TestClearBringsADeviceUp(t *testing.T) {
	d := newTroubled(t, "opcua")
	d.Switch().Restart(true, false)
	d.Switch().Clear()
	if got := d.now(); got.Down || got.Boots != 1 {
		t.Errorf("%+v", got)
	}
}

// The counter goes through its last value to 0 after exactly so many scans.
func TestTheCounterWraps(t *testing.T) {
	d := newTroubled(t, "modbus")
	d.k.Run(5 * time.Second)
	d.Switch().WrapCounter(3)
	var counters []uint32
	d.blocks = nil
	d.k.Run(9 * time.Second)
	for _, b := range d.blocks {
		counters = append(counters, b.Counter())
	}
	if want := []uint32{math.MaxUint32 - 1, math.MaxUint32, 0, 1}; !slices.Equal(counters, want) {
		t.Errorf("counters %v, want %v", counters, want)
	}
	if d.last().Seq != 9 {
		t.Errorf("seq %d", d.last().Seq)
	}
}

// Servers are told of what is on, and of its end.
func TestServersAreTold(t *testing.T) {
	d := newTroubled(t, "opcua")
	sw := d.Switch()
	sw.Slow(time.Second, true)
	one := d.now()
	sw.Slow(time.Second, true)
	if two := d.now(); one.Late != time.Second || one.LateTurn == 0 || two.LateTurn == one.LateTurn {
		t.Errorf("slow once: %+v, then %+v", one, two)
	}
	sw.SessionsFull(true)
	if err := sw.Gone([]string{"oven/temp", "oven/temp"}); err != nil {
		t.Error(err)
	}
	if err := sw.Refuse("busy", "read", 0.5, true); err != nil {
		t.Error(err)
	}
	got := d.now()
	if !got.SessionsFull || !got.Lacks("oven/temp") || got.Lacks("oven/tem") || len(got.Gone) != 1 || got.Refuse != (Refusal{"busy", "read", 0.5, true}) {
		t.Errorf("%+v", got)
	}
	sw.Clear()
	if got := d.now(); got.SessionsFull || got.Late != 0 || got.Lacks("oven/temp") || got.Refuse != (Refusal{}) {
		t.Errorf("after Clear: %+v", got)
	}
}

// What a device cannot do is refused, and not done in silence.
func TestTroubleThatADeviceCannotHave(t *testing.T) {
	d := newTroubled(t, "modbus")
	sw := d.Switch()
	for what, err := range map[string]error{
		"a tag that it does not have": sw.Gone([]string{"oven/tmp"}),
		"an unknown code":             sw.Refuse("lazy", "", 1, false),
		"an unknown request":          sw.Refuse("busy", "dance", 1, false),
		"a namespace":                 sw.MoveNamespace(1),
		"a retransmission queue":      sw.NoRepublish(true),
		"a certificate":               sw.Certificate(1, false),
	} {
		if err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

// Every code has an exception of Modbus and a bad status of OPC UA.
func TestCodesAreErrors(t *testing.T) {
	for _, c := range Codes {
		if c.Modbus == 0 || c.Modbus > 11 || !signal.Quality(c.OPCUA).IsBad() {
			t.Errorf("%+v", c)
		}
	}
}
