package opcua

import (
	"fmt"
	"testing"
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/plc"
	"github.com/plantbed/plantbed/sim/signal"
)

// testVariables has one of every type, and arrays.
func testVariables() []plc.Variable {
	list := []plc.Variable{
		{Name: "oven/recipe", Type: "double", Value: []any{160.0, 180.0, int64(150)}, Writable: true, Unit: "degC", Low: 0, High: 300},
		{Name: "oven/batch", Type: "string", Value: "A-17", Writable: true},
		{Name: "oven/limit", Type: "float", Value: 80.5, Writable: true, Low: 0, High: 100, Unit: "degC"},
		{Name: "oven/names", Type: "string", Value: []any{"a", "b", "c"}},
		{Name: "oven/raw", Type: "byte", Value: []any{int64(1), int64(255)}, Writable: true},
		{Name: "pump/all", Tags: []signal.ID{"pump/vibration", "pump/flow"}},
		{Name: "pump/mixed", Tags: []signal.ID{"pump/motor/bearing/temp", "oven/zone"}},
	}
	for i, v := range []any{true, int64(-8), int64(200), int64(-30000), int64(60000), int64(-7), int64(1 << 31), int64(-1), int64(1), 1.5, 2.5, "text", time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), "11112222-3333-4444-5555-666677778888", "aGVsbG8="} {
		list = append(list, plc.Variable{Name: "types/" + plc.VariableTypes[i], Type: plc.VariableTypes[i], Value: v, Writable: true})
		list = append(list, plc.Variable{Name: "types/no-" + plc.VariableTypes[i], Type: plc.VariableTypes[i]})
	}
	return list
}

// part reads a node in the PLC's namespace, with an index range.
func part(c *raw, name, indexes string) *ua.DataValue {
	return ask[*ua.ReadResponse](c, &ua.ReadRequest{NodesToRead: []*ua.ReadValueID{{
		NodeID: ua.NewStringNodeID(2, name), AttributeID: ua.AttributeIDValue, IndexRange: indexes, DataEncoding: &ua.QualifiedName{},
	}}}).Results[0]
}

func writePart(c *raw, name, indexes string, v any) ua.StatusCode {
	return ask[*ua.WriteResponse](c, &ua.WriteRequest{NodesToWrite: []*ua.WriteValue{{
		NodeID: ua.NewStringNodeID(2, name), AttributeID: ua.AttributeIDValue, IndexRange: indexes, Value: &ua.DataValue{EncodingMask: ua.DataValueValue, Value: ua.MustVariant(v)},
	}}}).Results[0]
}

// Every type is read with its first value, and keeps what is written.
func TestVariableTypes(t *testing.T) {
	s := serve(t, newPLC(), Config{Variables: testVariables()}, Options{})
	c := rawSession(t, s, 0)
	for i, name := range plc.VariableTypes {
		r := part(c, "types/"+name, "")
		if r.Status != ua.StatusOK || int(r.Value.Type()) != i+1 {
			t.Errorf("%s: %v of type %v", name, r.Status, r.Value.Type())
			continue
		}
		v := r.Value.Value()
		if got := writePart(c, "types/"+name, "", v); got != ua.StatusOK {
			t.Errorf("%s: writing %v: %v", name, v, got)
		}
		if again := part(c, "types/"+name, "").Value.Value(); fmt.Sprint(again) != fmt.Sprint(v) {
			t.Errorf("%s: %v, wrote %v", name, again, v)
		}
		if got := writePart(c, "types/"+name, "", []float64{1}); got != ua.StatusBadTypeMismatch {
			t.Errorf("%s: an array: %v", name, got)
		}
		empty := part(c, "types/no-"+name, "")
		if empty.Status != ua.StatusOK || int(empty.Value.Type()) != i+1 {
			t.Errorf("%s without a value: %v of type %v", name, empty.Status, empty.Value.Type())
		}
		if got := writePart(c, "types/no-"+name, "", v); got != ua.StatusBadNotWritable {
			t.Errorf("%s, not writable: %v", name, got)
		}
	}
}

// Arrays are read and written as a whole or by index ranges.
func TestArrays(t *testing.T) {
	s := serve(t, newPLC(), Config{Variables: testVariables()}, Options{})
	c := rawSession(t, s, 0)
	text := func(name, indexes string) string {
		r := part(c, name, indexes)
		if r.Status != ua.StatusOK {
			return r.Status.Error()
		}
		return fmt.Sprint(r.Value.Value())
	}
	for _, q := range []struct{ name, part, want string }{
		{"oven/recipe", "", "[160 180 150]"}, {"oven/recipe", "1", "[180]"}, {"oven/recipe", "1:2", "[180 150]"}, {"oven/recipe", "2:9", "[150]"},
		{"oven/recipe", "3", ua.StatusBadIndexRangeNoData.Error()}, {"oven/recipe", "2:1", ua.StatusBadIndexRangeInvalid.Error()}, {"oven/recipe", "x", ua.StatusBadIndexRangeInvalid.Error()},
		{"oven/names", "0:1", "[a b]"}, {"oven/recipe", "0,0", ua.StatusBadIndexRangeNoData.Error()},
		{"oven/batch", "0", "A"}, {"oven/batch", "1:9", "-17"}, {"oven/batch", "4", ua.StatusBadIndexRangeNoData.Error()}, {"types/bytestring", "1:2", "[101 108]"},
		{"oven/raw", "", "[1 255]"}, {"oven/limit", "0", ua.StatusBadIndexRangeNoData.Error()},
	} {
		if got := text(q.name, q.part); got != q.want {
			t.Errorf("%s[%s] is %s, want %s", q.name, q.part, got, q.want)
		}
	}
	for _, w := range []struct {
		name, part string
		value      any
		want       ua.StatusCode
		then       string
	}{
		{"oven/recipe", "1", []float64{200}, ua.StatusOK, "[160 200 150]"},
		{"oven/recipe", "0:1", []float64{1, 2}, ua.StatusOK, "[1 2 150]"},
		{"oven/recipe", "", []float64{9, 8}, ua.StatusOK, "[9 8]"},
		{"oven/recipe", "", []float64{9, 301}, ua.StatusBadOutOfRange, "[9 8]"},
		{"oven/recipe", "1:2", []float64{1, 2}, ua.StatusBadIndexRangeNoData, "[9 8]"},
		{"oven/recipe", "0:1", []float64{1}, ua.StatusBadIndexRangeInvalid, "[9 8]"},
		{"oven/recipe", "0", 1.0, ua.StatusBadTypeMismatch, "[9 8]"},
		{"oven/batch", "0:1", "Bé", ua.StatusOK, "Bé17"}, {"oven/batch", "1", "=", ua.StatusOK, "B=17"}, {"oven/batch", "3:4", "xy", ua.StatusBadIndexRangeNoData, "B=17"},
		{"oven/batch", "0:1", "x", ua.StatusBadIndexRangeInvalid, "B=17"}, {"types/bytestring", "0", []byte("J"), ua.StatusOK, "[74 101 108 108 111]"},
		{"types/double", "0", []float64{1}, ua.StatusBadIndexRangeNoData, "2.5"},
		{"oven/recipe", "0", []float32{1}, ua.StatusBadTypeMismatch, "[9 8]"},
		{"oven/recipe", "", 1.0, ua.StatusBadTypeMismatch, "[9 8]"},
		{"oven/recipe", "", [][]float64{{1, 2}, {3, 4}}, ua.StatusBadTypeMismatch, "[9 8]"},
		{"oven/raw", "1", ua.ByteArray{7}, ua.StatusOK, "[1 7]"},
		{"oven/names", "", []string{"x"}, ua.StatusBadNotWritable, "[a b c]"},
		{"oven/limit", "", float32(99), ua.StatusOK, "99"},
		{"oven/limit", "", float32(101), ua.StatusBadOutOfRange, "99"},
	} {
		if got := writePart(c, w.name, w.part, w.value); got != w.want {
			t.Errorf("writing %v to %s[%s]: %v, want %v", w.value, w.name, w.part, got, w.want)
		}
		if got := text(w.name, ""); got != w.then {
			t.Errorf("after writing %v to %s[%s] it is %s, want %s", w.value, w.name, w.part, got, w.then)
		}
	}
	attribute := func(name string, a ua.AttributeID) any {
		return ask[*ua.ReadResponse](c, &ua.ReadRequest{NodesToRead: []*ua.ReadValueID{{NodeID: ua.NewStringNodeID(2, name), AttributeID: a, DataEncoding: &ua.QualifiedName{}}}}).Results[0].Value.Value()
	}
	if attribute("oven/recipe", ua.AttributeIDValueRank) != int32(1) || attribute("oven/limit", ua.AttributeIDValueRank) != int32(-1) || attribute("oven/recipe", ua.AttributeIDAccessLevel) != byte(3) ||
		attribute("oven/names", ua.AttributeIDAccessLevel) != byte(1) || attribute("pump/all", ua.AttributeIDValueRank) != int32(1) {
		t.Error("attributes")
	}
	if r := part(c, "oven/limit.EURange", "").Value.Value().(*ua.ExtensionObject).Value.(*ua.Range); r.High != 100 {
		t.Errorf("%+v", r)
	}
}

// An array of tags shows one scan, with the worst quality, and its items
// follow the scans.
func TestArrayOfTags(t *testing.T) {
	p := newPLC()
	s := serve(t, p, Config{Variables: testVariables()}, Options{})
	c := rawSession(t, s, 0)
	if got := part(c, "pump/all", "").Status; got != ua.StatusBadWaitingForInitialData {
		t.Errorf("before the first scan: %v", got)
	}
	p.set("pump/vibration", 1.5)
	p.say("pump/flow", signal.UncertainSensorNotAccurate)
	b := p.scan(1)
	r := part(c, "pump/all", "")
	if fmt.Sprint(r.Value.Value()) != "[1.5 1]" || signal.Quality(r.Status) != signal.UncertainSensorNotAccurate || !r.SourceTimestamp.Equal(b.Stamp) {
		t.Errorf("%v, %v, %v", r.Value.Value(), r.Status, r.SourceTimestamp)
	}
	p.set("pump/motor/bearing/temp", 61.5)
	p.scan(0)
	if got := fmt.Sprint(part(c, "pump/mixed", "").Value.Value()); got != "[61.5 1]" {
		t.Errorf("tags of two types: %s", got)
	}
	sub := c.subscribe(time.Hour, 1000, 10).SubscriptionID
	item := &ua.MonitoredItemCreateRequest{
		ItemToMonitor:       &ua.ReadValueID{NodeID: ua.NewStringNodeID(2, "pump/all"), AttributeID: ua.AttributeIDValue, IndexRange: "1", DataEncoding: &ua.QualifiedName{}},
		MonitoringMode:      ua.MonitoringModeReporting,
		RequestedParameters: &ua.MonitoringParameters{SamplingInterval: 100, QueueSize: 10, DiscardOldest: true, Filter: ua.NewExtensionObject(&ua.DataChangeFilter{Trigger: ua.DataChangeTriggerStatusValue, DeadbandType: uint32(ua.DeadbandTypeAbsolute), DeadbandValue: 1.5})},
	}
	made := ask[*ua.CreateMonitoredItemsResponse](c, &ua.CreateMonitoredItemsRequest{SubscriptionID: sub, TimestampsToReturn: ua.TimestampsToReturnBoth, ItemsToCreate: []*ua.MonitoredItemCreateRequest{item}}).Results[0]
	if made.StatusCode != ua.StatusOK || made.RevisedSamplingInterval != 100 {
		t.Fatalf("%v, every %v ms", made.StatusCode, made.RevisedSamplingInterval)
	}
	for range 4 {
		p.scan(1)
	}
	var list []string
	for _, d := range c.publishDue(s, sub).NotificationMessage.NotificationData {
		for _, n := range d.Value.(*ua.DataChangeNotification).MonitoredItems {
			list = append(list, fmt.Sprint(n.Value.Value.Value()))
		}
	}
	if got := fmt.Sprint(list); got != "[[1] [3] [5]]" {
		t.Errorf("notifications %s", got)
	}
}

// A writable scalar has a method that sets it, within its range; an item on it
// sees the change.
func TestSetPoints(t *testing.T) {
	p := newPLC()
	s := serve(t, p, Config{Variables: testVariables()}, Options{})
	c := rawSession(t, s, 0)
	sub := c.subscribe(20*time.Millisecond, 1000, 10).SubscriptionID
	c.monitor(sub, want{tag: "oven/limit", queue: 10})
	call := func(v any) ua.StatusCode {
		return ask[*ua.CallResponse](c, callOf("oven", "oven.SetLimit", v)).Results[0].StatusCode
	}
	if got := call(float32(42)); got != ua.StatusOK {
		t.Errorf("%v", got)
	}
	if got := call(float32(420)); got != ua.StatusBadOutOfRange {
		t.Errorf("out of range: %v", got)
	}
	if got := call(42.0); got != ua.StatusBadInvalidArgument {
		t.Errorf("another type: %v", got)
	}
	var last any
	waitFor(t, "the change", func() bool {
		for _, g := range values(c.publish().NotificationMessage) {
			last = g.value
		}
		return last == 42.0
	})
	if got := ask[*ua.CallResponse](c, callOf("oven", "oven.SetRecipe", 1.0)).Results[0].StatusCode; got != ua.StatusBadMethodInvalid {
		t.Errorf("an array has a method: %v", got)
	}
}

// A variable that cannot be keeps a server from starting.
func TestVariablesThatCannotBe(t *testing.T) {
	for what, v := range map[string]plc.Variable{
		"a tag of that name": {Name: "pump/flow", Type: "double"}, "no such tag": {Name: "x", Tags: []signal.ID{"pump/flaw"}}, "a folder": {Name: "x", Tags: []signal.ID{"pump"}},
		"another type": {Name: "x", Type: "double", Value: "one"},
	} {
		if s, err := Listen(Config{Variables: []plc.Variable{v}}, newPLC(), Options{}); err == nil {
			s.Close()
			t.Errorf("%s: no error", what)
		}
	}
}
