package opcua

import (
	"context"
	"testing"
	"time"

	"github.com/gopcua/opcua"
	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/plantbed/plantbed/sim/signal"
)

func TestRead(t *testing.T) {
	p := newPLC()
	s := serve(t, p, Config{}, Options{})
	c := connect(t, s)
	ctx := context.Background()
	read := func(n *ua.NodeID, a ua.AttributeID) *ua.DataValue {
		t.Helper()
		r, err := c.Read(ctx, &ua.ReadRequest{TimestampsToReturn: ua.TimestampsToReturnBoth, NodesToRead: []*ua.ReadValueID{{NodeID: n, AttributeID: a}}})
		if err != nil {
			t.Fatal(err)
		}
		return r.Results[0]
	}
	value := func(tag string) *ua.DataValue {
		t.Helper()
		return read(ua.NewStringNodeID(2, tag), ua.AttributeIDValue)
	}
	if got := value("pump/motor/current"); got.Status != ua.StatusBadWaitingForInitialData {
		t.Errorf("before the first scan: %v", got.Status)
	}
	p.set("pump/motor/bearing/temp", 61.5)
	p.set("pump/running", 1)
	p.set("oven/offset", -7)
	p.say("oven/energy", signal.BadSensorFailure)
	b := p.scan(0)
	for tag, want := range map[string]any{
		"pump/motor/current": 1.0, "pump/motor/speed": float32(1), "pump/running": true, "pump/motor/bearing/temp": int16(615),
		"oven/zone": uint16(1), "oven/energy": uint32(1), "oven/offset": int32(-7),
	} {
		got := value(tag)
		if got.Value.Value() != want || !got.SourceTimestamp.Equal(b.Stamp) || time.Since(got.ServerTimestamp) > time.Minute {
			t.Errorf("%s is %v (%T) at %v, %v; want %v at %v", tag, got.Value.Value(), got.Value.Value(), got.SourceTimestamp, got.ServerTimestamp, want, b.Stamp)
		}
	}
	if got := value("oven/energy").Status; got != ua.StatusCode(signal.BadSensorFailure) {
		t.Errorf("quality %v", got)
	}
	if got := c.Namespaces(); len(got) != 3 || got[2] != "urn:plantbed:plc-test" {
		t.Errorf("namespaces %q", got)
	}
	status := read(ua.NewNumericNodeID(0, id.Server_ServerStatus), ua.AttributeIDValue).Value.Value().(*ua.ExtensionObject).Value.(*ua.ServerStatusDataType)
	if status.State != ua.ServerStateRunning || time.Since(status.CurrentTime) > time.Minute {
		t.Errorf("server status %+v", status)
	}
	tag := ua.NewStringNodeID(2, "pump/motor/speed")
	for a, want := range map[ua.AttributeID]any{
		ua.AttributeIDNodeClass: int32(ua.NodeClassVariable), ua.AttributeIDValueRank: int32(-1), ua.AttributeIDAccessLevel: byte(1), ua.AttributeIDMinimumSamplingInterval: 1000.0,
	} {
		if got := read(tag, a).Value.Value(); got != want {
			t.Errorf("attribute %d is %v (%T), want %v", a, got, got, want)
		}
	}
	if got := read(tag, ua.AttributeIDDataType).Value.NodeID().IntID(); got != id.Float {
		t.Errorf("data type %d", got)
	}
	if got := read(ua.NewStringNodeID(2, "oven/setpoint"), ua.AttributeIDUserAccessLevel).Value.Value(); got != byte(3) {
		t.Errorf("access level of a set-point %v", got)
	}
	eu := read(ua.NewStringNodeID(2, "pump/motor/speed.EngineeringUnits"), ua.AttributeIDValue).Value.Value().(*ua.ExtensionObject).Value.(*ua.EUInformation)
	if eu.DisplayName.Text != "A" || eu.UnitID != 'A'<<16|'M'<<8|'P' {
		t.Errorf("engineering units %+v", eu)
	}
	span := read(ua.NewStringNodeID(2, "pump/motor/speed.EURange"), ua.AttributeIDValue).Value.Value().(*ua.ExtensionObject).Value.(*ua.Range)
	if span.Low != -100 || span.High != 1000 {
		t.Errorf("range %+v", span)
	}
	if got := value("pump/motor/bearing/temp.Definition").Value.Value(); got != "0.1 A per count" {
		t.Errorf("definition %q", got)
	}
	for _, bad := range []struct {
		q    *ua.ReadValueID
		want ua.StatusCode
	}{
		{&ua.ReadValueID{NodeID: ua.NewStringNodeID(2, "no/such"), AttributeID: ua.AttributeIDValue}, ua.StatusBadNodeIDUnknown},
		{&ua.ReadValueID{NodeID: ua.NewStringNodeID(9, "pump"), AttributeID: ua.AttributeIDValue}, ua.StatusBadNodeIDUnknown},
		{&ua.ReadValueID{NodeID: ua.NewStringNodeID(2, "pump"), AttributeID: ua.AttributeIDValue}, ua.StatusBadAttributeIDInvalid},
		{&ua.ReadValueID{NodeID: tag, AttributeID: 99}, ua.StatusBadAttributeIDInvalid},
		{&ua.ReadValueID{NodeID: tag, AttributeID: ua.AttributeIDValue, IndexRange: "1:2"}, ua.StatusBadIndexRangeNoData},
		{&ua.ReadValueID{NodeID: tag, AttributeID: ua.AttributeIDValue, IndexRange: "2:1"}, ua.StatusBadIndexRangeInvalid},
		{&ua.ReadValueID{NodeID: tag, AttributeID: ua.AttributeIDValue, DataEncoding: &ua.QualifiedName{Name: "Default XML"}}, ua.StatusBadDataEncodingInvalid},
		{&ua.ReadValueID{NodeID: ua.NewNumericNodeID(0, id.Server_ServerStatus), AttributeID: ua.AttributeIDValue, DataEncoding: &ua.QualifiedName{Name: "Default XML"}}, ua.StatusBadDataEncodingUnsupported},
		{&ua.ReadValueID{NodeID: ua.NewNumericNodeID(0, id.Server_ServerStatus), AttributeID: ua.AttributeIDValue, DataEncoding: &ua.QualifiedName{Name: "Default Binary"}}, ua.StatusOK},
		{&ua.ReadValueID{NodeID: tag, AttributeID: ua.AttributeIDValue, IndexRange: "0:1,2"}, ua.StatusBadIndexRangeNoData},
		{&ua.ReadValueID{NodeID: tag, AttributeID: ua.AttributeIDValue, IndexRange: "0,"}, ua.StatusBadIndexRangeInvalid},
		{&ua.ReadValueID{NodeID: tag, AttributeID: ua.AttributeIDNodeClass, DataEncoding: &ua.QualifiedName{Name: "Default Binary"}}, ua.StatusBadDataEncodingInvalid},
	} {
		r, err := c.Read(ctx, &ua.ReadRequest{NodesToRead: []*ua.ReadValueID{bad.q}})
		if err != nil || r.Results[0].Status != bad.want {
			t.Errorf("%+v: %v, %v; want %v", bad.q, r.Results[0].Status, err, bad.want)
		}
	}
	r, err := c.Read(ctx, &ua.ReadRequest{NodesToRead: []*ua.ReadValueID{{NodeID: ua.NewNumericNodeID(0, id.Server_NamespaceArray), AttributeID: ua.AttributeIDValue, IndexRange: "2"}}})
	if err != nil || len(r.Results[0].Value.Value().([]string)) != 1 || r.Results[0].Value.Value().([]string)[0] != "urn:plantbed:plc-test" {
		t.Errorf("a part of an array: %v, %v", r.Results[0].Value.Value(), err)
	}
}

func TestWrite(t *testing.T) {
	p := newPLC()
	s := serve(t, p, Config{}, Options{})
	c := connect(t, s)
	value := func(v any) *ua.DataValue {
		return &ua.DataValue{EncodingMask: ua.DataValueValue, Value: ua.MustVariant(v)}
	}
	for _, w := range []struct {
		tag   string
		value *ua.DataValue
		want  ua.StatusCode
	}{
		{"oven/setpoint", value(180.0), ua.StatusOK},
		{"oven/setpoint", value(float32(180)), ua.StatusBadTypeMismatch},
		{"oven/setpoint", value([]float64{1, 2}), ua.StatusBadTypeMismatch},
		{"oven/setpoint", value(5000.0), ua.StatusBadOutOfRange},
		{"oven/setpoint", &ua.DataValue{EncodingMask: ua.DataValueValue | ua.DataValueSourceTimestamp, Value: ua.MustVariant(1.0), SourceTimestamp: time.Now()}, ua.StatusBadWriteNotSupported},
		{"pump/motor/bearing/temp", value(int16(123)), ua.StatusOK},
		{"pump/motor/current", value(1.0), ua.StatusBadNotWritable},
		{"pump", value(1.0), ua.StatusBadAttributeIDInvalid},
		{"no/such", value(1.0), ua.StatusBadNodeIDUnknown},
	} {
		r, err := c.Write(context.Background(), &ua.WriteRequest{NodesToWrite: []*ua.WriteValue{{NodeID: ua.NewStringNodeID(2, w.tag), AttributeID: ua.AttributeIDValue, Value: w.value}}})
		if err != nil || r.Results[0] != w.want {
			t.Errorf("%s = %v: %v, %v; want %v", w.tag, w.value.Value.Value(), r.Results[0], err, w.want)
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.written) != 2 || p.written["oven/setpoint"] != 180 || p.written["pump/motor/bearing/temp"] != 12.3 {
		t.Errorf("written: %v", p.written)
	}
}

func TestEndpointsEchoTheAddress(t *testing.T) {
	s := serve(t, newPLC(), Config{}, Options{})
	c := rawDial(t, s)
	for asked, want := range map[string]string{
		"opc.tcp://link-7:48401/x": "opc.tcp://link-7:48401/x",
		"":                         "opc.tcp://plc-in-the-field:4840/path", // from the hello
		"http://link-7:80":         "opc.tcp://plc-in-the-field:4840/path",
		"opc.tcp://[::1]:4840":     "opc.tcp://[::1]:4840",
	} {
		got := ask[*ua.GetEndpointsResponse](c, &ua.GetEndpointsRequest{EndpointURL: asked}).Endpoints
		if len(got) != 1 || got[0].EndpointURL != want || got[0].Server.DiscoveryURLs[0] != want {
			t.Errorf("%q: %+v", asked, got)
		}
		servers := ask[*ua.FindServersResponse](c, &ua.FindServersRequest{EndpointURL: asked}).Servers
		if len(servers) != 1 || servers[0].DiscoveryURLs[0] != want {
			t.Errorf("%q: %+v", asked, servers)
		}
	}
	if eps, err := opcua.GetEndpoints(context.Background(), endpoint(s)); err != nil || eps[0].EndpointURL != endpoint(s) {
		t.Errorf("%v, %v", eps, err)
	}
}
