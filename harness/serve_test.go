package harness

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	opc "github.com/gopcua/opcua"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/harness/api"
)

// A client of each protocol reads what the API says was scanned, where the API
// says it stands.
func TestServeIsReadByClients(t *testing.T) {
	b := newBench(t, ServeOptions{}, "plc[1].order=dcba")
	const temp, vibration = "oven/zone-1/temp", "pump/motor/bearing-de/vibration"
	b.until("a scan", func() bool { return b.truth(temp).Scanned != nil && b.truth(vibration).Scanned != nil })

	at := b.tag(temp).Modbus
	if at == nil || at.Order != "dcba" || at.Words != 2 {
		t.Fatalf("the API has %s at %+v", temp, at)
	}
	b.inject(`{"kind": "plc.freeze", "target": "plc-oven"}`) // so that values stand
	b.inject(`{"kind": "plc.freeze", "target": "plc-pump"}`)
	raw, err := b.modbus().ReadHoldingRegisters(b.ctx, uint16(at.Register), 2)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := float64(math.Float32frombits(binary.LittleEndian.Uint32(raw))), *b.truth(temp).Scanned.Value; got != want || want < 20 {
		t.Errorf("%s over Modbus is %v, scanned was %v", temp, got, want)
	}
	running := b.tag("capper/drive/running").Modbus
	if running == nil || running.Bit == nil {
		t.Fatalf("a bool tag stands at %+v", running)
	}
	if bits, err := b.modbus().ReadDiscreteInputs(b.ctx, uint16(*running.Bit), 1); err != nil || float64(bits[0]) != *b.truth("capper/drive/running").Scanned.Value {
		t.Errorf("capper/drive/running as a bit: %v, %v", bits, err)
	}

	c, err := opc.NewClient(b.where.Endpoints[0].URL, opc.SecurityMode(ua.MessageSecurityModeNone))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Connect(b.ctx); err != nil {
		t.Fatal(err)
	}
	defer c.Close(b.ctx)
	id, err := ua.ParseNodeID(b.tag(vibration).Node)
	if err != nil {
		t.Fatal(err)
	}
	v, err := c.Node(id).Value(b.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if want := *b.truth(vibration).Scanned.Value; !near(v.Float(), want) {
		t.Errorf("%s over OPC UA is %v, scanned was %v", vibration, v.Float(), want)
	}
}

// Faults by hand: a lying sensor lies, a cut link is cut, and both are well
// again when they are cleared or their time is over.
func TestServeInjectsAndClears(t *testing.T) {
	b := newBench(t, ServeOptions{})
	const temp = "oven/zone-1/temp"
	off := func() float64 {
		v := b.truth(temp)
		if v.Scanned == nil {
			return 0
		}
		return *v.Scanned.Value - *v.True
	}
	f := b.inject(`{"kind": "sensor.bias", "target": "oven/zone-1/temp", "bias": "10 %"}`)
	b.until("the bias of 25 degrees", func() bool { return math.Abs(off()-25) < 3 })
	var list struct{ Faults []api.Fault }
	if b.call("GET", "faults", "", 200, &list); len(list.Faults) != 1 || list.Faults[0].ID != f.ID || list.Faults[0].ToS != nil {
		t.Errorf("active are %+v", list.Faults)
	}
	b.call("DELETE", fmt.Sprint("faults/", f.ID), "", 200, nil)
	b.call("DELETE", fmt.Sprint("faults/", f.ID), "", 404, nil)
	b.until("the end of the bias", func() bool { return math.Abs(off()) < 3 })

	c := b.modbus()
	reads := func() bool { _, err := c.ReadHoldingRegisters(b.ctx, 0, 2); return err == nil }
	if !reads() {
		t.Fatal("nothing to read before the link is cut")
	}
	b.inject(`{"kind": "link.down", "target": "plc-oven"}`)
	for range 2 { // on the old connection, and on a new one
		if reads() {
			t.Error("a cut link passes requests")
		}
	}
	b.call("DELETE", "faults", "", 200, &list)
	if len(list.Faults) != 1 || list.Faults[0].Kind != "link.down" {
		t.Errorf("cleared %+v", list.Faults)
	}
	b.until("the link", reads)

	b.inject(`{"kind": "link.down", "target": "plc-oven", "for": "300ms"}`)
	b.until("the link by itself", reads)
	if b.call("GET", "faults", "", 200, &list); len(list.Faults) != 0 {
		t.Errorf("still active: %+v", list.Faults)
	}

	var events api.Events
	b.call("GET", "events", "", 200, &events)
	var kinds []string
	for _, e := range events.Events {
		if e.Fault != nil {
			kinds = append(kinds, e.Kind+" "+e.Fault.Kind)
		}
	}
	if got := strings.Join(kinds, ", "); got != "fault begins sensor.bias, fault ends sensor.bias, fault begins link.down, fault ends link.down, fault begins link.down, fault ends link.down" {
		t.Errorf("events: %s", got)
	}
}

// A bearing wears out in two seconds; the machine breaks down, and the truth
// says so from the first damage on.
func TestServeShowsDamageAndBreakdown(t *testing.T) {
	b := newBench(t, ServeOptions{})
	pump := func() api.Machine {
		var out struct{ Machines []api.Machine }
		b.call("GET", "machines", "", 200, &out)
		return out.Machines[0]
	}
	f := b.inject(`{"kind": "asset.bearing_wear", "target": "pump/motor/bearing-de", "life": "2s"}`)
	b.refused(`{"kind": "asset.bearing_wear", "target": "pump/motor/bearing-de", "life": "2s"}`, 409, "worn already")
	if f.ToS == nil || math.Abs(*f.ToS-f.FromS-2) > 1e-6 {
		t.Errorf("a life of 2s is %+v", f)
	}
	b.until("damage", func() bool { d := pump().Components[0].Damage; return d > 0 && d < 1 })
	b.until("the breakdown", func() bool { p := pump(); return p.Components[0].Damage == 1 && p.StateName != "Execute" })
	seen := map[string]bool{}
	var events api.Events
	b.call("GET", "events", "", 200, &events)
	for _, e := range events.Events {
		seen[e.Kind+" "+e.Machine] = true
	}
	if !seen["onset pump"] || !seen["failure pump"] || !seen["state pump"] {
		t.Errorf("events: %v", seen)
	}
	var rest api.Events
	if b.call("GET", fmt.Sprintf("events?since=%d", events.Next), "", 200, &rest); len(rest.Events) > 0 && rest.Events[0].Seq != events.Next+1 {
		t.Errorf("behind %d comes %+v", events.Next, rest.Events[0])
	}

	b.inject(`{"kind": "asset.bearing_wear", "target": "filler/drive/bearing", "life": "1h"}`)
	b.call("DELETE", "faults", "", 200, nil)
	var out struct{ Machines []api.Machine }
	if b.call("GET", "machines", "", 200, &out); out.Machines[1].Components[0].Damage != 0 {
		t.Errorf("a cleared bearing has damage %v", out.Machines[1].Components[0].Damage)
	}
}

func TestServeRefusesWhatIsNoFault(t *testing.T) {
	b := newBench(t, ServeOptions{})
	for body, want := range map[string]string{
		`{"kind": "link.donw", "target": "plc-oven"}`:                   `did you mean "link.down"`,
		`{"kind": "link.down", "target": "plc-ovn"}`:                    `did you mean "plc-oven"`,
		`{"kind": "link.down", "target": "plc-oven", "at": "5s"}`:       "starts now",
		`{"kind": "link.down", "target": "plc-oven", "for": 5}`:         "for: ",
		`{"kind": "link.down", "target": "broker"}`:                     `no link "broker"`,
		`{"kind": "gateway.kill"}`:                                      `no host "gateway"`,
		`{"kind": "sensor.bias", "target": "oven/zone-1/temp"}`:         "bias: is missing",
		`{"kind": "link.down", "target": "plc-oven", "colour": "blue"}`: "colour: unknown key",
		`{`: "not a JSON object",
	} {
		b.refused(body, 422, want)
	}
	var list struct{ Faults []api.Fault }
	if b.call("GET", "faults", "", 200, &list); len(list.Faults) != 0 {
		t.Errorf("active: %+v", list.Faults)
	}
	var kinds struct{ Kinds []api.FaultKind }
	b.call("GET", "fault-kinds", "", 200, &kinds)
	targets := map[string]int{}
	for _, k := range kinds.Kinds {
		targets[k.Kind] = len(k.Targets)
	}
	if targets["link.down"] != 2 || targets["gateway.kill"] != 0 || targets["sensor.bias"] < 20 || targets["asset.bearing_wear"] < 4 {
		t.Errorf("targets: %v", targets)
	}
}

// With a broker there is one, behind a link that can be cut too.
func TestServeWithBroker(t *testing.T) {
	b := newBench(t, ServeOptions{Broker: "127.0.0.1:0"})
	addr := strings.TrimPrefix(b.where.Broker, "mqtt://")
	if addr == b.where.Broker {
		t.Fatalf("the broker is at %q", b.where.Broker)
	}
	// CONNECT of MQTT 3.1.1, client id "t", and the CONNACK that answers it.
	hello := func() bool {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return false
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(3 * time.Second))
		c.Write([]byte("\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01t"))
		answer := make([]byte, 4)
		_, err = io.ReadFull(c, answer)
		return err == nil && bytes.Equal(answer, []byte{0x20, 2, 0, 0})
	}
	if !hello() {
		t.Error("no broker answers")
	}
	f := b.inject(`{"kind": "link.down", "target": "broker"}`)
	if hello() {
		t.Error("a broker behind a cut link answers")
	}
	b.call("DELETE", fmt.Sprint("faults/", f.ID), "", 200, nil)
	b.until("the broker", hello)
}

// The scenario's own faults happen if they are asked for, as far as they hit
// what is there.
func TestServePlanned(t *testing.T) {
	const bias = `fault=[{kind="sensor.bias", target="oven/zone-1/temp", bias="10 %", at="100ms"}, {kind="gateway.kill", at="1s"}]`
	for _, planned := range []bool{true, false} {
		b := newBench(t, ServeOptions{Planned: planned}, bias)
		var list struct{ Faults []api.Fault }
		active := func() int { b.call("GET", "faults", "", 200, &list); return len(list.Faults) }
		if planned {
			b.until("the planned fault", func() bool { return active() == 1 })
		} else if time.Sleep(300 * time.Millisecond); active() != 0 {
			t.Errorf("nobody asked for %+v", list.Faults)
		}
		b.end()
	}
}

// An address that is taken is named, with the PLC or the part that wanted it;
// what was open already is closed again.
func TestServePortInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	before := runtime.NumGoroutine()
	addr := taken.Addr().String()
	for want, c := range map[string]struct {
		opts ServeOptions
		sets []string
	}{
		"PLC plc-oven": {sets: []string{"plc[1].listen=" + addr}},
		"API":          {opts: ServeOptions{API: addr}},
		"broker":       {opts: ServeOptions{Broker: addr}},
	} {
		err := Serve(context.Background(), quiet(t, c.sets...), c.opts)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), addr) || !strings.Contains(err.Error(), "in use") {
			t.Errorf("%s: got %v", want, err)
		}
	}
	settled(t, before)
}

// A PLC keeps the address that the scenario gives it.
func TestServeFixedAddress(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	free.Close()
	b := newBench(t, ServeOptions{}, "plc[1].listen="+addr)
	if got := b.where.Endpoints[1].URL; got != "tcp://"+addr {
		t.Errorf("plc-oven is at %s, want %s", got, addr)
	}
}

// Nothing is left when it ends, whoever is connected, also in the middle of a fault.
func TestServeLeavesNothingBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	b := newBench(t, ServeOptions{Broker: "127.0.0.1:0"})
	b.inject(`{"kind": "link.down", "target": "plc-pump", "mode": "blackhole"}`)
	for i := range b.where.Endpoints {
		c, err := net.Dial("tcp", b.addr(i))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, "half a fra")
	}
	b.end()
	settled(t, before+1) // the cleanup of the test's own context may remain
}

// The event log against one that keeps all and cuts afterwards.
func TestEventLog(t *testing.T) {
	var l eventLog
	for n := range uint64(2*keptEvents + 7) {
		l.add(api.Event{AtS: float64(n + 1)})
	}
	last, kept := uint64(2*keptEvents+7), uint64(keptEvents)
	for _, c := range []struct {
		since  uint64
		most   int
		first  uint64 // sequence number, 0 for none
		n      int
		missed uint64
	}{
		{0, 5, last - kept + 1, 5, last - kept},
		{0, 1 << 30, last - kept + 1, keptEvents, last - kept},
		{last - 3, 100, last - 2, 3, 0},
		{last, 100, 0, 0, 0},
		{last + 9, 100, 0, 0, 0},
		{last - kept, 1, last - kept + 1, 1, 0},
		{last - kept - 1, 0, 0, 0, 1},
	} {
		got := l.behind(c.since, c.most)
		if len(got.Events) != c.n || got.Missed != c.missed || c.n > 0 && (got.Events[0].Seq != c.first || got.Next != c.first+uint64(c.n)-1) {
			t.Errorf("behind %d, at most %d: %d events, next %d, missed %d", c.since, c.most, len(got.Events), got.Next, got.Missed)
		}
		for i, e := range got.Events {
			if e.Seq != c.first+uint64(i) || e.AtS != float64(e.Seq) {
				t.Fatalf("event %d is %+v", i, e)
			}
		}
	}
}

// A device whose bytes lie otherwise is read all the same, sample by sample.
func TestOrdersThroughTheStack(t *testing.T) {
	clean(t, liveRun(t, "plc[1].order=dcba", `plc[1].tag_orders={"oven/zone-2/temp"="badc"}`))
}
